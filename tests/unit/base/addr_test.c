/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/addr.h"

/* What is read, and how it is written again; NULL: it is no address. */
static const struct {
    const char *text, *ip, *whole;
} rows[] = {
    {"10.0.0.1", "10.0.0.1", "10.0.0.1:0"},
    {"10.0.0.1:4369", "10.0.0.1", "10.0.0.1:4369"},
    {"10.0.0.1:65535", "10.0.0.1", "10.0.0.1:65535"},
    {"::1", "::1", "[::1]:0"},
    {"[::1]", "::1", "[::1]:0"},
    {"[::1]:80", "::1", "[::1]:80"},
    {"FE80:0:0::1", "fe80::1", "[fe80::1]:0"},
    {"2001:db8::1:4369", "2001:db8::1:4369", "[2001:db8::1:4369]:0"}, /* no port: no brackets */
    {"::ffff:10.0.0.1", "::ffff:10.0.0.1", "[::ffff:10.0.0.1]:0"},
    {"", NULL, NULL},
    {"localhost", NULL, NULL},
    {"10.0.0", NULL, NULL},
    {"10.0.0.1 ", NULL, NULL},
    {"10.0.0.256", NULL, NULL},
    {"10.0.0.1:", NULL, NULL},
    {"10.0.0.1:65536", NULL, NULL},
    {"10.0.0.1:100000", NULL, NULL},
    {"10.0.0.1:80x", NULL, NULL},
    {"10.0.0.1:-1", NULL, NULL},
    {":80", NULL, NULL},
    {"[::1", NULL, NULL},
    {"[]:80", NULL, NULL},
    {"[10.0.0.1]:80", NULL, NULL},
    {"[::1]80", NULL, NULL},
    {"[::1]:", NULL, NULL},
    {"::1%lo", NULL, NULL},
    {"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", NULL, NULL},
};

static void test_parse(void **state)
{
    char out[ADDR_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct addr a;
        bool ok = addr_parse(&a, slice_of(rows[i].text));

        if (ok != (rows[i].ip != NULL))
            fail_msg("%s: %d", rows[i].text, ok);
        if (!ok)
            continue;
        assert_string_equal(addr_ip_text(&a, out), rows[i].ip);
        assert_string_equal(addr_text(&a, out), rows[i].whole);
    }
}

static void test_zero_byte(void **state)
{
    struct addr a;

    (void)state;
    assert_false(addr_parse_ip(&a, (clu_slice){(const uint8_t *)"10.0.0.1\0x", 10}));
    assert_false(addr_parse(&a, (clu_slice){0}));
}

/* The longest there is fits. */
static void test_longest(void **state)
{
    const char *text = "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535";
    char out[ADDR_TEXT_MAX];
    struct addr a;

    (void)state;
    assert_true(addr_parse(&a, slice_of(text)));
    assert_string_equal(addr_text(&a, out), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

static void test_compare(void **state)
{
    struct addr a = addr_v4(0x7f000001, 1), b = addr_v4(0x7f000001, 2), c = addr_v4(0x0a000001, 1);
    struct addr v6, none = {0};
    char out[ADDR_TEXT_MAX];

    (void)state;
    assert_true(addr_parse_ip(&v6, slice_of("::1")));
    assert_true(addr_same_ip(&a, &b));
    assert_false(addr_equal(&a, &b));
    assert_true(addr_equal(&a, &a));
    assert_false(addr_same_ip(&a, &c));
    assert_false(addr_same_ip(&a, &v6));
    assert_true(addr_is_loopback(&a));
    assert_true(addr_is_loopback(&v6));
    assert_false(addr_is_loopback(&c));
    assert_false(addr_is_loopback(&none));
    assert_string_equal(addr_ip_text(&none, out), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_zero_byte),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_compare),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
