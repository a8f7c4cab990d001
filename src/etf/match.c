/* SPDX-License-Identifier: Apache-2.0
 *
 * Taking a term apart by its looks. Values are stored when all has matched, and not before.
 */
#include "etf/etf.h"
#include "etf/pattern.h"
#include "etf/utf8.h"

union value {
    int64_t i;
    uint64_t u;
    double f;
    bool b;
    clu_slice slice;
    clu_pid pid;
    clu_ref ref;
    clu_reader term;
    clu_list list;
};

struct match {
    struct pattern p;
    clu_error err;
    union value values[CLU_ARGS_MAX]; /* of the arguments used so far */
};

static void fail(struct match *m, clu_error err)
{
    if (m->err == CLU_OK)
        m->err = err;
}

/* ---- directives ---- */

/* Errors are the reader's. */

static void get_int(clu_reader *r, const clu_arg *arg, union value *v)
{
    int shift = 64 - 8 * (int)arg->size;

    if (arg->kind == CLU_ARG_INT) {
        v->i = clu_get_int(r);
        if (v->i > INT64_MAX >> shift || v->i < INT64_MIN >> shift)
            clu_reader_fail(r, CLU_ERANGE);
    } else {
        v->u = clu_get_uint(r);
        if (v->u > UINT64_MAX >> shift)
            clu_reader_fail(r, CLU_ERANGE);
    }
}

static void get_uint(clu_reader *r, const clu_arg *arg, union value *v)
{
    get_int(r, arg, v);
    if (arg->kind == CLU_ARG_INT && v->i < 0)
        clu_reader_fail(r, CLU_ERANGE);
}

static void get_float(clu_reader *r, const clu_arg *arg, union value *v)
{
    (void)arg;
    v->f = clu_get_float(r);
}

static void get_bool(clu_reader *r, const clu_arg *arg, union value *v)
{
    clu_slice text = clu_get_atom(r);

    (void)arg;
    v->b = slice_is(text, "true");
    if (!v->b && !slice_is(text, "false"))
        clu_reader_fail(r, CLU_ETYPE);
}

static void get_atom(clu_reader *r, const clu_arg *arg, union value *v)
{
    (void)arg;
    v->slice = clu_get_atom(r);
}

static void get_binary(clu_reader *r, const clu_arg *arg, union value *v)
{
    (void)arg;
    v->slice = clu_get_binary(r);
}

/* What stands in a STRING is Latin-1: UTF-8 only as long as it is ASCII. */
static void get_text(clu_reader *r, const clu_arg *arg, union value *v)
{
    bool is_binary = clu_peek_type(r) == CLU_TYPE_BINARY;
    size_t chars;

    (void)arg;
    v->slice = is_binary ? clu_get_binary(r) : clu_get_string(r);
    if (!utf8_count(v->slice, &chars) || (!is_binary && utf8_ascii_len(v->slice) != v->slice.len))
        clu_reader_fail(r, CLU_ETYPE);
}

static void get_pid(clu_reader *r, const clu_arg *arg, union value *v)
{
    (void)arg;
    v->pid = clu_get_pid(r);
}

static void get_ref(clu_reader *r, const clu_arg *arg, union value *v)
{
    (void)arg;
    v->ref = clu_get_ref(r);
}

static void get_term(clu_reader *r, const clu_arg *arg, union value *v)
{
    (void)arg;
    v->term = *r;
    clu_skip_term(r);
    v->term.end = r->pos;
}

static void get_list(clu_reader *r, const clu_arg *arg, union value *v)
{
    (void)arg;
    v->list = clu_get_elements(r);
}

static const struct directive {
    char letter;
    uint32_t kinds;
    void (*get)(clu_reader *r, const clu_arg *arg, union value *v);
} directives[] = {
    {'i', KIND_NUMBER, get_int},           {'u', KIND_NUMBER, get_uint},
    {'f', KIND(CLU_ARG_FLOAT), get_float}, {'o', KIND(CLU_ARG_BOOL), get_bool},
    {'a', KIND(CLU_ARG_SLICE), get_atom},  {'b', KIND(CLU_ARG_SLICE), get_binary},
    {'s', KIND(CLU_ARG_SLICE), get_text},  {'p', KIND(CLU_ARG_PID), get_pid},
    {'r', KIND(CLU_ARG_REF), get_ref},     {'t', KIND(CLU_ARG_TERM), get_term},
    {'l', KIND(CLU_ARG_LIST), get_list},
};

static const struct directive *find_directive(char letter)
{
    for (size_t i = 0; i < COUNT(directives); i++)
        if (directives[i].letter == letter)
            return &directives[i];
    return NULL;
}

