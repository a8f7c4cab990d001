/* SPDX-License-Identifier: Apache-2.0 */
#include "view/term_json.h"

#include <stdlib.h>

#include "etf/etf.h"
#include "etf/float.h"
#include "etf/syntax.h"
#include "etf/utf8.h"
#include "view/text.h"

/* Integers beyond it are not exact where numbers are floats (RFC 8259, 6). */
#define EXACT_MAX (INT64_C(1) << 53)

enum kind {
    IN_TUPLE,
    IN_LIST,     /* a tail follows that ends it */
    IN_IMPROPER, /* the last one is the tail */
    IN_MAP,      /* keys and values by turns */
};

/* What is under way: this one of so many terms is next; then its end. */
struct frame {
    enum kind kind;
    uint64_t next, total;
    const char *end; /* static */
};

struct json {
    clu_reader *in;
    struct buf *out;
    bool tagged;
    size_t depth;
    struct frame frames[CLU_DEPTH_MAX];
};

/* ---- texts ---- */

void term_json_text(struct buf *out, clu_slice text)
{
    struct buf utf8 = {0};

    text_put_utf8(&utf8, text);
    buf_put_byte(out, '"');
    for (size_t i = 0; i < utf8.len; i++) {
        uint8_t c = utf8.data[i];

        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c < ' ' || c == 0x7f)
            buf_printf(out, "\\u%04x", c);
        else
            buf_put_byte(out, c);
    }
    buf_put_byte(out, '"');
    if (utf8.err != CLU_OK)
        out->err = utf8.err;
    buf_free(&utf8);
}

/* RFC 4648, 4. */
static void put_base64(struct buf *out, clu_slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    buf_put_byte(out, '"');
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t group = (uint32_t)bytes.data[i] << 16;

        group |= n > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        group |= n > 2 ? bytes.data[i + 2] : 0;
        for (size_t k = 0; k < 4; k++)
            buf_put_byte(out, k <= n ? (uint8_t)digits[group >> (18 - 6 * k) & 63] : '=');
    }
    buf_put_byte(out, '"');
}

/* What Erlang shows of a term, as a text. */
static void put_shown(struct json *j)
{
    clu_writer text;

    clu_writer_init(&text);
    clu_error err = clu_print(j->in, &text);

    if (err != CLU_OK)
        clu_reader_fail(j->in, err);
    term_json_text(j->out, (clu_slice){text.data, text.len});
    clu_writer_free(&text);
}

/* The same, with all that belongs to it. */
static void put_opaque(struct json *j)
{
    clu_reader copy = *j->in;
    clu_writer etf;

    if (!j->tagged) {
        put_shown(j);
        return;
    }
    clu_writer_init(&etf);
    clu_put_version(&etf);
    clu_put_term(&etf, &copy);
    buf_put_text(j->out, "{\"term\": ");
    put_shown(j);
    buf_put_text(j->out, ", \"etf\": ");
    put_base64(j->out, (clu_slice){etf.data, etf.len});
    buf_put_byte(j->out, '}');
    if (etf.err != CLU_OK)
        clu_reader_fail(j->in, etf.err);
    clu_writer_free(&etf);
}

/* ---- leaves ---- */

static void put_integer(struct json *j)
{
    clu_reader peek = *j->in;
    int64_t value = clu_get_int(&peek);
    bool exact = peek.err == CLU_OK && value <= EXACT_MAX && value >= -EXACT_MAX;
    bool as_text = j->tagged && !exact;
    clu_writer digits;

    clu_writer_init(&digits);
    clu_error err = clu_print(j->in, &digits);

    if (err != CLU_OK)
        clu_reader_fail(j->in, err);
    /* beyond DECIMAL_BYTES_MAX it is of base 16: no number of JSON */
    as_text = as_text || (digits.len > 0 && memchr(digits.data, '#', digits.len) != NULL);
    buf_put_text(j->out, as_text ? (j->tagged ? "{\"integer\": \"" : "\"") : "");
    buf_put(j->out, digits.data, digits.len);
    buf_put_text(j->out, as_text ? (j->tagged ? "\"}" : "\"") : "");
    clu_writer_free(&digits);
}

static void put_float(struct json *j)
{
    char text[FLOAT_PRINT_MAX];
    double value = clu_get_float(j->in);
    bool finite = value - value == 0;

    if (!finite)
        clu_reader_fail(j->in, CLU_ETERM);
    buf_put_text(j->out, j->tagged ? "{\"float\": \"" : "");
    buf_put(j->out, text, finite ? float_print(text, value) : 0);
    buf_put_text(j->out, j->tagged ? "\"}" : "");
}

