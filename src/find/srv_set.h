/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_SRV_SET_H
#define FIND_SRV_SET_H

#include "find/dns_msg.h"

/* SRV records, each target and port once, in the order of dns_reply. A zeroed set is empty and
 * valid. */
struct srv_set {
    struct dns_service *items;
    size_t n;
};

/* srv_set_merge: adds sorted records; where one is there already, the new one's addresses count.
 * CLU_ENOMEM leaves the set as it is. */
CLU_MUST_USE clu_error srv_set_merge(struct srv_set *s, const struct dns_service *items, size_t n);
/* srv_set_missing: how many of these are not in the other set. */
size_t srv_set_missing(const struct srv_set *s, const struct srv_set *in);
void srv_set_free(struct srv_set *s);

#endif
