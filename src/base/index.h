/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_INDEX_H
#define BASE_INDEX_H

#include "base/base.h"

/* An index of things by a number that was mixed from their keys: for keys that others made
 * (references, pids), which no slot of ours can carry. An index_item lives inside the thing; the
 * index only points. Things with equal numbers are told apart by the caller. A zeroed index is
 * empty and valid. */
struct index_item {
    struct index_item *next;
    uint64_t hash;
};

struct index {
    struct index_item **buckets;
    size_t n_buckets, n; /* n_buckets is 0 or a power of two */
};

/* index_add: CLU_ENOMEM when the first buckets cannot be had; later ones are done without. */
CLU_MUST_USE clu_error index_add(struct index *x, struct index_item *item, uint64_t hash);
void index_remove(struct index *x, struct index_item *item);
/* index_first, index_next: the things of this number, in no order; NULL at the end. */
struct index_item *index_first(const struct index *x, uint64_t hash);
struct index_item *index_next(const struct index_item *item);
void index_free(struct index *x);

/* index_mix: takes one more number into a hash; start with any. */
static inline uint64_t index_mix(uint64_t hash, uint64_t number)
{
    hash = (hash ^ number) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

#endif
