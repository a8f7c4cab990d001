/* SPDX-License-Identifier: Apache-2.0 */
#include "pg_lab.h"

#include "base/rng.h"

/* Two nodes whose scopes are models of pg: that of p as OTP 25 has it, that of q as OTP 29 has it.
 * Everybody joins, leaves, ends and comes back by chance; what a real scope would crash at fails
 * the test, and when all is quiet everybody has the same groups. */

#define GROUPS    4
#define OURS      3
#define THEIRS    3
#define STEPS     3000
#define SEEDS     20
#define ENTRY_MAX 4096

static const char *const group_names[GROUPS] = {"room", "{hall,[1,2]}", "7", "#{a => \"b\"}"};

/* A membership. */
struct entry {
    int group;
    uint32_t id, serial;
};

struct entries {
    struct entry all[ENTRY_MAX];
    size_t n;
};

struct model {
    struct wire *wire;
    bool is_new; /* OTP 29 */
    bool up;
    bool knows_us; /* our scope is among its peers */
    unsigned scope;
    unsigned next_pid;
    unsigned pids[THEIRS];
    struct entries own, ours; /* its members, and what it has heard of ours */
    bool full;                /* it does not read */
};

struct story {
    struct lab lab;
    struct rng rng;
    struct model models[2];
    clu_process *procs[OURS];
    struct entries members; /* of our processes */
    clu_writer names[GROUPS];
};

static size_t pick(struct story *s, size_t n)
{
    return (size_t)(rng_next(&s->rng) % n);
}

/* ---- entries ---- */

static void add(struct entries *e, int group, uint32_t id, uint32_t serial)
{
    assert_true(e->n < ENTRY_MAX);
    e->all[e->n++] = (struct entry){group, id, serial};
}

static bool take(struct entries *e, int group, uint32_t id, uint32_t serial)
{
    for (size_t i = 0; i < e->n; i++)
        if (e->all[i].group == group && e->all[i].id == id && e->all[i].serial == serial) {
            e->all[i] = e->all[--e->n];
            return true;
        }
    return false;
}

static size_t count(const struct entries *e, int group)
{
    size_t n = 0;

    for (size_t i = 0; i < e->n; i++)
        n += e->all[i].group == group;
    return n;
}

/* ---- what a model says ---- */

static void say(struct story *s, struct model *m, const char *text)
{
    if (m->up)
        assert_int_equal(lab_hear(&s->lab, m->wire, text), CLU_OK);
}

static void say_discover(struct story *s, struct model *m)
{
    char text[128];

    snprintf(text, sizeof text, "{discover,'<%s.%u.0>'%s}", m->wire->name, m->scope,
             m->is_new ? ",1" : "");
    say(s, m, text);
}

static void put_pids(struct buf *out, const struct model *m, int group)
{
    const char *comma = "";
    char pid[64];

    for (size_t i = m->own.n; i-- > 0;) {
        if (m->own.all[i].group != group)
            continue;
        int len = snprintf(pid, sizeof pid, "%s'<%s.%u.0>'", comma, m->wire->name,
                           (unsigned)m->own.all[i].id);

        buf_put(out, pid, (size_t)len);
        comma = ",";
    }
}

static void put_text(struct buf *out, const char *text)
{
    buf_put(out, text, strlen(text));
}

/* {sync, ...}, or with a version the data of its node. */
static void say_groups(struct story *s, struct model *m, bool version)
{
    struct buf out = {0};
    const char *comma = "";
    char head[128];

    snprintf(head, sizeof head, "{'$gen_cast',{%s,'<%s.%u.0>',%s", version ? "local_data" : "sync",
             m->wire->name, m->scope, version ? "1,#{" : "[");
    put_text(&out, head);
    for (int g = 0; g < GROUPS; g++) {
        if (count(&m->own, g) == 0)
            continue;
        put_text(&out, comma);
        put_text(&out, version ? "" : "{");
        put_text(&out, group_names[g]);
        put_text(&out, version ? " => [" : ",[");
        put_pids(&out, m, g);
        put_text(&out, version ? "]" : "]}");
        comma = ",";
    }
    put_text(&out, version ? "}}}" : "]}}");
    say(s, m, buf_text(&out));
    buf_free(&out);
}

