/* SPDX-License-Identifier: Apache-2.0 */
#include "etf/syntax.h"

static const char *const reserved[] = {
    "after", "and",  "andalso", "band",   "begin",   "bnot", "bor", "bsl",  "bsr",
    "bxor",  "case", "catch",   "cond",   "div",     "end",  "fun", "if",   "let",
    "not",   "of",   "or",      "orelse", "receive", "rem",  "try", "when", "xor",
};

/* Reserved from OTP 27 on. */
static const char *const newly_reserved[] = {"else", "maybe"};

static const struct {
    char letter;
    uint8_t c;
} escapes[] = {
    {'b', '\b'}, {'d', 127}, {'e', 27},   {'f', '\f'}, {'n', '\n'},
    {'r', '\r'}, {'s', ' '}, {'t', '\t'}, {'v', '\v'},
};

static bool in_range(uint32_t c, uint32_t first, uint32_t last)
{
    return c >= first && c <= last;
}

/* Latin-1's letters have a sign of multiplication among the capitals, one of division among the
 * small ones. */
bool syntax_is_lower(uint32_t c)
{
    return in_range(c, 'a', 'z') || (in_range(c, 0xdf, 0xff) && c != 0xf7);
}

bool syntax_is_name(uint32_t c)
{
    return syntax_is_lower(c) || in_range(c, 'A', 'Z') || in_range(c, '0', '9') || c == '_' ||
           c == '@' || (in_range(c, 0xc0, 0xde) && c != 0xd7);
}

bool syntax_wants_quotes(clu_slice word)
{
    for (size_t i = 0; i < COUNT(newly_reserved); i++)
        if (slice_is(word, newly_reserved[i]))
            return true;
    return syntax_is_reserved(word);
}

bool syntax_is_reserved(clu_slice word)
{
    for (size_t i = 0; i < COUNT(reserved); i++)
        if (*word.data == (uint8_t)*reserved[i] && slice_is(word, reserved[i]))
            return true;
    return false;
}

bool syntax_is_printable(uint32_t c)
{
    return in_range(c, ' ', '~') || in_range(c, 0xa0, 0xff) || in_range(c, '\b', '\r') || c == 27;
}

char syntax_escape(uint32_t c)
{
    for (size_t i = 0; i < COUNT(escapes); i++)
        if (escapes[i].c == c && c != ' ')
            return escapes[i].letter;
    return 0;
}

uint32_t syntax_unescape(uint32_t letter)
{
    for (size_t i = 0; i < COUNT(escapes); i++)
        if ((uint32_t)escapes[i].letter == letter)
            return escapes[i].c;
    return letter;
}

uint32_t syntax_digit(uint8_t c)
{
    if (in_range(c, '0', '9'))
        return c - (uint32_t)'0';
    if (in_range(c, 'a', 'z'))
        return c - (uint32_t)'a' + 10;
    return in_range(c, 'A', 'Z') ? c - (uint32_t)'A' + 10 : 36;
}
