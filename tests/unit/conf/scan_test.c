/* SPDX-License-Identifier: Apache-2.0 */
#include "texts.h"

#include "conf/scan.h"

static void durations(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        uint32_t ms;
    } rows[] = {
        {"5", true, 5000},
        {"0", true, 0},
        {"0.25", true, 250},
        {"0.0005", true, 0},
        {"1.5s", true, 1500},
        {"500ms", true, 500},
        {"2s", true, 2000},
        {"1m", true, 60000},
        {"1.5m", true, 90000},
        {"86400", true, 86400000},
        {"1440m", true, 86400000},
        {"86401", false, 0},
        {"", false, 0},
        {"s", false, 0},
        {".5", false, 0},
        {"5.", false, 0},
        {"5 s", false, 0},
        {"5h", false, 0},
        {"-5", false, 0},
        {"99999999999999999999", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t ms = 0;

        if (text_duration(slice_of(rows[i].text), &ms) != rows[i].ok ||
            (rows[i].ok && ms != rows[i].ms))
            fail_msg("%s: %u", rows[i].text, (unsigned)ms);
    }
}

static void numbers(void **state)
{
    static const struct {
        const char *text;
        bool ok;
    } rows[] = {
        {"1", true},           {"65535", true}, {"00080", true},
        {"0", false},          {"", false},     {"65536", false},
        {"4294967297", false}, {"1x", false},   {"99999999999999999999999", false},
        {"-1", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t n;

        if (text_number(slice_of(rows[i].text), 1, 65535, &n) != rows[i].ok)
            fail_msg("%s", rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),
        cmocka_unit_test(numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