/* The atoms that have words of their own in JSON. */
static const struct {
    const char *atom, *word;
} words[] = {
    {"true", "true"}, {"false", "false"}, {"null", "null"}, {"nil", "null"}, {"undefined", "null"},
};

static void put_atom(struct json *j)
{
    uint8_t room[CLU_ATOM_BYTES_MAX];
    clu_slice text = clu_get_atom_utf8(j->in, room);

    for (size_t i = 0; !j->tagged && i < COUNT(words); i++)
        if (slice_is(text, words[i].atom)) {
            buf_put_text(j->out, words[i].word);
            return;
        }
    buf_put_text(j->out, j->tagged ? "{\"atom\": " : "");
    term_json_text(j->out, text);
    buf_put_text(j->out, j->tagged ? "}" : "");
}

static void put_bytes(struct json *j, clu_slice bytes)
{
    buf_put_byte(j->out, '[');
    for (size_t i = 0; i < bytes.len; i++)
        buf_printf(j->out, "%s%u", i == 0 ? "" : ", ", bytes.data[i]);
    buf_put_byte(j->out, ']');
}

static void put_binary(struct json *j)
{
    uint8_t last_bits;
    clu_slice bytes = clu_get_bitstring(j->in, &last_bits);
    size_t chars;
    bool is_text = utf8_count(bytes, &chars);

    if (!j->tagged && is_text) {
        term_json_text(j->out, bytes);
    } else if (!j->tagged) {
        put_bytes(j, bytes);
    } else if (is_text) {
        buf_put_text(j->out, "{\"binary\": ");
        term_json_text(j->out, bytes);
        buf_put_byte(j->out, '}');
    } else {
        buf_put_text(j->out, "{\"base64\": ");
        put_base64(j->out, bytes);
        buf_put_byte(j->out, '}');
    }
}

static void put_bitstring(struct json *j)
{
    uint8_t last_bits;

    if (!j->tagged) {
        put_shown(j);
        return;
    }
    buf_put_text(j->out, "{\"base64\": ");
    put_base64(j->out, clu_get_bitstring(j->in, &last_bits));
    buf_printf(j->out, ", \"bits\": %u}", last_bits);
}

/* ---- containers ---- */

static void open_frame(struct json *j, enum kind kind, uint64_t total, const char *begin,
                       const char *end)
{
    buf_put_text(j->out, begin);
    if (j->depth == CLU_DEPTH_MAX)
        clu_reader_fail(j->in, CLU_EDEPTH);
    else
        j->frames[j->depth++] = (struct frame){.kind = kind, .total = total, .end = end};
}

static void put_tuple(struct json *j)
{
    size_t arity = clu_get_tuple(j->in);

    if (j->tagged)
        open_frame(j, IN_TUPLE, arity, "{\"tuple\": [", "]}");
    else
        open_frame(j, IN_TUPLE, arity, "[", "]");
}

static void put_map(struct json *j)
{
    uint64_t total = 2 * (uint64_t)clu_get_map(j->in);

    if (j->tagged)
        open_frame(j, IN_MAP, total, "{\"map\": [", total == 0 ? "]}" : "]]}");
    else
        open_frame(j, IN_MAP, total, "{", "}");
}

/* Appends the characters of a list; false when it is no printable text. */
static bool take_text(clu_reader *r, struct buf *text)
{
    bool is_string = *r->pos == ETF_STRING;
    clu_slice bytes = is_string ? clu_get_string(r) : (clu_slice){NULL, 0};
    size_t n = is_string ? bytes.len : clu_get_list(r);

    for (size_t i = 0; i < n; i++) {
        int64_t c = is_string ? bytes.data[i] : clu_get_int(r);
        uint8_t utf8[UTF8_MAX];

        if (r->err != CLU_OK || c < 0 || c > UNICODE_LAST ||
            (c <= UINT8_MAX && !syntax_is_printable((uint32_t)c)))
            return false;
        buf_put(text, utf8, utf8_put(utf8, (uint32_t)c));
    }
    if (!is_string)
        clu_get_nil(r);
    return n > 0 && r->err == CLU_OK;
}

