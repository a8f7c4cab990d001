/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SLOTS_H
#define BASE_SLOTS_H

#include "base/base.h"

/* A table of slots: what it holds is named by an id, index and generation in one number, so that an
 * id of something gone is found to be gone instead of naming its successor. 0 is never an id. */
typedef uint32_t slot_id;

/* How many bits of an id are the index: a table holds at most 2^SLOT_INDEX_BITS - 1 things. */
#define SLOT_INDEX_BITS 20

/* slot_index: the index in an id, for tables beside the one that gave it. */
static inline uint32_t slot_index(slot_id id)
{
    return id & ((1u << SLOT_INDEX_BITS) - 1);
}

struct slots {
    struct slot *slots;
    uint32_t n_slots; /* allocated */
    uint32_t n_used;
    uint32_t free_head; /* index + 1 of the first free slot, 0 when none */
    uint32_t max;       /* at most this many in use; 0 means all the index can name */
};

/* slots_add: stores ptr (not NULL), which stays the caller's; its id, or 0 when out of memory or
 * at the limit. */
slot_id slots_add(struct slots *s, void *ptr);
/* slots_get: what was stored under the id, NULL when it is gone. */
void *slots_get(const struct slots *s, slot_id id);
void slots_remove(struct slots *s, slot_id id);
/* slots_next: walks in order of index. Start with *at = 0; NULL at the end. What it returned may
 * be removed before the next call. */
void *slots_next(const struct slots *s, uint32_t *at);
void slots_free(struct slots *s);

#endif
