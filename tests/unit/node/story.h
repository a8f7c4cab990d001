/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_NODE_STORY_H
#define TESTS_NODE_STORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "world.h"

/* Two nodes that are joined, three processes on each: who trap exits, and who do not (weak). */
struct story {
    struct world w;
    struct actor ann, abe, amy; /* of a@h: amy is weak */
    struct actor bob, ben, bea; /* of b@h: bea is weak */
    struct buf said;
};

static inline void start(struct actor *a, struct world *w, size_t i, const char *name, bool trap)
{
    assert_true(actor_start(a, w, i, name, &(clu_spawn_options){.trap_exit = trap}, false));
}

static inline void begin(struct story *s)
{
    *s = (struct story){0};
    assert_true(world_init(&s->w, 2));
    assert_true(world_join(&s->w, 0, 1));
    start(&s->ann, &s->w, 0, "ann", true);
    start(&s->abe, &s->w, 0, "abe", true);
    start(&s->amy, &s->w, 0, "amy", false);
    start(&s->bob, &s->w, 1, "bob", true);
    start(&s->ben, &s->w, 1, "ben", true);
    start(&s->bea, &s->w, 1, "bea", false);
}

/* What all leave behind when they have ended is nothing. */
static inline void end(struct story *s)
{
    struct world *w = &s->w;

    for (size_t i = 0; i < w->n_actors; i++)
        if (w->actors[i]->p != NULL)
            clu_exit(w->actors[i]->p, "shutdown");
    world_run(w);
    for (size_t i = 0; i < w->n; i++) {
        const struct clu_node *n = &w->nodes[i];

        assert_int_equal(n->ties.n_used, 0);
        assert_int_equal(n->bonds.n, 0);
        assert_int_equal(n->watchers.n, 0);
        assert_int_equal(n->timers.n, 0);
    }
    assert_int_equal(w->errors, 0);
    for (size_t a = 0; a < w->n; a++)
        for (size_t b = 0; b < a; b++)
            world_cut(w, a, b);
    for (size_t i = 0; i < w->n; i++)
        assert_int_equal(map_count(&w->nodes[i].remotes), 0);
    for (size_t i = 0; i < w->n_actors; i++)
        actor_fini(w->actors[i]);
    world_fini(w);
    buf_free(&s->said);
}

/* A test that finds its story begun, in *state, and leaves the end to us; actors of its own are
 * static, since they live until then. */
#define STORY(test) cmocka_unit_test_setup_teardown(test, story_begin, story_end)

static inline int story_begin(void **state)
{
    static struct story story;

    begin(&story);
    *state = &story;
    return 0;
}

static inline int story_end(void **state)
{
    end(*state);
    return 0;
}

#define expect(story, actor, text) assert_string_equal(actor_said(actor, &(story)->said), text)

static inline void ok(clu_error err)
{
    assert_int_equal(err, CLU_OK);
}

static inline void link_to(struct actor *a, const struct actor *b)
{
    ok(clu_link(a->p, &b->self));
}

static inline void unlink_from(struct actor *a, const struct actor *b)
{
    ok(clu_unlink(a->p, &b->self));
}

#endif
