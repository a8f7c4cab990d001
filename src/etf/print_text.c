/* SPDX-License-Identifier: Apache-2.0 */
#include "etf/syntax.h"
#include "etf/utf8.h"

void text_put(clu_writer *out, const char *text)
{
    clu_put_bytes(out, text, strlen(text));
}

static void put_octal(clu_writer *out, uint32_t c)
{
    const char digits[4] = {'\\', (char)('0' + (c >> 6)), (char)('0' + (c >> 3 & 7)),
                            (char)('0' + (c & 7))};

    clu_put_bytes(out, digits, sizeof digits);
}

void text_char(clu_writer *out, uint32_t c, char quote)
{
    uint8_t utf8[UTF8_MAX] = {'\\', (uint8_t)c};
    char letter = syntax_escape(c);

    if (letter != 0) {
        utf8[1] = (uint8_t)letter;
        clu_put_bytes(out, utf8, 2);
    } else if (c == '\\' || (quote != 0 && c == (uint8_t)quote)) {
        clu_put_bytes(out, utf8, 2);
    } else if (c < ' ' || (c > '~' && c < 0xa0)) {
        put_octal(out, c);
    } else {
        clu_put_bytes(out, utf8, utf8_put(utf8, c));
    }
}

static bool needs_quotes(clu_slice name)
{
    const uint8_t *pos = name.data, *end = slice_end(name);

    if (name.len == 0 || !syntax_is_lower(utf8_get(&pos, end)) || syntax_wants_quotes(name))
        return true;
    while (pos < end)
        if (!syntax_is_name(utf8_get(&pos, end)))
            return true;
    return false;
}

static void put_quoted(clu_writer *out, clu_slice text, char quote)
{
    const uint8_t *pos = text.data, *end = slice_end(text);

    clu_put_bytes(out, &quote, 1);
    while (pos < end)
        text_char(out, utf8_get(&pos, end), quote);
    clu_put_bytes(out, &quote, 1);
}

void text_atom(clu_writer *out, clu_slice name)
{
    size_t chars;

    if (!utf8_count(name, &chars))
        clu_writer_fail(out, CLU_EATOM);
    else if (needs_quotes(name))
        put_quoted(out, name, '\'');
    else
        clu_put_bytes(out, name.data, name.len);
}

static bool is_text_utf8(clu_slice bytes)
{
    const uint8_t *pos = bytes.data, *end = slice_end(bytes);

    while (pos < end)
        if (!syntax_is_printable(utf8_get(&pos, end)))
            return false;
    return true;
}

static bool is_text_latin1(clu_slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (!syntax_is_printable(bytes.data[i]))
            return false;
    return true;
}

static void put_latin1(clu_writer *out, clu_slice bytes)
{
    text_put(out, "\"");
    for (size_t i = 0; i < bytes.len; i++)
        text_char(out, bytes.data[i], '"');
    text_put(out, "\"");
}

/* Bytes that are UTF-8 are shown as the characters they mean or as numbers; others may still be a
 * text in Latin-1. */
static bool put_as_text(clu_writer *out, clu_slice bytes)
{
    size_t chars;
    bool utf8 = utf8_count(bytes, &chars);

    if (bytes.len == 0 || !(utf8 ? is_text_utf8(bytes) : is_text_latin1(bytes)))
        return false;
    if (!utf8)
        put_latin1(out, bytes);
    else
        put_quoted(out, bytes, '"');
    if (utf8 && chars < bytes.len)
        text_put(out, "/utf8");
    return true;
}

static void put_as_numbers(clu_writer *out, clu_slice bytes, uint8_t last_bits)
{
    for (size_t i = 0; i < bytes.len; i++) {
        bool cut = i + 1 == bytes.len && last_bits < 8;

        if (i > 0)
            text_put(out, ",");
        text_uint(out, (uint64_t)(cut ? bytes.data[i] >> (8 - last_bits) : bytes.data[i]));
        if (!cut)
            continue;
        text_put(out, ":");
        text_uint(out, last_bits);
    }
}

void text_bits(clu_writer *out, clu_slice bytes, uint8_t last_bits)
{
    text_put(out, "<<");
    if (last_bits < 8 || !put_as_text(out, bytes))
        put_as_numbers(out, bytes, last_bits);
    text_put(out, ">>");
}
