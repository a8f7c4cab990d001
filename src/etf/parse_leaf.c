/* SPDX-License-Identifier: Apache-2.0 */
#include "etf/float.h"
#include "etf/parse.h"
#include "etf/syntax.h"
#include "etf/utf8.h"

/* Longest text of a float: more digits say nothing, but zeros in front may be many. */
#define FLOAT_TEXT_MAX 1024

static clu_error put_quoted_atom(const struct lexer *lex, clu_writer *out)
{
    uint8_t name[CLU_ATOM_BYTES_MAX];
    size_t len = 0;
    const uint8_t *pos = lex->text.data;
    uint32_t c = lex_unquote(lex, &pos);

    for (; c < LEX_CHARS_BAD && len <= sizeof name - UTF8_MAX; c = lex_unquote(lex, &pos))
        len += utf8_put(name + len, c);
    if (c == LEX_CHARS_END)
        clu_put_atom(out, (clu_slice){name, len});
    else
        return c == LEX_CHARS_BAD ? CLU_ESYNTAX : CLU_EATOM;
    return out->err;
}

clu_error parse_atom(struct lexer *lex, clu_writer *out)
{
    clu_error err = CLU_ESYNTAX;

    if (lex->token == TOKEN_QUOTED_ATOM) {
        err = put_quoted_atom(lex, out);
    } else if (lex->token == TOKEN_ATOM) {
        clu_put_atom(out, lex->text);
        err = out->err;
    }
    if (err == CLU_OK)
        lex_next(lex);
    return err;
}

static clu_error put_float(clu_writer *out, clu_slice text, bool negative)
{
    uint8_t plain[FLOAT_TEXT_MAX];
    size_t len = 0;
    double value;

    if (text.len > sizeof plain)
        return CLU_ESIZE;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != '_')
            plain[len++] = text.data[i];
    clu_error err = float_read((clu_slice){plain, len}, &value);

    if (err == CLU_OK)
        clu_put_float(out, negative ? -value : value);
    return err;
}

static uint32_t parse_base(clu_slice text)
{
    uint32_t base = 0;

    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != '_')
            base = base * 10 + syntax_digit(text.data[i]);
    return base;
}

static clu_error put_integer(clu_writer *out, clu_slice text, bool negative)
{
    const uint8_t *hash = memchr(text.data, '#', text.len);
    size_t base_len = hash == NULL ? 0 : (size_t)(hash - text.data);

    if (hash == NULL)
        return int_read(out, text, 10, negative);
    clu_slice digits = {hash + 1, text.len - base_len - 1};

    return int_read(out, digits, parse_base((clu_slice){text.data, base_len}), negative);
}

static clu_error put_number(struct lexer *lex, clu_writer *out, bool negative)
{
    const uint8_t *pos = lex->text.data;

    if (lex->token == TOKEN_INTEGER)
        return put_integer(out, lex->text, negative);
    if (lex->token == TOKEN_FLOAT)
        return put_float(out, lex->text, negative);
    if (lex->token != TOKEN_CHAR)
        return CLU_ESYNTAX;
    int64_t c = lex_unquote(lex, &pos);

    clu_put_int(out, negative ? -c : c);
    return CLU_OK;
}

clu_error parse_number(struct lexer *lex, clu_writer *out)
{
    bool negative = false, is_signed = false;
    size_t parens = 0;

    /* One sign, before, behind or between the parentheses. */
    for (;; lex_next(lex)) {
        bool sign = lex->token == '-' || lex->token == '+';

        if (lex->token == '(')
            parens++;
        else if (!sign || is_signed)
            break;
        is_signed = is_signed || sign;
        negative = negative || lex->token == '-';
    }
    clu_error err = put_number(lex, out, negative);

    if (err != CLU_OK)
        return err;
    for (lex_next(lex); parens > 0 && lex->token == ')'; parens--)
        lex_next(lex);
    return parens == 0 ? out->err : CLU_ESYNTAX;
}

clu_error parse_text(struct lexer *lex, clu_writer *out)
{
    size_t at = out->len, n = 0;

    clu_writer_add(out, PARSE_HEAD);
    for (; lex->token == TOKEN_STRING; lex_next(lex)) {
        const uint8_t *pos = lex->text.data;
        uint32_t c = lex_unquote(lex, &pos);

        for (; c < LEX_CHARS_BAD; n++) {
            clu_put_int(out, c);
            c = lex_unquote(lex, &pos);
        }
        if (c == LEX_CHARS_BAD)
            return CLU_ESYNTAX;
    }
    close_list(out, at, n, 0);
    return out->err;
}
