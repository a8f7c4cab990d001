/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "base/base.h"
#include "tests/unit/etf/etf_copy.h"

/* What a distribution header would have brought. */
static const clu_slice atoms[] = {
    {(const uint8_t *)"", 0},
    {(const uint8_t *)"ok", 2},
    {(const uint8_t *)"a@127.0.0.1", 11},
};
static const clu_refs refs = {atoms, COUNT(atoms)};

static void skip(clu_reader *r, clu_writer *w)
{
    (void)w;
    clu_skip_term(r);
}

static void print(clu_reader *r, clu_writer *w)
{
    clu_error err = clu_print(r, w);

    assert(err == (r->err != CLU_OK ? r->err : w->err));
}

/* Every way through a term ends at the same place, if the check found it well-formed; if not, they
 * end somewhere inside. So does print, if the term is too deep for it. */
static void walk(clu_slice input, void (*pass)(clu_reader *r, clu_writer *w), clu_error err,
                 size_t used)
{
    clu_reader r;
    clu_writer w;

    clu_reader_init(&r, input.data, input.len);
    r.refs = &refs;
    clu_writer_init(&w);
    const uint8_t *start = r.pos;

    pass(&r, &w);
    assert(r.pos >= start && r.pos <= r.end);
    if (pass == print && r.err == CLU_EDEPTH)
        err = r.err;
    assert(err != CLU_OK || (r.err == CLU_OK && w.err == CLU_OK));
    assert(err != CLU_OK || (size_t)(r.pos - start) == used);
    clu_writer_free(&w);
}

static bool is_sound(const clu_reader *r)
{
    return clu_check(r->pos, (size_t)(r->end - r->pos), r->refs, &(size_t){0}) == CLU_OK;
}

/* What was copied value by value is well-formed, with the same references: its funs have them. */
static void copy(clu_reader *r, clu_writer *w)
{
    bool sound = is_sound(r);

    etf_copy(r, w);
    assert(!sound || clu_check(w->data, w->len, r->refs, NULL) == CLU_OK);
}

/* And what was copied away from its header has none any more. */
static void put(clu_reader *r, clu_writer *w)
{
    bool sound = is_sound(r);

    clu_put_term(w, r);
    assert(!sound || clu_check(w->data, w->len, NULL, NULL) == CLU_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t used = 0;
    clu_error err = clu_check(data, size, &refs, &used);
    clu_slice input = {data, size};

    assert(used <= size);
    walk(input, skip, err, used);
    walk(input, print, err, used);
    walk(input, copy, err, used);
    walk(input, put, err, used);
    return 0;
}
