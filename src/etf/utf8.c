/* SPDX-License-Identifier: Apache-2.0 */
#include "etf/utf8.h"

/* By the number of bytes: what the first byte begins with, and the least character that needs as
 * many (fewer bytes would be the right form of a lesser one). */
static const struct {
    uint8_t mask, lead;
    uint32_t least;
} forms[] = {
    {0x80, 0x00, 0},
    {0xe0, 0xc0, 0x80},
    {0xf0, 0xe0, 0x800},
    {0xf8, 0xf0, 0x10000},
};

static bool is_char(uint32_t c)
{
    return c <= UNICODE_LAST && (c < SURROGATE_FIRST || c > SURROGATE_LAST);
}

static uint32_t get_long(const uint8_t **pos, const uint8_t *end, size_t n)
{
    const uint8_t *p = *pos;
    uint32_t c = p[0] & (uint8_t)~forms[n - 1].mask;

    (*pos)++;
    if ((size_t)(end - p) < n)
        return UTF8_BAD;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return UTF8_BAD;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (c < forms[n - 1].least || !is_char(c))
        return UTF8_BAD;
    *pos = p + n;
    return c;
}

uint32_t utf8_get(const uint8_t **pos, const uint8_t *end)
{
    uint8_t first = **pos;

    if (first < 0x80)
        return *(*pos)++;
    for (size_t n = 2; n <= UTF8_MAX; n++)
        if ((first & forms[n - 1].mask) == forms[n - 1].lead)
            return get_long(pos, end, n);
    (*pos)++;
    return UTF8_BAD;
}

size_t utf8_put(uint8_t out[UTF8_MAX], uint32_t c)
{
    size_t n = 1;

    if (!is_char(c))
        return 0;
    while (n < UTF8_MAX && c >= forms[n].least)
        n++;
    for (size_t i = n; i > 1; i--) {
        out[i - 1] = (uint8_t)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    out[0] = (uint8_t)(forms[n - 1].lead | c);
    return n;
}

size_t utf8_ascii_len(clu_slice text)
{
    size_t i = 0;
    uint64_t word;

    for (; text.len - i >= sizeof word; i += sizeof word) {
        memcpy(&word, text.data + i, sizeof word);
        if ((word & ASCII_HIGH_BITS) != 0)
            break;
    }
    while (i < text.len && text.data[i] < 0x80)
        i++;
    return i;
}

bool utf8_count(clu_slice text, size_t *chars)
{
    size_t n = text.len;

    if (!clu_is_ascii(text.data, text.len)) {
        const uint8_t *pos = text.data, *end = text.data + text.len;

        for (n = 0; pos < end; n++)
            if (utf8_get(&pos, end) == UTF8_BAD)
                return false;
    }
    *chars = n;
    return true;
}
