/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "../failing.h"
#include "k8s_sim.h"

/* Each allocation of a short story fails once (failing.h): nothing leaks, what was listed stays,
 * and the list is asked for again until it is whole. */

#define STEPS_MAX 500

static void tell(struct k8s_sim *s)
{
    ks_answer(s, 200, KS_LIST("10", KS_SLICE("a", "9", KS_AT("10.0.0.2"))));
    ks_head(s, 200, 0);
    ks_body(s, KS_EVENT("ADDED", KS_SLICE("b", "11", KS_AT("10.0.0.3"))));
    ks_body(s, KS_EVENT("MODIFIED", KS_SLICE("a", "12", KS_AT("10.0.0.2") "," KS_AT("10.0.0.4"))));
}

static size_t n_listed(const struct k8s_sim *s)
{
    size_t n;

    source_entries(s->source, &n);
    return n;
}

/* The server has all there is in its list now. */
static void tell_all(struct k8s_sim *s)
{
    static const char all[] =
        KS_LIST("20", KS_SLICE("a", "12", KS_AT("10.0.0.2") "," KS_AT("10.0.0.4")) "," KS_SLICE(
                          "b", "11", KS_AT("10.0.0.3")));

    ks_run(s, 31000);
    if (strstr(s->path, "&watch=1&") == NULL)
        ks_answer(s, 200, all);
    else
        ks_head(s, 200, 0);
}

static bool survives(size_t step)
{
    struct k8s_sim s;

    failing = 0;
    ks_begin(&s, "k8s:prod/app", NULL);
    n_allocations = 0;
    failing = step;
    tell(&s);
    bool failed = n_allocations >= step;

    failing = 0;
    size_t n = n_listed(&s);

    assert_true(n <= 3);
    for (int i = 0; i < 3 && (n_listed(&s) < 3 || source_result(s.source) != RESULT_COMPLETE); i++)
        tell_all(&s);
    if (n_listed(&s) != 3 || source_result(s.source) != RESULT_COMPLETE)
        fail_msg("allocation %u: %u listed, %s", (unsigned)step, (unsigned)n_listed(&s),
                 source_reason(s.source));
    ks_end(&s);
    return failed;
}

static void every_allocation_fails_once(void **state)
{
    size_t step = 1;

    (void)state;
    while (step < STEPS_MAX && survives(step))
        step++;
    assert_in_range(step, 15, STEPS_MAX - 1); /* it did fail, and came to the end */
}

/* Nor is a SPEC half made. */
static void no_source_without_memory(void **state)
{
    struct kubernetes kubernetes = {.api = {.family = 4, .port = 443}};
    const struct source_place place = {.own_name = "a@10.0.0.1", .kubernetes = &kubernetes};
    struct source *source;
    char why[REASON_SIZE];

    (void)state;
    n_allocations = 0;
    failing = 1;
    assert_int_equal(source_new(&source, "k8s:prod/app", &place, why), CLU_ENOMEM);
    failing = 0;
    assert_null(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_fails_once),
        cmocka_unit_test(no_source_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
