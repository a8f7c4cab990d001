/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "source_sim.h"

/* What SRV answers make of the list of srv:NAME, and what is said about them. */

#define SERVICE "headless.prod.svc.cluster.test"
#define OWNER   "_dist._tcp." SERVICE

struct story {
    struct source *source;
    struct resolv_conf resolv;
    struct rng rng;
    struct source_place place;
    uint64_t now;
    const char *name; /* that is asked for */
};

static void start(struct story *s, const char *spec, const char *own)
{
    struct addr addr = {0};
    char why[REASON_SIZE];

    *s = (struct story){.now = 1000000, .name = OWNER, .resolv = {.zone = "cluster.test"}};
    rng_init(&s->rng, 42);
    s->place =
        (struct source_place){.own_name = "app@10.0.0.1", .resolv = &s->resolv, .rng = &s->rng};
    if (own != NULL)
        assert_true(addr_parse_ip(&addr, slice_of(own)));
    if (source_new(&s->source, spec, &s->place, why) != CLU_OK)
        fail_msg("%s: %s", spec, why);
    source_start(s->source, &addr, s->now);
}

/* The next round, whose answer is these words. */
static void answer(struct story *s, const char *words)
{
    struct need need;
    struct buf msg = {0};

    s->now = max_u64(s->now, source_deadline(s->source));
    assert_true(source_need(s->source, s->now, &need));
    assert_int_equal(need.kind, NEED_RECORDS);
    assert_int_equal(need.u.records.type, DNS_TYPE_SRV);
    assert_string_equal(need.u.records.name, s->name);
    assert_false(source_need(s->source, s->now, &need));
    enum dns_status status = dns_build(&msg, s->name, DNS_TYPE_SRV, words);

    assert_true(give_records(s->source, DNS_TYPE_SRV, status, buf_slice(&msg), s->now));
    buf_free(&msg);
}

static void run(struct story *s, uint64_t ms, const char *words)
{
    uint64_t end = s->now + ms;

    while (source_deadline(s->source) <= end)
        answer(s, words);
    s->now = end;
}

/* "complete NAME ADDRESS:PORT", an entry each. */
static const char *describe(struct story *s, struct buf *out)
{
    char text[ADDR_TEXT_MAX];
    size_t n;
    const struct entry *e = source_entries(s->source, &n);

    buf_reset(out);
    buf_put_text(out, result_kind_text(source_result(s->source)));
    for (size_t i = 0; i < n; i++)
        buf_printf(out, " %s %s", e[i].name[0] != '\0' ? e[i].name : "*",
                   addr_text(&e[i].addr, text));
    return buf_text(out);
}

#define POD0 "pod-0." SERVICE
#define POD1 "pod-1." SERVICE