static void say_change(struct story *s, struct model *m, bool joined, int group, unsigned pid)
{
    char text[256], who[64];

    if (!m->knows_us)
        return;
    snprintf(who, sizeof who, "'<%s.%u.0>'", m->wire->name, pid);
    if (m->is_new)
        snprintf(text, sizeof text, "{update,'<%s.%u.0>',[{%s,[%s],[%s]}]}", m->wire->name,
                 m->scope, group_names[group], joined ? who : "", joined ? "" : who);
    else if (joined)
        snprintf(text, sizeof text, "{join,'<%s.%u.0>',%s,%s}", m->wire->name, m->scope,
                 group_names[group], who);
    else
        snprintf(text, sizeof text, "{leave,'<%s.%u.0>',%s,[%s]}", m->wire->name, m->scope, who,
                 group_names[group]);
    say(s, m, text);
}

/* ---- what a model hears ---- */

static int group_of(const struct story *s, clu_slice name)
{
    struct clu_writer w;
    clu_reader r = {.pos = name.data, .end = name.data + name.len};
    int found = -1;

    clu_writer_init(&w);
    assert_int_equal(clu_print(&r, &w), CLU_OK);
    for (int g = 0; g < GROUPS; g++)
        if (slice_is((clu_slice){w.data, w.len}, group_names[g]))
            found = g;
    clu_writer_free(&w);
    assert_true(found >= 0);
    (void)s;
    return found;
}

static int get_group(const struct story *s, clu_reader *r)
{
    return group_of(s, clu_get_raw(r));
}

/* A pid, or a list of them: into or out of what it has of ours. */
static void hear_pids(struct model *m, clu_reader *r, int group, bool joined)
{
    bool is_list = clu_peek_type(r) != CLU_TYPE_PID;
    size_t n = is_list ? clu_get_list(r) : 1;

    for (size_t i = 0; i < n; i++) {
        clu_pid pid = clu_get_pid(r);

        if (joined)
            add(&m->ours, group, pid.id, pid.serial);
        else
            assert_true(take(&m->ours, group, pid.id, pid.serial));
    }
    if (is_list && n > 0)
        clu_get_nil(r);
}

static void hear_groups(struct story *s, struct model *m, clu_reader *r, bool is_map)
{
    size_t n = is_map ? clu_get_map(r) : clu_get_list(r);

    m->ours.n = 0;
    m->knows_us = true;
    for (size_t i = 0; i < n; i++) {
        if (!is_map)
            assert_int_equal(clu_get_tuple(r), 2);
        int group = get_group(s, r);

        assert_int_equal(count(&m->ours, group), 0);
        hear_pids(m, r, group, true);
        assert_true(count(&m->ours, group) > 0);
    }
}

static void hear_discover(struct story *s, struct model *m, bool version)
{
    assert_true(!version || m->is_new);
    say_groups(s, m, version);
    if (m->knows_us)
        return;
    m->knows_us = true;
    m->ours.n = 0;
    say_discover(s, m);
}

/* pg before OTP 29 looks the group up, and crashes when nobody of ours is in it. */
static void hear_leave(struct story *s, struct model *m, clu_reader *r)
{
    clu_reader pid = *r;

    clu_skip_term(r);
    size_t n = clu_get_list(r);

    for (size_t i = 0; i < n; i++) {
        clu_reader each = pid;
        int group = get_group(s, r);

        if (m->knows_us)
            hear_pids(m, &each, group, false);
    }
}

static void hear_update(struct story *s, struct model *m, clu_reader *r)
{
    size_t n = clu_get_list(r);

    assert_true(m->is_new);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(clu_get_tuple(r), 3);
        int group = get_group(s, r);
        clu_reader come = *r;

        clu_skip_term(r);
        if (!m->knows_us) {
            clu_skip_term(r);
            continue;
        }
        hear_pids(m, r, group, false);
        hear_pids(m, &come, group, true);
    }
}

static void hear_message(struct story *s, struct model *m, clu_reader r)
{
    size_t arity = clu_get_tuple(&r);
    clu_slice word = clu_get_atom(&r);
    bool cast = slice_is(word, "$gen_cast");

    if (cast) {
        arity = clu_get_tuple(&r);
        word = clu_get_atom(&r);
    }
    clu_skip_term(&r);
    if (slice_is(word, "discover") && !cast) {
        hear_discover(s, m, arity == 3);
    } else if (slice_is(word, "sync") && cast) {
        hear_groups(s, m, &r, false);
    } else if (slice_is(word, "local_data") && cast) {
        assert_true(m->is_new);
        assert_int_equal(clu_get_int(&r), 1);
        hear_groups(s, m, &r, true);
    } else if (slice_is(word, "join") && !cast) {
        int group = get_group(s, &r);

        if (m->knows_us)
            hear_pids(m, &r, group, true);
    } else if (slice_is(word, "leave") && !cast) {
        hear_leave(s, m, &r);
    } else if (slice_is(word, "update") && !cast) {
        hear_update(s, m, &r);
    } else {
        fail_msg("pg does not know this message");
    }
}

