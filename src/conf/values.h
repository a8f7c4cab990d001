/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_VALUES_H
#define CONF_VALUES_H

#include "conf/options.h"

/* The `set` functions of the options: one value, checked and stored. */
#define CONF_SETTER(name) const char *name(struct loading *l, const struct given *g, void *field)

/* Of a type. */
CONF_SETTER(set_flag);     /* bool */
CONF_SETTER(set_json);     /* bool; as a word, tagged as well */
CONF_SETTER(set_port);     /* uint16_t */
CONF_SETTER(set_duration); /* uint32_t, milliseconds */
CONF_SETTER(set_count);    /* uint32_t: nodes */
CONF_SETTER(set_ip);       /* struct addr, its port stays; also Erlang's {127,0,0,1} */
CONF_SETTER(set_endpoint); /* struct addr: HOST:PORT */

/* Of a setting. */
CONF_SETTER(set_spec);
CONF_SETTER(set_name);
CONF_SETTER(set_cookie);
CONF_SETTER(set_peer_cookie);
CONF_SETTER(set_proto_dist);
CONF_SETTER(set_start_epmd);
CONF_SETTER(set_epmd_less_port);
CONF_SETTER(set_epmd);
CONF_SETTER(set_listen_port);
CONF_SETTER(set_ticktime);
CONF_SETTER(set_tick_intensity);
CONF_SETTER(set_setup_time);
CONF_SETTER(set_shutdown);
CONF_SETTER(set_cookie_overlap);
CONF_SETTER(set_http);
CONF_SETTER(set_template);
CONF_SETTER(set_prune);
CONF_SETTER(set_dist_port);
CONF_SETTER(set_dns);
CONF_SETTER(set_timeout);
CONF_SETTER(set_log_level);
CONF_SETTER(set_log_format);

#endif
