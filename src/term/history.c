/* SPDX-License-Identifier: Apache-2.0 */
#include "term/history.h"

void history_free(struct history *h)
{
    for (size_t i = 0; i < HISTORY_MAX; i++)
        buf_free(&h->entries[i]);
    h->n = h->first = 0;
}

void history_add(struct history *h, clu_slice text)
{
    if (text.len == 0 || text.len > HISTORY_ENTRY_MAX || slice_equal(history_get(h, 1), text))
        return;
    struct buf *entry = &h->entries[(h->first + h->n) % HISTORY_MAX];

    if (h->n == HISTORY_MAX)
        h->first = (h->first + 1) % HISTORY_MAX;
    else
        h->n++;
    buf_reset(entry);
    buf_put_slice(entry, text);
}

clu_slice history_get(const struct history *h, size_t back)
{
    if (back == 0 || back > h->n)
        return (clu_slice){NULL, 0};
    return buf_slice(&h->entries[(h->first + h->n - back) % HISTORY_MAX]);
}

static bool holds(clu_slice entry, clu_slice text)
{
    for (size_t at = 0; at + text.len <= entry.len; at++)
        if (memcmp(entry.data + at, text.data, text.len) == 0)
            return true;
    return false;
}

size_t history_find(const struct history *h, size_t back, clu_slice text)
{
    for (; text.len > 0 && back <= h->n; back++)
        if (back > 0 && holds(history_get(h, back), text))
            return back;
    return 0;
}
