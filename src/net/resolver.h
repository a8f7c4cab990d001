/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include "base/slots.h"
#include "find/dns_msg.h"
#include "model/settings.h"

struct watch_base;
struct resolver;

/* How long one question may take in all, over all servers and TCP. */
#define RESOLVER_DEADLINE_MS 5000

/* How a question ended; msg is borrowed until the function returns. */
typedef void resolver_fn(void *arg, slot_id query, enum dns_status status, clu_slice msg);

/* resolver_new: asks the servers of conf (borrowed). done may be called from within resolver_ask;
 * turn is called behind it when it was called from elsewhere. NULL when out of memory. */
struct resolver *resolver_new(struct watch_base *base, const struct resolv_conf *conf,
                              resolver_fn *done, void (*turn)(void *arg), void *arg);
/* resolver_free: what is under way ends without a word. */
void resolver_free(struct resolver *r);
/* resolver_ask: one question for records of one type; the name is absolute. */
void resolver_ask(struct resolver *r, slot_id query, const char *name, uint16_t type);

/* resolver_is_busy: a question is under way. */
bool resolver_is_busy(const struct resolver *r);

#endif
