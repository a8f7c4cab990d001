/* SPDX-License-Identifier: Apache-2.0 */
#include "texts.h"

#include "conf/hosts.h"

static const struct {
    const char *name, *text, *want;
} rows[] = {
    {"a pod's",
     "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost "
     "ip6-loopback\nfe00::0\tip6-localnet\n10.42.0.86\terlclu-0\n",
     "localhost=127.0.0.1 localhost=::1 ip6-localhost=::1 ip6-loopback=::1 ip6-localnet=fe00:: "
     "erlclu-0=10.42.0.86 "},
    {"aliases and a comment", "10.0.0.1 a.b.c a  A # d\n", "a.b.c=10.0.0.1 a=10.0.0.1 A=10.0.0.1 "},
    {"comment in a name", "10.0.0.1 a#b\n", "a=10.0.0.1 "},
    {"no names", "10.0.0.1\n10.0.0.1 # a\n\n#\n  \t \n", ""},
    {"no addresses", "localhost 127.0.0.1\n10.0.0 a\nfe80::1%lo0 b\n10.0.0.2 c\n", "c=10.0.0.2 "},
    {"no line end", "10.0.0.1 a", "a=10.0.0.1 "},
    {"DOS line ends", "10.0.0.1 a\r\n10.0.0.2 b\r\n", "a=10.0.0.1 b=10.0.0.2 "},
    {"leading blanks", "  10.0.0.1 a", "a=10.0.0.1 "},
    {"nothing", "", ""},
};

static void reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct hosts_file h;
        struct buf seen = {0};
        char ip[ADDR_TEXT_MAX];

        assert_int_equal(hosts_parse(&h, slice_of(rows[i].text)), CLU_OK);
        for (size_t n = 0; n < h.n; n++)
            buf_printf(&seen, "%s=%s ", h.entries[n].name, addr_ip_text(&h.entries[n].addr, ip));
        if (strcmp(buf_text(&seen), rows[i].want) != 0)
            fail_msg("%s: %s", rows[i].name, buf_text(&seen));
        buf_free(&seen);
        hosts_fini(&h);
    }
}

static void finds_whatever_the_case(void **state)
{
    struct hosts_file h;

    (void)state;
    assert_int_equal(hosts_parse(&h, slice_of("10.0.0.1 Host\n10.0.0.2 host\n")), CLU_OK);
    assert_ptr_equal(hosts_find(&h, "hOST"), &h.entries[0]);
    assert_null(hosts_find(&h, "hos"));
    hosts_fini(&h);
    assert_null(hosts_find(&h, "host"));
}

static void many_names_end(void **state)
{
    struct buf text = {0};
    struct hosts_file h;

    (void)state;
    for (unsigned i = 0; i <= HOSTS_NAMES_MAX; i++)
        buf_printf(&text, "10.0.%u.%u n%u\n", i >> 8 & 255, i & 255, i);
    assert_int_equal(hosts_parse(&h, buf_slice(&text)), CLU_ESIZE);
    assert_int_equal(h.n, HOSTS_NAMES_MAX);
    assert_string_equal(h.entries[HOSTS_NAMES_MAX - 1].name, "n16383");
    hosts_fini(&h);
    buf_free(&text);
}

static void long_names_are_passed_over(void **state)
{
    struct buf text = {0};
    struct hosts_file h;

    (void)state;
    buf_put_text(&text, "10.0.0.1 ");
    for (size_t i = 0; i < 256; i++)
        buf_put_byte(&text, 'x');
    buf_put_text(&text, " a");
    assert_int_equal(hosts_parse(&h, buf_slice(&text)), CLU_OK);
    assert_int_equal(h.n, 1);
    assert_string_equal(h.entries[0].name, "a");
    hosts_fini(&h);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(finds_whatever_the_case),
        cmocka_unit_test(many_names_end),
        cmocka_unit_test(long_names_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
