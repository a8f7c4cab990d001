/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_LIB_SEEN_H
#define TESTS_UNIT_LIB_SEEN_H

#include <stdio.h>

#include "nodes.h"

/* What test@127.0.0.2, a node of a program, sees of test@127.0.0.3, another one. */

struct seen {
    clu_node *one, *two;
    int up, down, pongs, failures;
    char text[256];
};

static inline void on_signal(clu_process *self, const clu_signal *s, void *arg)
{
    struct seen *seen = arg;

    (void)self;
    seen->up += s->kind == CLU_SIGNAL_NODE_UP && clu_slice_is(s->node, "test@127.0.0.3");
    seen->down += s->kind == CLU_SIGNAL_NODE_DOWN && clu_slice_is(s->node, "test@127.0.0.3");
}

static inline void on_pong(clu_node *node, const char *name, const char *failure, void *arg)
{
    struct seen *seen = arg;

    assert_ptr_equal(node, seen->one);
    snprintf(seen->text, sizeof seen->text, "%s: %s", name, failure == NULL ? "pong" : failure);
    seen->pongs += failure == NULL;
    seen->failures += failure != NULL;
}

static inline bool has_pong(void *arg)
{
    const struct seen *seen = arg;

    return seen->pongs > 0 && seen->up > 0;
}

static inline void observe(struct seen *seen)
{
    clu_process *p = clu_spawn(seen->one, &(clu_spawn_options){.receive = on_signal, .arg = seen});

    assert_non_null(p);
    clu_monitor_nodes(p, true);
}

#endif