/* To its name, or to the pid that it has now. */
static bool is_for(const struct model *m, clu_slice control)
{
    clu_reader r = {.pos = control.data, .end = control.data + control.len};

    clu_get_tuple(&r);
    if (clu_get_int(&r) != OP_SEND_SENDER)
        return true;
    clu_skip_term(&r);
    return clu_get_pid(&r).id == m->scope;
}

/* All that has been sent to it. What fills the link has no payload and is no tuple. */
static void read_all(struct story *s, struct model *m)
{
    struct buf out = {0};
    struct frame frame;

    if (!m->up)
        return;
    take_all(&m->wire->channel, &out, 0);
    channel_feed(&m->wire->peer, out.data, out.len, 0);
    while (channel_next(&m->wire->peer, &frame)) {
        clu_slice term = frame.payload.len > 0 ? frame.payload : frame.control;
        clu_reader r = {.pos = term.data, .end = term.data + term.len, .refs = frame.refs};

        if (frame.payload.len > 0 && is_for(m, frame.control))
            hear_message(s, m, r);
        else if (frame.payload.len == 0 && clu_peek_type(&r) == CLU_TYPE_TUPLE)
            lab_see_control(&s->lab, m->wire, r);
    }
    assert_int_equal(m->wire->peer.err, CLU_OK);
    buf_reset(&m->wire->seen);
    buf_free(&out);
    if (!m->full)
        return;
    m->full = false;
    node_writable(&m->wire->link);
    lab_turn(&s->lab);
}

/* ---- steps ---- */

static void we_join(struct story *s)
{
    size_t i = pick(s, OURS);
    int group = (int)pick(s, GROUPS);
    clu_pid pid = clu_self(s->procs[i]);

    if (s->members.n > ENTRY_MAX / 2)
        return;
    assert_int_equal(lab_join(s->procs[i], group_names[group]), CLU_OK);
    add(&s->members, group, pid.id, pid.serial);
}

static void we_leave(struct story *s)
{
    size_t i = pick(s, OURS);
    int group = (int)pick(s, GROUPS);
    clu_pid pid = clu_self(s->procs[i]);
    bool was_in = take(&s->members, group, pid.id, pid.serial);

    assert_int_equal(lab_leave(s->procs[i], group_names[group]), was_in ? CLU_OK : CLU_ENOENT);
}

static void we_end(struct story *s)
{
    size_t i = pick(s, OURS);
    clu_pid pid = clu_self(s->procs[i]);

    clu_exit(s->procs[i], "normal");
    lab_turn(&s->lab);
    for (int g = 0; g < GROUPS; g++)
        while (take(&s->members, g, pid.id, pid.serial))
            continue;
    s->procs[i] = clu_spawn(&s->lab.node, &(clu_spawn_options){0});
    assert_non_null(s->procs[i]);
}

static struct model *some(struct story *s)
{
    return &s->models[pick(s, COUNT(s->models))];
}

static void they_join(struct story *s)
{
    struct model *m = some(s);
    int group = (int)pick(s, GROUPS);
    unsigned pid = m->pids[pick(s, THEIRS)];

    if (m->own.n > ENTRY_MAX / 2)
        return;
    add(&m->own, group, pid, 0);
    say_change(s, m, true, group, pid);
}

static void they_leave(struct story *s)
{
    struct model *m = some(s);
    int group = (int)pick(s, GROUPS);
    unsigned pid = m->pids[pick(s, THEIRS)];

    if (take(&m->own, group, pid, 0))
        say_change(s, m, false, group, pid);
}

static void they_read(struct story *s)
{
    read_all(s, some(s));
}

static void fill_one(struct story *s)
{
    struct model *m = some(s);

    if (m->up && !m->full)
        fill(m->wire, CHANNEL_BUSY_BYTES + 1);
    m->full = m->up;
}

static void cut(struct story *s, struct model *m)
{
    if (!m->up)
        return;
    lab_link_down(&s->lab, m->wire);
    m->up = m->knows_us = m->full = false;
    m->wire->monitor.n = 0;
    m->ours.n = 0;
}

static void link_up(struct story *s, struct model *m)
{
    if (m->up)
        return;
    assert_int_equal(lab_link_up(&s->lab, m->wire, LAB_FLAGS), CLU_OK);
    m->up = true;
    say_discover(s, m);
}

static void cut_one(struct story *s)
{
    cut(s, some(s));
}

