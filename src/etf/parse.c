/* SPDX-License-Identifier: Apache-2.0 */
#include "etf/parse.h"
#include "etf/syntax.h"
#include "etf/utf8.h"

enum kind {
    IN_TUPLE,
    IN_LIST,
    IN_MAP,
    IN_PARENS,
};

/* A container whose terms are being read. */
struct level {
    size_t at;   /* where its term begins in the output */
    size_t n;    /* terms so far; keys and values count each */
    size_t tail; /* of a list: where the tail begins, 0 as long as there is none */
    enum kind kind;
};

struct parser {
    struct lexer lex;
    clu_writer *out;
    clu_error err;
    uint64_t bits; /* PARSE_BITS_MAX, less what was taken */
    size_t depth;
    struct level levels[CLU_DEPTH_MAX];
};

static void fail(struct parser *p, clu_error err)
{
    if (p->err == CLU_OK)
        p->err = err;
}

static bool accept(struct parser *p, uint32_t token)
{
    if (p->lex.token != token)
        return false;
    lex_next(&p->lex);
    return true;
}

/* ---- containers ---- */

static bool goes_on_tuple(struct parser *p, struct level *l)
{
    (void)l;
    return accept(p, ',');
}

static bool goes_on_list(struct parser *p, struct level *l)
{
    if (l->tail != 0)
        return false;
    if (accept(p, ','))
        return true;
    if (!accept(p, '|'))
        return false;
    l->tail = p->out->len;
    return true;
}

static bool goes_on_map(struct parser *p, struct level *l)
{
    if (l->n % 2 == 0)
        return accept(p, ',');
    if (!accept(p, TOKEN_ARROW))
        fail(p, CLU_ESYNTAX);
    return true;
}

static bool goes_on_parens(struct parser *p, struct level *l)
{
    (void)p;
    (void)l;
    return false;
}

static void finish_tuple(struct parser *p, const struct level *l)
{
    close_tuple(p->out, l->at, l->n);
}

static void finish_list(struct parser *p, const struct level *l)
{
    close_list(p->out, l->at, l->n - (l->tail != 0), l->tail);
}

static void finish_map(struct parser *p, const struct level *l)
{
    close_map(p->out, l->at, l->n / 2);
}

static const struct {
    uint32_t close;
    size_t head;                                             /* bytes kept free for it */
    bool (*goes_on)(struct parser *p, struct level *l);      /* whether one more term follows */
    void (*finish)(struct parser *p, const struct level *l); /* NULL: nothing to do */
} kinds[] = {
    [IN_TUPLE] = {'}', PARSE_HEAD, goes_on_tuple, finish_tuple},
    [IN_LIST] = {']', PARSE_HEAD, goes_on_list, finish_list},
    [IN_MAP] = {'}', PARSE_HEAD, goes_on_map, finish_map},
    [IN_PARENS] = {')', 0, goes_on_parens, NULL},
};

/* The container of which the closing token has come is a term. */
static void close_level(struct parser *p)
{
    const struct level *l = &p->levels[--p->depth];

    lex_next(&p->lex);
    if (kinds[l->kind].finish != NULL)
        kinds[l->kind].finish(p, l);
}

/* A term has ended, and with it all containers that are closed behind it. */
static void end_term(struct parser *p)
{
    while (p->depth > 0 && p->err == CLU_OK) {
        struct level *l = &p->levels[p->depth - 1];

        l->n++;
        if (kinds[l->kind].goes_on(p, l))
            return;
        if (p->lex.token == kinds[l->kind].close)
            close_level(p);
        else
            fail(p, CLU_ESYNTAX);
    }
}

static void open_level(struct parser *p, enum kind kind)
{
    if (p->depth == CLU_DEPTH_MAX) {
        fail(p, CLU_EDEPTH);
        return;
    }
    p->levels[p->depth++] = (struct level){.at = p->out->len, .kind = kind};
    if (kinds[kind].head > 0)
        clu_writer_add(p->out, kinds[kind].head);
    lex_next(&p->lex);
    if (kind != IN_PARENS && p->lex.token == kinds[kind].close)
        close_level(p);
}

static void parse_tuple(struct parser *p)
{
    open_level(p, IN_TUPLE);
}

static void parse_list(struct parser *p)
{
    open_level(p, IN_LIST);
}

