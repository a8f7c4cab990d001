/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_HOSTS_TEXT_H
#define FIND_HOSTS_TEXT_H

#include "find/epmd_hosts.h"

/* hosts_text_read: a .hosts.erlang text (net_adm: host names as Erlang atoms, a full stop behind
 * each) to hosts, on the heap, as nodes spell them; each once. What makes no sense is left out, and
 * the first of it told in why, with its line; "" when all is well. CLU_ENOMEM: nothing was read. */
CLU_MUST_USE clu_error hosts_text_read(clu_slice text, struct epmd_host **hosts, size_t *n,
                                       char why[REASON_SIZE]);

#endif
