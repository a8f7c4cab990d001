/* SPDX-License-Identifier: Apache-2.0 */
#include "view/mustache_ops.h"

#include "etf/float.h"

/* A section or a partial under way. The frames are also the stack of contexts. */
struct frame {
    const json_t *context; /* NULL: a partial, or a section without a context of its own */
    const json_t *list;    /* a section over a list, else NULL */
    size_t index;          /* in list */
    /* A partial: where to go on afterwards, and the caller's indentation. */
    const struct mustache *caller;
    uint32_t return_to;
    size_t indent_at;
};

struct renderer {
    const struct mustache *m; /* the template under way */
    uint32_t pc;
    const struct mustache_partials *partials;
    struct frame frames[MUSTACHE_DEPTH_MAX + 1]; /* frames[0] is the root */
    uint32_t n_frames;
    struct buf indents; /* of all partials under way; the present one is behind indent_at */
    size_t indent_at;
    struct buf *out;
    size_t out_max;
    bool done;
    clu_error err;
};

static void fail(struct renderer *r, clu_error err)
{
    if (r->err == CLU_OK)
        r->err = err;
}

static void put(struct renderer *r, const void *data, size_t len)
{
    if (len > r->out_max - r->out->len)
        fail(r, CLU_ESIZE);
    else
        buf_put(r->out, data, len);
}

/* The four that the specification and bbmustache escape, and no others: an apostrophe stays, so
 * attributes in a template need double quotes. */
static const char *entity_of(char byte)
{
    static const char *const entities[UINT8_MAX + 1] = {
        ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;"};

    return entities[(uint8_t)byte];
}

static void put_escaped(struct renderer *r, const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end && r->err == CLU_OK) {
        const char *plain = text;

        while (text < end && entity_of(*text) == NULL)
            text++;
        put(r, plain, (size_t)(text - plain));
        if (text < end) {
            const char *entity = entity_of(*text++);

            put(r, entity, strlen(entity));
        }
    }
}

static struct frame *push(struct renderer *r, const json_t *context)
{
    if (r->n_frames == COUNT(r->frames)) {
        fail(r, CLU_EDEPTH);
        return NULL;
    }
    struct frame *f = &r->frames[r->n_frames++];

    *f = (struct frame){.context = context};
    return f;
}

static json_t *member(const json_t *object, clu_slice key)
{
    return json_object_getn(object, (const char *)key.data, key.len);
}

/* The value that the innermost context with such a member has. */
static const json_t *look_up_outwards(const struct renderer *r, clu_slice key)
{
    const json_t *value = NULL;

    for (uint32_t i = r->n_frames; i > 0 && value == NULL; i--)
        value = member(r->frames[i - 1].context, key);
    return value;
}

static const json_t *innermost(const struct renderer *r)
{
    uint32_t i = r->n_frames - 1;

    while (i > 0 && r->frames[i].context == NULL)
        i--;
    return r->frames[i].context;
}

/* "a.b.c": a is searched outwards, b and c only inside what was found. */
static const json_t *look_up(const struct renderer *r, clu_slice name)
{
    if (slice_is(name, "."))
        return innermost(r);
    const json_t *value = NULL;
    bool first = true;

    for (;;) {
        const uint8_t *dot = memchr(name.data, '.', name.len);
        clu_slice key = {name.data, dot == NULL ? name.len : (size_t)(dot - name.data)};

        value = first ? look_up_outwards(r, key) : member(value, key);
        first = false;
        if (dot == NULL || value == NULL)
            return value;
        name = (clu_slice){dot + 1, name.len - key.len - 1};
    }
}

static bool is_false(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_FALSE:
    case JSON_NULL: return true;
    case JSON_ARRAY: return json_array_size(value) == 0;
    case JSON_STRING: return json_string_length(value) == 0;
    default: return false;
    }
}

static void number_text(const json_t *value, struct buf *text)
{
    char digits[FLOAT_PRINT_MAX];

    if (json_is_integer(value))
        buf_printf(text, "%lld", (long long)json_integer_value(value));
    else
        buf_put(text, digits, float_print(digits, json_real_value(value)));
}

static void put_value(struct renderer *r, clu_slice name,
                      void (*write)(struct renderer *, const char *, size_t))
{
    const json_t *value = look_up(r, name);
    struct buf text = {0};

    if (json_is_string(value)) {
        write(r, json_string_value(value), json_string_length(value));
    } else if (json_is_number(value)) {
        number_text(value, &text);
        write(r, buf_text(&text), text.len);
    } else if (json_is_boolean(value)) {
        buf_put_text(&text, json_is_true(value) ? "true" : "false");
        write(r, buf_text(&text), text.len);
    }
    if (text.err != CLU_OK)
        fail(r, text.err);
    buf_free(&text);
}

