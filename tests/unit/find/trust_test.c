/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "source_sim.h"
#include "find/trust.h"

/* Answers that lost most of what was listed: kept at first, believed in time. */

/* One after the other. */
static const struct {
    uint64_t now_ms;
    size_t listed, vanished;
    bool takes;
} answers[] = {
    {0, 10, 5, true},      {0, 3, 1, true},        {0, 0, 0, true},
    {1000, 3, 2, false},   {2000, 3, 0, true}, /* a blip */
    {10000, 10, 7, false}, {20000, 10, 10, false}, {30000, 10, 7, false},
    {40000, 10, 7, false}, {69999, 10, 7, false}, /* often, but not for long */
    {70000, 10, 7, true},  {80000, 3, 3, false},   {190000, 3, 3, false},
    {191000, 3, 3, false}, {192000, 3, 3, false}, /* long, but not often */
    {193000, 3, 3, true},
};

static void takes_in_time(void **state)
{
    struct trust t = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++) {
        bool takes = trust_takes(&t, answers[i].listed, answers[i].vanished, answers[i].now_ms);

        if (takes != answers[i].takes || trust_doubts(&t) == takes)
            fail_msg("row %u: %s", (unsigned)i, takes ? "taken" : "doubted");
    }
}

static struct source_row row_of(struct sim *s)
{
    struct source_row row;

    source_row(s->source, 0, &row);
    return row;
}

#define FIVE "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5"

static void start_five(struct sim *s)
{
    sim_start(s, SPEC, "10.0.0.1");
    s->a = FIVE;
    sim_run(s, 10000);
    assert_int_equal(row_of(s).n_addresses, 5);
    buf_reset(&s->trace);
}

/* From five to two in one step: kept for a minute, and said so; then it is true. Who is new is
 * listed at once. */
static void keeps_the_vanished(void **state)
{
    struct sim s;

    (void)state;
    start_five(&s);
    s.a = "10.0.0.1 10.0.0.6";
    sim_run(&s, 6000);
    assert_int_equal(row_of(&s).result, RESULT_PARTIAL);
    assert_int_equal(row_of(&s).n_addresses, 6);
    assert_string_equal(
        source_reason(s.source),
        "4 of the 5 listed are gone from the answer at once: they are kept until it "
        "has said so 5 times over 60 s");
    sim_run(&s, 50000);
    assert_int_equal(row_of(&s).result, RESULT_PARTIAL);
    assert_non_null(strstr(source_reason(s.source), "4 of the 5 listed"));
    sim_run(&s, 15000);
    assert_string_equal(sim_last(&s), "complete erlclu@10.0.0.1 erlclu@10.0.0.6");
    assert_string_equal(source_reason(s.source), "");
    sim_stop(&s);
}

/* Back within the minute: nothing happened. */
static void passes_over_a_blip(void **state)
{
    struct sim s;

    (void)state;
    start_five(&s);
    s.a = "10.0.0.1";
    sim_run(&s, 30000);
    assert_int_equal(row_of(&s).result, RESULT_PARTIAL);
    s.a = FIVE;
    sim_run(&s, 6000);
    assert_int_equal(row_of(&s).result, RESULT_COMPLETE);
    assert_int_equal(row_of(&s).n_addresses, 5);
    sim_stop(&s);
}

/* A server that hands out two of the five at a time, as some do: nobody is ever lost. */
static void puts_samples_together(void **state)
{
    static const char *const samples[] = {"10.0.0.1 10.0.0.2", "10.0.0.3 10.0.0.4",
                                          "10.0.0.5 10.0.0.1"};
    struct sim s;

    (void)state;
    start_five(&s);
    for (unsigned i = 0; i < 100; i++) {
        s.a = samples[i % COUNT(samples)];
        sim_run(&s, 4000);
        assert_int_equal(row_of(&s).n_addresses, 5);
    }
    sim_stop(&s);
}

