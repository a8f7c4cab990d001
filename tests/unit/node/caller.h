/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_NODE_CALLER_H
#define TESTS_NODE_CALLER_H

#include "wire.h"

/* A node with a process that calls; what it is answered stands in the notes. */

static inline void answered(clu_process *self, const clu_answer *a, void *arg)
{
    static const char *const outcomes[] = {"answered", "raised", "no_process", "timed_out"};
    struct fixture *f = arg;
    clu_reader term = a->term, stack = a->stack;
    clu_writer text;

    (void)self;
    buf_put_text(&f->notes, outcomes[a->outcome]);
    clu_writer_init(&text);
    if (a->exception.len > 0) {
        buf_put_byte(&f->notes, ' ');
        buf_put(&f->notes, a->exception.data, a->exception.len);
    }
    if (term.pos != term.end) {
        buf_put_byte(&f->notes, ' ');
        assert_int_equal(clu_print(&term, &text), CLU_OK);
    }
    if (stack.pos != stack.end) {
        clu_put_bytes(&text, " at ", 4);
        assert_int_equal(clu_print(&stack, &text), CLU_OK);
    }
    buf_put(&f->notes, text.data, text.len);
    buf_put_byte(&f->notes, '\n');
    clu_writer_free(&text);
}

static inline clu_process *open_link(struct fixture *f, uint64_t flags)
{
    open_link_with(f, flags);
    clu_process *p = clu_spawn(&f->node, &(clu_spawn_options){.receive = ignore, .arg = f});

    assert_non_null(p);
    f->self = clu_self(p);
    return p;
}

static inline void end(struct fixture *f)
{
    clu_process *p = clu_find(&f->node, &f->self);

    if (p != NULL)
        clu_exit(p, "shutdown");
    node_turn(&f->node, 0);
    buf_free(&f->notes);
    assert_int_equal(f->node.ties.n_used, 0);
    assert_int_equal(f->node.timers.n, 0);
    close_link(f);
}

/* lists:sum([1, 2]) at a node. */
static inline clu_ref rpc(struct fixture *f, const char *node, uint64_t timeout_ms)
{
    clu_process *p = clu_find(&f->node, &f->self);
    clu_ref ref;

    put_text(f, clu_rpc_begin(p, node, "lists", "sum", timeout_ms), "[[1,2]]");
    assert_int_equal(clu_call_end(p, answered, f, &ref), CLU_OK);
    node_turn(&f->node, f->node.now_ms);
    return ref;
}

#endif
