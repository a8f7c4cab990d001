/* SPDX-License-Identifier: Apache-2.0 */
#include "dist/gather.h"

#include <stdlib.h>

struct gathering *gather_find(struct gather *g, uint64_t sequence)
{
    for (struct gathering **at = &g->open; *at != NULL; at = &(*at)->next) {
        struct gathering *m = *at;

        if (m->sequence != sequence)
            continue;
        *at = m->next; /* to the front: its next fragment is likely to be one of the next */
        m->next = g->open;
        g->open = m;
        return m;
    }
    return NULL;
}

static size_t refs_size(const clu_refs *refs)
{
    size_t size = 0;

    for (size_t i = 0; refs != NULL && i < refs->n; i++)
        size += sizeof *refs->atoms + refs->atoms[i].len;
    return size;
}

static clu_slice copy(uint8_t **to, clu_slice s)
{
    clu_slice at = {*to, s.len};

    if (s.len > 0)
        memcpy(*to, s.data, s.len);
    *to += s.len;
    return at;
}

/* The atoms come first, for their slices have to be aligned. */
static void copy_head(struct gathering *m, clu_slice control, const clu_refs *refs)
{
    size_t n = refs == NULL ? 0 : refs->n;
    clu_slice *atoms = (clu_slice *)(void *)(m + 1);
    uint8_t *to = (uint8_t *)(atoms + n);

    for (size_t i = 0; i < n; i++)
        atoms[i] = copy(&to, refs->atoms[i]);
    m->refs = (clu_refs){atoms, n};
    m->control = copy(&to, control);
}

struct gathering *gather_open(struct gather *g, uint64_t sequence, uint64_t fragments,
                              clu_slice control, const clu_refs *refs, clu_error *err)
{
    size_t size = sizeof(struct gathering) + refs_size(refs) + control.len;

    *err = CLU_ESIZE;
    if (g->n_open == GATHER_OPEN_MAX || g->bytes + size > GATHER_BYTES_MAX)
        return NULL;
    struct gathering *m = malloc(size);

    *err = m == NULL ? CLU_ENOMEM : CLU_OK;
    if (m == NULL)
        return NULL;
    *m = (struct gathering){
        .next = g->open, .sequence = sequence, .fragment = fragments, .head_size = size};
    copy_head(m, control, refs);
    g->open = m;
    g->n_open++;
    g->bytes += size;
    return m;
}

static void drop_payload(struct gather *g, struct gathering *m)
{
    g->bytes -= m->cap;
    free(m->payload);
    m->payload = NULL;
    m->len = m->cap = 0;
}

static bool set_cap(struct gather *g, struct gathering *m, size_t cap)
{
    uint8_t *payload = realloc(m->payload, cap);

    if (payload == NULL)
        return false;
    g->bytes += cap - m->cap;
    m->payload = payload;
    m->cap = cap;
    return true;
}

static void take_spare(struct gather *g, struct gathering *m)
{
    m->payload = g->spare;
    m->cap = g->spare_cap;
    g->bytes += m->cap;
    g->spare = NULL;
    g->spare_cap = 0;
}

/* Memory for n bytes more: twice of what there is, but no more than is to be expected; where the
 * link may not have that, what is needed; 0: not even that. */
static size_t next_cap(const struct gather *g, const struct gathering *m, size_t n)
{
    size_t need = m->len + n, room = GATHER_BYTES_MAX - g->bytes + m->cap;
    uint64_t cap = max_u64(need, 2 * (uint64_t)m->cap);

    if (m->estimated >= need)
        cap = min_u64(cap, m->estimated);
    return cap <= room ? (size_t)cap : need <= room ? need : 0;
}

/* All fragments but the last are of one size, and the first holds the control too. */
static void estimate(struct gathering *m, size_t first, size_t max)
{
    size_t one = first + m->control.len;

    m->estimated = min_u64(m->fragment, max / one + 1) * one;
}

uint8_t *gather_space(struct gather *g, struct gathering *m, size_t n, size_t max, clu_error *err)
{
    *err = CLU_OK;
    if (m->mode != GATHER_KEEP)
        return NULL;
    if (m->len == 0)
        estimate(m, n, max);
    if (m->cap == 0 && g->spare_cap >= n && g->spare_cap <= GATHER_BYTES_MAX - g->bytes)
        take_spare(g, m);
    size_t cap = n > max - m->len ? 0 : n <= m->cap - m->len ? m->cap : next_cap(g, m, n);

    if (cap == 0) {
        m->mode = GATHER_SKIP;
        drop_payload(g, m);
        return NULL;
    }
    if (cap != m->cap && !set_cap(g, m, cap)) {
        *err = CLU_ENOMEM;
        return NULL;
    }
    return m->payload + m->len;
}

void gather_added(struct gathering *m, size_t n)
{
    m->len += n;
}

clu_error gather_add(struct gather *g, struct gathering *m, clu_slice bytes, size_t max)
{
    clu_error err;
    uint8_t *to = bytes.len == 0 ? NULL : gather_space(g, m, bytes.len, max, &err);

    if (to == NULL)
        return bytes.len == 0 ? CLU_OK : err;
    memcpy(to, bytes.data, bytes.len);
    gather_added(m, bytes.len);
    return CLU_OK;
}

void gather_take(struct gather *g, struct gathering *m)
{
    struct gathering **at = &g->open;

    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
    g->n_open--;
    g->bytes -= m->head_size + m->cap;
}

void gather_done(struct gather *g, struct gathering *m)
{
    if (m == NULL)
        return;
    if (g->spare == NULL && m->cap <= GATHER_KEEP_MAX) {
        g->spare = m->payload;
        g->spare_cap = m->cap;
    } else {
        free(m->payload);
    }
    free(m);
}

void gather_trim(struct gather *g)
{
    free(g->spare);
    g->spare = NULL;
    g->spare_cap = 0;
}

void gather_free(struct gather *g)
{
    while (g->open != NULL) {
        struct gathering *m = g->open;

        g->open = m->next;
        free(m->payload);
        free(m);
    }
    gather_trim(g);
    *g = (struct gather){0};
}
