/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../failing.h"
#include "source_sim.h"
#include "find/views.h"

/* Limits of the reconciler, and of memory (failing.h). */

/* Entries at consecutive addresses, named a@IP or to be learnt. */
static struct entry *entries_new(size_t n, bool named)
{
    struct entry *entries = calloc(n, sizeof *entries);

    assert_non_null(entries);
    for (size_t i = 0; i < n; i++) {
        char ip[ADDR_TEXT_MAX];

        entries[i].addr = addr_v4(0x0a000000 + (uint32_t)i, 0);
        if (named)
            snprintf(entries[i].name, sizeof entries[i].name, "a@%s",
                     addr_ip_text(&entries[i].addr, ip));
    }
    return entries;
}

static void list(struct reconcile *r, unsigned source, const struct entry *entries, size_t n,
                 uint64_t now)
{
    const struct round round = {.kind = RESULT_COMPLETE, .entries = entries, .n = n};

    reconcile_list(r, source, &round, now);
}

static size_t drain_changes(struct reconcile *r)
{
    struct addr addr;
    char name[NODE_NAME_SIZE];
    unsigned source;
    bool listed;
    size_t n = 0;

    while (reconcile_change(r, &addr, name, &source, &listed))
        n++;
    return n;
}

static size_t count(struct reconcile *r)
{
    uint32_t at = 0;
    size_t n = 0;

    while (reconcile_walk(r, &at) != NULL)
        n++;
    return n;
}

/* A list that says what it said before costs no memory, linked or not. */
static void same_list_allocates_nothing(void **state)
{
    struct rng rng = {1};
    struct reconcile *r = reconcile_new("erlclu@10.0.0.1", 7, &rng);
    struct entry *entries = entries_new(1000, true);
    bool fresh;

    (void)state;
    list(r, 0, entries, 1000, 0);
    assert_int_equal(drain_changes(r), 1000);
    for (size_t i = 0; i < 500; i++)
        reconcile_up(r, 0, entries[i].name, &entries[i].addr, 1, 0, &fresh);
    uint64_t version = reconcile_version(r);

    n_allocations = 0;
    for (uint64_t now = 5000; now <= 50000; now += 5000)
        list(r, 0, entries, 1000, now);
    assert_int_equal(n_allocations, 0);
    assert_int_equal(drain_changes(r), 0);
    assert_true(reconcile_version(r) == version);
    reconcile_free(r);
    free(entries);
}

static bool tell(struct views *v, const char *peer, const struct entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++)
        views_add(v, slice_of(entries[i].name));
    return views_end(v, peer);
}

/* Nor does a peer that tells what it told before, nor islands that did not change. */
static void same_view_allocates_nothing(void **state)
{
    struct rng rng = {1};
    struct reconcile *r = reconcile_new("erlclu@10.0.0.1", 7, &rng);
    struct views *v = views_new();
    struct entry *entries = entries_new(1000, true);

    (void)state;
    list(r, 0, entries, 1000, 0);
    assert_true(tell(v, entries[0].name, entries, 1000));
    views_islands(v, r);
    n_allocations = 0;
    for (int i = 0; i < 10; i++) {
        assert_false(tell(v, entries[0].name, entries, 1000));
        views_islands(v, r);
    }
    assert_int_equal(n_allocations, 0);
    views_free(v);
    reconcile_free(r);
    free(entries);
}

/* Not more than DIALS_MAX attempts at once; when one ends the next begins. */
static void bounds_dials(void **state)
{
    struct rng rng = {1};
    struct reconcile *r = reconcile_new("erlclu@10.0.0.1", 7, &rng);
    struct entry *entries = entries_new(1000, true);
    struct target *t = NULL;
    bool fresh;

    (void)state;
    list(r, 0, entries, 1000, 0);
    for (size_t i = 0; i < DIALS_MAX; i++)
        assert_non_null(t = reconcile_next(r, 0));
    assert_null(reconcile_next(r, 0));
    assert_true(reconcile_deadline(r) == NEVER);
    reconcile_up(r, t->id, t->name, &t->addr, 1, 0, &fresh);
    assert_true(reconcile_deadline(r) == 0);
    assert_non_null(t = reconcile_next(r, 0));
    assert_null(reconcile_next(r, 0));
    reconcile_failed(r, t->id, STAGE_TCP_REFUSED, "no", 0);
    assert_non_null(reconcile_next(r, 0));
    reconcile_free(r);
    free(entries);
}

