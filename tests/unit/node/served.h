/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_NODE_SERVED_H
#define TESTS_NODE_SERVED_H

#include "wire.h"

/* A node with a server and three processes that a peer may ask: served, mute, plain, box. */

static inline clu_error serve_call(clu_call *call, clu_reader *asked, void *arg)
{
    struct fixture *f = arg;
    clu_slice word = clu_get_atom(asked);

    if (slice_is(word, "later")) {
        f->pending = call;
        return CLU_PENDING;
    }
    if (slice_is(word, "throw") || slice_is(word, "exit") || slice_is(word, "error")) {
        char class[8];

        text_set(class, sizeof class, word);
        clu_put_atom_text(clu_raise_begin(call, class), "oops");
    } else if (slice_is(word, "who")) {
        clu_pid from = clu_call_from(call);

        assert_ptr_equal(clu_call_self(call), clu_whereis(clu_call_node(call), "served"));
        clu_put_pid(clu_reply_begin(call), &from);
    } else {
        return CLU_EBADARG;
    }
    return clu_reply_end(call);
}

static inline void note(struct fixture *f, const char *kind, const clu_reader *term)
{
    clu_reader r = *term;
    clu_writer text;

    clu_writer_init(&text);
    clu_put_bytes(&text, kind, strlen(kind));
    assert_int_equal(clu_print(&r, &text), CLU_OK);
    buf_put(&f->notes, text.data, text.len);
    buf_put_byte(&f->notes, '\n');
    clu_writer_free(&text);
}

static inline void note_node(struct fixture *f, const char *kind, clu_slice node)
{
    buf_put_text(&f->notes, kind);
    buf_put_slice(&f->notes, node);
    buf_put_byte(&f->notes, '\n');
}

static inline void serve_cast(clu_process *self, clu_reader *asked, void *arg)
{
    assert_ptr_equal(clu_process_arg(self), arg);
    note(arg, "cast ", asked);
}

static inline void serve_info(clu_process *self, const clu_signal *s, void *arg)
{
    (void)self;
    if (s->kind == CLU_SIGNAL_MESSAGE)
        note(arg, "info ", &s->term);
    if (s->kind == CLU_SIGNAL_WRITABLE)
        note_node(arg, "writable ", s->node);
}

static inline void serve_state(clu_process *self, clu_writer *w, void *arg)
{
    (void)self;
    (void)arg;
    clu_put_atom_text(w, "well");
}

static inline void serve_stopped(clu_process *self, clu_slice reason, void *arg)
{
    struct fixture *f = arg;
    clu_reader r = reader_of(reason);

    (void)self;
    note(f, "stopped ", &r);
    f->n_stopped++;
}

static const clu_server served = {serve_call, serve_cast, serve_info, serve_state, serve_stopped};
static const clu_server mute;

static inline void open_link_flags(struct fixture *f, uint64_t flags)
{
    open_link_with(f, flags);
    clu_process *p = clu_serve(&f->node, "served", &served, f);

    assert_non_null(p);
    f->self = clu_self(p);
    assert_non_null(clu_serve(&f->node, "mute", &mute, NULL));
    assert_non_null(clu_spawn(&f->node, &(clu_spawn_options){.name = "plain", .receive = ignore}));
    assert_non_null(clu_spawn(&f->node, &(clu_spawn_options){.name = "box"}));
}

static inline void open_link(struct fixture *f)
{
    open_link_flags(f, NODE_FLAGS);
}

static inline void end(struct fixture *f)
{
    static const char *const names[] = {"served", "mute", "plain", "box"};

    for (size_t i = 0; i < COUNT(names); i++)
        if (clu_whereis(&f->node, names[i]) != NULL)
            clu_exit(clu_whereis(&f->node, names[i]), "shutdown");
    node_turn(&f->node, 0);
    buf_free(&f->notes);
    close_link(f);
}

static inline void watch(struct fixture *f, const char *name)
{
    char control[64];

    snprintf(control, sizeof control, "{19,caller,%s,request}", name);
    assert_int_equal(receive(f, control, NULL), CLU_OK);
}

/* {Word, {Caller, [alias | Request]}, Question} to a name. */
static inline const char *ask(struct fixture *f, const char *name, const char *word,
                              const char *question)
{
    char control[64], payload[256];

    snprintf(control, sizeof control, "{6,caller,'',%s}", name);
    snprintf(payload, sizeof payload, "{%s,{caller,[alias|request]},%s}", word, question);
    assert_int_equal(receive(f, control, payload), CLU_OK);
    const char *answer = sent(f), *begin = strstr(answer, "} {[alias|#Ref<p@h.8.7.6>],");

    return begin == NULL ? answer : begin + strlen("} {[alias|#Ref<p@h.8.7.6>],");
}

#endif