static bool put_text_list(struct json *j)
{
    clu_reader peek = *j->in;
    struct buf text = {0};
    bool is_text = !j->tagged && take_text(&peek, &text);

    if (is_text) {
        term_json_text(j->out, buf_slice(&text));
        *j->in = peek;
    }
    if (text.err != CLU_OK)
        clu_reader_fail(j->in, text.err);
    buf_free(&text);
    return is_text;
}

static bool is_improper(clu_reader r, size_t n)
{
    for (size_t i = 0; i < n && r.err == CLU_OK; i++)
        clu_skip_term(&r);
    return r.err == CLU_OK && clu_reader_has(&r, 1) && *r.pos != ETF_NIL;
}

static void put_list(struct json *j)
{
    if (put_text_list(j))
        return;
    if (*j->in->pos == ETF_STRING) {
        put_bytes(j, clu_get_string(j->in));
        return;
    }
    size_t n = clu_get_list(j->in);

    if (n == 0)
        buf_put_text(j->out, "[]");
    else if (!is_improper(*j->in, n))
        open_frame(j, IN_LIST, n, "[", "]");
    else if (j->tagged)
        open_frame(j, IN_IMPROPER, (uint64_t)n + 1, "{\"list\": [", "}");
    else
        open_frame(j, IN_IMPROPER, (uint64_t)n + 1, "[", "]");
}

static void (*const put_of_type[])(struct json *) = {
    [CLU_TYPE_INTEGER] = put_integer, [CLU_TYPE_FLOAT] = put_float,
    [CLU_TYPE_ATOM] = put_atom,       [CLU_TYPE_TUPLE] = put_tuple,
    [CLU_TYPE_LIST] = put_list,       [CLU_TYPE_MAP] = put_map,
    [CLU_TYPE_BINARY] = put_binary,   [CLU_TYPE_BITSTRING] = put_bitstring,
    [CLU_TYPE_PID] = put_opaque,      [CLU_TYPE_PORT] = put_opaque,
    [CLU_TYPE_REF] = put_opaque,      [CLU_TYPE_FUN] = put_opaque,
    [CLU_TYPE_EXPORT] = put_opaque,   [CLU_TYPE_RECORD] = put_opaque,
};

static void put_term(struct json *j)
{
    clu_type type = clu_peek_type(j->in);

    if (type == CLU_TYPE_NONE)
        clu_reader_fail(j->in, CLU_ETERM);
    else
        put_of_type[type](j);
}

/* A key of an object is a text, whatever it is in Erlang. */
static void put_key(struct json *j)
{
    clu_type type = clu_peek_type(j->in);
    uint8_t room[CLU_ATOM_BYTES_MAX];

    if (type == CLU_TYPE_ATOM)
        term_json_text(j->out, clu_get_atom_utf8(j->in, room));
    else if (type == CLU_TYPE_BINARY)
        term_json_text(j->out, clu_get_binary(j->in));
    else
        put_shown(j);
    buf_put_text(j->out, ": ");
}

/* ---- between terms ---- */

/* What stands before a term. */
static const char *separator(const struct json *j, const struct frame *f)
{
    bool first = f->next == 0, is_key = f->kind == IN_MAP && f->next % 2 == 0;

    if (f->kind == IN_IMPROPER && f->next + 1 == f->total)
        return j->tagged ? "], \"tail\": " : ", ";
    if (is_key && j->tagged)
        return first ? "[" : "], [";
    if (f->kind == IN_MAP && !is_key && !j->tagged)
        return ""; /* the key has its colon */
    return first ? "" : ", ";
}

static void put_next(struct json *j, struct frame *f)
{
    bool is_key = f->kind == IN_MAP && f->next % 2 == 0;

    buf_put_text(j->out, separator(j, f));
    f->next++;
    if (is_key && !j->tagged)
        put_key(j);
    else
        put_term(j);
}

static void close_frame(struct json *j, const struct frame *f)
{
    if (f->kind == IN_LIST)
        clu_get_nil(j->in);
    buf_put_text(j->out, f->end);
    j->depth--;
}

clu_error term_json(clu_reader *r, struct buf *out, bool tagged)
{
    struct json *j = calloc(1, sizeof *j);

    if (j == NULL)
        return CLU_ENOMEM;
    *j = (struct json){.in = r, .out = out, .tagged = tagged};
    put_term(j);
    while (j->depth > 0 && r->err == CLU_OK && out->err == CLU_OK) {
        struct frame *f = &j->frames[j->depth - 1];

        if (f->next < f->total)
            put_next(j, f);
        else
            close_frame(j, f);
    }
    free(j);
    return r->err != CLU_OK ? r->err : out->err;
}