/* What does not fit is counted and refused; what is there goes on. */
static void bounds_targets(void **state)
{
    struct rng rng = {1};
    struct reconcile *r = reconcile_new("erlclu@192.0.2.1", 7, &rng);
    struct entry *entries = entries_new(TARGETS_MAX + 10, false);
    struct addr addr = addr_v4(0xc0000207, 0);
    bool fresh;

    (void)state;
    list(r, 0, entries, TARGETS_MAX + 10, 0);
    assert_int_equal(count(r), TARGETS_MAX);
    assert_int_equal(reconcile_refused(r), 10);
    assert_null(reconcile_up(r, 0, "b@192.0.2.7", &addr, 1, 0, &fresh));
    assert_null(reconcile_hint(r, "b@192.0.2.7", &addr, 0));
    assert_int_equal(reconcile_refused(r), 12);
    assert_int_equal(drain_changes(r), TARGETS_MAX);
    list(r, 0, entries + 10, 10, 0); /* they go, and make room in time */
    assert_null(reconcile_up(r, 0, "b@192.0.2.7", &addr, 1, 0, &fresh));
    for (unsigned i = 1; i < GONE_ANSWERS; i++)
        list(r, 0, entries + 10, 10, GONE_MS);
    assert_int_equal(count(r), TARGETS_MAX); /* absent, until somebody wants the room */
    assert_non_null(reconcile_up(r, 0, "b@192.0.2.7", &addr, 1, GONE_MS, &fresh));
    assert_int_equal(count(r), TARGETS_MAX);
    assert_int_equal(reconcile_refused(r), 13);
    while (reconcile_next(r, GONE_MS + ABSENT_KEPT_MS) != NULL)
        continue;
    assert_int_equal(count(r), 11);
    reconcile_free(r);
    free(entries);
}

/* A peer names so many nodes. */
static void hear(struct reconcile *r, unsigned n)
{
    char name[NODE_NAME_SIZE];

    for (unsigned i = 0; i < n; i++) {
        snprintf(name, sizeof name, "x%u@192.0.2.9", i);
        reconcile_heard(r, name, NULL, true, 0);
    }
}

/* Whatever linked peers name, what sources list finds room. */
static void bounds_what_is_heard(void **state)
{
    struct rng rng = {1};
    struct reconcile *r = reconcile_new("erlclu@192.0.2.1", 7, &rng);
    struct entry *entries = entries_new(10, true);

    (void)state;
    hear(r, TARGETS_MAX);
    assert_int_equal(count(r), TARGETS_HEARD_MAX);
    list(r, 0, entries, 10, 0);
    assert_int_equal(reconcile_tally(r)->listed, 10);
    assert_int_equal(reconcile_refused(r), 0);
    reconcile_free(r);
    free(entries);
}

static size_t dial_due(struct reconcile *r, uint64_t now_ms)
{
    size_t n = 0;

    while (reconcile_next(r, now_ms) != NULL)
        n++;
    return n;
}

/* However many names a peer tells that lead nowhere, who is listed is dialled at once. */
static void heard_names_hold_nobody_up(void **state)
{
    struct rng rng = {1};
    struct reconcile *r = reconcile_new("erlclu@192.0.2.1", 7, &rng);
    struct entry *entries = entries_new(10, true);

    (void)state;
    hear(r, 4 * DIALS_MAX);
    assert_int_equal(dial_due(r, 1000), DIALS_HEARD_MAX);
    assert_true(reconcile_deadline(r) > 1000);
    list(r, 0, entries, 10, 1000);
    assert_int_equal(dial_due(r, 1000), 10);
    assert_int_equal(dial_due(r, 100000), 0); /* no attempt has ended yet */
    reconcile_free(r);
    free(entries);
}

