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
    g->bytes -= m->len;
    free(m->payload);
    m->payload = NULL;
    m->len = m->cap = 0;
}

/* Room for n bytes more: twice of what there is, but no more than is to be expected. */
static clu_error make_room(struct gathering *m, size_t n)
{
    uint64_t need = (uint64_t)m->len + n, cap = max_u64(need, 2 * (uint64_t)m->cap);

    if (need <= m->cap)
        return CLU_OK;
    if (m->estimated >= need)
        cap = min_u64(cap, m->estimated);
    uint8_t *payload = realloc(m->payload, cap);

    if (payload == NULL)
        return CLU_ENOMEM;
    m->payload = payload;
    m->cap = cap;
    return CLU_OK;
}

clu_error gather_add(struct gather *g, struct gathering *m, clu_slice bytes, size_t max)
{
    if (m->mode != GATHER_KEEP || bytes.len == 0)
        return CLU_OK;
    if (bytes.len > max - m->len || g->bytes + bytes.len > GATHER_BYTES_MAX) {
        m->mode = GATHER_SKIP;
        drop_payload(g, m);
        return CLU_OK;
    }
    size_t one = bytes.len + m->control.len;

    if (m->len == 0) /* all but the last are of one size, and the first holds the control too */
        m->estimated = min_u64(m->fragment, max / one + 1) * one;
    clu_error err = make_room(m, bytes.len);

    if (err != CLU_OK)
        return err;
    memcpy(m->payload + m->len, bytes.data, bytes.len);
    m->len += bytes.len;
    g->bytes += bytes.len;
    return CLU_OK;
}

void gather_take(struct gather *g, struct gathering *m)
{
    struct gathering **at = &g->open;

    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
    g->n_open--;
    g->bytes -= m->head_size + m->len;
}

void gathering_free(struct gathering *m)
{
    if (m != NULL)
        free(m->payload);
    free(m);
}

void gather_free(struct gather *g)
{
    while (g->open != NULL) {
        struct gathering *m = g->open;

        g->open = m->next;
        gathering_free(m);
    }
    *g = (struct gather){0};
}