static const struct {
    const char *name, *options, *own, *words, *says, *reason;
} rows[] = {
    {"glue of our family first", "", "10.0.0.9",
     POD1 "/9100/10.0.0.2 " POD0 "/9101/10.0.0.1 " POD0 "/9101/fd00::1",
     "complete app@" POD0 " 10.0.0.1:9101 app@" POD1 " 10.0.0.2:9100", ""},
    {"glue of IPv6, and of the other family where there is no other", "", "fd00::9",
     POD1 "/9100/10.0.0.2 " POD0 "/9101/10.0.0.1 " POD0 "/9101/fd00::1",
     "complete app@" POD0 " [fd00::1]:9101 app@" POD1 " 10.0.0.2:9100", ""},
    {"no glue: the host is resolved when it is dialled", "", NULL, POD0 "/9100",
     "complete app@" POD0 " :9100", ""},
    {"another base", "?base=other", NULL, POD0 "/9100/10.0.0.1",
     "complete other@" POD0 " 10.0.0.1:9100", ""},
    {"names by addresses", "?name={base}@{ip}", NULL, POD0 "/9100/10.0.0.1",
     "complete app@10.0.0.1 10.0.0.1:9100", ""},
    {"names by parts", "?name={base}@{hostname}.{service}.{ns}.svc.{zone}", NULL,
     POD0 "/9100/10.0.0.1", "complete app@" POD0 " 10.0.0.1:9100", ""},
    {"names of pods", "?name={base}@{dashed}.{ns}.pod.{zone}", NULL, POD0 "/9100/10.0.0.1",
     "complete app@10-0-0-1.prod.pod.cluster.test 10.0.0.1:9100", ""},
    {"names to be learnt", "?name=*", NULL, POD0 "/9100/10.0.0.1", "complete * 10.0.0.1:9100", ""},
    {"neither address nor name", "?name=*", NULL, POD0 "/9100 " POD1 "/9100/10.0.0.2",
     "complete * 10.0.0.2:9100",
     "1 of the targets came without an address, which their names are made of: they are left out; "
     "?name={base}@{target} makes names without"},
    {"several ports", "", NULL, POD0 "/9100/10.0.0.1 " POD0 "/4369/10.0.0.1 " POD1 "/9100",
     "complete app@" POD0 " 10.0.0.1:0 app@" POD1 " :9100",
     POD0 " has several ports, and which of them is Erlang distribution's is not told: its epmd is "
          "asked; ask for one named port, as srv:_dist._tcp.SERVICE.NS.svc.ZONE"},
    {"a ClusterIP Service", "", NULL, SERVICE "/9100/10.96.0.5",
     "complete app@" SERVICE " 10.96.0.5:9100",
     OWNER
     " has one target, the Service itself (10.96.0.5), and no pod: is it a ClusterIP Service? "
     "write clusterIP: None"},
    {"nothing there", "", NULL, "nxdomain", "negative",
     "no such name, or no pod is ready: a Service without a named port has no SRV records; check "
     "Service, namespace and port name (_dist._tcp.SERVICE.NS.svc.ZONE), and set "
     "publishNotReadyAddresses: true so that starting pods find each other"},
    {"no such records", "", NULL, "nodata", "negative",
     "the name exists, but without SRV records: a Service without a named port has no SRV records; "
     "name the port (ports: [{name: dist, ...}]) and ask for _dist._tcp.SERVICE.NS.svc.ZONE"},
    {"cut short", "", NULL, POD0 "/9100 cut", "partial app@" POD0 " :9100",
     "the answer was cut short and TCP did not bring the rest: open TCP port 53 to the DNS server "
     "(NetworkPolicy); what did arrive is used"},
    {"cut to nothing", "", NULL, "cut", "failed",
     "the answer was cut short and TCP did not bring the rest: open TCP port 53 to the DNS server "
     "(NetworkPolicy); what did arrive is used"},
    {"a server in trouble", "", NULL, "servfail", "failed",
     "the DNS server cannot tell now (its upstream is down, or it is not yet in step with the "
     "Kubernetes API): asked again with back-off"},
};

static void judges(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct story s;
        struct buf out = {0};
        char spec[SPEC_SIZE];

        snprintf(spec, sizeof spec, "srv:" OWNER "%s", rows[i].options);
        start(&s, spec, rows[i].own);
        answer(&s, rows[i].words);
        if (strcmp(describe(&s, &out), rows[i].says) != 0)
            fail_msg("%s: %s", rows[i].name, buf_text(&out));
        if (strcmp(source_reason(s.source), rows[i].reason) != 0)
            fail_msg("%s: %s", rows[i].name, source_reason(s.source));
        source_free(s.source);
        buf_free(&out);
    }
}

#define POD(n)  "pod-" #n "." SERVICE "/9100/10.0.0.1" #n " "
#define LINE(n) " app@pod-" #n "." SERVICE " 10.0.0.1" #n ":9100"

/* Most of them gone: kept for a minute, then it is believed; who is new is listed at once. */
static void keeps_the_vanished(void **state)
{
    struct story s;
    struct buf out = {0};

    (void)state;
    start(&s, "srv:" OWNER, NULL);
    run(&s, 6000, POD(1) POD(2) POD(3));
    answer(&s, POD(3) POD(4));
    assert_string_equal(describe(&s, &out), "partial" LINE(1) LINE(2) LINE(3) LINE(4));
    assert_string_equal(
        source_reason(s.source),
        "2 of the 3 listed are gone from the answer at once: they are kept until it "
        "has said so 5 times over 60 s");
    run(&s, 30000, POD(3) POD(4));
    answer(&s, "servfail");
    assert_string_equal(describe(&s, &out), "failed" LINE(1) LINE(2) LINE(3) LINE(4));
    run(&s, 60000, POD(3) POD(4));
    assert_string_equal(describe(&s, &out), "complete" LINE(3) LINE(4));
    run(&s, 50000, "nxdomain");
    assert_string_equal(describe(&s, &out), "negative" LINE(3) LINE(4));
    run(&s, 20000, "nxdomain");
    assert_string_equal(describe(&s, &out), "complete");
    source_free(s.source);
    buf_free(&out);
}