/* Stories for the memory test. */

static bool parse_story(void)
{
    struct buf words = {0}, msg = {0};
    struct dns_reply reply;
    size_t before = failing;

    failing = 0;
    for (unsigned i = 0; i < 40; i++)
        buf_printf(&words, "10.0.0.%u ", i);
    dns_build(&msg, "a.example", DNS_TYPE_A, buf_text(&words));
    failing = before;
    n_allocations = 0;
    clu_error err = dns_parse(&reply, msg.data, msg.len, 100);

    assert_true(err == CLU_OK || err == CLU_ENOMEM);
    dns_reply_free(&reply);
    buf_free(&words);
    buf_free(&msg);
    return err == CLU_OK;
}

static void answer(struct source *s, uint16_t type, const char *words, uint64_t now)
{
    struct buf msg = {0};
    size_t before = failing, counted = n_allocations;

    failing = 0; /* the test's own memory is not meant */
    enum dns_status status = dns_build(&msg, "a.example", type, words);

    failing = before;
    n_allocations = counted;
    give_records(s, type, status, buf_slice(&msg), now);
    buf_free(&msg);
}

static bool dns_story(void)
{
    struct rng rng = {1};
    struct addr own = addr_v4(0x0a000001, 0);
    struct source *s;
    struct need need;
    char why[REASON_SIZE];
    size_t n;

    const struct source_place place = {.own_name = "erlclu@10.0.0.1", .rng = &rng};

    n_allocations = 0;
    if (source_new(&s, "dns:a.example", &place, why) != CLU_OK)
        return false;
    source_start(s, &own, 0);
    for (uint64_t now = 0; now < 200000; now += 5000) {
        while (source_need(s, now, &need))
            continue;
        answer(s, DNS_TYPE_A, now < 10000 ? "10.0.0.1" : "10.0.0.2 10.0.0.3", now);
        answer(s, DNS_TYPE_AAAA, "fd00::1", now);
    }
    source_entries(s, &n); /* what failed is made good by a later round */
    assert_int_equal(n, 2);
    source_free(s);
    return true;
}

static bool srv_story(void)
{
    struct rng rng = {1};
    struct source *s;
    struct need need;
    char why[REASON_SIZE];
    size_t n;

    const struct source_place place = {.own_name = "erlclu@10.0.0.1", .rng = &rng};

    n_allocations = 0;
    if (source_new(&s, "srv:a.example", &place, why) != CLU_OK)
        return false;
    source_start(s, &(struct addr){0}, 0);
    for (uint64_t now = 0; now < 200000; now += 5000)
        if (source_need(s, now, &need))
            answer(s, DNS_TYPE_SRV, now < 10000 ? "a.x/1" : "b.x/1/10.0.0.2 c.x/1 c.x/2", now);
    source_entries(s, &n);
    assert_int_equal(n, 2);
    source_free(s);
    return true;
}

static bool static_story(void)
{
    struct source *s;
    char why[REASON_SIZE];
    const struct source_place place = {.own_name = ""};

    n_allocations = 0;
    clu_error err = source_new(&s, "static:a@h,b@h", &place, why);

    source_free(s);
    return err == CLU_OK;
}

static void list_all(struct reconcile *r, const struct entry *named, const struct entry *unnamed)
{
    for (uint64_t now = 0; now < 3; now++) {
        list(r, 0, named, 20, now);
        list(r, 1, unnamed, 20, now);
    }
}

