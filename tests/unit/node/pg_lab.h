/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_NODE_PG_LAB_H
#define TESTS_NODE_PG_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include <erlclu/pg.h>

#include "../dist/drain.h"
#include "base/buf.h"
#include "dist/flags.h"
#include "node/node.h"

/* A node us@h with links to p@h and q@h, whose scopes are this test. Messages are texts: terms in
 * Erlang's syntax, in which '<p@h.1.2>' is a pid. */

#define PEER_CREATION 3
/* Frames are thrown away here, which the caches of a link would not survive. */
#define LAB_FLAGS                                                                                  \
    ((DFLAGS_OFFERED | DFLAG_PUBLISHED) & ~(DFLAG_DIST_HDR_ATOM_CACHE | DFLAG_FRAGMENTS))

/* While the library runs, and not the test: when allocations may fail (pg_oom_test.c). */
static bool lab_running;

struct wire {
    const char *name;
    struct channel channel, peer;
    struct node_link link;
    struct buf seen; /* what was sent, as text */
    clu_ref monitor; /* by which our scope watches this node's; n is 0 without one */
    clu_pid watcher;
};

struct lab {
    struct clu_node node;
    struct wire p, q;
    uint64_t now_ms;
    struct buf told; /* what the program saw, as text */
    /* Processes of ours by name: pids depend on how many the node has of its own. */
    struct {
        clu_pid pid;
        const char *name;
    } names[8];
    size_t n_names;
};

/* ---- texts and terms ---- */

/* <node.id.serial>: false when it is another atom. */
static inline bool lab_pid(clu_slice atom, clu_pid *pid)
{
    char text[64];
    unsigned id, serial;

    snprintf(text, sizeof text, "%.*s", (int)atom.len, (const char *)atom.data);
    const char *dot = text[0] == '<' ? strchr(text, '.') : NULL;

    if (dot == NULL || sscanf(dot, ".%u.%u>", &id, &serial) != 2)
        return false;
    *pid = (clu_pid){.node = {atom.data + 1, (size_t)(dot - text) - 1},
                     .id = id,
                     .serial = serial,
                     .creation = text[1] == 'u' ? 5 : PEER_CREATION};
    return true;
}

static inline void lab_put(clu_writer *w, clu_reader *r)
{
    clu_type type = clu_peek_type(r);
    clu_reader before = *r;
    clu_pid pid;
    size_t n;

    if (type == CLU_TYPE_TUPLE) {
        n = clu_get_tuple(r);
        clu_put_tuple(w, n);
        for (size_t i = 0; i < n; i++)
            lab_put(w, r);
    } else if (type == CLU_TYPE_MAP) {
        n = 2 * clu_get_map(r);
        clu_put_map(w, n / 2);
        for (size_t i = 0; i < n; i++)
            lab_put(w, r);
    } else if (type == CLU_TYPE_LIST && *r->pos == ETF_LIST) {
        n = clu_get_list(r);
        clu_put_list(w, n);
        for (size_t i = 0; i <= n; i++) /* and the tail */
            lab_put(w, r);
    } else if (type == CLU_TYPE_ATOM && lab_pid(clu_get_atom(r), &pid)) {
        clu_put_pid(w, &pid);
    } else {
        *r = before;
        clu_put_raw(w, clu_get_raw(r));
    }
}

/* lab_term: appends the term of a text. */
static inline void lab_term(clu_writer *w, const char *text)
{
    clu_writer plain;
    clu_reader r;
    size_t at;

    clu_writer_init(&plain);
    assert_int_equal(clu_parse(text, strlen(text), &plain, &at, NULL), CLU_OK);
    clu_reader_init(&r, plain.data, plain.len);
    lab_put(w, &r);
    assert_int_equal(r.err, CLU_OK);
    assert_int_equal(w->err, CLU_OK);
    clu_writer_free(&plain);
}

/* lab_print: pids of ours that have a name by that. */
static inline void lab_print(struct lab *lab, struct buf *out, clu_reader r)
{
    clu_writer text;

    clu_writer_init(&text);
    assert_int_equal(clu_print(&r, &text), CLU_OK);
    for (size_t at = 0; at < text.len;) {
        const char *rest = (const char *)text.data + at;
        size_t i = 0, len = 0;

        for (; i < lab->n_names; i++) {
            char pid[64];

            len = (size_t)snprintf(pid, sizeof pid, "<us@h.%u.%u>", lab->names[i].pid.id,
                                   lab->names[i].pid.serial);
            if (text.len - at >= len && memcmp(rest, pid, len) == 0)
                break;
        }
        if (i < lab->n_names)
            buf_put(out, lab->names[i].name, strlen(lab->names[i].name));
        else
            buf_put(out, rest, len = 1);
        at += len;
    }
    clu_writer_free(&text);
}

