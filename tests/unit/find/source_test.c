/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "dns_build.h"
#include "find/schedule.h"
#include "find/source.h"

/* A dns source and a DNS server of our own under virtual time. The story changes what the server
 * says; the trace of what the source did is the assertion. */

#define NAME "peers.example"
#define SPEC "dns:" NAME

struct sim {
    struct source *source;
    struct rng rng;
    uint64_t now;
    const char *a, *aaaa; /* what the server says, in dns_build's words */
    struct buf trace;
};

static void sim_start(struct sim *s, const char *spec, const char *own)
{
    struct addr addr = {0};
    char why[REASON_SIZE];

    *s = (struct sim){.now = 1000000, .a = "nodata", .aaaa = "nodata"};
    rng_init(&s->rng, 42);
    if (own != NULL)
        assert_true(addr_parse_ip(&addr, slice_of(own)));
    assert_int_equal(source_new(&s->source, spec, "erlclu@10.0.0.1", why), CLU_OK);
    source_start(s->source, &addr, &s->rng, s->now);
}

static void sim_stop(struct sim *s)
{
    source_free(s->source);
    buf_free(&s->trace);
}

/* Two families at most are listed here, so that a line stays a line. */
static void trace_result(struct sim *s)
{
    static const char *const kinds[] = {
#define X(name, text) [name] = text,
        RESULT_KIND_MAP(X)
#undef X
    };
    size_t n;
    const struct entry *e = source_entries(s->source, &n);

    buf_printf(&s->trace, " -> %s", kinds[source_result(s->source)]);
    for (size_t i = 0; i < n && i < 4; i++) {
        char ip[ADDR_TEXT_MAX];

        buf_printf(&s->trace, " %s",
                   e[i].name[0] != '\0' ? e[i].name : addr_ip_text(&e[i].addr, ip));
    }
    if (n > 4)
        buf_printf(&s->trace, " and %u more", (unsigned)n - 4);
}

static void answer(struct sim *s, uint16_t type)
{
    struct buf msg = {0};
    enum dns_status status = dns_build(&msg, NAME, type, type == DNS_TYPE_A ? s->a : s->aaaa);

    if (source_answer(s->source, type, status, buf_slice(&msg), s->now))
        trace_result(s);
    buf_free(&msg);
}

/* One wake-up: the queries that are due, then their answers, A first. */
static void step(struct sim *s)
{
    struct source_query q;
    bool asked[2] = {false, false};

    buf_printf(&s->trace, "[%6u]", (unsigned)(s->now - 1000000));
    while (source_query(s->source, s->now, &q)) {
        assert_string_equal(q.name, NAME);
        asked[q.type == DNS_TYPE_AAAA] = true;
        buf_put_text(&s->trace, q.type == DNS_TYPE_A ? " A" : " AAAA");
    }
    assert_true(asked[0] || asked[1] ? source_deadline(s->source) == NEVER : true);
    for (size_t i = 0; i < 2; i++)
        if (asked[i])
            answer(s, i == 0 ? DNS_TYPE_A : DNS_TYPE_AAAA);
    buf_put_byte(&s->trace, '\n');
}

/* Runs for so long. */
static void run(struct sim *s, uint64_t ms)
{
    uint64_t end = s->now + ms;

    for (uint64_t at; (at = source_deadline(s->source)) <= end;) {
        s->now = max_u64(s->now, at);
        step(s);
    }
    s->now = end;
}

static void expect(struct sim *s, const char *trace)
{
    if (strcmp(buf_text(&s->trace), trace) != 0)
        fail_msg("the trace is\n%s", buf_text(&s->trace));
    buf_reset(&s->trace);
}

static void forget_trace(struct sim *s)
{
    buf_reset(&s->trace);
}

/* All are there and we see ourselves: the burst ends when nothing changed twice, and the pace is
 * the TTL's, but no slower than 5 s. AAAA is left out after three empty answers; once a minute it
 * is asked all the same. */
