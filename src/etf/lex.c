/* SPDX-License-Identifier: Apache-2.0 */
#include "etf/lex.h"

#include "etf/syntax.h"
#include "etf/utf8.h"

#define BASE_MAX 36

/* Signs that are tokens by themselves where they do not begin one of these of two; those that never
 * do have their place in scan. */
static const char single[] = "|:/-+";

static const struct {
    char text[3];
    uint32_t token;
} doubles[] = {
    {"=>", TOKEN_ARROW},
    {":=", TOKEN_MATCH},
    {"<<", TOKEN_BITS},
    {">>", TOKEN_BITS_END},
    /* Operators, which are no part of any term. */
    {"--", TOKEN_BAD},
    {"++", TOKEN_BAD},
    {"||", TOKEN_BAD},
    {"::", TOKEN_BAD},
    {"->", TOKEN_BAD},
    {"/=", TOKEN_BAD},
};

/* The byte n places on; 0 behind the end. */
static uint8_t peek(const struct lexer *lex, size_t n)
{
    return (size_t)(lex->end - lex->pos) > n ? lex->pos[n] : 0;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static uint32_t take_char(struct lexer *lex)
{
    return utf8_get(&lex->pos, lex->end);
}

static uint32_t peek_char(const struct lexer *lex)
{
    const uint8_t *pos = lex->pos;

    if (pos == lex->end)
        return LEX_CHARS_END;
    return *pos < 0x80 ? *pos : utf8_get(&pos, lex->end);
}

static bool is_space(uint32_t c)
{
    return c <= ' ' || (c >= 0x80 && c <= 0xa0);
}

static void skip_line(struct lexer *lex)
{
    while (lex->pos < lex->end && *lex->pos != '\n')
        lex->pos++;
}

static void skip_space(struct lexer *lex)
{
    for (;;) {
        uint32_t c = peek_char(lex);

        if (c == '%')
            skip_line(lex);
        else if (is_space(c))
            take_char(lex);
        else
            return;
    }
}

/* Digits of a base with single underscores between them; false where none stands. */
static bool skip_digits(struct lexer *lex, uint32_t base)
{
    if (syntax_digit(peek(lex, 0)) >= base)
        return false;
    do {
        lex->pos++;
        if (peek(lex, 0) == '_' && syntax_digit(peek(lex, 1)) < base)
            lex->pos++;
    } while (syntax_digit(peek(lex, 0)) < base);
    return true;
}

/* The base in front of the # that stands at pos; 0 when it is none. */
static uint32_t base_of(const struct lexer *lex, const uint8_t *start)
{
    uint32_t base = 0;

    for (const uint8_t *p = start; p < lex->pos && base <= BASE_MAX; p++)
        if (*p != '_')
            base = base * 10 + syntax_digit(*p);
    return base >= 2 && base <= BASE_MAX ? base : 0;
}

static uint32_t scan_based(struct lexer *lex, const uint8_t *start)
{
    uint32_t base = base_of(lex, start);

    lex->pos++;
    return skip_digits(lex, base) ? TOKEN_INTEGER : TOKEN_BAD;
}

static uint32_t scan_fraction(struct lexer *lex)
{
    lex->pos++;
    skip_digits(lex, 10);
    if ((peek(lex, 0) | 0x20) != 'e')
        return TOKEN_FLOAT;
    lex->pos++;
    if (peek(lex, 0) == '-' || peek(lex, 0) == '+')
        lex->pos++;
    return skip_digits(lex, 10) ? TOKEN_FLOAT : TOKEN_BAD;
}

static uint32_t scan_number(struct lexer *lex)
{
    const uint8_t *start = lex->pos;

    skip_digits(lex, 10);
    if (peek(lex, 0) == '#')
        return scan_based(lex, start);
    if (peek(lex, 0) == '.' && is_digit(peek(lex, 1)))
        return scan_fraction(lex);
    return TOKEN_INTEGER;
}

static uint32_t scan_bareword(struct lexer *lex)
{
    const uint8_t *start = lex->pos;

    while (syntax_is_name(peek_char(lex)))
        take_char(lex);
    bool reserved = syntax_is_reserved((clu_slice){start, (size_t)(lex->pos - start)});

    return reserved ? TOKEN_WORD : TOKEN_ATOM;
}

/* What stands between quotes is looked at by lex_unquote; here only its end is searched. Behind \^
 * comes any character, a quote too. */
static uint32_t scan_quoted(struct lexer *lex, uint32_t token)
{
    uint8_t quote = *lex->pos++;

    while (lex->pos < lex->end && *lex->pos != quote) {
        if (*lex->pos == '\\')
            lex->pos += peek(lex, 1) == '^' ? 2 : 1;
        if (lex->pos < lex->end)
            lex->pos++;
    }
    if (lex->pos >= lex->end)
        return TOKEN_BAD;
    lex->pos++;
    return token;
}

/* ---- escapes ---- */

static uint32_t take_octal(struct lexer *lex)
{
    uint32_t c = 0;

    for (size_t i = 0; i < 3 && syntax_digit(peek(lex, 0)) < 8; i++)
        c = c * 8 + syntax_digit(*lex->pos++);
    return c;
}

/* \xHH, or \x{H...}. */
static uint32_t take_hex(struct lexer *lex)
{
    bool braces = peek(lex, 0) == '{';
    const uint8_t *start = lex->pos += braces;
    uint32_t c = 0;

    while ((braces || lex->pos - start < 2) && syntax_digit(peek(lex, 0)) < 16) {
        c = c * 16 + syntax_digit(*lex->pos++);
        if (c > UNICODE_LAST)
            return LEX_CHARS_BAD;
    }
    if (braces ? lex->pos == start || peek(lex, 0) != '}' : lex->pos - start < 2)
        return LEX_CHARS_BAD;
    lex->pos += braces;
    return c >= SURROGATE_FIRST && c <= SURROGATE_LAST ? LEX_CHARS_BAD : c;
}

/* \^A is control-A; \^? is DEL, as from OTP 27 on. */
static uint32_t take_control(struct lexer *lex)
{
    uint32_t c = lex->pos == lex->end ? UTF8_BAD : take_char(lex);

    if (c == '?')
        return 127;
    return c == UTF8_BAD ? LEX_CHARS_BAD : c & 31;
}

/* What a backslash stands for, which has been passed. */
static uint32_t take_escape(struct lexer *lex)
{
    if (lex->pos == lex->end)
        return LEX_CHARS_BAD;
    if (syntax_digit(*lex->pos) < 8)
        return take_octal(lex);
    uint32_t c = take_char(lex);

    if (c == 'x')
        return take_hex(lex);
    if (c == '^')
        return take_control(lex);
    return c == UTF8_BAD ? LEX_CHARS_BAD : syntax_unescape(c);
}

static uint32_t take_literal(struct lexer *lex)
{
    uint32_t c = lex->pos == lex->end ? UTF8_BAD : take_char(lex);

    if (c == '\\')
        return take_escape(lex);
    return c == UTF8_BAD ? LEX_CHARS_BAD : c;
}

static uint32_t scan_dollar(struct lexer *lex)
{
    lex->pos++;
    return take_literal(lex) == LEX_CHARS_BAD ? TOKEN_BAD : TOKEN_CHAR;
}

uint32_t lex_unquote(const struct lexer *lex, const uint8_t **pos)
{
    const uint8_t *end = lex->text.data + lex->text.len;
    struct lexer inner = {.pos = *pos, .end = lex->token == TOKEN_CHAR ? end : end - 1};

    if (inner.pos == lex->text.data)
        inner.pos++; /* the opening quote, or the dollar */
    uint32_t c = inner.pos >= inner.end ? LEX_CHARS_END : take_literal(&inner);

    *pos = inner.pos;
    return c;
}

/* ---- tokens ---- */

static uint32_t scan_dot(struct lexer *lex)
{
    lex->pos++;
    uint32_t c = peek_char(lex);

    return c == LEX_CHARS_END || c == '%' || is_space(c) ? TOKEN_DOT : TOKEN_BAD;
}

static uint32_t scan_sign(struct lexer *lex)
{
    for (size_t i = 0; i < COUNT(doubles); i++)
        if (peek(lex, 0) == (uint8_t)doubles[i].text[0] &&
            peek(lex, 1) == (uint8_t)doubles[i].text[1]) {
            lex->pos += 2;
            return doubles[i].token;
        }
    uint8_t sign = *lex->pos++;

    return memchr(single, sign, sizeof single - 1) != NULL ? sign : TOKEN_BAD;
}

static uint32_t scan(struct lexer *lex)
{
    uint8_t first = peek(lex, 0);

    if (lex->pos == lex->end)
        return TOKEN_END;
    if (is_digit(first))
        return scan_number(lex);
    if (syntax_is_lower(peek_char(lex)))
        return scan_bareword(lex);
    switch (first) {
    case '{':
    case '}':
    case '[':
    case ']':
    case '(':
    case ')':
    case ',':
    case '#':
    case '~': lex->pos++; return first;
    case '"': return scan_quoted(lex, TOKEN_STRING);
    case '\'': return scan_quoted(lex, TOKEN_QUOTED_ATOM);
    case '$': return scan_dollar(lex);
    case '.': return scan_dot(lex);
    default: return scan_sign(lex);
    }
}

void lex_next(struct lexer *lex)
{
    lex->last_end = lex->pos;
    skip_space(lex);
    const uint8_t *start = lex->pos;

    lex->token = scan(lex);
    lex->text = (clu_slice){start, (size_t)(lex->pos - start)};
}

void lex_init(struct lexer *lex, clu_slice text)
{
    *lex = (struct lexer){.pos = text.data, .end = text.data + text.len};
    lex_next(lex);
}