/* The answer that ends the doubts is a sample too: what the doubtful ones had stays. */
static void ends_doubts_by_a_sample(void **state)
{
    struct sim s;

    (void)state;
    start_five(&s);
    s.a = "10.0.0.6 10.0.0.7 10.0.0.8 10.0.0.9 10.0.0.10";
    sim_run(&s, 6000);
    assert_int_equal(row_of(&s).result, RESULT_PARTIAL);
    assert_int_equal(row_of(&s).n_addresses, 10);
    s.a = "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.11 10.0.0.12";
    sim_run(&s, 6000);
    assert_int_equal(row_of(&s).n_addresses, 10); /* not the 4th and 5th */
    sim_stop(&s);
}

/* The name is gone, or has no addresses: what was listed is kept for a minute. */
static void keeps_on_negatives(void **state)
{
    static const char *const words[] = {"nxdomain", "nodata"};

    (void)state;
    for (size_t i = 0; i < COUNT(words); i++) {
        struct sim s;

        start_five(&s);
        s.a = s.aaaa = words[i];
        sim_run(&s, 55000);
        assert_int_equal(row_of(&s).result, RESULT_NEGATIVE);
        assert_int_equal(row_of(&s).n_addresses, 5);
        sim_run(&s, 15000);
        assert_string_equal(sim_last(&s), "complete");
        assert_int_equal(row_of(&s).n_addresses, 0);
        assert_true(source_reason(s.source)[0] != '\0');
        sim_run(&s, 60000); /* and so it stays */
        assert_int_equal(row_of(&s).result, RESULT_COMPLETE);
        s.a = "servfail";
        sim_run(&s, 6000);
        assert_int_equal(row_of(&s).result, RESULT_FAILED);
        s.a = "10.0.0.7";
        buf_reset(&s.trace);
        sim_run(&s, 40000);
        assert_string_equal(sim_last(&s), "complete erlclu@10.0.0.7");
        sim_stop(&s);
    }
}

/* Nothing was there from the start: that is no answer to forget anybody by. */
static void waits_for_the_first(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s, SPEC, "10.0.0.1");
    s.a = s.aaaa = "nxdomain";
    sim_run(&s, 200000);
    assert_int_equal(row_of(&s).result, RESULT_NEGATIVE);
    sim_stop(&s);
}

/* Failures tell nothing: the minute goes on, and they are not counted. */
static void passes_over_failures(void **state)
{
    struct sim s;

    (void)state;
    start_five(&s);
    s.a = "10.0.0.1";
    sim_run(&s, 12000);
    s.a = "timeout";
    sim_run(&s, 70000);
    assert_int_equal(row_of(&s).result, RESULT_FAILED);
    assert_int_equal(row_of(&s).n_addresses, 5);
    s.a = "10.0.0.1";
    sim_run(&s, 90000);
    assert_string_equal(sim_last(&s), "complete erlclu@10.0.0.1");
    sim_stop(&s);
}

/* Each family for itself: one that vanishes beside one that is whole is doubted too. */
static void doubts_by_family(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s, SPEC "?family=both", "10.0.0.1");
    s.a = "10.0.0.1 10.0.0.2";
    s.aaaa = "fd00::1 fd00::2 fd00::3 fd00::4";
    sim_run(&s, 6000);
    s.a = "nodata";
    sim_run(&s, 30000);
    assert_int_equal(row_of(&s).result, RESULT_PARTIAL);
    assert_int_equal(row_of(&s).n_addresses, 6);
    sim_run(&s, 60000);
    assert_int_equal(row_of(&s).result, RESULT_COMPLETE);
    assert_int_equal(row_of(&s).n_addresses, 4);
    sim_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_in_time),           cmocka_unit_test(keeps_the_vanished),
        cmocka_unit_test(passes_over_a_blip),      cmocka_unit_test(puts_samples_together),
        cmocka_unit_test(ends_doubts_by_a_sample), cmocka_unit_test(keeps_on_negatives),
        cmocka_unit_test(waits_for_the_first),     cmocka_unit_test(passes_over_failures),
        cmocka_unit_test(doubts_by_family),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
