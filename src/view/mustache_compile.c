/* SPDX-License-Identifier: Apache-2.0 */
#include "view/mustache_ops.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Longest delimiter that {{=<% %>=}} may set. */
#define DELIMITER_MAX 16
/* A name in an error is cut here, so that its sentence fits struct mustache_error. */
#define SHOWN_NAME_MAX 32

struct compiler {
    struct mustache *m;
    const uint8_t *start, *pos, *end;
    clu_slice open, close;                 /* the delimiters now */
    bool starts_line;                      /* nothing of this line was shown yet */
    uint32_t open_ops[MUSTACHE_DEPTH_MAX]; /* sections not yet closed, outermost first */
    uint32_t n_open;
    clu_error err;
    struct mustache_error *why;
};

/* One tag as found in the source. */
struct tag {
    char sigil;             /* one of sigils, or 0 for a plain name */
    clu_slice name;         /* what stands inside, trimmed */
    const uint8_t *begin;   /* its opening delimiter */
    const uint8_t *after;   /* behind its closing delimiter */
    bool alone;             /* nothing else but blanks in its lines */
    const uint8_t *line_at; /* alone: where its line begins */
};

static const char sigils[] = "#^/>!=&{";

/* For a %.*s in a sentence. */
#define SHOWN(name) (int)min_u64((name).len, SHOWN_NAME_MAX), (const char *)(name).data

static clu_slice between(const uint8_t *begin, const uint8_t *end)
{
    return (clu_slice){begin, (size_t)(end - begin)};
}

/* Counted only when a sentence needs it. */
static uint32_t line_of(const struct compiler *c, const uint8_t *at)
{
    uint32_t line = 1;

    for (const uint8_t *p = c->start; p < at; p++)
        line += *p == '\n';
    return line;
}

