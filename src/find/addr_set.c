/* SPDX-License-Identifier: Apache-2.0 */
#include "find/addr_set.h"

#include <stdlib.h>

#define FIRST_ITEMS 16

/* FNV-1a, 32 bits (Fowler, Noll, Vo). */
static uint32_t hash(const struct addr *a)
{
    uint32_t h = 2166136261u ^ a->family;

    for (size_t i = 0; i < sizeof a->ip; i++)
        h = (h ^ a->ip[i]) * 16777619u;
    return h ^ h >> 15;
}

/* Where the address is, or the free place where it belongs. */
static uint32_t *find(const struct addr_set *s, const struct addr *a)
{
    size_t mask = s->n_places - 1;
    size_t i = hash(a) & mask;

    while (s->places[i] != 0 && !addr_same_ip(&s->items[s->places[i] - 1], a))
        i = (i + 1) & mask;
    return &s->places[i];
}

static bool grow(struct addr_set *s)
{
    size_t cap = s->cap == 0 ? FIRST_ITEMS : s->cap * 2;
    uint32_t *places = calloc(cap * 2, sizeof *places);
    struct addr *items = realloc(s->items, cap * sizeof *items);

    if (items != NULL)
        s->items = items;
    if (places == NULL || items == NULL) {
        free(places);
        return false;
    }
    free(s->places);
    s->places = places;
    s->n_places = cap * 2;
    s->cap = cap;
    for (size_t i = 0; i < s->n; i++)
        *find(s, &s->items[i]) = (uint32_t)i + 1;
    return true;
}

clu_error addr_set_add(struct addr_set *s, const struct addr *a)
{
    if (addr_set_has(s, a))
        return CLU_EEXIST;
    if (s->n == s->cap && !grow(s))
        return CLU_ENOMEM;
    s->items[s->n++] = *a;
    *find(s, a) = (uint32_t)s->n;
    return CLU_OK;
}

bool addr_set_has(const struct addr_set *s, const struct addr *a)
{
    return s->n > 0 && *find(s, a) != 0;
}

bool addr_set_same(const struct addr_set *a, const struct addr_set *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!addr_set_has(b, &a->items[i]))
            return false;
    return true;
}

struct addr *addr_set_take(struct addr_set *s)
{
    struct addr *items = s->items;

    s->items = NULL;
    addr_set_free(s);
    return items;
}

void addr_set_clear(struct addr_set *s)
{
    if (s->n > 0)
        memset(s->places, 0, s->n_places * sizeof *s->places);
    s->n = 0;
}

void addr_set_free(struct addr_set *s)
{
    free(s->items);
    free(s->places);
    *s = (struct addr_set){0};
}
