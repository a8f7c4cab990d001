/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/scan.h"

#define DAY_MS (24u * 60 * 60 * 1000)

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* The digits at the front; how many there were. The number stops growing beyond 2^32. */
static size_t take_digits(clu_slice text, uint64_t *number)
{
    size_t n = 0;

    for (*number = 0; n < text.len && is_digit(text.data[n]); n++)
        *number = min_u64(*number * 10 + text.data[n] - '0', UINT64_C(1) << 32);
    return n;
}

bool text_number(clu_slice text, uint32_t min, uint32_t max, uint32_t *out)
{
    uint64_t number;

    if (text.len == 0 || take_digits(text, &number) != text.len || number < min || number > max)
        return false;
    *out = (uint32_t)number;
    return true;
}

/* ".25": thousandths of the unit; how many bytes it took. */
static size_t take_fraction(clu_slice text, uint64_t *thousandths)
{
    uint64_t weight = 100;
    size_t n = 1;

    *thousandths = 0;
    if (text.len < 2 || text.data[0] != '.')
        return 0;
    for (; n < text.len && is_digit(text.data[n]); n++, weight /= 10)
        *thousandths += weight * (uint64_t)(text.data[n] - '0');
    return n;
}

static const struct {
    const char *name;
    uint32_t ms;
} units[] = {{"", 1000}, {"s", 1000}, {"ms", 1}, {"m", 60000}};

bool text_duration(clu_slice text, uint32_t *ms)
{
    uint64_t whole, thousandths;
    size_t n = take_digits(text, &whole);

    if (n == 0)
        return false;
    n += take_fraction((clu_slice){text.data + n, text.len - n}, &thousandths);
    for (size_t i = 0; i < COUNT(units); i++) {
        if (!slice_is((clu_slice){text.data + n, text.len - n}, units[i].name))
            continue;
        uint64_t all = whole * units[i].ms + thousandths * units[i].ms / 1000;

        *ms = (uint32_t)all;
        return all <= DAY_MS;
    }
    return false;
}

bool slice_starts(clu_slice s, const char *text)
{
    size_t len = strlen(text);

    return s.len >= len && memcmp(s.data, text, len) == 0;
}
