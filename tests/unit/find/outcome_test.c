/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "source_sim.h"

/* What answers make of the list, and what is said about them. */

/* Each row: one round, and what it makes of a list that held 10.0.0.1 and 10.0.0.2. */
static const struct {
    const char *name, *a, *aaaa, *says, *reason;
} outcomes[] = {
    {"the same in another order", "10.0.0.2 10.0.0.1", "nodata", "complete 10.0.0.1 10.0.0.2", ""},
    {"one came", "10.0.0.2 10.0.0.1 10.0.0.3", "nodata", "complete 10.0.0.1 10.0.0.2 10.0.0.3", ""},
    {"one left", "10.0.0.1", "nodata", "complete 10.0.0.1", ""},
    {"an AAAA that does not exist", "10.0.0.1", "nxdomain", "complete 10.0.0.1", ""},
    {"nothing there", "nxdomain", "nxdomain", "negative 10.0.0.1 10.0.0.2", "no such name"},
    {"no addresses", "nodata", "nodata", "negative 10.0.0.1 10.0.0.2", "the name exists"},
    {"an empty answer beside a timeout", "timeout", "nodata", "failed 10.0.0.1 10.0.0.2",
     "no DNS server answered in time"},
    {"servers that refuse", "refused", "refused", "failed 10.0.0.1 10.0.0.2",
     "the DNS server refuses"},
    {"servers in trouble", "servfail", "servfail", "failed 10.0.0.1 10.0.0.2",
     "the DNS server cannot tell now"},
    {"nobody there", "unreachable", "unreachable", "failed 10.0.0.1 10.0.0.2",
     "no DNS server could be reached"},
    {"nobody to ask", "noserver", "noserver", "failed 10.0.0.1 10.0.0.2",
     "no DNS server is configured"},
    {"nonsense", "garbage", "garbage", "failed 10.0.0.1 10.0.0.2", "the reply is no well-formed"},
    {"one family in trouble only adds", "10.0.0.3", "timeout", "partial 10.0.0.1 10.0.0.2 10.0.0.3",
     "AAAA records: no DNS server answered in time"},
    {"an answer cut short only adds", "10.0.0.3 cut", "nodata",
     "partial 10.0.0.1 10.0.0.2 10.0.0.3", "A records: the answer was cut short"},
    {"an answer cut to nothing", "cut", "nodata", "failed 10.0.0.1 10.0.0.2",
     "the answer was cut short"},
};

static void judges(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(outcomes); i++) {
        struct sim s;

        sim_start(&s, SPEC "?base=*", NULL);
        s.a = "10.0.0.1 10.0.0.2";
        sim_step(&s);
        s.a = outcomes[i].a;
        s.aaaa = outcomes[i].aaaa;
        sim_run(&s, 130);
        const char *says = sim_last(&s), *reason = source_reason(s.source);

        if (strcmp(says, outcomes[i].says) != 0)
            fail_msg("%s: %s", outcomes[i].name, says);
        if (strncmp(reason, outcomes[i].reason, strlen(outcomes[i].reason)) != 0 ||
            (outcomes[i].reason[0] == '\0' && reason[0] != '\0'))
            fail_msg("%s: %s", outcomes[i].name, reason);
        sim_stop(&s);
    }
}

/* Whom to look at: an answer that is not the whole list names the servers that were asked. */
static void names_the_servers(void **state)
{
    static const struct {
        const char *a, *aaaa, *servers;
    } rows[] = {
        {"timeout", "timeout", "? (asked: 10.0.0.9, [fd00::9]:5300)"},
        {"servfail", "servfail", " (asked: 10.0.0.9, [fd00::9]:5300)"},
        {"nxdomain", "nxdomain", " (asked: 10.0.0.9, [fd00::9]:5300)"},
        {"10.0.0.3", "refused", " (asked: 10.0.0.9, [fd00::9]:5300)"},
        {"10.0.0.3", "nodata", ""},
    };
    struct resolv_conf conf = {.n_servers = 2};

    (void)state;
    assert_true(addr_parse_ip(&conf.servers[0], slice_of("10.0.0.9")));
    assert_true(addr_parse(&conf.servers[1], slice_of("[fd00::9]:5300")));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sim s;

        sim_start(&s, SPEC, NULL);
        s.place.resolv = &conf;
        s.a = rows[i].a;
        s.aaaa = rows[i].aaaa;
        sim_step(&s);
        const char *reason = source_reason(s.source);
        size_t len = strlen(rows[i].servers);

        if (strlen(reason) < len || strcmp(reason + strlen(reason) - len, rows[i].servers) != 0 ||
            (len == 0 && reason[0] != '\0'))
            fail_msg("%s: %s", rows[i].a, reason);
        sim_stop(&s);
    }
}