static void parse_map(struct parser *p)
{
    lex_next(&p->lex);
    if (p->lex.token == '{')
        open_level(p, IN_MAP);
    else
        fail(p, CLU_ESYNTAX);
}

static void parse_parens(struct parser *p)
{
    open_level(p, IN_PARENS);
}

/* ---- leaves ---- */

static void parse_plain_atom(struct parser *p)
{
    fail(p, parse_atom(&p->lex, p->out));
}

static bool parse_name(struct parser *p, uint32_t end)
{
    parse_plain_atom(p);
    if (p->err == CLU_OK && !accept(p, end))
        fail(p, CLU_ESYNTAX);
    return p->err == CLU_OK;
}

/* What follows `fun` is an export, Module:Function/Arity, or no term. */
static void parse_fun(struct parser *p)
{
    static const uint8_t tag = ETF_EXPORT;

    if (!slice_is(p->lex.text, "fun")) {
        fail(p, CLU_ESYNTAX);
        return;
    }
    lex_next(&p->lex);
    clu_put_bytes(p->out, &tag, sizeof tag);
    if (!parse_name(p, ':') || !parse_name(p, '/'))
        return;
    size_t arity = p->out->len;

    fail(p, p->lex.token == TOKEN_INTEGER ? parse_number(&p->lex, p->out) : CLU_ESYNTAX);
    if (p->err == CLU_OK && p->out->data[arity] != ETF_SMALL_INTEGER)
        fail(p, CLU_ESYNTAX);
}

static void parse_plain_number(struct parser *p)
{
    fail(p, parse_number(&p->lex, p->out));
}

static void parse_strings(struct parser *p)
{
    fail(p, parse_text(&p->lex, p->out));
}

static void parse_binary(struct parser *p)
{
    fail(p, parse_bits(&p->lex, p->out, &p->bits));
}

static const struct {
    uint32_t token;
    void (*parse)(struct parser *p);
} terms[] = {
    {TOKEN_ATOM, parse_plain_atom},
    {TOKEN_QUOTED_ATOM, parse_plain_atom},
    {TOKEN_INTEGER, parse_plain_number},
    {TOKEN_FLOAT, parse_plain_number},
    {TOKEN_CHAR, parse_plain_number},
    {'-', parse_plain_number},
    {'+', parse_plain_number},
    {TOKEN_STRING, parse_strings},
    {'[', parse_list},
    {'{', parse_tuple},
    {'#', parse_map},
    {TOKEN_BITS, parse_binary},
    {TOKEN_WORD, parse_fun},
    {'(', parse_parens},
};

/* Reads a leaf whole, or enters a container. */
static void begin_term(struct parser *p)
{
    for (size_t i = 0; i < COUNT(terms); i++)
        if (terms[i].token == p->lex.token) {
            terms[i].parse(p);
            return;
        }
    fail(p, CLU_ESYNTAX);
}

static void parse_term(struct parser *p)
{
    do {
        size_t depth = p->depth;

        begin_term(p);
        if (p->depth == depth)
            end_term(p);
        fail(p, p->out->err);
    } while (p->depth > 0 && p->err == CLU_OK);
}

/* After the term: where it ended, or that nothing but a full stop may follow. */
static void end_text(struct parser *p, const uint8_t *text, size_t *used)
{
    const uint8_t *end = p->lex.token == TOKEN_DOT ? p->lex.pos : p->lex.last_end;

    if (used != NULL) {
        *used = (size_t)(end - text);
        return;
    }
    accept(p, TOKEN_DOT);
    if (p->lex.token != TOKEN_END)
        fail(p, CLU_ESYNTAX);
}

clu_error clu_parse(const char *text, size_t len, clu_writer *out, size_t *at, size_t *used)
{
    struct parser p;
    const uint8_t *start = (const uint8_t *)(text == NULL ? "" : text);
    size_t before = out->len;

    p.out = out;
    p.err = out->err;
    p.bits = PARSE_BITS_MAX;
    p.depth = 0;
    lex_init(&p.lex, (clu_slice){start, len});
    parse_term(&p);
    if (p.err == CLU_OK)
        end_text(&p, start, used);
    if (p.err != CLU_OK)
        out->len = before;
    if (at != NULL)
        *at = (size_t)(p.lex.text.data - start);
    return p.err;
}
