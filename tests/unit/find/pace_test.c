/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "source_sim.h"

/* How gently a source polls: what TTLs tell, and what calm allows. */

/* The seconds until each of the rounds to come, as "5.1 4.8 5.6"; borrowed until the next call. */
static const char *pauses(struct sim *s, unsigned n)
{
    static char out[256];
    size_t len = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < n; i++) {
        uint64_t tenths = (source_deadline(s->source) - s->now) / 100;

        len += (size_t)snprintf(out + len, sizeof out - len, "%s%u.%u", i == 0 ? "" : " ",
                                (unsigned)tenths / 10, (unsigned)tenths % 10);
        s->now = source_deadline(s->source);
        sim_step(s);
    }
    buf_reset(&s->trace);
    return out;
}

/* What two TTLs tell, and the pace that follows: what one of constant TTL says is news at every
 * moment; what a cache says is not before its entry expires. */
static const struct {
    const char *name, *a;
    uint32_t cached_s;
    const char *cache, *pauses;
} slopes[] = {
    {"a constant TTL", "10.0.0.1 ttl=30", 0, "live", "0.0 0.1 0.1 5.6 5.1 5.4"},
    {"a short one is not heeded then", "10.0.0.1 ttl=4", 0, "live",
     "0.0 0.1 0.1 4.5 4.1 4.3 4.4 4.7 3.8 5.9 5.6 5.1"},
    {"none", "10.0.0.1 ttl=0", 0, "", "0.0 0.1 0.1 1.1 1.0 1.0"},
    {"a falling TTL", "10.0.0.1", 20, "cached", "0.0 0.1 0.1 5.6 15.0 20.1 20.1"},
    {"one that falls for longer than we wait", "10.0.0.1", 300, "cached",
     "0.0 0.1 0.1 5.6 30.0 30.1 30.1"},
};

static void reads_slopes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(slopes); i++) {
        struct sim s;
        struct source_row row;
        unsigned n = 1;

        for (const char *p = slopes[i].pauses; (p = strchr(p, ' ')) != NULL; p++)
            n++;
        sim_start(&s, SPEC "?family=4", "10.0.0.1");
        s.a = slopes[i].a;
        s.cached_s = slopes[i].cached_s;
        const char *said = pauses(&s, n);

        source_row(s.source, 0, &row);
        if (strcmp(said, slopes[i].pauses) != 0 || strcmp(row.cache, slopes[i].cache) != 0)
            fail_msg("%s: %s: %s", slopes[i].name, row.cache, said);
        sim_stop(&s);
    }
}

/* A cache that expires, and one that is taken out of the path, are found out by the next poke. */
static void changes_its_mind(void **state)
{
    struct sim s;
    struct source_row row;

    (void)state;
    sim_start(&s, SPEC "?family=4", "10.0.0.1");
    s.a = "10.0.0.1";
    s.cached_s = 20;
    pauses(&s, 6);
    source_row(s.source, 0, &row);
    assert_string_equal(row.cache, "cached");
    s.cached_s = 0;
    s.a = "10.0.0.1 ttl=20";
    pauses(&s, 1);
    s.now += 3000;
    source_poke(s.source, s.now);
    pauses(&s, 1);
    source_row(s.source, 0, &row);
    assert_string_equal(row.cache, "live");
    sim_stop(&s);
}

/* Everybody is linked and nothing changes for five minutes: pauses double up to 30 s. A poke, a
 * change, word that somebody is missing, an answer that is doubted: back to 5 s. */
static void relaxes(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s, SPEC "?family=4", "10.0.0.1");
    s.a = "10.0.0.1 ttl=30";
    sim_run(&s, 6000);
    source_calm(s.source, s.now);
    sim_run(&s, 290000);
    assert_string_equal(pauses(&s, 8), "3.6 5.0 5.7 10.5 18.0 34.8 28.2 32.7");
    source_poke(s.source, s.now);
    assert_string_equal(pauses(&s, 3), "0.0 5.3 5.8");
    sim_run(&s, 400000);
    assert_string_equal(pauses(&s, 3), "24.3 28.5 27.9");
    s.a = "10.0.0.1 10.0.0.2 ttl=30";
    assert_string_equal(pauses(&s, 3), "36.0 5.7 5.8");
    sim_run(&s, 400000);
    assert_string_equal(pauses(&s, 2), "29.9 29.1");
    source_calm(s.source, NEVER);
    assert_string_equal(pauses(&s, 3), "35.1 5.7 4.7");
    source_calm(s.source, s.now);
    sim_run(&s, 400000);
    s.a = "nxdomain";
    assert_string_equal(pauses(&s, 3), "32.0 5.9 6.0");
    sim_stop(&s);
}

/* Rounds are counted by how they end, and timed. */
static void times_rounds(void **state)
{
    struct sim s;
    struct need need;
    struct source_row row;

    (void)state;
    sim_start(&s, SPEC "?family=4", "10.0.0.1");
    s.a = "10.0.0.1";
    assert_true(source_need(s.source, s.now, &need));
    s.now += 30;
    sim_answer(&s, DNS_TYPE_A);
    s.a = "servfail";
    s.now = source_deadline(s.source);
    assert_true(source_need(s.source, s.now, &need));
    s.now += 12;
    sim_answer(&s, DNS_TYPE_A);
    source_row(s.source, 0, &row);
    assert_int_equal(row.took_ms, 12);
    assert_int_equal(row.took_total_ms, 42);
    assert_int_equal(row.rounds[RESULT_COMPLETE], 1);
    assert_int_equal(row.rounds[RESULT_FAILED], 1);
    sim_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_slopes),
        cmocka_unit_test(changes_its_mind),
        cmocka_unit_test(relaxes),
        cmocka_unit_test(times_rounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