static bool reconcile_story(void)
{
    struct rng rng = {1};
    struct addr addr = addr_v4(0x0a000009, 0);
    size_t before = failing;
    bool fresh;

    failing = 0;
    struct entry *named = entries_new(20, true), *unnamed = entries_new(20, false);

    failing = before;
    n_allocations = 0;
    struct reconcile *r = reconcile_new("erlclu@192.0.2.1", 7, &rng);

    if (r != NULL) {
        list_all(r, named, unnamed);
        while (reconcile_next(r, 10) != NULL)
            continue;
        reconcile_hint(r, "x@h", &addr, 10);
        reconcile_up(r, 0, "a@10.0.0.9", &addr, 1, 10, &fresh);
        struct target *t = reconcile_up(r, 0, "late@10.0.0.10", &addr, 1, 10, &fresh);

        if (t != NULL)
            reconcile_down(r, t->name, 9000, "closed");
        list(r, 1, unnamed, 3, 9000);
        list_all(r, named, unnamed);
        assert_true(count(r) >= 39);
    }
    bool done = r != NULL;

    reconcile_free(r);
    free(named);
    free(unnamed);
    return done;
}

/* Heard, terminating, cut, absent and forgotten. */
static bool prune_story(void)
{
    struct rng rng = {1};
    size_t before = failing;
    bool fresh;

    failing = 0;
    struct entry *entries = entries_new(20, true);

    failing = before;
    n_allocations = 0;
    struct reconcile *r = reconcile_new("erlclu@192.0.2.1", 7, &rng);

    if (r != NULL) {
        struct round round = {
            .kind = RESULT_COMPLETE, .sees_us = true, .entries = entries, .n = 20};
        uint64_t now = 0;

        reconcile_prune(r, PRUNE_AFTER, 1000);
        entries[3].terminating = true;
        reconcile_list(r, 0, &round, now);
        reconcile_heard(r, "heard@h", NULL, true, now);
        reconcile_up(r, 0, entries[5].name, &entries[5].addr, 1, now, &fresh);
        for (round.n = 0; now < GONE_MS + ABSENT_KEPT_MS + 1; now += 5000) {
            reconcile_list(r, 0, &round, now);
            drain_changes(r);
            while (reconcile_next(r, now) != NULL)
                continue;
            for (struct target *t; (t = reconcile_prune_next(r, now)) != NULL;)
                reconcile_down(r, t->name, now, "cut");
        }
        uint32_t at = 0;

        for (struct target *t; (t = reconcile_walk(r, &at)) != NULL;)
            /* Whose end nobody told, and who was never listed for want of memory. */
            assert_true(t->state == PEER_DIALLING || t->state == PEER_LINKED);
    }
    bool done = r != NULL;

    reconcile_free(r);
    free(entries);
    return done;
}

static bool views_story(void)
{
    struct rng rng = {1};
    size_t before = failing;
    char name[NODE_NAME_SIZE];
    bool told;

    failing = 0;
    struct reconcile *r = reconcile_new("erlclu@192.0.2.1", 7, &rng);
    struct entry *entries = entries_new(100, true);

    list(r, 0, entries, 100, 0);
    failing = before;
    n_allocations = 0;
    struct views *v = views_new();

    for (size_t i = 0; v != NULL && i < 10; i++) {
        tell(v, entries[i % 3].name, entries + i, 70 + i);
        views_islands(v, r);
        while (views_change(v, name, &told))
            continue;
    }
    if (v != NULL) {
        views_drop(v, entries[0].name);
        assert_int_equal(views_islands(v, r), 1);
    }
    views_free(v);
    reconcile_free(r);
    free(entries);
    return v != NULL;
}

static void survives_lack_of_memory(void **state)
{
    static failing_story *const stories[] = {parse_story,     dns_story,   srv_story,  static_story,
                                             reconcile_story, prune_story, views_story};

    (void)state;
    failing_tell_all(stories, COUNT(stories));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_list_allocates_nothing),
        cmocka_unit_test(same_view_allocates_nothing),
        cmocka_unit_test(bounds_dials),
        cmocka_unit_test(bounds_targets),
        cmocka_unit_test(bounds_what_is_heard),
        cmocka_unit_test(heard_names_hold_nobody_up),
        cmocka_unit_test(survives_lack_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
