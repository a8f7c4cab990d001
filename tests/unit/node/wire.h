/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_NODE_WIRE_H
#define TESTS_NODE_WIRE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/buf.h"
#include "dist/flags.h"
#include "node/calls.h"
#include "said.h"

/* What a peer sends, as it stands on the wire and as they are answered there. Terms are written in
 * Erlang's syntax; the atoms caller, self, own, request and result stand for what that cannot name,
 * stranger and alien for a pid and a reference of a node that is not linked. */

#define TEXT(text)                                                                                 \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }
#define NODE_FLAGS (DFLAGS_OFFERED | DFLAG_PUBLISHED)

static const clu_pid caller = {.node = TEXT("p@h"), .id = 1, .serial = 2, .creation = 3};
static const clu_ref request = {.node = TEXT("p@h"), .creation = 3, .n = 3, .words = {6, 7, 8}};
static const clu_pid stranger = {.node = TEXT("q@h"), .id = 1, .serial = 2, .creation = 3};
static const clu_ref alien = {.node = TEXT("q@h"), .creation = 3, .n = 3, .words = {6, 7, 8}};
static const clu_ref result = {.node = TEXT("p@h"), .creation = 3, .n = 3, .words = {1, 1, 1}};

struct fixture {
    struct clu_node node;
    struct channel channel, peer;
    struct node_link link;
    struct buf seen;
    const char *what;
    clu_call *pending;  /* of the function later */
    clu_ref ref;        /* own: a reference of ours */
    struct buf notes;   /* what the test's functions were told */
    clu_pid self;       /* SELF: a process that the test talks to */
    unsigned n_own;     /* processes of the node itself */
    unsigned n_stopped; /* times that a process of the test has ended */
};

/* ---- terms ---- */

static inline void put_leaf(struct fixture *f, clu_writer *w, clu_reader *r)
{
    clu_reader at = *r;
    clu_slice atom = clu_peek_type(r) == CLU_TYPE_ATOM ? clu_get_atom(&at) : (clu_slice){NULL, 0};

    if (slice_is(atom, "caller"))
        clu_put_pid(w, &caller);
    else if (slice_is(atom, "self"))
        clu_put_pid(w, &f->self);
    else if (slice_is(atom, "own"))
        clu_put_ref(w, &f->ref);
    else if (slice_is(atom, "request"))
        clu_put_ref(w, &request);
    else if (slice_is(atom, "stranger"))
        clu_put_pid(w, &stranger);
    else if (slice_is(atom, "alien"))
        clu_put_ref(w, &alien);
    else if (slice_is(atom, "result"))
        clu_put_ref(w, &result);
    else
        clu_put_raw(w, clu_get_raw(r));
    if (atom.len > 0 && r->pos < at.pos)
        clu_skip_term(r);
}

/* Containers are written before what they hold: one token after the other makes the copy. */
static inline void substitute(struct fixture *f, clu_writer *w, clu_slice term)
{
    clu_reader r = reader_of(term);

    while (r.pos < r.end) {
        switch (*r.pos) {
        case ETF_SMALL_TUPLE: clu_put_tuple(w, clu_get_tuple(&r)); break;
        case ETF_LIST: clu_put_list(w, clu_get_list(&r)); break;
        case ETF_MAP: clu_put_map(w, clu_get_map(&r)); break;
        default: put_leaf(f, w, &r); break;
        }
        assert_int_equal(r.err, CLU_OK);
    }
}

static inline void put_text(struct fixture *f, clu_writer *w, const char *text)
{
    clu_writer plain;
    size_t at;

    clu_writer_init(&plain);
    assert_int_equal(clu_parse(text, strlen(text), &plain, &at, NULL), CLU_OK);
    substitute(f, w, (clu_slice){plain.data, plain.len});
    clu_writer_free(&plain);
}

/* ---- the peer ---- */

/* The node's own code is on the stack, not the test's. */
static bool wire_running;

static inline clu_error receive(struct fixture *f, const char *control, const char *payload)
{
    clu_writer c, p;
    struct control parsed;

    clu_writer_init(&c);
    clu_writer_init(&p);
    put_text(f, &c, control);
    if (payload != NULL)
        put_text(f, &p, payload);
    assert_int_equal(control_parse(&parsed, (clu_slice){c.data, c.len}, (clu_slice){p.data, p.len},
                                   NULL, &f->what),
                     CLU_OK);
    wire_running = true;
    clu_error err = node_receive(&f->node, &f->link, &parsed, &f->what);

    node_turn(&f->node, f->node.now_ms);
    wire_running = false;
    clu_writer_free(&c);
    clu_writer_free(&p);
    return err;
}

/* What was sent since the last time. */
static inline const char *sent(struct fixture *f)
{
    return channel_said(&f->channel, &f->peer, &f->seen);
}

static inline void told(struct fixture *f, const char *control, const char *payload,
                        const char *answer)
{
    assert_int_equal(receive(f, control, payload), CLU_OK);
    assert_string_equal(sent(f), answer);
}

/* ---- the link ---- */

static inline void open_link_with(struct fixture *f, uint64_t flags)
{
    *f = (struct fixture){.what = ""};
    assert_int_equal(node_init(&f->node, "us@h", 5, false), CLU_OK);
    channel_init(&f->channel, flags, 60000, 4, 0);
    channel_init(&f->peer, flags, 60000, 4, 0);
    assert_int_equal(node_link_up(&f->node, &f->link, &f->channel, "p@h", 3, flags), CLU_OK);
    f->n_own = f->node.procs.n_used;
}

/* Nothing stays behind: neither calls, nor the processes that answered them. */
static inline void close_link(struct fixture *f)
{
    assert_int_equal(f->node.procs.n_used, f->n_own);
    assert_true(list_empty(&f->node.calls));
    node_link_down(&f->node, &f->link, "connection_closed");
    node_turn(&f->node, 0);
    channel_fini(&f->channel);
    channel_fini(&f->peer);
    buf_free(&f->seen);
    node_fini(&f->node);
}

/* What a process of a test does with a signal that it does not mind. */
static inline void ignore(clu_process *self, const clu_signal *s, void *arg)
{
    (void)self;
    (void)s;
    (void)arg;
}

static inline void fill(struct fixture *f, size_t len)
{
    uint8_t *bytes = test_calloc(1, len);
    clu_writer w;

    channel_begin(&f->channel, &w, 0);
    clu_put_tuple(&w, 1);
    clu_put_binary(&w, bytes, len);
    assert_int_equal(channel_end(&f->channel, &w), CLU_OK);
    test_free(bytes);
}

#endif