static void settles(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s, SPEC, "10.0.0.1");
    s.a = "10.0.0.1 10.0.0.2 ttl=30";
    run(&s, 12000);
    expect(&s, "[     0] A AAAA -> partial erlclu@10.0.0.1 erlclu@10.0.0.2 -> complete "
               "erlclu@10.0.0.1 erlclu@10.0.0.2\n"
               "[   117] A AAAA -> complete erlclu@10.0.0.1 erlclu@10.0.0.2\n"
               "[   252] A AAAA -> complete erlclu@10.0.0.1 erlclu@10.0.0.2\n"
               "[  5902] A -> complete erlclu@10.0.0.1 erlclu@10.0.0.2\n"
               "[ 11052] A -> complete erlclu@10.0.0.1 erlclu@10.0.0.2\n");
    run(&s, 46000);
    forget_trace(&s);
    run(&s, 10000);
    expect(&s, "[ 60852] A AAAA -> complete erlclu@10.0.0.1 erlclu@10.0.0.2\n"
               "[ 65752] A -> complete erlclu@10.0.0.1 erlclu@10.0.0.2\n");
    sim_stop(&s);
}

/* Nobody is ready at first, then others, then we: the burst goes on until we are in the answer.
 * What was listed is not forgotten when the name disappears. */
static void bursts(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s, SPEC, "10.0.0.1");
    s.a = s.aaaa = "nxdomain";
    run(&s, 300);
    assert_string_equal(
        source_reason(s.source),
        "no such name, or no pod is ready: check Service and namespace (the name is "
        "absolute), and set publishNotReadyAddresses: true so that starting pods "
        "find each other");
    s.a = "10.0.0.2";
    s.aaaa = "nodata";
    run(&s, 700);
    s.a = "10.0.0.2 10.0.0.1";
    run(&s, 3000);
    s.a = s.aaaa = "nxdomain";
    run(&s, 6000);
    expect(&s, "[     0] A AAAA -> negative\n"
               "[   117] A AAAA -> negative\n"
               "[   252] A AAAA -> negative\n"
               "[   600] A AAAA -> partial erlclu@10.0.0.2 -> complete erlclu@10.0.0.2\n"
               "[   800] A -> complete erlclu@10.0.0.2\n"
               "[  1820] A -> complete erlclu@10.0.0.2 erlclu@10.0.0.1\n"
               "[  3240] A -> complete erlclu@10.0.0.2 erlclu@10.0.0.1\n"
               "[  9140] A -> negative erlclu@10.0.0.2 erlclu@10.0.0.1\n");
    sim_stop(&s);
}

/* A server in trouble: retried after 250 ms, then ever later; the list stays. */
static void backs_off(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s, SPEC "?family=4", NULL);
    s.a = "10.0.0.2";
    run(&s, 6000);
    forget_trace(&s);
    s.a = "servfail";
    run(&s, 100000);
    s.a = "10.0.0.3";
    run(&s, 30000);
    expect(&s, "[  9140] A -> failed erlclu@10.0.0.2\n"
               "[  9390] A -> failed erlclu@10.0.0.2\n"
               "[  9753] A -> failed erlclu@10.0.0.2\n"
               "[ 10876] A -> failed erlclu@10.0.0.2\n"
               "[ 12698] A -> failed erlclu@10.0.0.2\n"
               "[ 13779] A -> failed erlclu@10.0.0.2\n"
               "[ 22111] A -> failed erlclu@10.0.0.2\n"
               "[ 42697] A -> failed erlclu@10.0.0.2\n"
               "[ 59169] A -> failed erlclu@10.0.0.2\n"
               "[ 61884] A -> failed erlclu@10.0.0.2\n"
               "[ 80802] A -> failed erlclu@10.0.0.2\n"
               "[ 96774] A -> failed erlclu@10.0.0.2\n"
               "[126430] A -> complete erlclu@10.0.0.3\n"
               "[131130] A -> complete erlclu@10.0.0.3\n");
    sim_stop(&s);
}

