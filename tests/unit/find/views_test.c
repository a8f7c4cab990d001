/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "find/views.h"
#include "reconcile_sim.h"

/* What peers tell of their links. */

static struct views *start(void)
{
    struct views *v = views_new();

    assert_non_null(v);
    views_own(v, "erlclu@10.0.0.1");
    return v;
}

/* A peer tells these names; whether that was news. */
static bool tell(struct views *v, const char *peer, const char *words)
{
    while (*words != '\0') {
        size_t len = strcspn(words, " ");

        views_add(v, (clu_slice){(const uint8_t *)words, len});
        words += len + strspn(words + len, " ");
    }
    return views_end(v, peer);
}

static void expect_changes(struct views *v, const char *expected)
{
    struct buf text = {0};
    char name[NODE_NAME_SIZE];

    for (bool told; views_change(v, name, &told);)
        buf_printf(&text, "%c%s ", told ? '+' : '-', name);
    if (strcmp(buf_text(&text), expected) != 0)
        fail_msg("the changes are %s", buf_text(&text));
    buf_free(&text);
}

static void counts_tellers(void **state)
{
    struct views *v = start();

    (void)state;
    assert_true(tell(v, "a@h", "b@h c@h erlclu@10.0.0.1"));
    expect_changes(v, "+b@h +c@h +erlclu@10.0.0.1 ");
    assert_true(tell(v, "b@h", "c@h a@h c@h b@h")); /* twice, and itself */
    expect_changes(v, "+a@h ");
    assert_int_equal(views_seen_by(v, "c@h"), 2);
    assert_int_equal(views_seen_by(v, "b@h"), 1);
    assert_int_equal(views_seen_by(v, "x@h"), 0);
    assert_int_equal(views_sees(v, "a@h"), 3);
    assert_int_equal(views_sees(v, "b@h"), 2);
    assert_int_equal(views_sees(v, "c@h"), 0);
    assert_true(tell(v, "a@h", "b@h"));
    expect_changes(v, "-erlclu@10.0.0.1 ");
    views_drop(v, "b@h");
    views_drop(v, "b@h");
    views_drop(v, "x@h");
    expect_changes(v, "-c@h -a@h ");
    assert_int_equal(views_seen_by(v, "c@h"), 0);
    views_drop(v, "a@h");
    expect_changes(v, "-b@h ");
    views_free(v);
}

/* What came and went before anybody asked is no news. */
static void tells_the_outcome(void **state)
{
    struct views *v = start();

    (void)state;
    tell(v, "a@h", "b@h c@h");
    tell(v, "a@h", "c@h");
    expect_changes(v, "+c@h ");
    tell(v, "a@h", "");
    tell(v, "a@h", "c@h");
    expect_changes(v, "");
    views_drop(v, "a@h");
    tell(v, "a@h", "c@h");
    expect_changes(v, "");
    views_free(v);
}

static void knows_who_sees_us(void **state)
{
    static const struct {
        const char *name, *own, *told;
        enum tells tells;
    } rows[] = {
        {"it tells us", "a@h", "b@h a@h c@h", TELLS_US},
        {"it tells others", "a@h", "b@h c@h", TELLS_NOT_US},
        {"it tells nobody", "a@h", "", TELLS_NOT_US},
        {"our name is not known yet", "", "b@h", TELLS_NOTHING},
        {"a name was left out", "a@h", "b@h nonsense", TELLS_NOTHING},
        {"a name was left out, ours was not", "a@h", "a@h nonsense", TELLS_US},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct views *v = start();

        views_own(v, rows[i].own);
        if (views_sees_us(v, "peer@h") != TELLS_NOTHING)
            fail_msg("%s: before it told", rows[i].name);
        tell(v, "peer@h", rows[i].told);
        if (views_sees_us(v, "peer@h") != rows[i].tells)
            fail_msg("%s", rows[i].name);
        views_drop(v, "peer@h");
        if (views_sees_us(v, "peer@h") != TELLS_NOTHING)
            fail_msg("%s: after its end", rows[i].name);
        views_free(v);
    }
}