static inline void lab_call(struct lab *lab, clu_process *p, const char *name)
{
    assert_non_null(p);
    assert_true(lab->n_names < COUNT(lab->names));
    lab->names[lab->n_names].pid = clu_self(p);
    lab->names[lab->n_names++].name = name;
}

/* ---- life ---- */

static inline clu_error lab_link_up(struct lab *lab, struct wire *w, uint64_t flags)
{
    channel_init(&w->channel, flags, 60000, 4, 0);
    channel_init(&w->peer, flags, 60000, 4, 0);
    lab_running = true;
    clu_error err = node_link_up(&lab->node, &w->link, &w->channel, w->name, PEER_CREATION, flags);

    node_turn(&lab->node, lab->now_ms);
    lab_running = false;
    return err;
}

static inline void lab_link_down(struct lab *lab, struct wire *w)
{
    lab_running = true;
    node_link_down(&lab->node, &w->link, "connection_closed");
    node_turn(&lab->node, lab->now_ms);
    lab_running = false;
    channel_fini(&w->channel);
    channel_fini(&w->peer);
    w->link = (struct node_link){0};
}

static inline clu_error lab_init(struct lab *lab)
{
    *lab = (struct lab){.p = {.name = "p@h"}, .q = {.name = "q@h"}};
    lab_running = true;
    clu_error err = node_init(&lab->node, "us@h", 5, false);

    lab_running = false;
    return err;
}

static inline void lab_fini(struct lab *lab)
{
    struct wire *const wires[] = {&lab->p, &lab->q};

    for (size_t i = 0; i < COUNT(wires); i++) {
        if (wires[i]->link.channel != NULL)
            lab_link_down(lab, wires[i]);
        buf_free(&wires[i]->seen);
    }
    buf_free(&lab->told);
    node_fini(&lab->node);
}

static inline void lab_turn(struct lab *lab)
{
    lab_running = true;
    node_turn(&lab->node, lab->now_ms);
    lab_running = false;
}

static inline void lab_pass(struct lab *lab, uint64_t ms)
{
    lab->now_ms += ms;
    lab_running = true;
    node_tick(&lab->node, lab->now_ms);
    lab_turn(lab);
}

/* ---- messages in and out ---- */

/* lab_control: the node gets a control message, as text, and a payload (NULL: none) from a peer. */
static inline clu_error lab_control(struct lab *lab, struct wire *w, const char *control,
                                    clu_slice payload, const clu_refs *refs)
{
    const char *what = "";
    struct control c;
    clu_writer head;

    clu_writer_init(&head);
    lab_term(&head, control);
    clu_error err = control_parse(&c, (clu_slice){head.data, head.len}, payload, refs, &what);

    assert_int_equal(err, CLU_OK);
    lab_running = true;
    err = node_receive(&lab->node, &w->link, &c, &what);
    lab_turn(lab);
    clu_writer_free(&head);
    return err;
}

/* lab_hear: a message of its scope to ours, by name. */
static inline clu_error lab_hear(struct lab *lab, struct wire *w, const char *message)
{
    char control[64];
    clu_writer term;

    snprintf(control, sizeof control, "{6,'<%s.1.0>','',pubs}", w->name);
    clu_writer_init(&term);
    lab_term(&term, message);
    clu_error err = lab_control(lab, w, control, (clu_slice){term.data, term.len}, NULL);

    clu_writer_free(&term);
    return err;
}

/* Monitors are shown without their references. */
static inline void lab_see_control(struct lab *lab, struct wire *w, clu_reader r)
{
    clu_reader at = r;

    clu_get_tuple(&at);
    int64_t op = clu_get_int(&at);

    if (op != OP_MONITOR_P && op != OP_DEMONITOR_P) {
        lab_print(lab, &w->seen, r);
        return;
    }
    w->watcher = clu_get_pid(&at);
    w->watcher.node = slice_of(lab->node.name);
    const char *word = op == OP_MONITOR_P ? "monitor " : "demonitor ";

    buf_put(&w->seen, word, strlen(word));
    clu_reader watched = at;

    clu_skip_term(&at);
    watched.end = at.pos;
    lab_print(lab, &w->seen, watched);
    w->monitor = clu_get_ref(&at);
    w->monitor.node = slice_of(lab->node.name);
}

/* lab_seen: what was sent to a peer since, a line each: messages without their control message. */
static inline const char *lab_seen(struct lab *lab, struct wire *w)
{
    struct buf out = {0};
    struct frame frame;

    take_all(&w->channel, &out, 0);
    buf_reset(&w->seen);
    channel_feed(&w->peer, out.data, out.len, 0);
    while (channel_next(&w->peer, &frame)) {
        clu_slice term = frame.payload.len > 0 ? frame.payload : frame.control;
        clu_reader r = {.pos = term.data, .end = term.data + term.len, .refs = frame.refs};

        if (frame.payload.len > 0)
            lab_print(lab, &w->seen, r);
        else
            lab_see_control(lab, w, r);
        buf_put_byte(&w->seen, '\n');
    }
    assert_int_equal(w->peer.err, CLU_OK);
    buf_free(&out);
    return buf_text(&w->seen);
}

