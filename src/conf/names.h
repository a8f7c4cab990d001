/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_NAMES_H
#define CONF_NAMES_H

#include "model/model.h"

#define NAME_DEFAULT "erlclu"

/* names_make: the full name of a node from "NAME" or "NAME@HOST"; without a host part it is that of
 * here. IP addresses are spelled as inet_ntop spells them: two spellings would be two nodes. NULL
 * on success, else what is wrong, to go behind the name: "has no ...". */
const char *names_make(char out[NODE_NAME_SIZE], const char *given, const struct addr *here);
/* names_is_long: the host part has a dot or a colon. BEAMs with long names dial no other. */
bool names_is_long(const char *name);

#endif
