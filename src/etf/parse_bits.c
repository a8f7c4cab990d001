/* SPDX-License-Identifier: Apache-2.0 */
#include "etf/float.h"
#include "etf/parse.h"
#include "etf/syntax.h"
#include "etf/utf8.h"

#define UNIT_MAX 256
/* From here on a character takes two units of UTF-16. */
#define UTF16_PAIR 0x10000

enum property {
    KIND,
    SIGN,
    ENDIAN,
    PROPERTIES,
};

/* Values of the properties; 0 is "not said". */
enum {
    INTEGER = 1,
    FLOAT,
    UTF8,
    UTF16,
    UTF32,
    SIGNED = 1,
    UNSIGNED,
    BIG = 1,
    LITTLE,
};

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE LITTLE
#else
#define NATIVE BIG
#endif

static const struct {
    const char *name;
    enum property property;
    uint8_t value;
} specifiers[] = {
    {"integer", KIND, INTEGER},   {"float", KIND, FLOAT}, {"utf8", KIND, UTF8},
    {"utf16", KIND, UTF16},       {"utf32", KIND, UTF32}, {"signed", SIGN, SIGNED},
    {"unsigned", SIGN, UNSIGNED}, {"big", ENDIAN, BIG},   {"little", ENDIAN, LITTLE},
    {"native", ENDIAN, NATIVE},
};

/* One Value:Size/Specifiers. */
struct segment {
    uint8_t properties[PROPERTIES];
    uint64_t size, unit; /* 0: not said */
    bool sized;
};

struct bits {
    clu_writer bytes;
    uint32_t used;    /* bits of the last byte, 1 to 8; 8 as well when there is none */
    clu_writer value; /* the term of the segment's number */
    clu_writer size;  /* the term of a size or unit */
    uint64_t *budget;
};

/* ---- bits ---- */

/* Appends the n low bits of a byte. */
static void add_bits(struct bits *b, uint8_t byte, uint32_t n)
{
    uint32_t room = 8 - b->used;
    uint8_t high = (uint8_t)(byte << (8 - n)); /* the bits, as far left as they go */

    if (n == 0 || b->bytes.err != CLU_OK)
        return;
    if (room > 0) {
        b->bytes.data[b->bytes.len - 1] |= (uint8_t)(high >> b->used);
        high = (uint8_t)(high << room);
    }
    if (n > room)
        clu_put_bytes(&b->bytes, &high, 1);
    b->used = n > room ? n - room : b->used + n;
}

/* A byte of an integer in two's complement, of any width. */
struct digits {
    clu_slice magnitude;
    bool negative;
    size_t first; /* the lowest byte that is not 0 */
};

static uint8_t byte_at(const struct digits *d, uint64_t i)
{
    uint8_t byte = i < d->magnitude.len ? d->magnitude.data[i] : 0;

    if (!d->negative || i < d->first)
        return byte;
    return (uint8_t)(i == d->first ? 0 - byte : ~byte);
}

static void add_integer(struct bits *b, clu_slice magnitude, bool negative, uint64_t n, bool little)
{
    struct digits d = {magnitude, negative, 0};
    uint64_t whole = n / 8;
    uint32_t rest = (uint32_t)(n % 8);

    while (d.first < magnitude.len && magnitude.data[d.first] == 0)
        d.first++;
    if (!little)
        add_bits(b, byte_at(&d, whole), rest);
    for (uint64_t i = 0; i < whole && b->bytes.err == CLU_OK; i++)
        add_bits(b, byte_at(&d, little ? i : whole - 1 - i), 8);
    if (little)
        add_bits(b, byte_at(&d, whole), rest);
}

static void add_u64(struct bits *b, uint64_t value, uint64_t n, bool little)
{
    uint8_t magnitude[8];

    for (size_t i = 0; i < sizeof magnitude; i++)
        magnitude[i] = (uint8_t)(value >> 8 * i);
    add_integer(b, (clu_slice){magnitude, sizeof magnitude}, false, n, little);
}

/* ---- values ---- */

static bool is_little(const struct segment *s)
{
    return s->properties[ENDIAN] == LITTLE;
}

/* Counts n bits against the budget. */
static clu_error take_budget(struct bits *b, uint64_t n)
{
    if (n > *b->budget)
        return CLU_ESIZE;
    *b->budget -= n;
    return CLU_OK;
}