/* The steady pace follows the TTL between 1 and 5 s. */
static void follows_the_ttl(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s, SPEC "?family=4", "10.0.0.1");
    s.a = "10.0.0.1 ttl=0";
    run(&s, 3500);
    expect(&s, "[     0] A -> complete erlclu@10.0.0.1\n"
               "[   117] A -> complete erlclu@10.0.0.1\n"
               "[   252] A -> complete erlclu@10.0.0.1\n"
               "[  1382] A -> complete erlclu@10.0.0.1\n"
               "[  2412] A -> complete erlclu@10.0.0.1\n");
    s.a = "10.0.0.1 ttl=3";
    run(&s, 7000);
    expect(&s, "[  3502] A -> complete erlclu@10.0.0.1\n"
               "[  6802] A -> complete erlclu@10.0.0.1\n"
               "[ 10342] A -> complete erlclu@10.0.0.1\n");
    s.a = "10.0.0.1 ttl=3600";
    run(&s, 11000);
    expect(&s, "[ 13252] A -> complete erlclu@10.0.0.1\n"
               "[ 19202] A -> complete erlclu@10.0.0.1\n");
    sim_stop(&s);
}

/* Five pokes at once are served as they come; then one each half second; none is lost. */
static void limits_pokes(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s, SPEC "?family=4", "10.0.0.1");
    s.a = "10.0.0.1 ttl=30";
    run(&s, 4000);
    forget_trace(&s);
    for (int i = 0; i < 20; i++) {
        source_poke(s.source, s.now);
        run(&s, 50);
    }
    expect(&s, "[  4000] A -> complete erlclu@10.0.0.1\n"
               "[  4050] A -> complete erlclu@10.0.0.1\n"
               "[  4100] A -> complete erlclu@10.0.0.1\n"
               "[  4150] A -> complete erlclu@10.0.0.1\n"
               "[  4200] A -> complete erlclu@10.0.0.1\n"
               "[  4500] A -> complete erlclu@10.0.0.1\n"
               "[  5000] A -> complete erlclu@10.0.0.1\n");
    sim_stop(&s);
}

/* A poke while the answer is out wants another look: what it tells may be newer than the answer. */
static void poked_in_a_round(void **state)
{
    struct sim s;
    struct source_query q;

    (void)state;
    sim_start(&s, SPEC "?family=4", "10.0.0.1");
    s.a = "10.0.0.1";
    assert_true(source_query(s.source, s.now, &q));
    source_poke(s.source, s.now);
    s.now += 20;
    answer(&s, DNS_TYPE_A);
    buf_put_byte(&s.trace, '\n');
    run(&s, 50);
    expect(&s, " -> complete erlclu@10.0.0.1\n"
               "[    20] A -> complete erlclu@10.0.0.1\n");
    sim_stop(&s);
}

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

static const char *last_line_result(struct sim *s)
{
    char *text = (char *)buf_text(&s->trace), *last = text;

    for (char *p = text; (p = strstr(p, "-> ")) != NULL;)
        last = p += 3;
    last[strcspn(last, "\n")] = '\0';
    return last;
}

static void judges(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(outcomes); i++) {
        struct sim s;

        sim_start(&s, SPEC "?base=*", NULL);
        s.a = "10.0.0.1 10.0.0.2";
        step(&s);
        s.a = outcomes[i].a;
        s.aaaa = outcomes[i].aaaa;
        run(&s, 130);
        const char *says = last_line_result(&s), *reason = source_reason(s.source);

        if (strcmp(says, outcomes[i].says) != 0)
            fail_msg("%s: %s", outcomes[i].name, says);
        if (strncmp(reason, outcomes[i].reason, strlen(outcomes[i].reason)) != 0 ||
            (outcomes[i].reason[0] == '\0' && reason[0] != '\0'))
            fail_msg("%s: %s", outcomes[i].name, reason);
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
        step(&s);
        const char *says = last_line_result(&s);

        if (strcmp(says, stacks[i].says) != 0)
            fail_msg("%s: %s", stacks[i].name, says);
        sim_stop(&s);
    }
}

