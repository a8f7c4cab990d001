/* SPDX-License-Identifier: Apache-2.0 */
#include "base/heap.h"

#include <stdlib.h>

#define FIRST_ITEMS 16

static void place(struct heap *h, size_t i, struct heap_item *item)
{
    h->items[i] = item;
    item->place = i + 1;
}

static void sift_up(struct heap *h, size_t i)
{
    struct heap_item *item = h->items[i];

    while (i > 0 && h->items[(i - 1) / 2]->at_ms > item->at_ms) {
        place(h, i, h->items[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    place(h, i, item);
}

static void sift_down(struct heap *h, size_t i)
{
    struct heap_item *item = h->items[i];

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= h->n)
            break;
        if (child + 1 < h->n && h->items[child + 1]->at_ms < h->items[child]->at_ms)
            child++;
        if (h->items[child]->at_ms >= item->at_ms)
            break;
        place(h, i, h->items[child]);
        i = child;
    }
    place(h, i, item);
}

static clu_error add(struct heap *h, struct heap_item *item)
{
    if (h->n == h->cap) {
        size_t cap = h->cap == 0 ? FIRST_ITEMS : h->cap * 2;
        struct heap_item **items = realloc(h->items, cap * sizeof *items);

        if (items == NULL)
            return CLU_ENOMEM;
        h->items = items;
        h->cap = cap;
    }
    place(h, h->n++, item);
    return CLU_OK;
}

clu_error heap_set(struct heap *h, struct heap_item *item, uint64_t at_ms)
{
    if (at_ms == NEVER) {
        heap_remove(h, item);
        return CLU_OK;
    }
    item->at_ms = at_ms;
    if (item->place == 0) {
        clu_error err = add(h, item);

        if (err != CLU_OK)
            return err;
    }
    sift_up(h, item->place - 1);
    sift_down(h, item->place - 1);
    return CLU_OK;
}

void heap_remove(struct heap *h, struct heap_item *item)
{
    if (item->place == 0)
        return;
    size_t i = item->place - 1;
    struct heap_item *last = h->items[--h->n];

    item->place = 0;
    if (last == item)
        return;
    place(h, i, last);
    sift_up(h, i);
    sift_down(h, last->place - 1);
}

uint64_t heap_next(const struct heap *h)
{
    return h->n == 0 ? NEVER : h->items[0]->at_ms;
}

struct heap_item *heap_pop(struct heap *h, uint64_t now_ms)
{
    if (h->n == 0 || h->items[0]->at_ms > now_ms)
        return NULL;
    struct heap_item *item = h->items[0];

    heap_remove(h, item);
    return item;
}

void heap_free(struct heap *h)
{
    for (size_t i = 0; i < h->n; i++)
        h->items[i]->place = 0;
    free(h->items);
    *h = (struct heap){0};
}