/* What each kind of argument points to; numbers come in four sizes. */
static const uint32_t sizes[] = {
    [CLU_ARG_FLOAT] = sizeof(double),    [CLU_ARG_BOOL] = sizeof(bool),
    [CLU_ARG_SLICE] = sizeof(clu_slice), [CLU_ARG_PID] = sizeof(clu_pid),
    [CLU_ARG_REF] = sizeof(clu_ref),     [CLU_ARG_TERM] = sizeof(clu_reader),
    [CLU_ARG_LIST] = sizeof(clu_list),
};

static bool has_place(const clu_arg *arg)
{
    bool is_number = (KIND(arg->kind) & KIND_NUMBER) != 0;

    if (arg->as.out == NULL)
        return false;
    if (is_number)
        return arg->size == 1 || arg->size == 2 || arg->size == 4 || arg->size == 8;
    return arg->size > 0 && arg->size == sizes[arg->kind];
}

/* The next argument, and where its value waits; NULL where it is not of that directive. */
static const clu_arg *next_arg(struct match *m, const struct directive *d, union value **v)
{
    const clu_arg *arg = d == NULL ? NULL : pattern_arg(&m->p, d->kinds);

    if (arg == NULL || !has_place(arg)) {
        fail(m, CLU_EBADARG);
        return NULL;
    }
    *v = &m->values[m->p.used - 1];
    return arg;
}

static void match_directive(struct match *m, clu_reader *r)
{
    char letter = pattern_directive(&m->p);

    if (letter == '_') {
        clu_skip_term(r);
        return;
    }
    union value *v;
    const struct directive *d = find_directive(letter);
    const clu_arg *arg = next_arg(m, d, &v);

    if (arg != NULL)
        d->get(r, arg, v);
}

/* A number in the size that the caller has. */
static void store_number(const clu_arg *arg, const union value *v)
{
    uint64_t n = v->u; /* of an int64_t the same bits */

    switch (arg->size) {
    case 1: *(uint8_t *)arg->as.out = (uint8_t)n; break;
    case 2: *(uint16_t *)arg->as.out = (uint16_t)n; break;
    case 4: *(uint32_t *)arg->as.out = (uint32_t)n; break;
    default: memcpy(arg->as.out, &n, sizeof n); break;
    }
}

static void store_all(const struct match *m)
{
    for (size_t i = 0; i < m->p.used; i++) {
        const clu_arg *arg = &m->p.args[i];

        if ((KIND(arg->kind) & KIND_NUMBER) != 0)
            store_number(arg, &m->values[i]);
        else
            memcpy(arg->as.out, &m->values[i], arg->size);
    }
}

/* ---- literals ---- */

/* The literal as a term, in the caller's memory. */
static clu_slice take_literal(struct match *m, uint8_t *memory)
{
    clu_writer w;

    clu_writer_fixed(&w, memory, CLU_LITERAL_MAX);
    clu_error err = pattern_literal(&m->p, &w);

    if (err != CLU_OK)
        fail(m, err == CLU_ENOMEM ? err : CLU_EBADARG);
    return (clu_slice){memory, w.len};
}

static void match_literal(struct match *m, clu_reader *r)
{
    uint8_t memory[CLU_LITERAL_MAX];
    clu_slice term = take_literal(m, memory);

    if (m->err == CLU_OK && !literal_is_term(r, term))
        clu_reader_fail(r, CLU_ETYPE);
}

/* The most frequent one, without the way round by its term. */
static void match_plain_atom(struct match *m, clu_reader *r)
{
    if (!literal_is_atom(r, m->p.lex.text))
        clu_reader_fail(r, CLU_ETYPE);
    lex_next(&m->p.lex);
}

/* ---- containers ---- */

static void match_term(struct match *m, clu_reader *r);

static void expect(struct match *m, uint32_t token)
{
    if (!pattern_accept(&m->p, token))
        fail(m, CLU_EBADARG);
}

static void match_tuple(struct match *m, clu_reader *r)
{
    size_t left = clu_get_tuple(r);

    lex_next(&m->p.lex);
    if (m->p.lex.token != '}')
        do {
            if (left-- == 0)
                clu_reader_fail(r, CLU_ETYPE);
            match_term(m, r);
        } while (m->err == CLU_OK && pattern_accept(&m->p, ','));
    expect(m, '}');
    if (left != 0)
        fail(m, CLU_ETYPE);
}

/* Passes the rest of a list, which the directive _ or l stands for. */
static void match_rest(struct match *m, clu_list *list)
{
    char letter = pattern_directive(&m->p);
    clu_list start = *list;

    if (letter == 'l') {
        union value *v;

        if (next_arg(m, find_directive(letter), &v) == NULL)
            return;
        v->list = start;
    } else if (letter != '_') {
        fail(m, CLU_EBADARG);
    }
    for (clu_reader *r; (r = clu_list_next(list)) != NULL;)
        clu_skip_term(r);
    if (!list->closed) { /* an improper tail is a term as well */
        clu_skip_term(&list->at);
        list->closed = true;
    }
}

