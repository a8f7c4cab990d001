/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "reconcile_sim.h"

/* What --prune says of peers that no source lists any more. */

static void never_prunes(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    reconcile_prune(s.r, PRUNE_NEVER, 0);
    sim_list(&s, 0, RESULT_COMPLETE, "b@10.0.0.3 -c@10.0.0.4");
    sim_list(&s, 0, RESULT_COMPLETE, "");
    sim_poll(&s, 2000, RESULT_COMPLETE, "", STAGE_TCP_REFUSED);
    buf_reset(&s.trace);
    sim_run(&s, 60000, STAGE_TCP_REFUSED);
    sim_show(&s);
    sim_expect(&s, "[10007196] dial b@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[10018371] dial c@10.0.0.4 at 10.0.0.4: tcp-refused again\n"
                   "[10042861] dial b@10.0.0.3 at 10.0.0.3: tcp-refused again\n"
                   "[10052165] dial c@10.0.0.4 at 10.0.0.4: tcp-refused again\n"
                   "[10060000] b@10.0.0.3 failed, unlisted, 342 attempts: tcp-refused since 0\n"
                   "[10060000] c@10.0.0.4 failed, unlisted, 339 attempts: tcp-refused since 0\n");
    sim_stop(&s);
}

/* A linked peer that has been unlisted for T is cut, one a second; not while the answer lacks us;
 * and what other peers say does not bring it back. */
static void prunes_links(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    reconcile_prune(s.r, PRUNE_AFTER, 60000);
    sim_list(&s, 0, RESULT_COMPLETE, "a@10.0.0.2 b@10.0.0.3 c@10.0.0.4");
    sim_run(&s, 0, STAGE_NONE);
    sim_up(&s, sim_dialled(&s, "a@10.0.0.2"), "a@10.0.0.2", "10.0.0.2", 1);
    sim_up(&s, sim_dialled(&s, "b@10.0.0.3"), "b@10.0.0.3", "10.0.0.3", 1);
    sim_up(&s, sim_dialled(&s, "c@10.0.0.4"), "c@10.0.0.4", "10.0.0.4", 1);
    sim_up(&s, 0, "stranger@10.0.0.9", "10.0.0.9", 1);
    reconcile_heard(s.r, "a@10.0.0.2", NULL, true, s.now);
    buf_reset(&s.trace);
    sim_list(&s, 0, RESULT_COMPLETE, "c@10.0.0.4");
    s.lacks_us = true;
    sim_list(&s, 0, RESULT_COMPLETE, "c@10.0.0.4");
    sim_run(&s, 100000, STAGE_TCP_REFUSED);
    sim_list(&s, 0, RESULT_FAILED, "");
    s.lacks_us = false;
    sim_run(&s, 100000, STAGE_TCP_REFUSED);
    sim_list(&s, 0, RESULT_COMPLETE, "c@10.0.0.4");
    sim_run(&s, 10000, STAGE_TCP_REFUSED);
    sim_show(&s);
    sim_up(&s, 0, "a@10.0.0.2", "10.0.0.2", 1); /* it does not see it that way */
    sim_run(&s, 60000, STAGE_TCP_REFUSED);
    sim_list(&s, 0, RESULT_COMPLETE, "a@10.0.0.2");
    sim_run(&s, 0, STAGE_NONE);
    sim_show(&s);
    sim_expect(&s, "[     0] complete 1 -0:a@10.0.0.2 -0:b@10.0.0.3\n"
                   "[     0] complete 1\n"
                   "[100000] failed 0\n"
                   "[200000] complete 1\n"
                   "[200000] cut a@10.0.0.2\n"
                   "[201000] cut b@10.0.0.3\n"
                   "[210000] a@10.0.0.2 absent, unlisted, hinted\n"
                   "[210000] b@10.0.0.3 absent, unlisted\n"
                   "[210000] c@10.0.0.4 linked\n"
                   "[210000] stranger@10.0.0.9 linked, unlisted\n"
                   "[210000] up a@10.0.0.2\n"
                   "[270000] cut a@10.0.0.2\n"
                   "[270000] complete 1 +0:a@10.0.0.2 -0:c@10.0.0.4\n"
                   "[270000] dial a@10.0.0.2 at 10.0.0.2\n"
                   "[270000] a@10.0.0.2 dialling\n"
                   "[270000] b@10.0.0.3 absent, unlisted\n"
                   "[270000] c@10.0.0.4 linked, unlisted\n"
                   "[270000] stranger@10.0.0.9 linked, unlisted\n");
    sim_stop(&s);
}

/* Without any answer that has ourselves nobody is cut; a list that stands cuts in time all the
 * same.
 */
static void prunes_by_proof(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s);
    reconcile_prune(s.r, PRUNE_AFTER, 60000);
    sim_up(&s, 0, "a@10.0.0.2", "10.0.0.2", 1);
    sim_up(&s, 0, "stranger@10.0.0.9", "10.0.0.9", 1);
    s.standing = true;
    sim_list(&s, 0, RESULT_COMPLETE, "a@10.0.0.2");
    sim_run(&s, 1000000, STAGE_NONE);
    s.lacks_us = true;
    sim_list(&s, 0, RESULT_COMPLETE, "");
    sim_run(&s, 1000000, STAGE_NONE);
    s.lacks_us = false;
    sim_list(&s, 0, RESULT_COMPLETE, "");
    sim_run(&s, 0, STAGE_NONE);
    sim_expect(&s, "[     0] up a@10.0.0.2\n"
                   "[     0] up stranger@10.0.0.9\n"
                   "[     0] complete 1 +0:a@10.0.0.2\n"
                   "[1000000] complete 0 -0:a@10.0.0.2\n"
                   "[2000000] complete 0\n"
                   "[2000000] cut a@10.0.0.2\n");
    assert_true(reconcile_deadline(s.r) > s.now);
    sim_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_prunes),
        cmocka_unit_test(prunes_links),
        cmocka_unit_test(prunes_by_proof),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
