/* SPDX-License-Identifier: Apache-2.0 */
#include "base/index.h"

#include <stdlib.h>

#define FIRST_BUCKETS 16

static struct index_item **bucket(const struct index *x, uint64_t hash)
{
    return &x->buckets[hash & (x->n_buckets - 1)];
}

/* Chains of one on average. Without memory they get longer, which is no error. */
static void grow(struct index *x)
{
    size_t n = x->n_buckets == 0 ? FIRST_BUCKETS : 2 * x->n_buckets;
    struct index bigger = {.buckets = calloc(n, sizeof *bigger.buckets), .n_buckets = n, .n = x->n};

    if (bigger.buckets == NULL)
        return;
    for (size_t i = 0; i < x->n_buckets; i++)
        for (struct index_item *item = x->buckets[i], *next; item != NULL; item = next) {
            struct index_item **place = bucket(&bigger, item->hash);

            next = item->next;
            item->next = *place;
            *place = item;
        }
    free(x->buckets);
    *x = bigger;
}

clu_error index_add(struct index *x, struct index_item *item, uint64_t hash)
{
    if (x->n >= x->n_buckets)
        grow(x);
    if (x->n_buckets == 0)
        return CLU_ENOMEM;
    struct index_item **place = bucket(x, hash);

    *item = (struct index_item){.next = *place, .hash = hash};
    *place = item;
    x->n++;
    return CLU_OK;
}

void index_remove(struct index *x, struct index_item *item)
{
    for (struct index_item **at = bucket(x, item->hash); *at != NULL; at = &(*at)->next)
        if (*at == item) {
            *at = item->next;
            x->n--;
            return;
        }
}

static struct index_item *equal(struct index_item *item, uint64_t hash)
{
    while (item != NULL && item->hash != hash)
        item = item->next;
    return item;
}

struct index_item *index_first(const struct index *x, uint64_t hash)
{
    return x->n_buckets == 0 ? NULL : equal(*bucket(x, hash), hash);
}

struct index_item *index_next(const struct index_item *item)
{
    return equal(item->next, item->hash);
}

void index_free(struct index *x)
{
    free(x->buckets);
    *x = (struct index){0};
}
