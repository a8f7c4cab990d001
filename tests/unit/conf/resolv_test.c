/* SPDX-License-Identifier: Apache-2.0 */
#include "texts.h"

#include "conf/resolv.h"

/* "servers|search|ndots|namespace|zone" */
static void show(const struct resolv_conf *r, struct buf *out)
{
    char text[ADDR_TEXT_MAX];

    for (size_t i = 0; i < r->n_servers; i++)
        buf_printf(out, "%s%s", i == 0 ? "" : " ", addr_text(&r->servers[i], text));
    buf_put_text(out, "|");
    for (size_t i = 0; i < r->n_search; i++)
        buf_printf(out, "%s%s", i == 0 ? "" : " ", r->search[i]);
    buf_printf(out, "|%u|%s|%s", (unsigned)r->ndots, r->namespace_, r->zone);
}

static const struct {
    const char *name, *text, *want;
} rows[] = {
    {"a pod's",
     "search erlclu.svc.cluster.local svc.cluster.local cluster.local\n"
     "nameserver 10.43.0.10\noptions ndots:5\n",
     "10.43.0.10:0|erlclu.svc.cluster.local svc.cluster.local "
     "cluster.local|5|erlclu|cluster.local"},
    {"another zone", "search ns.svc.k8s.example.com.\n",
     "127.0.0.1:0|ns.svc.k8s.example.com|1|ns|k8s.example.com"},
    {"zone in capitals", "search ns.SVC.Example.com\n",
     "127.0.0.1:0|ns.SVC.Example.com|1|ns|Example.com"},
    {"no namespace", "search svc.cluster.local .svc.x\n",
     "127.0.0.1:0|svc.cluster.local .svc.x|1||"},
    {"zone in the second", "search example.com a.svc.z b.svc.y\n",
     "127.0.0.1:0|example.com a.svc.z b.svc.y|1|a|z"},
    {"nothing", "", "127.0.0.1:0||1||"},
    {"comments", "# nameserver 1.1.1.1\n; nameserver 2.2.2.2\n\n  \n\tnameserver\t3.3.3.3 # x\n",
     "3.3.3.3:0||1||"},
    {"ports", "nameserver 10.0.0.1:5353\nnameserver [fd00::a]:54\nnameserver fd00::b\n",
     "10.0.0.1:5353 [fd00::a]:54 [fd00::b]:0||1||"},
    {"no addresses", "nameserver\nnameserver localhost\nnameserver 1.2.3\nnameserver 1.1.1.1\n",
     "1.1.1.1:0||1||"},
    {"nine servers",
     "nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\nnameserver 1.1.1.4\n"
     "nameserver 1.1.1.5\nnameserver 1.1.1.6\nnameserver 1.1.1.7\nnameserver 1.1.1.8\n"
     "nameserver 1.1.1.9\n",
     "1.1.1.1:0 1.1.1.2:0 1.1.1.3:0 1.1.1.4:0 1.1.1.5:0 1.1.1.6:0 1.1.1.7:0 1.1.1.8:0||1||"},
    {"the last of search and domain", "domain a.b\nsearch c.d e.f\ndomain g.h i.j\n",
     "127.0.0.1:0|g.h|1||"},
    {"domain then search", "domain a.b\nsearch c.d\n", "127.0.0.1:0|c.d|1||"},
    {"empty domain and search", "search a.b\ndomain\n", "127.0.0.1:0||1||"},
    {"the root", "search . a.b\n", "127.0.0.1:0|a.b|1||"},
    {"seventeen in the list", "search 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n",
     "127.0.0.1:0|1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16|1||"},
    {"ndots", "options rotate ndots:2 timeout:1\noptions ndots:x ndots:\n", "127.0.0.1:0||2||"},
    {"too many ndots", "options ndots:99999999999\noptions ndots:77\n", "127.0.0.1:0||15||"},
    {"no line end, DOS line ends", "nameserver 1.1.1.1\r\nsearch a.b\r\nnameserver 2.2.2.2",
     "1.1.1.1:0 2.2.2.2:0|a.b|1||"},
    {"unknown words", "lookup file bind\nnameservers 1.1.1.1\n", "127.0.0.1:0||1||"},
};

static void reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct resolv_conf r;
        struct buf seen = {0};

        resolv_parse(&r, slice_of(rows[i].text));
        show(&r, &seen);
        if (strcmp(buf_text(&seen), rows[i].want) != 0)
            fail_msg("%s: %s", rows[i].name, buf_text(&seen));
        buf_free(&seen);
    }
}

static void one_server_only(void **state)
{
    struct addr server = addr_v4(0x7f000001, 5300);
    struct resolv_conf r;

    (void)state;
    resolv_parse(&r, slice_of("nameserver 1.1.1.1\nnameserver 2.2.2.2\nsearch a.b\n"));
    resolv_use_server(&r, &server);
    assert_int_equal(r.n_servers, 1);
    assert_true(addr_equal(&r.servers[0], &server));
    assert_int_equal(r.n_search, 1);
}

static void long_names_are_no_search(void **state)
{
    struct buf text = {0};
    struct resolv_conf r;

    (void)state;
    buf_put_text(&text, "search ");
    for (size_t i = 0; i < 256; i++)
        buf_put_byte(&text, 'x');
    buf_put_text(&text, " a.b");
    resolv_parse(&r, buf_slice(&text));
    assert_int_equal(r.n_search, 1);
    assert_string_equal(r.search[0], "a.b");
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(one_server_only),
        cmocka_unit_test(long_names_are_no_search),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