/* A packet that is lost holds up nobody: the other family's addresses are listed at once. */
static void lists_early(void **state)
{
    struct sim s;
    struct source_query q;

    (void)state;
    sim_start(&s, SPEC, "10.0.0.1");
    s.a = "10.0.0.1 10.0.0.2";
    s.aaaa = "timeout";
    while (source_query(s.source, s.now, &q))
        buf_printf(&s.trace, "asks %u\n", (unsigned)q.type);
    answer(&s, DNS_TYPE_A);
    buf_printf(&s.trace, " \"%s\"\n", source_reason(s.source));
    s.now += 5000;
    answer(&s, DNS_TYPE_AAAA);
    expect(&s, "asks 1\n"
               "asks 28\n"
               " -> partial erlclu@10.0.0.1 erlclu@10.0.0.2 \"\"\n"
               " -> partial erlclu@10.0.0.1 erlclu@10.0.0.2");
    assert_true(source_deadline(s.source) <= s.now + 250);
    sim_stop(&s);
}

/* After ten seconds without us in the answer it is said what to look at. */
static void misses_itself(void **state)
{
    struct sim s;
    struct source_row row;

    (void)state;
    sim_start(&s, SPEC, "10.0.0.1");
    s.a = "10.0.0.2 ttl=30";
    run(&s, 8000);
    assert_string_equal(source_reason(s.source), "");
    run(&s, 8000);
    assert_string_equal(source_reason(s.source),
                        "our own address 10.0.0.1 is not in the answer, so others cannot find us "
                        "there: does the Service's selector match this pod, and is "
                        "publishNotReadyAddresses: true set?");
    source_row(s.source, 0, &row);
    assert_false(row.sees_us);
    assert_int_equal(row.result, RESULT_COMPLETE);
    s.a = "10.0.0.2 10.0.0.1";
    run(&s, 8000);
    assert_string_equal(source_reason(s.source), "");
    source_row(s.source, 0, &row);
    assert_true(row.sees_us);
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
    step(&s);
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
    run(&s, 130);
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
    struct source_query q;
    struct buf msg = {0};

    (void)state;
    sim_start(&s, SPEC "?family=4", NULL);
    assert_int_equal(dns_build(&msg, "other.example", DNS_TYPE_A, "10.0.0.1"), DNS_ANSWERED);
    assert_false(source_answer(s.source, DNS_TYPE_A, DNS_ANSWERED, buf_slice(&msg), s.now));
    assert_true(source_query(s.source, s.now, &q));
    assert_false(source_answer(s.source, DNS_TYPE_AAAA, DNS_ANSWERED, buf_slice(&msg), s.now));
    assert_true(source_answer(s.source, DNS_TYPE_A, DNS_ANSWERED, buf_slice(&msg), s.now));
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
    step(&s);
    source_entries(s.source, &n);
    assert_int_equal(n, 1000);
    s.a = strchr(s.a, ' ') + 1;
    run(&s, 130);
    source_entries(s.source, &n);
    assert_int_equal(n, 999);
    buf_free(&words);
    sim_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settles),          cmocka_unit_test(bursts),
        cmocka_unit_test(backs_off),        cmocka_unit_test(follows_the_ttl),
        cmocka_unit_test(limits_pokes),     cmocka_unit_test(poked_in_a_round),
        cmocka_unit_test(judges),           cmocka_unit_test(chooses_families),
        cmocka_unit_test(lists_early),      cmocka_unit_test(misses_itself),
        cmocka_unit_test(fills_the_row),    cmocka_unit_test(refuses_other_answers),
        cmocka_unit_test(takes_a_thousand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
