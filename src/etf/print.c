/* SPDX-License-Identifier: Apache-2.0 */
#include "etf/etf.h"
#include "etf/float.h"
#include "etf/syntax.h"
#include "etf/utf8.h"

/* Where the opaque part of a NEW_FUN ends: tag, Size, Arity, Uniq, Index, NumFree. */
#define NEW_FUN_MODULE_AT 30

enum kind {
    IN_TUPLE,
    IN_LIST,
    IN_MAP,
    IN_RECORD,
};

/* A container whose terms are being printed. */
struct frame {
    uint64_t left; /* terms still to come; of a list the tail too */
    enum kind kind;
    const uint8_t *names; /* of a record: the name of the next field */
};

struct printer {
    clu_reader *in;
    clu_writer *out;
    size_t depth;
    struct frame frames[CLU_DEPTH_MAX];
};

static void open_frame(struct printer *p, enum kind kind, uint64_t left)
{
    if (p->depth == CLU_DEPTH_MAX)
        clu_reader_fail(p->in, CLU_EDEPTH);
    else
        p->frames[p->depth++] = (struct frame){.left = left, .kind = kind};
}

/* ---- leaves ---- */

static void print_integer(struct printer *p)
{
    uint8_t small[8];
    bool negative;
    clu_slice magnitude = clu_get_big(p->in, &negative, small);

    int_print(p->out, magnitude, negative);
}

static void print_float(struct printer *p)
{
    char text[FLOAT_PRINT_MAX];
    double value = clu_get_float(p->in);

    if (value - value != 0)
        clu_reader_fail(p->in, CLU_ETERM); /* infinite, or no number */
    if (p->in->err == CLU_OK)
        clu_put_bytes(p->out, text, float_print(text, value));
}

static void print_atom_of(clu_reader *in, clu_writer *out)
{
    uint8_t utf8[CLU_ATOM_BYTES_MAX];

    text_atom(out, clu_get_atom_utf8(in, utf8));
}

static void print_atom(struct printer *p)
{
    print_atom_of(p->in, p->out);
}

static void print_bits(struct printer *p)
{
    uint8_t last_bits;
    clu_slice bytes = clu_get_bitstring(p->in, &last_bits);

    text_bits(p->out, bytes, last_bits);
}

/* A node's name without quotes, which dots and hyphens would ask for. */
static void put_node(clu_writer *out, clu_slice node)
{
    const uint8_t *pos = node.data, *end = slice_end(node);

    while (pos < end)
        text_char(out, utf8_get(&pos, end), 0);
}

static void put_dot(clu_writer *out, uint64_t n)
{
    text_put(out, ".");
    text_uint(out, n);
}

static void print_pid(struct printer *p)
{
    uint8_t utf8[CLU_ATOM_BYTES_MAX];
    clu_pid pid = etf_get_pid(p->in, utf8);

    text_put(p->out, "<");
    put_node(p->out, pid.node);
    put_dot(p->out, pid.id);
    put_dot(p->out, pid.serial);
    text_put(p->out, ">");
}

static void print_port(struct printer *p)
{
    uint8_t utf8[CLU_ATOM_BYTES_MAX];
    clu_port port = etf_get_port(p->in, utf8);

    text_put(p->out, "#Port<");
    put_node(p->out, port.node);
    put_dot(p->out, port.id);
    text_put(p->out, ">");
}

/* Erlang shows the words from the last to the first. */
static void print_ref(struct printer *p)
{
    uint8_t utf8[CLU_ATOM_BYTES_MAX];
    clu_ref ref = etf_get_ref(p->in, utf8);

    text_put(p->out, "#Ref<");
    put_node(p->out, ref.node);
    for (uint32_t i = ref.n; i > 0; i--)
        put_dot(p->out, ref.words[i - 1]);
    text_put(p->out, ">");
}

static void print_export(struct printer *p)
{
    clu_reader_take(p->in, 1); /* the tag */
    text_put(p->out, "fun ");
    print_atom(p);
    text_put(p->out, ":");
    print_atom(p);
    text_put(p->out, "/");
    print_integer(p);
}

