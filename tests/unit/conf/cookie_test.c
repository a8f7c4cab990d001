/* SPDX-License-Identifier: Apache-2.0 */
#include "texts.h"

#include "conf/cookie.h"

#define X51 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* As auth:check_cookie/2 of OTP, which reads ~/.erlang.cookie. */
static const struct {
    const char *text, *cookie, *trimmed; /* cookie: NULL when it is refused */
} rows[] = {
    {"abc", "abc", ""},
    {"abc\n", "abc", "\n"},
    {"abc\r\n", "abc", "\r\n"},
    {"abc\n\n\n", "abc", "\n\n\n"},
    {"abc\n\n\n\n\n", "abc", "\n\n\n"}, /* as much as is remembered */
    {"abc\n \r\n", "abc", "\n \r"},
    {"abc \n", "abc ", "\n"}, /* a blank before the line end belongs to it */
    {" ~!@#", " ~!@#", ""},
    {"a b", "a b", ""},
    {X51 X51 X51 X51 X51, X51 X51 X51 X51 X51, ""}, /* 255 */
    {X51 X51 X51 X51 X51 "x", NULL, NULL},
    {"", NULL, NULL},
    {"\n", NULL, NULL},
    {"\nabc", NULL, NULL},
    {"abc\ndef", NULL, NULL},
    {"abc\n\tdef", NULL, NULL},
    {"ab\tc", NULL, NULL},
    {"\xc3\xbc", NULL, NULL},
    {"abc\x7f", NULL, NULL},
};

static void trims(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cookie c = {.len = 0};
        const char *wrong = cookie_set(&c, slice_of(rows[i].text), "RELEASE_COOKIE");

        if ((wrong == NULL) != (rows[i].cookie != NULL))
            fail_msg("row %zu: %s", i, wrong == NULL ? "taken" : wrong);
        if (wrong != NULL) {
            assert_null(strstr(wrong, "abc"));
            assert_int_equal(c.len, 0);
            continue;
        }
        assert_int_equal(c.len, strlen(rows[i].cookie));
        assert_memory_equal(c.bytes, rows[i].cookie, c.len);
        assert_string_equal(c.trimmed, rows[i].trimmed);
        assert_string_equal(c.source, "RELEASE_COOKIE");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(trims)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