/* Dual stack: each pod stands in both answers; its name is made of the family that ours is of. */
static const struct {
    const char *name, *spec, *own, *a, *aaaa, *says;
} stacks[] = {
    {"ours is v4", SPEC, "10.0.0.1", "10.0.0.1 10.0.0.2", "fd00::1 fd00::2",
     "complete erlclu@10.0.0.1 erlclu@10.0.0.2"},
    {"ours is v6", SPEC, "fd00::1", "10.0.0.1 10.0.0.2", "fd00::1 fd00::2",
     "complete erlclu@fd00::1 erlclu@fd00::2"},
    {"ours is v6, the others' are not", SPEC, "fd00::1", "10.0.0.2", "nodata",
     "complete erlclu@10.0.0.2"},
    {"ours answers, the other is in trouble", SPEC, "10.0.0.1", "10.0.0.1", "refused",
     "complete erlclu@10.0.0.1"},
    {"ours answers, the other is cut", SPEC, "fd00::1", "10.0.0.1 cut", "fd00::1",
     "complete erlclu@fd00::1"},
    {"ours is in trouble, the other answers", SPEC, "10.0.0.1", "servfail", "fd00::2",
     "partial erlclu@fd00::2"},
    {"we have none", SPEC, NULL, "10.0.0.1", "fd00::1", "complete erlclu@10.0.0.1 erlclu@fd00::1"},
    {"both are wanted", SPEC "?family=both", "10.0.0.1", "10.0.0.1", "fd00::1",
     "complete erlclu@10.0.0.1 erlclu@fd00::1"},
    {"v6 is wanted", SPEC "?family=6", "10.0.0.1", "10.0.0.1", "fd00::1",
     "complete erlclu@fd00::1"},
    {"v4 is wanted", SPEC "?family=4", "fd00::1", "10.0.0.1", "fd00::1",
     "complete erlclu@10.0.0.1"},
    {"another base", SPEC "?base=myapp", "10.0.0.1", "10.0.0.2", "nodata",
     "complete myapp@10.0.0.2"},
    {"names to be learnt", SPEC "?base=*", "10.0.0.1", "10.0.0.2", "fd00::2", "complete 10.0.0.2"},
};

static void chooses_families(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(stacks); i++) {
        struct sim s;

        sim_start(&s, stacks[i].spec, stacks[i].own);
        s.a = stacks[i].a;
        s.aaaa = stacks[i].aaaa;
        sim_step(&s);
        const char *says = sim_last(&s);

        if (strcmp(says, stacks[i].says) != 0)
            fail_msg("%s: %s", stacks[i].name, says);
        sim_stop(&s);
    }
}

/* After ten seconds without us in the answer it is said what to look at. */
static const struct {
    const char *name, *a, *reason;
} missing[] = {
    {"others are there", "10.0.0.2 10.0.0.3 ttl=30",
     "our own address 10.0.0.1 is not in the answer, so others cannot find us there: does the "
     "Service's selector match this pod, and is publishNotReadyAddresses: true set?"},
    {"one address that is no pod's", "10.96.0.5 ttl=30",
     NAME " has one address, 10.96.0.5, and it is not this pod's: is it a ClusterIP Service? write "
          "clusterIP: None; or, if it is headless, publishNotReadyAddresses: true"},
};

static void misses_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(missing); i++) {
        struct sim s;
        struct source_row row;

        sim_start(&s, SPEC, "10.0.0.1");
        s.a = missing[i].a;
        sim_run(&s, 8000);
        assert_string_equal(source_reason(s.source), "");
        sim_run(&s, 9000);
        assert_string_equal(source_reason(s.source), missing[i].reason);
        source_row(s.source, 0, &row);
        assert_false(row.sees_us);
        assert_int_equal(row.result, RESULT_COMPLETE);
        s.a = "10.0.0.2 10.0.0.3 10.96.0.5 10.0.0.1";
        sim_run(&s, 8000);
        assert_string_equal(source_reason(s.source), "");
        source_row(s.source, 0, &row);
        assert_true(row.sees_us);
        sim_stop(&s);
    }
}

/* Nobody told this pod its address: that is no fault of the Service. */
static void has_no_address_of_its_own(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s, SPEC, "127.0.0.1");
    s.a = "10.0.0.2 10.0.0.3 ttl=30";
    sim_run(&s, 20000);
    assert_non_null(strstr(source_reason(s.source), "this node is at 127.0.0.1"));
    assert_non_null(strstr(source_reason(s.source), "MY_POD_IP"));
    sim_stop(&s);
    sim_start(&s, SPEC, "127.0.0.1"); /* a cluster on one machine */
    s.a = "127.0.0.2 127.0.0.3 ttl=30";
    sim_run(&s, 20000);
    assert_non_null(strstr(source_reason(s.source), "our own address 127.0.0.1"));
    sim_stop(&s);
}

/* An observer stands in no list by right, and who listens everywhere does not know where it
 * stands. */