/* Peers may say what they want: what is no name is left out. */
static void refuses_nonsense(void **state)
{
    static const char *const words[] = {"",      "@",     "a@",      "@h",        "ah",
                                        "a@h@h", "a\n@h", "a\x7f@h", "\xc3\xbc@h"};
    char longest[NODE_NAME_SIZE + 1] = {0};
    struct views *v = start();

    (void)state;
    for (size_t i = 0; i < COUNT(words); i++)
        views_add(v, slice_of(words[i]));
    views_add(v, (clu_slice){NULL, 0});
    assert_int_equal(views_refused(v), COUNT(words) + 1);
    memset(longest, 'a', NODE_NAME_MAX + 1);
    longest[1] = '@';
    views_add(v, slice_of(longest));
    assert_int_equal(views_refused(v), COUNT(words) + 2);
    longest[NODE_NAME_MAX] = '\0';
    views_add(v, slice_of(longest));
    views_end(v, "a@h");
    assert_int_equal(views_sees(v, "a@h"), 1);
    views_free(v);
}

/* What does not fit is counted; the last words of the lost make room first. */
static const char *numbered(char name[NODE_NAME_SIZE], const char *base, unsigned i)
{
    snprintf(name, NODE_NAME_SIZE, "%s%u@h", base, i);
    return name;
}

static void add_new_names(struct views *v, unsigned n)
{
    static unsigned i;
    char name[NODE_NAME_SIZE];

    while (n-- > 0)
        views_add(v, slice_of(numbered(name, "x", i++)));
}

static void is_bounded(void **state)
{
    const unsigned n_peers = VIEWS_NAMES_MAX / VIEW_SIZE_MAX + 1;
    struct views *v = start();
    char name[NODE_NAME_SIZE];
    uint32_t told = 0;

    (void)state;
    for (unsigned i = 0; i < 2 * VIEWS_LOST_MAX; i++) {
        add_new_names(v, 1);
        assert_true(views_end(v, numbered(name, "lost", i)));
        views_drop(v, name);
        expect_changes(v, "");
    }
    assert_int_equal(views_refused(v), 0);
    for (unsigned i = 0; i < n_peers; i++) {
        add_new_names(v, VIEW_SIZE_MAX + 1);
        views_end(v, numbered(name, "peer", i));
        told += views_sees(v, name);
    }
    assert_int_equal(views_sees(v, numbered(name, "peer", 0)), VIEW_SIZE_MAX);
    assert_in_range(told, VIEWS_NAMES_MAX - n_peers, VIEWS_NAMES_MAX - 1); /* and who told first */
    assert_int_equal(views_refused(v), n_peers * (VIEW_SIZE_MAX + 1) - told);
    views_free(v);
}

/* ---- at random, against a matrix ---- */

#define CROWD 16

struct matrix {
    bool tells[CROWD][CROWD]; /* row: the peer */
    bool linked[CROWD];
    bool said[CROWD];
};

static void tell_any(struct views *v, struct matrix *m, struct rng *rng, unsigned peer)
{
    char name[NODE_NAME_SIZE];

    for (unsigned i = 0; i < CROWD; i++) {
        m->tells[peer][i] = rng_range(rng, 0, 2) == 0 && i != peer;
        if (m->tells[peer][i])
            views_add(v, slice_of(numbered(name, "x", i)));
    }
    m->linked[peer] = true;
    views_end(v, numbered(name, "x", peer));
}

static void drop(struct views *v, struct matrix *m, unsigned peer)
{
    char name[NODE_NAME_SIZE];

    memset(m->tells[peer], 0, sizeof m->tells[peer]);
    m->linked[peer] = false;
    views_drop(v, numbered(name, "x", peer));
}