/* #Fun<Module.Index.Uniq>, these three of the old kind: what the VM shows. */
static void print_fun(struct printer *p)
{
    clu_slice fun = clu_get_fun(p->in);

    if (fun.len == 0)
        return;
    clu_reader inner = {.pos = fun.data, .end = fun.data + fun.len, .refs = p->in->refs};

    if (*inner.pos == ETF_NEW_FUN) {
        clu_reader_take(&inner, NEW_FUN_MODULE_AT);
    } else {
        clu_reader_take(&inner, 5); /* tag, NumFree */
        clu_skip_term(&inner);      /* Pid */
    }
    text_put(p->out, "#Fun<");
    print_atom_of(&inner, p->out);
    put_dot(p->out, (uint32_t)clu_get_int(&inner));
    put_dot(p->out, (uint32_t)clu_get_int(&inner));
    text_put(p->out, ">");
}

/* ---- lists that are texts ---- */

#define CHARS_END UINT32_MAX       /* the list has ended, properly */
#define CHARS_BAD (UINT32_MAX - 1) /* something else than a printable character */

/* The characters of a list, over all the tags it may be made of. */
struct chars {
    clu_reader in;
    size_t left;     /* elements of a LIST still to come; its tail follows */
    clu_slice bytes; /* of a STRING; nothing follows */
    bool last;       /* a STRING or NIL was met */
};

static bool at_tag(const clu_reader *r, uint8_t tag)
{
    return clu_reader_has(r, 1) && *r->pos == tag;
}

/* At the start, or where a tail stands. */
static void continue_chars(struct chars *c)
{
    c->last = at_tag(&c->in, ETF_NIL) || at_tag(&c->in, ETF_STRING);
    if (c->last)
        c->bytes = clu_get_string(&c->in);
    else
        c->left = clu_get_list(&c->in);
}

static uint32_t next_char(struct chars *c)
{
    int64_t value;

    if (c->left == 0 && !c->last)
        continue_chars(c);
    if (c->left > 0) {
        value = clu_get_int(&c->in);
        c->left--;
    } else if (c->bytes.len > 0) {
        value = *c->bytes.data++;
        c->bytes.len--;
    } else {
        return c->in.err == CLU_OK ? CHARS_END : CHARS_BAD;
    }
    bool fits = c->in.err == CLU_OK && value >= 0 && value <= UINT8_MAX;

    return fits && syntax_is_printable((uint32_t)value) ? (uint32_t)value : CHARS_BAD;
}

static bool is_text(const clu_reader *r)
{
    struct chars c = {.in = *r};
    uint32_t next;

    do
        next = next_char(&c);
    while (next < CHARS_BAD);
    return next == CHARS_END;
}

static void print_text(struct printer *p)
{
    struct chars c = {.in = *p->in};

    text_put(p->out, "\"");
    for (uint32_t next = next_char(&c); next < CHARS_BAD; next = next_char(&c))
        text_char(p->out, next, '"');
    text_put(p->out, "\"");
    *p->in = c.in;
}

/* ---- containers ---- */

static void print_bytes(struct printer *p)
{
    clu_slice bytes = clu_get_string(p->in);

    for (size_t i = 0; i < bytes.len; i++) {
        if (i > 0)
            text_put(p->out, ",");
        text_uint(p->out, bytes.data[i]);
    }
}

static void print_list(struct printer *p)
{
    if (at_tag(p->in, ETF_NIL)) {
        p->in->pos++;
        text_put(p->out, "[]");
    } else if (is_text(p->in)) {
        print_text(p);
    } else if (at_tag(p->in, ETF_STRING)) {
        text_put(p->out, "[");
        print_bytes(p);
        text_put(p->out, "]");
    } else {
        size_t n = clu_get_list(p->in);

        text_put(p->out, "[");
        open_frame(p, IN_LIST, (uint64_t)n + 1);
    }
}

static void print_tuple(struct printer *p)
{
    size_t arity = clu_get_tuple(p->in);

    text_put(p->out, arity == 0 ? "{}" : "{");
    if (arity > 0)
        open_frame(p, IN_TUPLE, arity);
}

static void print_map(struct printer *p)
{
    size_t pairs = clu_get_map(p->in);

    text_put(p->out, pairs == 0 ? "#{}" : "#{");
    if (pairs > 0)
        open_frame(p, IN_MAP, 2 * (uint64_t)pairs);
}

/* The name of the next field, which stands among the names, before all values. */
static void print_field_name(struct printer *p, struct frame *f)
{
    clu_reader names = {.pos = f->names, .end = p->in->end, .refs = p->in->refs};

    print_atom_of(&names, p->out);
    text_put(p->out, " = ");
    f->names = names.pos;
}

