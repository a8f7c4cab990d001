/* SPDX-License-Identifier: Apache-2.0 */
#include "etf/etf.h"

/* A container that is being walked. */
struct level {
    uint64_t left;      /* terms still to come in it */
    const uint8_t *end; /* where it must end; NULL: wherever */
};

struct walk {
    clu_reader in;
    size_t depth;
    struct level levels[CLU_DEPTH_MAX];
};

static void enter(struct walk *w, const struct etf_head *head)
{
    if (w->depth == CLU_DEPTH_MAX)
        clu_reader_fail(&w->in, CLU_EDEPTH);
    else
        w->levels[w->depth++] = (struct level){head->terms, head->end};
}

/* A term has ended, and with it all containers of which it was the last. */
static void leave(struct walk *w)
{
    while (w->depth > 0 && --w->levels[w->depth - 1].left == 0) {
        const uint8_t *end = w->levels[--w->depth].end;

        if (end != NULL && end != w->in.pos)
            clu_reader_fail(&w->in, CLU_ETERM);
    }
}

clu_error clu_check(const void *data, size_t len, const clu_refs *refs, size_t *used)
{
    struct walk w;

    w.depth = 0;
    clu_reader_init(&w.in, data, len);
    w.in.refs = refs;
    const uint8_t *start = w.in.pos;

    do {
        struct etf_head head = {0};

        etf_pass_head(&w.in, &head);
        if (head.terms > 0)
            enter(&w, &head);
        else
            leave(&w);
    } while (w.depth > 0 && w.in.err == CLU_OK);

    if (used != NULL)
        *used = (size_t)(w.in.pos - start);
    else if (w.in.pos != w.in.end)
        clu_reader_fail(&w.in, CLU_ETERM);
    return w.in.err;
}

void clu_skip_term(clu_reader *r)
{
    uint64_t left = 1; /* terms still to pass; each head takes a byte, so this cannot overflow */

    while (left > 0 && r->err == CLU_OK) {
        struct etf_head head = {0};

        etf_pass_head(r, &head);
        left += head.terms;
        left--;
    }
}

clu_slice clu_get_raw(clu_reader *r)
{
    const uint8_t *start = r->pos;

    clu_skip_term(r);
    if (r->err != CLU_OK)
        return (clu_slice){0};
    return (clu_slice){start, (size_t)(r->pos - start)};
}
