/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_ADDR_SET_H
#define FIND_ADDR_SET_H

#include "base/addr.h"

/* IP addresses, each once, in order of arrival; ports do not count. DNS servers shuffle their
 * answers, so what they say is compared as sets. A zeroed set is empty and valid. */
struct addr_set {
    struct addr *items;
    size_t n, cap;
    uint32_t *places; /* open addressing: index + 1 into items, 0 free */
    size_t n_places;  /* a power of two, at least twice cap */
};

/* addr_set_add: CLU_EEXIST when it is there already, CLU_ENOMEM. */
CLU_MUST_USE clu_error addr_set_add(struct addr_set *s, const struct addr *a);
bool addr_set_has(const struct addr_set *s, const struct addr *a);
/* addr_set_same: the same addresses, in whatever order. */
bool addr_set_same(const struct addr_set *a, const struct addr_set *b);
/* addr_set_take: gives the items to the caller, who frees them; the set is empty afterwards. */
struct addr *addr_set_take(struct addr_set *s);
/* addr_set_clear: empties it, keeps the memory. */
void addr_set_clear(struct addr_set *s);
void addr_set_free(struct addr_set *s);

#endif