static void put_raw(struct renderer *r, const char *text, size_t len)
{
    put(r, text, len);
}

static void run_text(struct renderer *r, const struct op *op)
{
    put(r, op->text.data, op->text.len);
}

static void run_value(struct renderer *r, const struct op *op)
{
    put_value(r, op->text, put_escaped);
}

static void run_raw(struct renderer *r, const struct op *op)
{
    put_value(r, op->text, put_raw);
}

static void run_section(struct renderer *r, const struct op *op)
{
    const json_t *value = look_up(r, op->text);

    if (value == NULL || is_false(value)) {
        r->pc = op->other + 1;
        return;
    }
    bool many = json_is_array(value);
    struct frame *f = push(r, many ? json_array_get(value, 0) : value);

    if (f != NULL && many)
        f->list = value;
}

static void run_inverted(struct renderer *r, const struct op *op)
{
    const json_t *value = look_up(r, op->text);

    if (value != NULL && !is_false(value))
        r->pc = op->other + 1;
    else
        push(r, NULL);
}

static void run_end(struct renderer *r, const struct op *op)
{
    struct frame *f = &r->frames[r->n_frames - 1];

    if (f->list == NULL || ++f->index == json_array_size(f->list)) {
        r->n_frames--;
        return;
    }
    f->context = json_array_get(f->list, f->index);
    r->pc = op->other + 1;
}

/* The indentation of a partial alone in its line is added to the present one; a partial within a
 * line has none. */
static void run_partial(struct renderer *r, const struct op *op)
{
    const struct mustache *m =
        r->partials == NULL ? NULL : r->partials->find(r->partials->arg, op->text);
    struct frame *f = m == NULL ? NULL : push(r, NULL);

    if (f == NULL)
        return;
    size_t before = r->indents.len;

    f->caller = r->m;
    f->return_to = r->pc;
    f->indent_at = r->indent_at;
    if (op->indent.data != NULL) {
        for (size_t i = r->indent_at; i < before; i++)
            buf_put_byte(&r->indents, r->indents.data[i]);
        buf_put_slice(&r->indents, op->indent);
    }
    if (r->indents.len > MUSTACHE_OUTPUT_MAX)
        fail(r, CLU_ESIZE);
    r->indent_at = before;
    r->m = m;
    r->pc = 0;
}

static void run_done(struct renderer *r, const struct op *op)
{
    (void)op;
    struct frame *f = &r->frames[r->n_frames - 1];

    if (f->caller == NULL) {
        r->done = true;
        return;
    }
    r->indents.len = r->indent_at;
    r->indent_at = f->indent_at;
    r->m = f->caller;
    r->pc = f->return_to;
    r->n_frames--;
}

static void (*const run[OP_KINDS])(struct renderer *, const struct op *) = {
    [OP_TEXT] = run_text,         [OP_VALUE] = run_value, [OP_RAW] = run_raw,
    [OP_SECTION] = run_section,   [OP_END] = run_end,     [OP_PARTIAL] = run_partial,
    [OP_INVERTED] = run_inverted, [OP_DONE] = run_done,
};

static void step(struct renderer *r)
{
    const struct op *op = &r->m->ops[r->pc++];

    if (op->starts_line && op->kind != OP_DONE && r->indents.len > r->indent_at)
        put(r, r->indents.data + r->indent_at, r->indents.len - r->indent_at);
    run[op->kind](r, op);
}

clu_error mustache_render(const struct mustache *m, const json_t *context,
                          const struct mustache_partials *partials, struct buf *out)
{
    struct renderer r = {
        .m = m,
        .partials = partials,
        .frames = {{.context = context}},
        .n_frames = 1,
        .out = out,
        .out_max = out->len + MUSTACHE_OUTPUT_MAX,
    };

    for (uint32_t steps = 0; !r.done && r.err == CLU_OK; steps++) {
        step(&r);
        if (steps == MUSTACHE_STEPS_MAX)
            fail(&r, CLU_ESIZE);
        if (out->err != CLU_OK || r.indents.err != CLU_OK)
            fail(&r, CLU_ENOMEM);
    }
    buf_free(&r.indents);
    return r.err;
}
