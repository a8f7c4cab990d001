/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/names.h"

#define X50  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X63  X50 "xxxxxxxxxxxxx"
#define X253 X63 "." X63 "." X63 "." X50 "xxxxxxxxxxx"

/* As what stands before the '@', and as a host. */
static const struct {
    const char *text;
    enum name_fault base, host;
} parts[] = {
    {"erlclu", NAME_IS_FINE, NAME_IS_FINE},
    {"a_b-C9", NAME_IS_FINE, NAME_IS_FINE},
    {"", NAME_EMPTY, NAME_EMPTY},
    {".", NAME_BAD_BYTE, NAME_EMPTY_LABEL},
    {"a.b", NAME_BAD_BYTE, NAME_IS_FINE},
    {"a.b.", NAME_BAD_BYTE, NAME_IS_FINE},
    {"a.b..", NAME_BAD_BYTE, NAME_EMPTY_LABEL},
    {"a..b", NAME_BAD_BYTE, NAME_EMPTY_LABEL},
    {".a", NAME_BAD_BYTE, NAME_EMPTY_LABEL},
    {"a b", NAME_BAD_BYTE, NAME_BAD_BYTE},
    {"a@b", NAME_BAD_BYTE, NAME_BAD_BYTE},
    {"a/b", NAME_BAD_BYTE, NAME_BAD_BYTE},
    {"\xc3\xbc", NAME_BAD_BYTE, NAME_BAD_BYTE},
    {X63, NAME_IS_FINE, NAME_IS_FINE},
    {X63 "x.y", NAME_BAD_BYTE, NAME_LONG_LABEL},
    {X253, NAME_BAD_BYTE, NAME_IS_FINE},
    {X253 ".", NAME_BAD_BYTE, NAME_IS_FINE},
    {X253 "x", NAME_BAD_BYTE, NAME_TOO_LONG},
};

static void test_parts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(parts); i++) {
        clu_slice text = slice_of(parts[i].text);

        if (name_base_fault(text) != parts[i].base || name_host_fault(text) != parts[i].host)
            fail_msg("%s: %d %d", parts[i].text, name_base_fault(text), name_host_fault(text));
    }
    /* A zero byte is one that no name has. */
    assert_int_equal(name_host_fault((clu_slice){(const uint8_t *)"a\0b", 3}), NAME_BAD_BYTE);
}

/* What a peer may call itself. */
static const struct {
    const char *text;
    bool is_of_node;
} names[] = {
    {"a@h", true},       {"a.b!@10.0.0.1", true},
    {"a@fe80::1", true}, {"", false},
    {"a", false},        {"@", false},
    {"a@", false},       {"@h", false},
    {"a@b@h", false},    {"a@@h", false},
    {"a b@h", false},    {"a@h\n", false},
    {"a@\x7f", false},   {"a@\xfc", false},
    {"a@" X253, true},   {"ab@" X253, false},
};

static void test_names_of_nodes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        if (name_is_of_node(slice_of(names[i].text)) != names[i].is_of_node)
            fail_msg("%s", names[i].text);
    assert_false(name_is_of_node((clu_slice){NULL, 0}));
    assert_true(name_is_host_part(slice_of("erlclu")));
    assert_false(name_is_host_part(slice_of("")));
    assert_false(name_is_host_part(slice_of("a@h")));
}

static void test_making(void **state)
{
    char name[NODE_NAME_SIZE] = "x";

    (void)state;
    assert_true(name_make(name, slice_of("a"), "b.c"));
    assert_string_equal(name, "a@b.c");
    assert_string_equal(name_host(name), "b.c");
    assert_string_equal(name_host("a"), "");
    assert_true(name_make(name, slice_of("a"), X253));
    assert_int_equal(strlen(name), NODE_NAME_MAX);
    assert_false(name_make(name, slice_of("ab"), X253));
    assert_string_equal(name, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_names_of_nodes),
        cmocka_unit_test(test_making),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