/* A StatefulSet's pod comes back under its name at another address: no doubt about that. */
static void follows_addresses(void **state)
{
    struct story s;
    struct buf out = {0};
    struct source_row row;

    (void)state;
    start(&s, "srv:" OWNER, "10.0.0.1");
    answer(&s, POD0 "/9100/10.0.0.1");
    answer(&s, POD0 "/9100/10.0.0.1");
    source_row(s.source, 0, &row);
    assert_int_equal(row.changed_ms, 1000000);
    assert_true(row.sees_us);
    assert_string_equal(row.asked, OWNER ".");
    answer(&s, POD0 "/9100/10.0.0.7");
    assert_string_equal(describe(&s, &out), "complete app@" POD0 " 10.0.0.7:9100");
    source_row(s.source, 0, &row);
    assert_int_equal(row.changed_ms, s.now);
    assert_int_equal(row.queries, 3);
    assert_int_equal(row.rounds[RESULT_COMPLETE], 3);
    source_free(s.source);
    buf_free(&out);
}

/* Whether we are among them is only said where it is known. */
static const struct {
    const char *words, *reason;
} others[] = {
    {POD0 "/9100/10.0.0.2 " POD1 "/9100/10.0.0.3", "our own address 10.0.0.1 is not in the answer"},
    {POD0 "/9100/10.0.0.2 " POD1 "/9100/10.0.0.1", ""},
    {POD0 "/9100 " POD1 "/9100", ""},
};

static void misses_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(others); i++) {
        struct story s;

        start(&s, "srv:" OWNER, "10.0.0.1");
        run(&s, 20000, others[i].words);
        const char *reason = source_reason(s.source);

        if (strncmp(reason, others[i].reason, strlen(others[i].reason)) != 0 ||
            (others[i].reason[0] == '\0' && reason[0] != '\0'))
            fail_msg("%s: %s", others[i].words, reason);
        source_free(s.source);
    }
}

/* SPECs of it: what is asked for, or the complaint. */
static const struct {
    const char *spec, *zone, *says;
} specs[] = {
    {"srv:_dist._tcp.a.b.svc.cluster.local", "", "_dist._tcp.a.b.svc.cluster.local."},
    {"srv:_dist._tcp.a.b.svc", "cluster.test", "_dist._tcp.a.b.svc.cluster.test."},
    {"srv:a.b.svc", "cluster.test", "a.b.svc.cluster.test."},
    {"srv:a.b.svc.", "cluster.test", "a.b.svc."},
    {"srv:a.b.svc", "",
     "srv: \"a.b.svc\" lacks the cluster's zone, and resolv.conf has no search entry NS.svc.ZONE "
     "that tells it: write the whole name (in most clusters a.b.svc.cluster.local)"},
    {"dns:a.b.svc", "cluster.test", "a.b.svc.cluster.test."},
    {"srv:a.example?name={base}@{target}", "", "a.example."},
    {"srv:a.example?name={base}@{ip}.{ns}", "",
     "srv: nothing tells {ns} of ?name=: the name that is asked for is not SERVICE.NS.svc.ZONE, "
     "and "
     "resolv.conf has no search entry NS.svc.ZONE"},
    {"dns:a.example?name={base}@{dashed}.x.pod.{zone}", "cluster.test", "a.example."},
    {"dns:a.example?name={base}@{hostname}", "",
     "dns: the name \"{base}@{hostname}\" has \"{hostname}\", which is not known here: the parts "
     "are {base}, {ip}, {dashed}, {service}, {ns}, {zone}"},
    {"srv:a.example?name=app", "",
     "srv: the name \"app\" has no @: write {base}@{ip}, or * to learn the names"},
    {"srv:10.0.0.1", "",
     "srv: takes a name, and 10.0.0.1 is an address: write static:NAME@10.0.0.1"},
};

static void reads_specs(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(specs); i++) {
        struct resolv_conf resolv = {.ndots = 5};
        struct source *s;
        struct source_row row = {.asked = ""};
        char why[REASON_SIZE];

        text_set(resolv.zone, sizeof resolv.zone, slice_of(specs[i].zone));
        clu_error err = source_new(
            &s, specs[i].spec, &(struct source_place){.own_name = "a@h", .resolv = &resolv}, why);

        if (err == CLU_OK)
            source_row(s, 0, &row);
        if (strcmp(err == CLU_OK ? row.asked : why, specs[i].says) != 0)
            fail_msg("%s: %s", specs[i].spec, err == CLU_OK ? row.asked : why);
        source_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges),
        cmocka_unit_test(keeps_the_vanished),
        cmocka_unit_test(follows_addresses),
        cmocka_unit_test(misses_itself),
        cmocka_unit_test(reads_specs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
