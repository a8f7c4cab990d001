/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_HOSTS_H
#define CONF_HOSTS_H

#include "model/settings.h"

/* Most names of a hosts file; 4 MiB of rows. Longer ones block advertisements, they name no node.
 */
#define HOSTS_NAMES_MAX 16384

/* hosts_parse: a hosts(5) text, one row a name. Lines that make no sense are passed over.
 * CLU_ESIZE: more than HOSTS_NAMES_MAX names, the first are kept; CLU_ENOMEM. hosts_fini frees,
 * after a failure too. */
CLU_MUST_USE clu_error hosts_parse(struct hosts_file *hosts, clu_slice text);
void hosts_fini(struct hosts_file *hosts);
/* hosts_find: the first row of the name, whatever its case; NULL when there is none. */
const struct host_entry *hosts_find(const struct hosts_file *hosts, const char *name);

#endif