static void fail(struct compiler *c, const uint8_t *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void fail(struct compiler *c, const uint8_t *at, const char *format, ...)
{
    va_list args;

    c->err = CLU_ESYNTAX;
    c->why->line = line_of(c, at);
    va_start(args, format);
    vsnprintf(c->why->text, sizeof c->why->text, format, args);
    va_end(args);
}

static struct op *add_op(struct compiler *c, enum op_kind kind, clu_slice text)
{
    struct mustache *m = c->m;

    if (m->n_ops == m->cap_ops) {
        uint32_t cap = m->cap_ops == 0 ? 64 : m->cap_ops * 2;
        struct op *ops = reallocarray(m->ops, cap, sizeof *ops);

        if (ops == NULL) {
            c->err = CLU_ENOMEM;
            return NULL;
        }
        m->ops = ops;
        m->cap_ops = cap;
    }
    struct op *op = &m->ops[m->n_ops++];

    *op = (struct op){.kind = kind, .text = text, .starts_line = c->starts_line};
    c->starts_line = false;
    return op;
}

/* One op a line: a partial's indentation goes before every line of its template, and before no
 * line of the values in it. */
static void add_text(struct compiler *c, const uint8_t *end)
{
    while (c->pos < end && c->err == CLU_OK) {
        const uint8_t *newline = memchr(c->pos, '\n', (size_t)(end - c->pos));
        const uint8_t *stop = newline == NULL ? end : newline + 1;

        add_op(c, OP_TEXT, between(c->pos, stop));
        c->starts_line = newline != NULL;
        c->pos = stop;
    }
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

static bool is_space(uint8_t byte)
{
    return is_blank(byte) || byte == '\n' || byte == '\r';
}

static clu_slice trim(clu_slice s)
{
    while (s.len > 0 && is_space(s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && is_space(s.data[s.len - 1]))
        s.len--;
    return s;
}

static const uint8_t *find(const uint8_t *from, const uint8_t *end, clu_slice what)
{
    return memmem(from, (size_t)(end - from), what.data, what.len);
}

/* Where the newline that ends a line of blanks ends, or the end of the template; NULL when
 * something else follows. */
static const uint8_t *skip_blank_line(const uint8_t *p, const uint8_t *end)
{
    while (p < end && is_blank(*p))
        p++;
    if (p == end)
        return p;
    if (*p == '\r' && p + 1 < end)
        p++;
    return *p == '\n' ? p + 1 : NULL;
}

/* A tag that shows nothing itself takes its line with it when it stands alone there. */
static void look_alone(const struct compiler *c, struct tag *tag)
{
    const uint8_t *before = tag->begin;
    const uint8_t *after = skip_blank_line(tag->after, c->end);

    while (before > c->start && is_blank(before[-1]))
        before--;
    tag->line_at = before;
    tag->alone = after != NULL && (before == c->start || before[-1] == '\n') && tag->sigil != 0 &&
                 strchr("#^/>!=", tag->sigil) != NULL;
    if (tag->alone)
        tag->after = after;
}

/* What closes a tag: "}}", with a '}' or '=' before it where the sigil asks for its pair. */
static const uint8_t *find_close(const struct compiler *c, const struct tag *tag,
                                 const uint8_t *from)
{
    uint8_t pair = tag->sigil == '{' ? '}' : '=';

    if (tag->sigil != '{' && tag->sigil != '=')
        return find(from, c->end, c->close);
    for (const uint8_t *at = from; at < c->end; at++) {
        at = memchr(at, pair, (size_t)(c->end - at));
        if (at == NULL)
            return NULL;
        size_t left = (size_t)(c->end - at) - 1;

        if (left >= c->close.len && memcmp(at + 1, c->close.data, c->close.len) == 0)
            return at;
    }
    return NULL;
}

/* Reads the tag that begins there; false when it never ends. */
static bool read_tag(struct compiler *c, const uint8_t *begin, struct tag *tag)
{
    const uint8_t *inside = begin + c->open.len;

    *tag = (struct tag){.begin = begin};
    if (inside < c->end && *inside != '\0' && strchr(sigils, *inside) != NULL)
        tag->sigil = (char)*inside++;
    const uint8_t *close = find_close(c, tag, inside);

    if (close == NULL) {
        fail(c, begin, "a tag opens here and is never closed");
        return false;
    }
    tag->name = trim(between(inside, close));
    tag->after = close + c->close.len + (tag->sigil == '{' || tag->sigil == '=');
    look_alone(c, tag);
    return true;
}

static void on_value(struct compiler *c, const struct tag *tag)
{
    add_op(c, tag->sigil == 0 ? OP_VALUE : OP_RAW, tag->name);
}

static void on_section(struct compiler *c, const struct tag *tag)
{
    if (c->n_open == MUSTACHE_DEPTH_MAX) {
        fail(c, tag->begin, "section %.*s is nested more than %d deep", SHOWN(tag->name),
             MUSTACHE_DEPTH_MAX);
        return;
    }
    c->open_ops[c->n_open++] = c->m->n_ops;
    add_op(c, tag->sigil == '#' ? OP_SECTION : OP_INVERTED, tag->name);
}

static void on_end(struct compiler *c, const struct tag *tag)
{
    if (c->n_open == 0) {
        fail(c, tag->begin, "{{/%.*s}} closes nothing", SHOWN(tag->name));
        return;
    }
    uint32_t opening = c->open_ops[--c->n_open];
    clu_slice open = c->m->ops[opening].text;

    if (!slice_equal(open, tag->name)) {
        fail(c, tag->begin, "{{/%.*s}} stands where {{/%.*s}} should close line %u",
             SHOWN(tag->name), SHOWN(open), line_of(c, open.data));
        return;
    }
    c->m->ops[opening].other = c->m->n_ops;
    struct op *op = add_op(c, OP_END, tag->name);

    if (op != NULL)
        op->other = opening;
}

static void on_partial(struct compiler *c, const struct tag *tag)
{
    struct op *op = add_op(c, OP_PARTIAL, tag->name);

    if (op != NULL && tag->alone)
        op->indent = between(tag->line_at, tag->begin);
}

static void on_comment(struct compiler *c, const struct tag *tag)
{
    (void)c;
    (void)tag;
}

static bool is_delimiter(clu_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (is_space(s.data[i]) || s.data[i] == '=')
            return false;
    return s.len > 0 && s.len <= DELIMITER_MAX;
}

/* {{=<% %>=}}: two words without '=' in them. */
static void on_delimiters(struct compiler *c, const struct tag *tag)
{
    const uint8_t *begin = tag->name.data, *end = begin + tag->name.len, *gap = begin;

    while (gap < end && !is_space(*gap))
        gap++;
    clu_slice open = between(begin, gap), close = trim(between(gap, end));

    if (!is_delimiter(open) || !is_delimiter(close)) {
        fail(c, tag->begin, "%.*s is not a pair of delimiters", SHOWN(tag->name));
        return;
    }
    c->open = open;
    c->close = close;
}

static const struct {
    char sigil;
    bool named; /* needs a name */
    void (*compile)(struct compiler *, const struct tag *);
} tags[] = {
    {0, true, on_value},     {'&', true, on_value},    {'{', true, on_value},
    {'#', true, on_section}, {'^', true, on_section},  {'/', true, on_end},
    {'>', true, on_partial}, {'!', false, on_comment}, {'=', false, on_delimiters},
};

static void compile_tag(struct compiler *c, const struct tag *tag)
{
    for (size_t i = 0; i < COUNT(tags); i++) {
        if (tags[i].sigil != tag->sigil)
            continue;
        if (tags[i].named && tag->name.len == 0)
            fail(c, tag->begin, "this tag names nothing");
        else
            tags[i].compile(c, tag);
        return;
    }
}

static void compile_next(struct compiler *c)
{
    const uint8_t *begin = find(c->pos, c->end, c->open);
    struct tag tag;

    if (begin == NULL) {
        add_text(c, c->end);
        return;
    }
    if (!read_tag(c, begin, &tag))
        return;
    add_text(c, tag.alone ? tag.line_at : begin);
    /* A line that shows nothing is not indented either. */
    c->starts_line &= !tag.alone;
    if (c->err == CLU_OK)
        compile_tag(c, &tag);
    c->starts_line |= tag.alone;
    c->pos = tag.after;
}

static void compile_all(struct compiler *c)
{
    while (c->err == CLU_OK && c->pos < c->end)
        compile_next(c);
    if (c->err == CLU_OK && c->n_open > 0) {
        clu_slice name = c->m->ops[c->open_ops[c->n_open - 1]].text;

        fail(c, name.data, "section %.*s is never closed", SHOWN(name));
    }
    if (c->err == CLU_OK)
        add_op(c, OP_DONE, (clu_slice){0});
}

static clu_error copy_source(struct mustache *m, clu_slice text)
{
    m->source = malloc(text.len + 1); /* a block of nothing would be NULL to some */
    if (m->source == NULL)
        return CLU_ENOMEM;
    if (text.len > 0)
        memcpy(m->source, text.data, text.len);
    m->source_len = text.len;
    return CLU_OK;
}

clu_error mustache_compile(struct mustache **out, clu_slice text, struct mustache_error *why)
{
    *out = NULL;
    *why = (struct mustache_error){.line = 1, .text = "out of memory"};
    if (text.len > MUSTACHE_TEMPLATE_MAX) {
        snprintf(why->text, sizeof why->text, "the template is larger than %u bytes",
                 MUSTACHE_TEMPLATE_MAX);
        return CLU_ESIZE;
    }
    struct mustache *m = calloc(1, sizeof *m);

    if (m == NULL || copy_source(m, text) != CLU_OK) {
        mustache_free(m);
        return CLU_ENOMEM;
    }
    struct compiler c = {
        .m = m,
        .start = m->source,
        .pos = m->source,
        .end = m->source + m->source_len,
        .open = slice_of("{{"),
        .close = slice_of("}}"),
        .starts_line = true,
        .why = why,
    };

    compile_all(&c);
    if (c.err != CLU_OK) {
        mustache_free(m);
        return c.err;
    }
    *out = m;
    return CLU_OK;
}

void mustache_free(struct mustache *m)
{
    if (m == NULL)
        return;
    free(m->ops);
    free(m->source);
    free(m);
}