static clu_error encode_integer(struct bits *b, const struct segment *s, clu_reader *value)
{
    uint8_t small[8];
    bool negative;
    uint64_t n = s->sized ? s->size * s->unit : 8;
    clu_slice magnitude = clu_get_big(value, &negative, small);

    if (value->err != CLU_OK)
        return CLU_ESYNTAX; /* a float */
    clu_error err = take_budget(b, n);

    if (err == CLU_OK)
        add_integer(b, magnitude, negative, n, is_little(s));
    return err;
}

/* An integer as a float: correctly rounded, so by way of its text. */
static clu_error to_float(clu_reader *value, double *out)
{
    uint8_t small[8];
    bool negative;
    clu_writer text;
    clu_error err = CLU_ESIZE;
    clu_slice magnitude = clu_get_big(value, &negative, small);

    clu_writer_init(&text);
    if (magnitude.len <= DECIMAL_BYTES_MAX) {
        int_print(&text, magnitude, negative);
        text_put(&text, ".0");
        err = text.err != CLU_OK ? text.err : float_read((clu_slice){text.data, text.len}, out);
    }
    clu_writer_free(&text);
    return err;
}

static clu_error encode_float(struct bits *b, const struct segment *s, clu_reader *value)
{
    uint64_t n = s->sized ? s->size * s->unit : 64;
    double number = 0;
    clu_error err = CLU_OK;

    if (n != 16 && n != 32 && n != 64)
        return CLU_ESYNTAX;
    if (clu_peek_type(value) == CLU_TYPE_FLOAT)
        number = clu_get_float(value);
    else
        err = to_float(value, &number);
    if (err == CLU_OK)
        add_u64(b, float_narrow(number, n), n, is_little(s));
    return err;
}

static clu_error encode_utf8(struct bits *b, uint32_t c)
{
    uint8_t bytes[UTF8_MAX];
    size_t n = utf8_put(bytes, c);

    for (size_t i = 0; i < n; i++)
        add_bits(b, bytes[i], 8);
    return CLU_OK;
}

static void add_utf16(struct bits *b, uint32_t c, bool little)
{
    if (c >= UTF16_PAIR) {
        c -= UTF16_PAIR;
        add_u64(b, SURROGATE_FIRST + (c >> 10), 16, little);
        c = 0xdc00 + (c & 0x3ff);
    }
    add_u64(b, c, 16, little);
}

static clu_error encode_char(struct bits *b, const struct segment *s, clu_reader *value)
{
    uint64_t c = clu_get_uint(value);
    uint8_t kind = s->properties[KIND], bytes[UTF8_MAX];

    if (s->sized || s->unit != 0 || value->err != CLU_OK || c > UNICODE_LAST ||
        utf8_put(bytes, (uint32_t)c) == 0)
        return CLU_ESYNTAX;
    if (kind == UTF8)
        return encode_utf8(b, (uint32_t)c);
    if (kind == UTF16)
        add_utf16(b, (uint32_t)c, is_little(s));
    else
        add_u64(b, c, 32, is_little(s));
    return CLU_OK;
}

/* Appends the segment's number. */
static clu_error encode(struct bits *b, const struct segment *s)
{
    static clu_error (*const encoders[])(struct bits *, const struct segment *, clu_reader *) = {
        [INTEGER] = encode_integer, [FLOAT] = encode_float, [UTF8] = encode_char,
        [UTF16] = encode_char,      [UTF32] = encode_char,
    };
    clu_reader value;

    if (b->value.err != CLU_OK)
        return b->value.err;
    clu_reader_init(&value, b->value.data, b->value.len);
    return encoders[s->properties[KIND]](b, s, &value);
}

static clu_error encode_text(struct bits *b, const struct segment *s, struct lexer text)
{
    clu_error err = CLU_OK;

    for (; text.token == TOKEN_STRING; lex_next(&text)) {
        const uint8_t *pos = text.text.data;
        uint32_t c = lex_unquote(&text, &pos);

        for (; c < LEX_CHARS_BAD && err == CLU_OK; c = lex_unquote(&text, &pos)) {
            clu_writer_reset(&b->value);
            clu_put_int(&b->value, c);
            err = encode(b, s);
        }
        if (err == CLU_OK && c == LEX_CHARS_BAD)
            err = CLU_ESYNTAX;
    }
    return err;
}

/* ---- the syntax ---- */

static bool accept(struct lexer *lex, uint32_t token)
{
    if (lex->token != token)
        return false;
    lex_next(lex);
    return true;
}

