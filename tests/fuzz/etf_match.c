/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include <erlclu/format.h>

#include "base/base.h"

/* The first byte selects the text, the rest is the term. */
struct values {
    int64_t i;
    uint8_t small;
    double f;
    bool b;
    clu_slice a, s;
    clu_pid pid;
    clu_ref ref;
    clu_reader t;
    clu_list l;
};

static clu_error match_call(clu_reader *r, struct values *v)
{
    return clu_match(r, "{'$gen_call',{~p,~t},{~a,~i}}", &v->pid, &v->t, &v->a, &v->i);
}

static clu_error match_args(clu_reader *r, struct values *v)
{
    return clu_match(r, "[~i,~u,~s|~l]", &v->i, &v->small, &v->s, &v->l);
}

static clu_error match_map(clu_reader *r, struct values *v)
{
    return clu_match(r, "#{a := ~f, \"b\" := [~o|~_], <<\"c\">> := #{1 := ~t}}", &v->f, &v->b,
                     &v->t);
}

static clu_error match_strings(clu_reader *r, struct values *v)
{
    return clu_match(r, "{\"abc\",[1,$b|\"cd\"],<<\"e\">>,-1.5,[[]|x],~b,~r}", &v->s, &v->ref);
}

static clu_error match_list(clu_reader *r, struct values *v)
{
    return clu_match(r, "~l", &v->l);
}

static clu_error (*const matches[])(clu_reader *r, struct values *v) = {
    match_call, match_args, match_map, match_strings, match_list,
};

/* A text that matches may be made a term again; a list that was found may be walked. */
static void use(struct values *v)
{
    clu_writer w;
    clu_reader *r;

    clu_writer_init(&w);
    if (v->t.pos != NULL)
        clu_format(&w, "[~i,~t]", v->i, &v->t);
    assert(w.err != CLU_EBADARG);
    clu_writer_free(&w);
    while ((r = clu_list_next(&v->l)) != NULL)
        clu_skip_term(r);
    clu_error end = clu_list_end(&v->l);

    assert(end == CLU_OK || end < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const clu_slice atoms[] = {{(const uint8_t *)"a", 1}, {(const uint8_t *)"true", 4}};
    static const clu_refs refs = {atoms, COUNT(atoms)};
    struct values v, before;
    clu_reader r;
    size_t used;

    if (size == 0)
        return 0;
    memset(&v, 0, sizeof v);
    before = v;
    clu_reader_init(&r, data + 1, size - 1);
    r.refs = &refs;
    const clu_reader start = r;
    clu_error err = matches[data[0] % COUNT(matches)](&r, &v);

    assert(err != CLU_EBADARG);
    if (err != CLU_OK) {
        assert(memcmp(&v, &before, sizeof v) == 0 && memcmp(&r, &start, sizeof r) == 0);
        return 0;
    }
    if (clu_check(start.pos, size - 1, &refs, &used) == CLU_OK)
        assert(r.pos == start.pos + used);
    use(&v);
    return 0;
}