static void misses_itself_only_where_it_belongs(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s, SPEC, "10.0.0.1");
    s.place.hidden = true;
    s.a = "10.0.0.2 10.0.0.3 ttl=30";
    sim_run(&s, 20000);
    assert_string_equal(source_reason(s.source), "");
    sim_stop(&s);
    sim_start(&s, SPEC, "0.0.0.0");
    s.a = "10.0.0.2 10.0.0.3 ttl=30";
    sim_run(&s, 20000);
    assert_string_equal(source_reason(s.source), "");
    sim_stop(&s);
}

/* One address is a Service's only where that is likely: not while it moves, not with a link to it,
 * not if we stood in the answer once. */
static void suspects_no_pod(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s, SPEC, "10.0.0.1");
    s.a = "10.96.0.5 ttl=30";
    source_calm(s.source, s.now); /* it is linked */
    sim_run(&s, 20000);
    assert_non_null(strstr(source_reason(s.source), "our own address"));
    source_calm(s.source, NEVER);
    sim_run(&s, 20000);
    assert_non_null(strstr(source_reason(s.source), "ClusterIP"));
    s.a = "10.96.0.5 10.0.0.1 ttl=30";
    sim_run(&s, 20000);
    s.a = "10.96.0.5 ttl=30";
    sim_run(&s, 20000);
    assert_non_null(strstr(source_reason(s.source), "our own address"));
    sim_stop(&s);
}

static void fills_the_row(void **state)
{
    struct sim s;
    struct source_row row;

    (void)state;
    sim_start(&s, SPEC ".", "10.0.0.1");
    s.a = "10.0.0.1 10.0.0.2 ttl=7";
    source_row(s.source, 1, &row);
    assert_int_equal(row.result, RESULT_WAITING);
    assert_int_equal(row.last_ms, 0);
    sim_step(&s);
    source_row(s.source, 5000000, &row);
    assert_string_equal(row.spec, SPEC ".");
    assert_string_equal(row.asked, NAME ".");
    assert_string_equal(row.answer, "NOERROR");
    assert_true(row.sees_us);
    assert_int_equal(row.n_addresses, 2);
    assert_int_equal(row.ttl_s, 7);
    assert_int_equal(row.last_ms, 6000000);
    assert_int_equal(row.changed_ms, 6000000);
    assert_in_range(row.next_ms, 6000080, 6000120);
    assert_int_equal(row.queries, 2);
    assert_int_equal(row.failures, 0);
    s.a = "servfail";
    s.aaaa = "timeout";
    sim_run(&s, 130);
    source_row(s.source, 5000000, &row);
    assert_string_equal(row.answer, "SERVFAIL");
    assert_int_equal(row.queries, 4);
    assert_int_equal(row.failures, 2);
    assert_int_equal(row.changed_ms, 6000000);
    sim_stop(&s);
}

/* The reply must be to what was asked; an answer that nobody waits for is passed over. */
static void refuses_other_answers(void **state)
{
    struct sim s;
    struct need need;
    struct buf msg = {0};

    (void)state;
    sim_start(&s, SPEC "?family=4", NULL);
    assert_int_equal(dns_build(&msg, "other.example", DNS_TYPE_A, "10.0.0.1"), DNS_ANSWERED);
    assert_false(give_records(s.source, DNS_TYPE_A, DNS_ANSWERED, buf_slice(&msg), s.now));
    assert_true(source_need(s.source, s.now, &need));
    assert_false(give_records(s.source, DNS_TYPE_AAAA, DNS_ANSWERED, buf_slice(&msg), s.now));
    assert_true(give_records(s.source, DNS_TYPE_A, DNS_ANSWERED, buf_slice(&msg), s.now));
    assert_int_equal(source_result(s.source), RESULT_FAILED);
    buf_free(&msg);
    sim_stop(&s);
}

/* A thousand pods arrive whole, and stay when one of them leaves. */
static void takes_a_thousand(void **state)
{
    struct sim s;
    struct buf words = {0};
    size_t n;

    (void)state;
    for (unsigned i = 0; i < 1000; i++)
        buf_printf(&words, "10.1.%u.%u ", i / 250, i % 250);
    sim_start(&s, SPEC, "10.1.0.0");
    s.a = buf_text(&words);
    sim_step(&s);
    source_entries(s.source, &n);
    assert_int_equal(n, 1000);
    s.a = strchr(s.a, ' ') + 1;
    sim_run(&s, 130);
    source_entries(s.source, &n);
    assert_int_equal(n, 999);
    buf_free(&words);
    sim_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges),
        cmocka_unit_test(names_the_servers),
        cmocka_unit_test(chooses_families),
        cmocka_unit_test(misses_itself),
        cmocka_unit_test(misses_itself_only_where_it_belongs),
        cmocka_unit_test(has_no_address_of_its_own),
        cmocka_unit_test(suspects_no_pod),
        cmocka_unit_test(fills_the_row),
        cmocka_unit_test(refuses_other_answers),
        cmocka_unit_test(takes_a_thousand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
