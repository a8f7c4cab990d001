/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include "base/base.h"

/* Deadlines, soonest first. A heap_item lives inside the thing that waits; the heap only points. */
struct heap_item {
    uint64_t at_ms;
    size_t place; /* index + 1 in the heap; 0 when not in it */
};

struct heap {
    struct heap_item **items;
    size_t n, cap;
};

/* heap_set: puts the item in, or moves it, to wake at at_ms; NEVER takes it out. CLU_ENOMEM only
 * when it was not in the heap before. */
CLU_MUST_USE clu_error heap_set(struct heap *h, struct heap_item *item, uint64_t at_ms);
void heap_remove(struct heap *h, struct heap_item *item);
/* heap_next: when the soonest wakes; NEVER when empty. */
uint64_t heap_next(const struct heap *h);
/* heap_pop: takes out and returns the soonest item if it is due at now_ms, else NULL. */
struct heap_item *heap_pop(struct heap *h, uint64_t now_ms);
void heap_free(struct heap *h);

#endif
