/* SPDX-License-Identifier: Apache-2.0 */
#include "find/gossip_heard.h"

#include <stdlib.h>

static bool grow(struct gossip_heard *h)
{
    size_t cap = h->cap == 0 ? 16 : 2 * h->cap;

    if (h->n < h->cap)
        return true;
    struct entry *entries = realloc(h->entries, cap * sizeof *entries);

    if (entries != NULL)
        h->entries = entries;
    uint64_t *last_ms = realloc(h->last_ms, cap * sizeof *last_ms);

    if (last_ms != NULL)
        h->last_ms = last_ms;
    if (entries == NULL || last_ms == NULL)
        return false;
    h->cap = cap;
    return true;
}

/* Of all names the one that has been silent longest; h->n when all of them speak. */
static size_t find_silent(const struct gossip_heard *h)
{
    size_t oldest = 0;

    for (size_t i = 1; i < h->n; i++)
        if (h->last_ms[i] < h->last_ms[oldest])
            oldest = i;
    return h->entries[oldest].terminating ? oldest : h->n;
}

static size_t find(const struct gossip_heard *h, const char *name)
{
    size_t i = 0;

    while (i < h->n && strcmp(h->entries[i].name, name) != 0)
        i++;
    return i;
}

static void speaks(struct gossip_heard *h, size_t i, uint64_t now_ms)
{
    h->changed |= h->entries[i].terminating;
    h->entries[i].terminating = false;
    h->last_ms[i] = now_ms;
}

bool gossip_add(struct gossip_heard *h, const struct entry *e, uint64_t now_ms)
{
    size_t i = find(h, e->name);

    if (i < h->n) {
        speaks(h, i, now_ms);
        return true;
    }
    if (h->paid_ms > now_ms + (GOSSIP_NEW_BURST - 1) * GOSSIP_NEW_MS)
        return true; /* later */
    if (h->n == GOSSIP_NAMES_MAX && (i = find_silent(h)) == h->n)
        return false;
    if (h->n < GOSSIP_NAMES_MAX && !grow(h))
        return true; /* later, too */
    if (i == h->n)
        h->n++;
    h->paid_ms = max_u64(h->paid_ms, now_ms) + GOSSIP_NEW_MS;
    h->entries[i] = *e;
    h->changed = true;
    speaks(h, i, now_ms);
    return true;
}

uint64_t gossip_silent(struct gossip_heard *h, uint64_t now_ms)
{
    uint64_t next_ms = NEVER;

    for (size_t i = 0; i < h->n; i++) {
        uint64_t at_ms = h->last_ms[i] + GOSSIP_SILENT_MS;

        if (h->entries[i].terminating)
            continue;
        if (at_ms > now_ms) {
            next_ms = min_u64(next_ms, at_ms);
            continue;
        }
        h->entries[i].terminating = true;
        h->changed = true;
    }
    return next_ms;
}
