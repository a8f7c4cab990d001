/* SPDX-License-Identifier: Apache-2.0 */
#include <erlclu/format.h>

#include "etf/etf.h"

/* The small integers as terms: the elements of a STRING, which has none in its bytes. */
#define B1(n)                                                                                      \
    {                                                                                              \
        ETF_SMALL_INTEGER, (n)                                                                     \
    }
#define B4(n)   B1(n), B1((n) + 1), B1((n) + 2), B1((n) + 3)
#define B16(n)  B4(n), B4((n) + 4), B4((n) + 8), B4((n) + 12)
#define B64(n)  B16(n), B16((n) + 16), B16((n) + 32), B16((n) + 48)
#define B256(n) B64(n), B64((n) + 64), B64((n) + 128), B64((n) + 192)
static const uint8_t bytes[256][2] = {B256(0)};

/* Enters the list that begins at `at`: the whole one, or a tail that is one as well. */
static void enter(clu_list *l)
{
    clu_reader *r = &l->at;
    bool is_list = clu_reader_has(r, 1) && *r->pos == ETF_LIST;

    if (is_list) {
        l->left = clu_get_list(r);
        return;
    }
    clu_reader string = *r;

    l->left = clu_get_string(r).len; /* of a NIL: 0 */
    l->closed = true;
    l->in_string = l->left > 0 && r->err == CLU_OK;
    if (l->in_string)
        r->pos = string.pos + 3; /* its tag and length */
}

/* Whether the reader stands at a list in one of its forms. */
static bool at_list(const clu_reader *r)
{
    return clu_peek_type(r) == CLU_TYPE_LIST;
}

static clu_list open_list(const clu_reader *r)
{
    clu_list l = {.at = *r};

    enter(&l);
    return l;
}

clu_list clu_get_elements(clu_reader *r)
{
    clu_list l = open_list(r);

    if (l.at.err == CLU_OK)
        clu_skip_term(r);
    else
        clu_reader_fail(r, l.at.err);
    return l;
}

clu_reader *clu_list_next(clu_list *l)
{
    while (l->left == 0 && !l->closed && at_list(&l->at))
        enter(l);
    if (l->left == 0 || l->at.err != CLU_OK || l->byte.err != CLU_OK)
        return NULL;
    l->left--;
    if (!l->in_string)
        return &l->at;
    clu_reader_init(&l->byte, bytes[*l->at.pos++], sizeof *bytes);
    return &l->byte;
}

clu_error clu_list_end(clu_list *l)
{
    bool more = clu_list_next(l) != NULL;

    if (l->at.err != CLU_OK || l->byte.err != CLU_OK)
        return l->at.err != CLU_OK ? l->at.err : l->byte.err;
    return more || !l->closed ? CLU_ETYPE : CLU_OK;
}