static void compare(struct views *v, struct matrix *m)
{
    char name[NODE_NAME_SIZE];

    for (unsigned i = 0; i < CROWD; i++) {
        uint32_t sees = 0, seen_by = 0;

        for (unsigned k = 0; k < CROWD; k++) {
            sees += m->tells[i][k];
            seen_by += m->tells[k][i];
        }
        numbered(name, "x", i);
        assert_int_equal(views_sees(v, name), sees);
        assert_int_equal(views_seen_by(v, name), seen_by);
        assert_int_equal(views_sees_us(v, name), !m->linked[i]    ? TELLS_NOTHING
                                                 : m->tells[i][0] ? TELLS_US
                                                                  : TELLS_NOT_US);
    }
}

static void take_changes(struct views *v, struct matrix *m)
{
    char name[NODE_NAME_SIZE];
    unsigned i;

    for (bool told; views_change(v, name, &told);) {
        assert_int_equal(sscanf(name, "x%u@", &i), 1);
        assert_true(told != m->said[i]);
        assert_true(told == (views_seen_by(v, name) > 0));
        m->said[i] = told;
    }
    for (i = 0; i < CROWD; i++)
        assert_true(m->said[i] == (views_seen_by(v, numbered(name, "x", i)) > 0));
}

static void agrees_with_a_matrix(void **state)
{
    struct views *v = start();
    struct matrix m = {0};
    struct rng rng = {1};

    (void)state;
    views_own(v, "x0@h");
    for (unsigned i = 0; i < 20000; i++) {
        unsigned peer = (unsigned)rng_range(&rng, 0, CROWD - 1);

        if (rng_range(&rng, 0, 2) == 0)
            drop(v, &m, peer);
        else
            tell_any(v, &m, &rng, peer);
        compare(v, &m);
        if (rng_range(&rng, 0, 2) == 0)
            take_changes(v, &m);
    }
    views_free(v);
}

/* ---- islands ---- */

struct story {
    struct sim s;
    struct views *v;
};

static void begin(struct story *t, const char *listed)
{
    sim_start(&t->s);
    t->v = start();
    sim_list(&t->s, 0, RESULT_COMPLETE, listed);
    buf_reset(&t->s.trace);
}

static void end(struct story *t)
{
    views_free(t->v);
    sim_stop(&t->s);
}

static void fails(struct story *t, const char *name, enum stage stage)
{
    while (reconcile_next(t->s.r, t->s.now) != NULL)
        continue;
    reconcile_failed(t->s.r, sim_dialled(&t->s, name), stage, "no", t->s.now);
}

/* The number of islands, and each target's. */
static void expect_islands(struct story *t, const char *expected)
{
    struct buf *out = &t->s.trace;
    uint32_t at = 0;

    buf_reset(out);
    buf_printf(out, "%u:", (unsigned)views_islands(t->v, t->s.r));
    for (struct target *p; (p = reconcile_walk(t->s.r, &at)) != NULL;)
        buf_printf(out, " %.1s%u", p->name, (unsigned)views_island(t->v, p->id));
    if (strcmp(buf_text(out), expected) != 0)
        fail_msg("the islands are %s, not %s", buf_text(out), expected);
}

