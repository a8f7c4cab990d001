/* SPDX-License-Identifier: Apache-2.0 */
#include "term/width.h"

#include "etf/utf8.h"

struct range {
    uint32_t first, last;
};

/* Unicode: general categories Mn, Me and Cf, as far as terminals meet them. */
static const struct range joining[] = {
    {0x0000, 0x001f},   {0x007f, 0x009f}, {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd},
    {0x05bf, 0x05bf},   {0x05c1, 0x05c2}, {0x05c4, 0x05c5}, {0x0610, 0x061a}, {0x064b, 0x065f},
    {0x0670, 0x0670},   {0x06d6, 0x06dc}, {0x06df, 0x06e4}, {0x06e7, 0x06e8}, {0x06ea, 0x06ed},
    {0x0711, 0x0711},   {0x0730, 0x074a}, {0x0816, 0x082d}, {0x0900, 0x0902}, {0x093a, 0x093a},
    {0x093c, 0x093c},   {0x0941, 0x0948}, {0x094d, 0x094d}, {0x0951, 0x0957}, {0x0e31, 0x0e31},
    {0x0e34, 0x0e3a},   {0x0e47, 0x0e4e}, {0x1160, 0x11ff}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
    {0x200b, 0x200f},   {0x202a, 0x202e}, {0x2060, 0x2064}, {0x20d0, 0x20ff}, {0x302a, 0x302d},
    {0x3099, 0x309a},   {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0x1f3fb, 0x1f3ff},
    {0xe0100, 0xe01ef},
};

/* Unicode: East_Asian_Width W and F. */
static const struct range wide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},
    {0x25fd, 0x25fe},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x26a1, 0x26a1},
    {0x26bd, 0x26be},   {0x2705, 0x2705},   {0x274c, 0x274c},   {0x2795, 0x2797},
    {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2e80, 0x3029},   {0x302e, 0x303e},
    {0x3041, 0x3098},   {0x309b, 0x4dbf},   {0x4e00, 0xa4cf},   {0xa960, 0xa97f},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
    {0xffe0, 0xffe6},   {0x1f300, 0x1f3fa}, {0x1f400, 0x1f64f}, {0x1f680, 0x1f6ff},
    {0x1f900, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
};

static bool is_in(uint32_t c, const struct range *ranges, size_t n)
{
    size_t low = 0;

    while (low < n) {
        size_t mid = low + (n - low) / 2;

        if (c > ranges[mid].last)
            low = mid + 1;
        else
            n = mid;
        if (c >= ranges[mid].first && c <= ranges[mid].last)
            return true;
    }
    return false;
}

unsigned width_of(uint32_t c)
{
    if (c >= ' ' && c < 0x7f)
        return 1;
    if (is_in(c, joining, COUNT(joining)))
        return 0;
    return is_in(c, wide, COUNT(wide)) ? 2 : 1;
}

/* Behind the escape: "[", parameters and a final letter (ECMA-48: 5.4), or one character. */
static const uint8_t *skip_escape(const uint8_t *pos, const uint8_t *end)
{
    if (pos == end || *pos != '[')
        return pos == end ? pos : pos + 1;
    do
        pos++;
    while (pos < end && (*pos < 0x40 || *pos > 0x7e));
    return pos == end ? pos : pos + 1;
}

unsigned width_get(const uint8_t **pos, const uint8_t *end)
{
    if (**pos == 0x1b) {
        *pos = skip_escape(*pos + 1, end);
        return 0;
    }
    return width_of(utf8_get(pos, end));
}

size_t width_text(clu_slice utf8)
{
    const uint8_t *pos = utf8.data, *end = slice_end(utf8);
    size_t width = 0;

    while (pos < end)
        width += width_get(&pos, end);
    return width;
}
