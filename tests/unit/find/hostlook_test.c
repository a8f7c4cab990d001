/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "dns_build.h"
#include "find/hostlook.h"

/* What the pod's resolv.conf and hosts file say, what its DNS server knows, and what becomes of the
 * host part of a node name. */

static const struct resolv_conf pod = {
    .search = {"ns.svc.cluster.local", "svc.cluster.local", "cluster.local"},
    .n_search = 3,
    .ndots = 5,
};
static const struct resolv_conf plain = {.search = {"example."}, .n_search = 1, .ndots = 1};
static const struct resolv_conf served = {
    .servers = {{.family = 4, .ip = {10, 0, 0, 1}},
                {.family = 4, .ip = {10, 0, 0, 2}, .port = 5300}},
    .n_servers = 2,
    .search = {"example."},
    .n_search = 1,
    .ndots = 1};
static const struct resolv_conf rootish = {.search = {"."}, .n_search = 1, .ndots = 1};

static const struct {
    const char *name;
    uint16_t type; /* 0: any */
    const char *words;
} zone[] = {
    {"pod-0.svc.ns.svc.cluster.local", DNS_TYPE_A, "10.0.0.5 10.0.0.6"},
    {"pod-6.svc.ns.svc.cluster.local", DNS_TYPE_AAAA, "fd00::5"},
    {"pod-6.svc.ns.svc.cluster.local", DNS_TYPE_A, "nodata"},
    {"both.example", DNS_TYPE_A, "10.0.0.7"},
    {"both.example", DNS_TYPE_AAAA, "fd00::7"},
    {"empty.example", 0, "nodata"},
    {"a.b", 0, "10.0.0.8"},
    {"sick.ns.svc.cluster.local", 0, "servfail"},
    {"sick.svc.cluster.local", 0, "10.0.0.9"},
    {"slow.example", 0, "timeout"},
    {"down.example", 0, "unreachable"},
    {"lost.example", 0, "noserver"},
    {"odd.example", 0, "garbage"},
    {"single", 0, "10.0.0.10"},
};

static const struct {
    const char *name, *host;
    uint8_t family;
    const struct resolv_conf *conf;
    const char *says;
} rows[] = {
    {"a literal", "10.0.0.1", 4, &pod, "10.0.0.1"},
    {"a literal of another family", "fd00::1", 4, &pod, "fd00::1"},
    {"the hosts file", "short", 4, &pod, "192.0.2.1"},
    {"the hosts file, in another case", "SHORT", 0, &pod, "192.0.2.1"},
    {"the hosts file's other family", "short", 6, &pod, "2001:db8::1"},
    {"the only address of the hosts file", "old", 6, &pod, "192.0.2.2"},
    {"localhost that no file has", "localhost", 4, &pod, "127.0.0.1"},
    {"localhost, v6", "localhost", 6, NULL, "::1"},
    {"few dots: the search list first", "pod-0.svc", 4, &pod,
     "pod-0.svc.ns.svc.cluster.local/1 10.0.0.5"},
    {"the other family where ours is empty", "pod-6.svc", 4, &pod,
     "pod-6.svc.ns.svc.cluster.local/1 pod-6.svc.ns.svc.cluster.local/28 fd00::5"},
    {"ours is v6", "both", 6, &plain, "both.example/28 fd00::7"},
    {"any family", "both", 0, &plain, "both.example/1 10.0.0.7"},
    {"enough dots: the name as it is first", "a.b", 4, &plain, "a.b/1 10.0.0.8"},
    {"enough dots, then the search list", "both.x", 4, &plain,
     "both.x/1 both.x.example/1 no address for both.x: both.x NXDOMAIN, both.x.example NXDOMAIN"},
    {"a final dot: nothing but that", "both.", 4, &plain, "both/1 no address for both.: NXDOMAIN"},
    {"nobody knows it", "nobody", 4, &pod,
     "nobody.ns.svc.cluster.local/1 nobody.svc.cluster.local/1 nobody.cluster.local/1 nobody/1 "
     "no address for nobody: nobody.ns.svc.cluster.local NXDOMAIN, nobody.svc.cluster.local "
     "NXDOMAIN, nobody.cluster.local NXDOMAIN, nobody NXDOMAIN"},
    {"a name without addresses", "empty", 4, &plain,
     "empty.example/1 empty.example/28 empty/1 no address for empty: empty.example has no address, "
     "empty NXDOMAIN"},
    {"a server in trouble with one name", "sick", 4, &pod,
     "sick.ns.svc.cluster.local/1 sick.svc.cluster.local/1 10.0.0.9"},
    {"no answer ends it", "slow", 4, &plain,
     "slow.example/1 no address for slow: slow.example no DNS server answered in time"},
    {"nobody there ends it", "down", 4, &plain,
     "down.example/1 no address for down: down.example no DNS server could be reached"},
    {"who gave no answer is told", "slow", 4, &served,
     "slow.example/1 no address for slow: slow.example no DNS server answered in time (10.0.0.1, "
     "10.0.0.2:5300)"},
    {"who is not there is told", "down", 4, &served,
     "down.example/1 no address for down: down.example no DNS server could be reached (10.0.0.1, "
     "10.0.0.2:5300)"},
    {"who knows no such name is told", "gone", 4, &served,
     "gone.example/1 gone/1 no address for gone: gone.example NXDOMAIN, gone NXDOMAIN (10.0.0.1, "
     "10.0.0.2:5300)"},
    {"nobody to ask ends it", "lost", 4, &plain,
     "lost.example/1 no address for lost: lost.example no DNS server is configured (resolv.conf, "
     "--dns)"},
    {"nonsense ends it", "odd", 4, &plain,
     "odd.example/1 no address for odd: odd.example a reply that is no DNS message"},
    {"no resolv.conf", "single", 4, NULL, "single/1 10.0.0.10"},
    {"the root as search list", "single", 4, &rootish, "single/1 10.0.0.10"},
    {"no host name", "a b", 4, &pod,
     "no address for a b: holds a byte that DNS names do not have (letters, digits, '-' and '_' "
     "only)"},
    {"nothing", "", 4, &pod, "no address for : is empty"},
};