/* Who refuses us lives, and who does not answer may not; whom a peer tells is one of us. */
static void finds_islands(void **state)
{
    static const struct {
        enum stage stage;
        bool lives;
    } rows[] = {
        {STAGE_DNS, false},          {STAGE_TCP_REFUSED, false}, {STAGE_TCP_TIMEOUT, false},
        {STAGE_EPMD_UNKNOWN, false}, {STAGE_CLOSED, false},      {STAGE_NAME_MISMATCH, false},
        {STAGE_FLAGS, true},         {STAGE_COOKIE, true},       {STAGE_TLS, true},
        {STAGE_NOT_ALLOWED, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct story t;

        begin(&t, "a@10.0.0.2 b@10.0.0.3 erlclu@10.0.0.1");
        expect_islands(&t, "1: a0 b0 e0");
        sim_up(&t.s, 0, "a@10.0.0.2", "10.0.0.2", 1);
        expect_islands(&t, "1: a0 b0 e0");
        fails(&t, "b@10.0.0.3", rows[i].stage);
        expect_islands(&t, rows[i].lives ? "2: a0 b1 e0" : "1: a0 b0 e0");
        tell(t.v, "a@10.0.0.2", "b@10.0.0.3");
        expect_islands(&t, "1: a0 b0 e0");
        views_drop(t.v, "a@10.0.0.2");
        expect_islands(&t, rows[i].lives ? "2: a0 b1 e0" : "1: a0 b0 e0");
        sim_up(&t.s, 0, "b@10.0.0.3", "10.0.0.3", 1);
        expect_islands(&t, "1: a0 b0 e0");
        end(&t);
    }
}

/* A mesh falls apart: the last words of those who were lost tell who stayed together, but not that
 * they are still linked to our side. */
static void groups_by_last_words(void **state)
{
    struct story t;

    (void)state;
    begin(&t, "a@10.0.0.2 b@10.0.0.3 c@10.0.0.4 d@10.0.0.5 e@10.0.0.6 f@10.0.0.7");
    for (char name[] = "a@10.0.0.2"; name[0] <= 'd'; name[0]++, name[9]++) {
        sim_up(&t.s, 0, name, name + 2, 1);
        sim_run(&t.s, 10000, STAGE_NONE);
    }
    tell(t.v, "a@10.0.0.2", "erlclu@10.0.0.1 b@10.0.0.3 c@10.0.0.4 d@10.0.0.5");
    tell(t.v, "b@10.0.0.3", "erlclu@10.0.0.1 a@10.0.0.2 c@10.0.0.4 d@10.0.0.5");
    tell(t.v, "c@10.0.0.4", "erlclu@10.0.0.1 b@10.0.0.3 a@10.0.0.2 d@10.0.0.5");
    tell(t.v, "d@10.0.0.5", "erlclu@10.0.0.1");
    fails(&t, "e@10.0.0.6", STAGE_COOKIE);
    fails(&t, "f@10.0.0.7", STAGE_COOKIE);
    expect_islands(&t, "3: a0 b0 c0 d0 e1 f2");
    for (char name[] = "a@10.0.0.2"; name[0] <= 'c'; name[0]++, name[9]++) {
        sim_down(&t.s, name);
        views_drop(t.v, name);
        fails(&t, name, STAGE_COOKIE);
    }
    expect_islands(&t, "4: a1 b1 c1 d0 e2 f3");
    tell(t.v, "d@10.0.0.5", "erlclu@10.0.0.1 b@10.0.0.3"); /* a bridge */
    expect_islands(&t, "4: a1 b0 c1 d0 e2 f3");
    sim_up(&t.s, 0, "c@10.0.0.4", "10.0.0.4", 1);
    tell(t.v, "c@10.0.0.4", "d@10.0.0.5");
    expect_islands(&t, "4: a1 b0 c0 d0 e2 f3");
    end(&t);
}

/* Without a change it is looked up, not worked out. */
static void charts_once(void **state)
{
    struct story t;

    (void)state;
    begin(&t, "a@10.0.0.2");
    uint64_t version = views_version(t.v);

    assert_true(tell(t.v, "b@h", "a@10.0.0.2"));
    assert_true(views_version(t.v) > version);
    version = views_version(t.v);
    assert_false(tell(t.v, "b@h", "a@10.0.0.2"));
    assert_true(views_version(t.v) == version);
    expect_islands(&t, "1: a0");
    expect_islands(&t, "1: a0");
    assert_int_equal(views_island(t.v, 0), 0);
    assert_int_equal(views_island(t.v, 12345), 0);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_tellers),    cmocka_unit_test(tells_the_outcome),
        cmocka_unit_test(knows_who_sees_us), cmocka_unit_test(refuses_nonsense),
        cmocka_unit_test(is_bounded),        cmocka_unit_test(agrees_with_a_matrix),
        cmocka_unit_test(finds_islands),     cmocka_unit_test(groups_by_last_words),
        cmocka_unit_test(charts_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
