/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_NODE_PG_MODEL_H
#define TESTS_NODE_PG_MODEL_H

#include "pg_lab.h"

#include "base/rng.h"

/* Two nodes whose scopes are models of pg: that of p as OTP 25 has it, that of q as OTP 29 has it.
 * Everybody joins, leaves, ends and comes back by chance; what a real scope would crash at fails
 * the test, and when all is quiet everybody has the same groups. */

#define GROUPS    4
#define OURS      3
#define THEIRS    3
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

static inline size_t pick(struct story *s, size_t n)
{
    return (size_t)(rng_next(&s->rng) % n);
}

/* ---- entries ---- */

static inline void add(struct entries *e, int group, uint32_t id, uint32_t serial)
{
    assert_true(e->n < ENTRY_MAX);
    e->all[e->n++] = (struct entry){group, id, serial};
}

static inline bool take(struct entries *e, int group, uint32_t id, uint32_t serial)
{
    for (size_t i = 0; i < e->n; i++)
        if (e->all[i].group == group && e->all[i].id == id && e->all[i].serial == serial) {
            e->all[i] = e->all[--e->n];
            return true;
        }
    return false;
}

static inline size_t count(const struct entries *e, int group)
{
    size_t n = 0;

    for (size_t i = 0; i < e->n; i++)
        n += e->all[i].group == group;
    return n;
}

/* ---- what a model says ---- */

static inline void say(struct story *s, struct model *m, const char *text)
{
    if (m->up)
        assert_int_equal(lab_hear(&s->lab, m->wire, text), CLU_OK);
}

static inline void say_discover(struct story *s, struct model *m)
{
    char text[128];

    snprintf(text, sizeof text, "{discover,'<%s.%u.0>'%s}", m->wire->name, m->scope,
             m->is_new ? ",1" : "");
    say(s, m, text);
}

static inline void put_pids(struct buf *out, const struct model *m, int group)
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

static inline void put_text(struct buf *out, const char *text)
{
    buf_put(out, text, strlen(text));
}

/* {sync, ...}, or with a version the data of its node. */
static inline void say_groups(struct story *s, struct model *m, bool version)
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

static inline void say_change(struct story *s, struct model *m, bool joined, int group,
                              unsigned pid)
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

static inline int group_of(const struct story *s, clu_slice name)
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

static inline int get_group(const struct story *s, clu_reader *r)
{
    return group_of(s, clu_get_raw(r));
}

/* A pid, or a list of them: into or out of what it has of ours. */
static inline void hear_pids(struct model *m, clu_reader *r, int group, bool joined)
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

static inline void hear_groups(struct story *s, struct model *m, clu_reader *r, bool is_map)
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

static inline void hear_discover(struct story *s, struct model *m, bool version)
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
static inline void hear_leave(struct story *s, struct model *m, clu_reader *r)
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

static inline void hear_update(struct story *s, struct model *m, clu_reader *r)
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

static inline void hear_message(struct story *s, struct model *m, clu_reader r)
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
static inline bool is_for(const struct model *m, clu_slice control)
{
    clu_reader r = {.pos = control.data, .end = control.data + control.len};

    clu_get_tuple(&r);
    if (clu_get_int(&r) != OP_SEND_SENDER)
        return true;
    clu_skip_term(&r);
    return clu_get_pid(&r).id == m->scope;
}

/* All that has been sent to it. What fills the link has no payload and is no tuple. */
static inline void read_all(struct story *s, struct model *m)
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

#endif