/* lab_scope_ends: the monitor that was seen last fires. */
static inline void lab_scope_ends(struct lab *lab, struct wire *w)
{
    struct control c;
    clu_writer head, reason;
    const char *what = "";

    clu_writer_init(&head);
    clu_writer_init(&reason);
    clu_put_tuple(&head, 4);
    clu_put_int(&head, OP_PAYLOAD_MONITOR_P_EXIT);
    clu_put_atom_text(&head, "pubs");
    clu_put_pid(&head, &w->watcher);
    clu_put_ref(&head, &w->monitor);
    clu_put_atom_text(&reason, "killed");
    clu_error err = control_parse(&c, (clu_slice){head.data, head.len},
                                  (clu_slice){reason.data, reason.len}, NULL, &what);

    assert_int_equal(err, CLU_OK);
    assert_int_equal(node_receive(&lab->node, &w->link, &c, &what), CLU_OK);
    lab_turn(lab);
    clu_writer_free(&head);
    clu_writer_free(&reason);
}

/* ---- the program ---- */

static inline clu_slice lab_name(clu_writer *w, const char *text)
{
    clu_writer_init(w);
    lab_term(w, text);
    return (clu_slice){w->data, w->len};
}

static inline clu_error lab_join(clu_process *p, const char *group)
{
    clu_writer w;
    clu_slice name = lab_name(&w, group);

    lab_running = true;
    clu_error err = clu_pg_join(p, "pubs", name);

    lab_running = false;
    clu_writer_free(&w);
    return err;
}

static inline clu_error lab_leave(clu_process *p, const char *group)
{
    clu_writer w;
    clu_slice name = lab_name(&w, group);

    lab_running = true;
    clu_error err = clu_pg_leave(p, "pubs", name);

    lab_running = false;
    clu_writer_free(&w);
    return err;
}

static inline bool lab_member(const clu_pid *pid, bool local, void *arg)
{
    struct lab *lab = arg;
    struct buf *out = &lab->told;
    clu_writer w;

    clu_writer_init(&w);
    clu_put_pid(&w, pid);
    lab_print(lab, out, (clu_reader){.pos = w.data, .end = w.data + w.len});
    buf_put(out, local ? "! " : " ", local ? 2 : 1);
    clu_writer_free(&w);
    return true;
}

/* lab_members: the members of a group as text, ours with a mark. */
static inline const char *lab_members(struct lab *lab, const char *group)
{
    clu_writer w;

    buf_reset(&lab->told);
    clu_pg_members(&lab->node, "pubs", lab_name(&w, group), lab_member, lab);
    clu_writer_free(&w);
    return buf_text(&lab->told);
}

/* ---- what most stories begin with ---- */

static inline void open_scope(struct lab *lab)
{
    assert_int_equal(lab_init(lab), CLU_OK);
    assert_int_equal(clu_pg_start(&lab->node, "pubs"), CLU_OK);
    lab_call(lab, clu_whereis(&lab->node, "pubs"), "Scope");
}

/* A scope with two processes of ours that have joined nothing, and a link to p. */
struct pair {
    struct lab lab;
    clu_process *a, *b;
};

static inline void open_pair(struct pair *f)
{
    open_scope(&f->lab);
    f->a = clu_spawn(&f->lab.node, &(clu_spawn_options){0});
    f->b = clu_spawn(&f->lab.node, &(clu_spawn_options){0});
    lab_call(&f->lab, f->a, "A");
    lab_call(&f->lab, f->b, "B");
    assert_int_equal(lab_link_up(&f->lab, &f->lab.p, LAB_FLAGS), CLU_OK);
    assert_string_equal(lab_seen(&f->lab, &f->lab.p), "{discover,Scope}\n");
}

static inline clu_pg_info info_of(struct lab *lab)
{
    clu_pg_info info;

    assert_true(clu_pg_get_info(&lab->node, "pubs", &info));
    return info;
}

/* And p's scope is known. */
static inline void open_known(struct pair *f)
{
    open_pair(f);
    lab_hear(&f->lab, &f->lab.p, "{discover,'<p@h.7.0>'}");
    lab_seen(&f->lab, &f->lab.p);
}

/* Small messages that are so many bytes together: a large one would let small ones pass. */
static inline void fill(struct wire *w, size_t len)
{
    static const uint8_t bytes[32768];

    for (size_t left = len, part; left > 0; left -= part) {
        clu_writer out;

        part = (size_t)min_u64(left, sizeof bytes);
        channel_begin(&w->channel, &out, 0);
        clu_put_binary(&out, bytes, part);
        assert_int_equal(channel_end(&w->channel, &out), CLU_OK);
    }
}

static inline void drain(struct wire *w)
{
    struct buf out = {0};

    take_all(&w->channel, &out, 0);
    buf_free(&out);
}

#endif