static void match_string_rest(struct match *m, clu_list *list)
{
    uint8_t memory[CLU_LITERAL_MAX];
    clu_reader literal;
    clu_slice term = take_literal(m, memory);

    clu_reader_init(&literal, term.data, term.len);
    if (m->err == CLU_OK && !literal_is_rest(list, &literal))
        fail(m, list->at.err != CLU_OK ? list->at.err : CLU_ETYPE);
}

static void match_elements(struct match *m, clu_list *list);

/* Behind [A,B|. What stands in the middle of a list is no term of its own: elements, the rest
 * whatever it is, or the one term that ends an improper list. */
static void match_tail(struct match *m, clu_list *list)
{
    if (m->p.lex.token == '~') {
        match_rest(m, list);
    } else if (m->p.lex.token == TOKEN_STRING) {
        match_string_rest(m, list);
    } else if (m->p.lex.token == '[') {
        if (pattern_enter(&m->p))
            match_elements(m, list);
        else
            fail(m, CLU_EBADARG);
        pattern_leave(&m->p);
    } else if (clu_list_next(list) != NULL || list->closed) {
        fail(m, CLU_ETYPE);
    } else {
        match_term(m, &list->at);
        list->closed = true;
    }
}

static void match_elements(struct match *m, clu_list *list)
{
    lex_next(&m->p.lex);
    if (m->p.lex.token != ']')
        do {
            clu_reader *r = clu_list_next(list);

            if (r == NULL)
                fail(m, CLU_ETYPE);
            else
                match_term(m, r);
        } while (m->err == CLU_OK && pattern_accept(&m->p, ','));
    if (m->err == CLU_OK && pattern_accept(&m->p, '|'))
        match_tail(m, list);
    if (m->err != CLU_OK)
        return;
    fail(m, clu_list_end(list));
    expect(m, ']');
}

static void match_list(struct match *m, clu_reader *r)
{
    clu_reader whole = *r;
    clu_list list = clu_get_elements(&whole);

    fail(m, whole.err);
    if (m->err == CLU_OK)
        match_elements(m, &list);
    *r = whole;
}

/* Finds the value of a key among n pairs: the reader stands at it then. */
static bool find_value(clu_reader *pairs, size_t n, clu_slice key)
{
    for (; n > 0 && pairs->err == CLU_OK; n--) {
        clu_reader r = *pairs;

        if (literal_is_term(&r, key)) {
            *pairs = r;
            return r.err == CLU_OK;
        }
        clu_skip_term(pairs);
        clu_skip_term(pairs);
    }
    return false;
}

static void match_pair(struct match *m, const clu_reader *pairs, size_t n)
{
    uint8_t memory[CLU_LITERAL_MAX];
    clu_slice key = take_literal(m, memory);
    clu_reader value = *pairs;

    if (m->err != CLU_OK)
        return;
    expect(m, TOKEN_MATCH);
    if (!find_value(&value, n, key))
        fail(m, value.err != CLU_OK ? value.err : CLU_ETYPE);
    if (m->err == CLU_OK)
        match_term(m, &value);
}

static void match_map(struct match *m, clu_reader *r)
{
    clu_reader pairs = *r;
    size_t n = clu_get_map(&pairs);

    fail(m, pairs.err);
    lex_next(&m->p.lex);
    expect(m, '{');
    if (m->err == CLU_OK && m->p.lex.token != '}')
        do
            match_pair(m, &pairs, n);
        while (m->err == CLU_OK && pattern_accept(&m->p, ','));
    expect(m, '}');
    clu_skip_term(r);
}

/* One term of the text and the one at the reader's place. The depth is that of the text. */
static void match_term(struct match *m, clu_reader *r)
{
    if (!pattern_enter(&m->p))
        fail(m, CLU_EBADARG);
    fail(m, r->err);
    if (m->err != CLU_OK)
        return;
    switch (m->p.lex.token) {
    case '~': match_directive(m, r); break;
    case '{': match_tuple(m, r); break;
    case '[': match_list(m, r); break;
    case '#': match_map(m, r); break;
    case TOKEN_ATOM: match_plain_atom(m, r); break;
    default: match_literal(m, r); break;
    }
    fail(m, r->err);
    pattern_leave(&m->p);
}

clu_error clu_match_args(clu_reader *r, const char *format, const clu_arg *args, size_t n)
{
    struct match m;
    clu_reader in = *r;

    m.err = CLU_OK;
    if (!pattern_init(&m.p, format, args, n))
        return CLU_EBADARG;
    match_term(&m, &in);
    if (m.err == CLU_OK && !pattern_is_done(&m.p))
        m.err = CLU_EBADARG;
    if (m.err != CLU_OK)
        return m.err;
    store_all(&m);
    *r = in;
    return CLU_OK;
}
