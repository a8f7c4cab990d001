/* SPDX-License-Identifier: Apache-2.0 */
#include "texts.h"

#include "conf/names.h"

#define X50  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X250 X50 X50 X50 X50 X50

static const struct {
    const char *given, *here, *name; /* name: NULL when it is refused */
    bool is_long;
} rows[] = {
    {"erlclu", "10.42.0.86", "erlclu@10.42.0.86", true},
    {"erlclu", "fd00:0:0::86", "erlclu@fd00::86", true},
    {"a_b-c9@10.0.0.1", "10.42.0.86", "a_b-c9@10.0.0.1", true},
    {"app@FD00:0:0:0::0010", "10.42.0.86", "app@fd00::10", true},
    {"app@::ffff:10.0.0.1", "10.42.0.86", "app@::ffff:10.0.0.1", true},
    {"app@pod-0.svc.ns.svc.cluster.local", "10.0.0.1", "app@pod-0.svc.ns.svc.cluster.local", true},
    {"app@host_1", "10.0.0.1", "app@host_1", false},
    {"app@010.0.0.1", "10.0.0.1", "app@010.0.0.1", true}, /* no address to inet_pton: a name */
    {"", "10.0.0.1", NULL, false},
    {"@10.0.0.1", "10.0.0.1", NULL, false},
    {"app@", "10.0.0.1", NULL, false},
    {"a.b@10.0.0.1", "10.0.0.1", NULL, false},
    {"a b@10.0.0.1", "10.0.0.1", NULL, false},
    {"\xc3\xbc@10.0.0.1", "10.0.0.1", NULL, false},
    {"a@b@10.0.0.1", "10.0.0.1", NULL, false},
    {"a@b c", "10.0.0.1", NULL, false},
    {"a@[::1]", "10.0.0.1", NULL, false},
    {X250 "a@b.c", "10.0.0.1", X250 "a@b.c", true}, /* 255 bytes */
    {X250 "aa@b.c", "10.0.0.1", NULL, false},
    {"a@" X50 "." X50 "." X50, "10.0.0.1", "a@" X50 "." X50 "." X50, true},
    {"a@" X250 "xxx", "10.0.0.1", NULL, false}, /* no label is so long */
    {"a@" X250 X50, "10.0.0.1", NULL, false},
    {"a@b..c", "10.0.0.1", NULL, false},
};

static void makes_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char name[NODE_NAME_SIZE] = "";
        struct addr here;

        assert_true(addr_parse_ip(&here, slice_of(rows[i].here)));
        const char *wrong = names_make(name, rows[i].given, &here);

        if ((wrong == NULL) != (rows[i].name != NULL))
            fail_msg("%s: %s", rows[i].given, wrong == NULL ? name : wrong);
        if (wrong != NULL)
            continue;
        assert_string_equal(name, rows[i].name);
        assert_int_equal(names_is_long(name), rows[i].is_long);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