static void link_one(struct story *s)
{
    link_up(s, some(s));
}

/* Its scope ends, and starts again without members. */
static void restart_one(struct story *s)
{
    struct model *m = some(s);

    read_all(s, m);
    if (!m->up || m->wire->monitor.n == 0)
        return;
    m->knows_us = false;
    m->own.n = m->ours.n = 0;
    lab_scope_ends(&s->lab, m->wire);
    m->wire->monitor.n = 0;
    m->scope = m->next_pid++;
    say_discover(s, m);
}

static void time_passes(struct story *s)
{
    lab_pass(&s->lab, 1 + pick(s, 1500));
}

static const struct {
    void (*act)(struct story *s);
    size_t weight;
} steps[] = {
    {we_join, 30},    {we_leave, 30},   {we_end, 2},      {they_join, 20},
    {they_leave, 20}, {they_read, 30},  {fill_one, 2},    {cut_one, 1},
    {link_one, 4},    {restart_one, 1}, {time_passes, 3},
};

static void step(struct story *s)
{
    size_t all = 0, at;

    for (size_t i = 0; i < COUNT(steps); i++)
        all += steps[i].weight;
    at = pick(s, all);
    for (size_t i = 0; i < COUNT(steps); i++) {
        if (at < steps[i].weight) {
            steps[i].act(s);
            return;
        }
        at -= steps[i].weight;
    }
}

/* ---- what must be ---- */

static void assert_same(const struct entries *a, const struct entries *b)
{
    struct entries *left = test_malloc(sizeof *left);

    *left = *b;
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++)
        assert_true(take(left, a->all[i].group, a->all[i].id, a->all[i].serial));
    test_free(left);
}

struct looking {
    struct entries *ours, *theirs[2];
    int group;
};

static bool note_member(const clu_pid *pid, bool local, void *arg)
{
    struct looking *l = arg;

    add(local ? l->ours : l->theirs[*pid->node.data == 'q'], l->group, pid->id, pid->serial);
    return true;
}

static void assert_all_agree(struct story *s)
{
    struct entries *seen = test_calloc(3, sizeof *seen);

    for (int g = 0; g < GROUPS; g++) {
        struct looking l = {.ours = &seen[2], .theirs = {&seen[0], &seen[1]}, .group = g};

        clu_pg_members(&s->lab.node, "pubs", (clu_slice){s->names[g].data, s->names[g].len},
                       note_member, &l);
    }
    assert_same(&seen[2], &s->members);
    for (size_t i = 0; i < COUNT(s->models); i++) {
        assert_same(&seen[i], &s->models[i].own);
        assert_same(&s->models[i].ours, &s->members);
    }
    assert_int_equal(info_of(&s->lab).ignored, 0);
    test_free(seen);
}

static void settle(struct story *s)
{
    for (size_t i = 0; i < COUNT(s->models); i++)
        link_up(s, &s->models[i]);
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < COUNT(s->models); i++)
            read_all(s, &s->models[i]);
        lab_pass(&s->lab, 1000);
    }
}

static void begin(struct story *s, uint64_t seed)
{
    assert_int_equal(lab_init(&s->lab), CLU_OK);
    assert_int_equal(clu_pg_start(&s->lab.node, "pubs"), CLU_OK);
    rng_init(&s->rng, seed);
    s->models[0].wire = &s->lab.p;
    s->models[1].wire = &s->lab.q;
    s->models[1].is_new = true;
    for (size_t i = 0; i < COUNT(s->models); i++) {
        struct model *m = &s->models[i];

        m->next_pid = 100;
        m->scope = m->next_pid++;
        for (size_t k = 0; k < THEIRS; k++)
            m->pids[k] = m->next_pid++;
    }
    for (size_t i = 0; i < OURS; i++)
        s->procs[i] = clu_spawn(&s->lab.node, &(clu_spawn_options){0});
    for (int g = 0; g < GROUPS; g++)
        lab_name(&s->names[g], group_names[g]);
}

static void live(uint64_t seed)
{
    struct story *s = test_calloc(1, sizeof *s);

    begin(s, seed);
    for (int i = 1; i <= STEPS; i++) {
        step(s);
        if (i % 500 != 0)
            continue;
        settle(s);
        assert_all_agree(s);
    }
    for (int g = 0; g < GROUPS; g++)
        clu_writer_free(&s->names[g]);
    lab_fini(&s->lab);
    test_free(s);
}

static void models_of_pg_live_and_agree(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        print_message("seed %u\n", (unsigned)seed);
        live(seed);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_of_pg_live_and_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
