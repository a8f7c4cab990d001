/* SPDX-License-Identifier: Apache-2.0 */
#include "view/text.h"

#include <stdio.h>

/* The last millisecond of the year 9999: RFC 3339 has four digits for a year. */
#define TIME_MAX_MS 253402300799999u

static bool is_continuation(const uint8_t *p, size_t len, size_t i)
{
    return i < len && (p[i] & 0xc0) == 0x80;
}

/* Lead bytes by the length they announce; what is too long, a surrogate or above U+10FFFF is told
 * by the second byte (Unicode 15, table 3-7). */
static const struct {
    uint8_t first, last, second_min, second_max;
    size_t len;
} leads[] = {
    {0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

/* The bytes of the character at p, 0 when it is none. */
static size_t character_at(const uint8_t *p, size_t len)
{
    size_t row = 0;

    while (row < COUNT(leads) && (p[0] < leads[row].first || p[0] > leads[row].last))
        row++;
    if (row == COUNT(leads))
        return 0;
    size_t want = leads[row].len;

    if (want == 1)
        return 1;
    if (len < 2 || p[1] < leads[row].second_min || p[1] > leads[row].second_max)
        return 0;
    for (size_t i = 2; i < want; i++)
        if (!is_continuation(p, len, i))
            return 0;
    return want;
}

/* C0, DEL, and C1 (of which 0x9b starts a terminal's command). */
static bool is_control(const uint8_t *p, size_t n)
{
    return (n == 1 && (p[0] < 0x20 || p[0] == 0x7f)) || (n == 2 && p[0] == 0xc2 && p[1] < 0xa0);
}

void text_put_utf8(struct buf *out, clu_slice text)
{
    for (size_t i = 0; i < text.len;) {
        size_t n = character_at(text.data + i, text.len - i);

        if (n > 0)
            buf_put(out, text.data + i, n);
        else
            buf_put_text(out, "\xef\xbf\xbd");
        i += n > 0 ? n : 1;
    }
}

void text_put_printable(struct buf *out, clu_slice text)
{
    for (size_t i = 0; i < text.len;) {
        const uint8_t *p = text.data + i;
        size_t n = character_at(p, text.len - i);

        if (n > 0 && !is_control(p, n)) {
            buf_put(out, p, n);
            i += n;
        } else {
            buf_printf(out, "\\x%02x", *p);
            i++;
        }
    }
}

size_t text_columns(clu_slice utf8)
{
    size_t columns = 0;

    for (size_t i = 0; i < utf8.len; i++)
        columns += (utf8.data[i] & 0xc0) != 0x80;
    return columns;
}

struct date {
    uint32_t year, month, day;
};

/* Days since 1970-01-01 to a date of the Gregorian calendar. Years begin in March here, so that the
 * leap day is the last of its year; 400 of them have 146097 days. */
static struct date date_of(uint32_t days)
{
    const uint32_t to_1970 = 719468; /* from 0000-03-01 */
    uint32_t day = days + to_1970;
    uint32_t era = day / 146097;
    uint32_t of_era = day % 146097;
    uint32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint32_t of_year = of_era - (365 * year + year / 4 - year / 100);
    /* March to January have 31 30 31 30 31, 31 30 31 30 31, 31 days: 153 in five months. */
    uint32_t month = (5 * of_year + 2) / 153;

    return (struct date){
        .year = era * 400 + year + (month >= 10),
        .month = month < 10 ? month + 3 : month - 9,
        .day = of_year - (153 * month + 2) / 5 + 1,
    };
}

const char *text_time(uint64_t wall_ms, char out[TEXT_TIME_SIZE])
{
    uint64_t ms = min_u64(wall_ms, TIME_MAX_MS);
    uint32_t of_day = (uint32_t)(ms / 1000 % 86400);
    struct date d = date_of((uint32_t)(ms / 1000 / 86400));

    /* The remainders are known to the compiler, so that it sees that all fits. */
    snprintf(out, TEXT_TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", d.year % 10000,
             d.month % 100, d.day % 100, of_day / 3600 % 100, of_day / 60 % 60, of_day % 60,
             (uint32_t)(ms % 1000));
    return out;
}
