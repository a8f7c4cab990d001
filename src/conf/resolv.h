/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_RESOLV_H
#define CONF_RESOLV_H

#include "model/settings.h"

/* resolv_parse: a resolv.conf(5) text. Lines that make no sense are passed over, as the C library
 * does; without any name server it is the one of this host. */
void resolv_parse(struct resolv_conf *conf, clu_slice text);
/* resolv_use_server: `--dns ADDR[:PORT]`: this server and no other. */
void resolv_use_server(struct resolv_conf *conf, const struct addr *server);

#endif