static struct host_entry host_entries[3];

static struct hosts_file hosts_make(void)
{
    static const char *const lines[][2] = {
        {"192.0.2.1", "short"}, {"2001:db8::1", "short"}, {"192.0.2.2", "old"}};

    for (size_t i = 0; i < COUNT(lines); i++) {
        assert_true(addr_parse_ip(&host_entries[i].addr, slice_of(lines[i][0])));
        text_set(host_entries[i].name, HOST_NAME_SIZE, slice_of(lines[i][1]));
    }
    return (struct hosts_file){host_entries, COUNT(host_entries)};
}

static const char *zone_words(const struct source_query *q)
{
    for (size_t i = 0; i < COUNT(zone); i++)
        if (strcmp(zone[i].name, q->name) == 0 && (zone[i].type == 0 || zone[i].type == q->type))
            return zone[i].words;
    return "nxdomain";
}

static void look(struct buf *said, struct hostlook *h)
{
    struct source_query q;
    char ip[ADDR_TEXT_MAX];

    while (hostlook_query(h, &q)) {
        struct buf msg = {0};

        assert_false(hostlook_query(h, &q)); /* one at a time */
        enum dns_status status = dns_build(&msg, q.name, q.type, zone_words(&q));

        buf_printf(said, "%s/%u ", q.name, (unsigned)q.type);
        hostlook_answer(h, status, buf_slice(&msg));
        hostlook_answer(h, DNS_TIMEOUT, (clu_slice){NULL, 0}); /* nobody waits for it */
        buf_free(&msg);
    }
    assert_true(h->done);
    buf_put_text(said, h->addr.family != 0 ? addr_ip_text(&h->addr, ip) : h->reason);
}

static void resolves(void **state)
{
    struct hosts_file hosts = hosts_make();

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct hostlook h;
        struct buf said = {0};

        hostlook_start(&h, rows[i].host, rows[i].family, rows[i].conf,
                       rows[i].conf == NULL ? NULL : &hosts);
        look(&said, &h);
        if (strcmp(buf_text(&said), rows[i].says) != 0)
            fail_msg("%s: %s", rows[i].name, buf_text(&said));
        buf_free(&said);
    }
}

#define L50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* A candidate that grows too long is passed over; the reason has room for so much only. */
static void bounds_names(void **state)
{
    struct hostlook h;
    struct buf said = {0};
    char host[2 * HOST_NAME_SIZE];

    (void)state;
    hostlook_start(&h, L50 "." L50 "." L50 "." L50 ".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 4,
                   &pod, NULL);
    look(&said, &h);
    assert_non_null(strstr(buf_text(&said), "..."));
    assert_int_equal(h.candidate, 4);
    buf_free(&said);
    memset(host, 'a', sizeof host - 1);
    host[sizeof host - 1] = '\0';
    hostlook_start(&h, host, 4, &pod, NULL);
    assert_true(h.done);
    assert_non_null(strstr(h.reason, "is longer than 255 bytes"));
}

/* A reply to another question is none. */
static void refuses_other_answers(void **state)
{
    struct hostlook h;
    struct source_query q;
    struct buf msg = {0};

    (void)state;
    hostlook_start(&h, "single", 4, NULL, NULL);
    assert_true(hostlook_query(&h, &q));
    dns_build(&msg, "other", DNS_TYPE_A, "10.0.0.1");
    hostlook_answer(&h, DNS_ANSWERED, buf_slice(&msg));
    assert_true(h.done);
    assert_int_equal(h.addr.family, 0);
    buf_free(&msg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolves),
        cmocka_unit_test(bounds_names),
        cmocka_unit_test(refuses_other_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