/* A natural number without a sign. */
static clu_error parse_uint(struct lexer *lex, clu_writer *scratch, uint64_t *value)
{
    clu_reader r;

    clu_writer_reset(scratch);
    if (lex->token == '-' || lex->token == '+')
        return CLU_ESYNTAX;
    clu_error err = parse_number(lex, scratch);

    if (err != CLU_OK)
        return err;
    clu_reader_init(&r, scratch->data, scratch->len);
    *value = clu_get_uint(&r);
    return r.err == CLU_ERANGE ? CLU_ESIZE : r.err == CLU_OK ? CLU_OK : CLU_ESYNTAX;
}

static clu_error parse_unit(struct lexer *lex, clu_writer *scratch, struct segment *s)
{
    uint64_t unit;

    if (!accept(lex, ':') || lex->token != TOKEN_INTEGER)
        return CLU_ESYNTAX;
    clu_error err = parse_uint(lex, scratch, &unit);

    if (err != CLU_OK)
        return err;
    if (unit == 0 || unit > UNIT_MAX || (s->unit != 0 && s->unit != unit))
        return CLU_ESYNTAX;
    s->unit = unit;
    return CLU_OK;
}

/* What is said twice must be the same. */
static clu_error parse_specifier(struct lexer *lex, clu_writer *scratch, struct segment *s)
{
    clu_slice name = lex->text;

    if (!accept(lex, TOKEN_ATOM))
        return CLU_ESYNTAX;
    if (slice_is(name, "unit"))
        return parse_unit(lex, scratch, s);
    for (size_t i = 0; i < COUNT(specifiers); i++) {
        uint8_t *property = &s->properties[specifiers[i].property];

        if (!slice_is(name, specifiers[i].name))
            continue;
        if (*property != 0 && *property != specifiers[i].value)
            return CLU_ESYNTAX;
        *property = specifiers[i].value;
        return CLU_OK;
    }
    return CLU_ESYNTAX;
}

/* [: Size] [/ Specifier - Specifier ...]. A unit needs a size. */
static clu_error parse_rest(struct lexer *lex, clu_writer *scratch, struct segment *s)
{
    clu_error err = CLU_OK;

    s->sized = accept(lex, ':');
    if (s->sized)
        err = parse_uint(lex, scratch, &s->size);
    if (err == CLU_OK && accept(lex, '/'))
        do
            err = parse_specifier(lex, scratch, s);
        while (err == CLU_OK && accept(lex, '-'));
    if (err != CLU_OK)
        return err;
    if (s->properties[KIND] == 0)
        s->properties[KIND] = INTEGER;
    if (s->properties[KIND] >= UTF8)
        return CLU_OK;
    if (s->unit != 0 && !s->sized)
        return CLU_ESYNTAX;
    if (s->unit == 0)
        s->unit = 1;
    return s->size > PARSE_BITS_MAX ? CLU_ESIZE : CLU_OK;
}

/* How a value is encoded stands behind it: a number waits as a term, a text in the lexer. */
static clu_error parse_segment(struct lexer *lex, struct bits *b)
{
    struct segment s = {.size = 0};
    struct lexer text = *lex;
    bool is_text = lex->token == TOKEN_STRING;
    clu_error err = CLU_OK;

    while (accept(lex, TOKEN_STRING))
        ;
    clu_writer_reset(&b->value);
    if (!is_text)
        err = parse_number(lex, &b->value);
    if (err == CLU_OK)
        err = parse_rest(lex, &b->size, &s);
    if (err != CLU_OK)
        return err;
    return is_text ? encode_text(b, &s, text) : encode(b, &s);
}

static clu_error parse_segments(struct lexer *lex, struct bits *b)
{
    lex_next(lex); /* << */
    if (accept(lex, TOKEN_BITS_END))
        return CLU_OK;
    do {
        clu_error err = parse_segment(lex, b);

        if (err != CLU_OK)
            return err;
    } while (accept(lex, ','));
    return accept(lex, TOKEN_BITS_END) ? b->bytes.err : CLU_ESYNTAX;
}

clu_error parse_bits(struct lexer *lex, clu_writer *out, uint64_t *budget)
{
    struct bits b = {.used = 8, .budget = budget};
    clu_error err = parse_segments(lex, &b);

    if (err == CLU_OK)
        clu_put_bitstring(out, b.bytes.data, b.bytes.len, (uint8_t)b.used);
    clu_writer_free(&b.bytes);
    clu_writer_free(&b.value);
    clu_writer_free(&b.size);
    return err != CLU_OK ? err : out->err;
}