static void print_record(struct printer *p)
{
    /* tag, number of fields, whether the record is exported */
    const uint8_t *head = clu_reader_take(p->in, 6);
    uint32_t n = head == NULL ? 0 : get_be32(head + 1);

    text_put(p->out, "#");
    print_atom(p);
    text_put(p->out, ":");
    print_atom(p);
    text_put(p->out, n == 0 ? "{}" : "{");
    const uint8_t *names = p->in->pos;

    for (uint32_t i = 0; i < n && p->in->err == CLU_OK; i++)
        clu_skip_term(p->in);
    if (n == 0)
        return;
    open_frame(p, IN_RECORD, n);
    if (p->in->err == CLU_OK) {
        p->frames[p->depth - 1].names = names;
        print_field_name(p, &p->frames[p->depth - 1]);
    }
}

/* ---- between terms ---- */

static void next_element(struct printer *p, struct frame *f)
{
    (void)f;
    text_put(p->out, ",");
}

static void next_of_map(struct printer *p, struct frame *f)
{
    text_put(p->out, f->left % 2 == 1 ? " => " : ",");
}

static void next_field(struct printer *p, struct frame *f)
{
    text_put(p->out, ",");
    print_field_name(p, f);
}

/* A tail that is a list again goes on with the same one: [a|[b]] is [a,b]. */
static void next_of_list(struct printer *p, struct frame *f)
{
    if (f->left > 1) {
        text_put(p->out, ",");
    } else if (at_tag(p->in, ETF_NIL)) {
        p->in->pos++;
        f->left = 0;
    } else if (at_tag(p->in, ETF_STRING)) {
        text_put(p->out, ",");
        print_bytes(p);
        f->left = 0;
    } else if (at_tag(p->in, ETF_LIST)) {
        text_put(p->out, ",");
        f->left = (uint64_t)clu_get_list(p->in) + 1;
    } else {
        text_put(p->out, "|");
    }
}

static const struct {
    const char *close;
    void (*next)(struct printer *p, struct frame *f); /* may find that nothing follows */
} kinds[] = {
    [IN_TUPLE] = {"}", next_element},
    [IN_LIST] = {"]", next_of_list},
    [IN_MAP] = {"}", next_of_map},
    [IN_RECORD] = {"}", next_field},
};

/* A term has ended, and with it all containers of which it was the last. */
static void end_term(struct printer *p)
{
    for (; p->depth > 0; p->depth--) {
        struct frame *f = &p->frames[p->depth - 1];

        f->left--;
        if (f->left > 0)
            kinds[f->kind].next(p, f);
        if (f->left > 0)
            return;
        text_put(p->out, kinds[f->kind].close);
    }
}

static void print_nothing(struct printer *p)
{
    clu_skip_term(p->in); /* which says why there is no term here */
    clu_reader_fail(p->in, CLU_ETAG);
}

static void (*const printers[])(struct printer *p) = {
    [CLU_TYPE_NONE] = print_nothing,   [CLU_TYPE_INTEGER] = print_integer,
    [CLU_TYPE_FLOAT] = print_float,    [CLU_TYPE_ATOM] = print_atom,
    [CLU_TYPE_TUPLE] = print_tuple,    [CLU_TYPE_LIST] = print_list,
    [CLU_TYPE_MAP] = print_map,        [CLU_TYPE_BINARY] = print_bits,
    [CLU_TYPE_BITSTRING] = print_bits, [CLU_TYPE_PID] = print_pid,
    [CLU_TYPE_PORT] = print_port,      [CLU_TYPE_REF] = print_ref,
    [CLU_TYPE_FUN] = print_fun,        [CLU_TYPE_EXPORT] = print_export,
    [CLU_TYPE_RECORD] = print_record,
};

clu_error clu_print(clu_reader *r, clu_writer *out)
{
    struct printer p;

    p.in = r;
    p.out = out;
    p.depth = 0;
    do {
        size_t depth = p.depth;

        printers[clu_peek_type(r)](&p);
        if (p.depth == depth)
            end_term(&p);
    } while (p.depth > 0 && r->err == CLU_OK && out->err == CLU_OK);
    return r->err != CLU_OK ? r->err : out->err;
}
