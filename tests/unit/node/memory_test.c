/* SPDX-License-Identifier: Apache-2.0 */
#include "../failing.h"
#include "node/services.h"
#include "story.h"

/* Each allocation fails once: nothing breaks or leaks (the sanitizers' word), the tables are empty
 * in the end, and whoever was promised a signal has it, or has ended, or the link has. */

#define ACTORS 6

struct scene {
    struct world w;
    struct actor actors[ACTORS]; /* even ones on a@h, odd ones on b@h; the last two are weak */
    size_t n_answers, n_calls;
};

static struct scene scene;

static bool lives(const struct actor *a)
{
    return a->p != NULL && !a->p->ended;
}

static bool begin_scene(void)
{
    struct scene *s = &scene;

    *s = (struct scene){0};
    n_allocations = 0;
    bool whole = world_init(&s->w, 2) && world_join(&s->w, 0, 1);

    for (size_t i = 0; i < ACTORS && whole; i++) {
        static const char *const names[ACTORS] = {"ann", "bob", "abe", "ben", "amy", "bea"};
        clu_spawn_options o = {.trap_exit = i < 4, .name = i < 2 ? names[i] : NULL};

        whole = actor_start(&s->actors[i], &s->w, i % 2, names[i], &o, i == 3);
    }
    return whole;
}

/* All end, and the links: the tables are as they were. */
static bool end_scene(bool whole)
{
    struct world *w = &scene.w;

    for (size_t i = 0; i < ACTORS; i++)
        if (lives(&scene.actors[i]))
            clu_exit(scene.actors[i].p, "shutdown");
    if (w->nodes[w->n - 1].dying.next != NULL) { /* all nodes were made */
        world_run(w);
        world_cut(w, 0, 1);
        world_run(w);
        world_pass(w, 100000);
        for (size_t i = 0; i < w->n; i++) {
            const struct clu_node *n = &w->nodes[i];

            assert_int_equal(n->ties.n_used, 0);
            assert_int_equal(n->bonds.n, 0);
            assert_int_equal(n->watchers.n, 0);
            assert_int_equal(n->timers.n, 0);
            assert_int_equal(map_count(&n->remotes), 0);
        }
    }
    for (size_t i = 0; i < ACTORS; i++)
        actor_fini(&scene.actors[i]);
    world_fini(w);
    return whole;
}

/* ---- links and monitors ---- */

static bool has_heard(struct actor *a, const char *what)
{
    return a->log.err != CLU_OK || strstr(buf_text(&a->log), what) != NULL;
}

/* Of links, of monitors: by themselves, since who comes first makes the room for the others. */
static bool ends_of_links_are_told(void)
{
    bool whole = begin_scene();
    struct actor *ann = &scene.actors[0], *bob = &scene.actors[1], *abe = &scene.actors[2];

    if (!whole)
        return end_scene(false);
    bool far = clu_link(ann->p, &bob->self) == CLU_OK,
         near = clu_link(ann->p, &abe->self) == CLU_OK;

    world_run(&scene.w);
    if (lives(bob))
        clu_exit(bob->p, "oops");
    if (lives(abe))
        clu_exit(abe->p, "oops");
    world_run(&scene.w);
    if (lives(ann))
        assert_true(!near || has_heard(ann, "exit abe"));
    if (lives(ann) && scene.w.errors == 0)
        assert_true(!far || has_heard(ann, "exit bob"));
    return end_scene(far && near && scene.w.errors == 0);
}

static bool ends_of_monitors_are_told(void)
{
    bool whole = begin_scene();
    struct actor *ann = &scene.actors[0], *bob = &scene.actors[1], *abe = &scene.actors[2];

    if (!whole)
        return end_scene(false);
    clu_to far = clu_to_pid(bob->self), near = clu_to_pid(abe->self);
    bool watched = clu_monitor(ann->p, &far).n > 0, near_watched = clu_monitor(ann->p, &near).n > 0;

    world_run(&scene.w);
    if (lives(bob))
        clu_exit(bob->p, "oops");
    if (lives(abe))
        clu_exit(abe->p, "oops");
    world_run(&scene.w);
    if (lives(ann))
        assert_true(!near_watched || has_heard(ann, "down abe"));
    if (lives(ann) && scene.w.errors == 0)
        assert_true(!watched || has_heard(ann, "down bob"));
    return end_scene(watched && near_watched && scene.w.errors == 0);
}

/* The same, while the node is not linked yet: whoever has the link there hears of its end. */
static bool ends_of_held_links_are_told(void)
{
    bool whole = begin_scene();
    struct actor *ann = &scene.actors[0], *bob = &scene.actors[1];

    if (!whole)
        return end_scene(false);
    world_cut(&scene.w, 0, 1);
    scene.w.dial = WORLD_WAITS;
    whole = clu_link(ann->p, &bob->self) == CLU_OK;
    if (lives(ann))
        clu_exit(ann->p, "a reason that is longer than the block in which the link itself is held");
    world_run(&scene.w);
    bool joined = world_join(&scene.w, 0, 1);

    world_run(&scene.w);
    if (lives(bob) && scene.w.ends[0][1].up && scene.w.errors == 0) {
        assert_int_equal(scene.w.nodes[1].bonds.n, 0);
        assert_true(!whole || has_heard(bob, "exit ann"));
    }
    return end_scene(whole && joined && scene.w.errors == 0);
}

static bool links_come_and_go(void)
{
    bool whole = begin_scene();
    struct actor *all = scene.actors;

    for (int round = 0; whole && round < 3; round++) {
        for (size_t i = 0; i < ACTORS; i++)
            for (size_t k = 0; k < ACTORS; k++) {
                clu_to to = clu_to_pid(all[k].self);
                struct clu_process *p = all[i].p;

                if (i == k || p == NULL)
                    continue;
                whole &= clu_link(p, &all[k].self) == CLU_OK;
                if (i < k)
                    whole &= clu_unlink(p, &all[k].self) == CLU_OK;
                clu_ref ref = clu_monitor(p, &to);

                whole &= ref.n > 0;
                if (round == 1)
                    clu_demonitor(p, &ref);
            }
        if (round == 1)
            world_cut(&scene.w, 0, 1); /* the next are held */
        world_run(&scene.w);
    }
    return end_scene(whole && scene.w.errors == 0);
}

/* ---- messages, timers, nodes ---- */

static bool messages_of_all_kinds(void)
{
    bool whole = begin_scene();
    struct actor *all = scene.actors;

    for (int round = 0; whole && round < 2; round++) {
        for (size_t i = 0; i < ACTORS; i++) {
            struct clu_process *p = all[i].p;
            clu_to name = clu_to_name(i % 2 == 0 ? "bob" : "ann", i % 2 == 0 ? "b@h" : "a@h");

            if (p == NULL)
                continue;
            clu_monitor_nodes(p, true);
            clu_ref alias = clu_alias(p), timer = clu_after(p, 10);
            clu_to by_alias = clu_to_alias(alias), by_pid = clu_to_pid(all[(i + 1) % 6].self);

            whole &= alias.n > 0 && timer.n > 0;
            whole &= actor_send(&all[i], &name, "by_name") == CLU_OK;
            whole &= actor_send(&all[i], &by_pid, "by_pid") == CLU_OK;
            if (alias.n > 0 && all[0].p != NULL)
                whole &= actor_send(&all[0], &by_alias, "by_alias") == CLU_OK;
            if (alias.n > 0 && all[1].p != NULL)
                whole &= actor_send(&all[1], &by_alias, "by_alias") == CLU_OK;
            clu_unalias(p, &alias);
            clu_put_nil(clu_cast_begin(p, &name));
            clu_send_cancel(p);
        }
        world_run(&scene.w);
        actor_takes(&all[3]);
        world_pass(&scene.w, 20);
        actor_takes(&all[3]);
        world_cut(&scene.w, 0, 1);
    }
    return end_scene(whole && scene.w.errors == 0);
}

/* ---- calls ---- */

static void on_answer(clu_process *self, const clu_answer *answer, void *arg)
{
    (void)self;
    (void)answer;
    (void)arg;
    scene.n_answers++;
}

static void answer_calls(struct actor *a, const clu_signal *s)
{
    clu_reader msg = s->term;
    struct gen_call gen;

    if (s->kind != CLU_SIGNAL_MESSAGE || !get_gen_call(&msg, &gen))
        return;
    clu_put_int(reply_begin(a->p, &gen), 1);
    send_or_lose(a->p);
}

/* Each that was begun ends in one answer, unless who asked has ended. */
static bool calls_end(void)
{
    bool whole = begin_scene();
    struct actor *all = scene.actors;
    bool lived = true;

    if (!whole)
        return end_scene(false);
    for (size_t i = 0; i < ACTORS; i++) {
        clu_to near = clu_to_pid(all[(i + 2) % 6].self), far = clu_to_pid(all[(i + 1) % 6].self),
               nobody = clu_to_name("nobody", "no@where");
        const clu_to *const to[] = {&near, &far, &nobody};

        all[i].does = answer_calls;
        for (size_t k = 0; k < COUNT(to) && all[i].p != NULL; k++) {
            clu_put_nil(clu_call_begin(all[i].p, to[k], 100));
            clu_error err = clu_call_end(all[i].p, on_answer, NULL, NULL);

            scene.n_calls += err == CLU_OK;
            whole &= err == CLU_OK;
        }
    }
    world_run(&scene.w);
    world_pass(&scene.w, 1000);
    for (size_t i = 0; i < ACTORS; i++)
        lived &= lives(&all[i]);
    if (lived)
        assert_int_equal(scene.n_answers, scene.n_calls);
    return end_scene(whole && lived && scene.w.errors == 0);
}

/* ---- calls in ---- */

static clu_error serve_call(clu_call *call, clu_reader *request, void *arg)
{
    (void)request;
    (void)arg;
    clu_put_atom_text(clu_reply_begin(call), "served");
    return clu_reply_end(call);
}

static void put_state(clu_process *self, clu_writer *w, void *arg)
{
    (void)self;
    (void)arg;
    clu_put_atom_text(w, "state");
}

static clu_error run_function(clu_call *call, clu_reader *args, void *arg)
{
    (void)arg;
    if (clu_get_list(args) != 1)
        return CLU_EBADARG;
    clu_reader first = *args;

    clu_put_term(clu_reply_begin(call), &first);
    return clu_reply_end(call);
}

/* {Word, {Pid, Tag}, Request}, as sys and gen_server ask. */
static bool ask_server(struct actor *a, const char *word, const char *request, uint32_t tag)
{
    clu_to to = clu_to_name("server", "b@h");
    clu_writer *w = clu_send_begin(a->p, &to);

    clu_put_tuple(w, 3);
    clu_put_atom_text(w, word);
    clu_put_tuple(w, 2);
    clu_put_pid(w, &a->self);
    clu_put_uint(w, tag);
    clu_put_atom_text(w, request);
    return clu_send_end(a->p) == CLU_OK;
}

static bool calls_of_others(void)
{
    static const clu_server server = {.call = serve_call, .state = put_state};
    static const char list[] = "l\0\0\0\1a\1j";
    bool whole = begin_scene();
    struct actor *ann = &scene.actors[0];
    struct clu_node *b = &scene.w.nodes[1];

    if (!whole)
        return end_scene(false);
    clu_export(b, "m", "f", 1, run_function, NULL);
    whole &= b->err == CLU_OK && clu_serve(b, "server", &server, NULL) != NULL;
    clu_slice args = {(const uint8_t *)list, sizeof list - 1};

    whole &= clu_spawn_remote(ann->p, "b@h", "m", "f", args, true, true).n > 0;
    whole &= clu_spawn_remote(ann->p, "b@h", "m", "g", args, false, true).n > 0;
    whole &= ask_server(ann, "$gen_call", "work", 1);
    whole &= ask_server(ann, "system", "get_state", 2);
    whole &= ask_server(ann, "system", "get_status", 3);
    world_run(&scene.w);
    whole &= has_heard(ann, "spawned") && has_heard(ann, "served") && has_heard(ann, "state");
    if (clu_whereis(b, "server") != NULL)
        clu_exit(clu_whereis(b, "server"), "shutdown");
    return end_scene(whole && scene.w.errors == 0);
}

/* Two exits at once, a mailbox that is full, a node that ends with all that it has. */
static bool ends_of_all_kinds(void)
{
    bool whole = begin_scene();
    struct actor *all = scene.actors;
    struct atom_term term;

    if (!whole)
        return end_scene(false);
    for (size_t i = 0; i < ACTORS; i++) {
        if (all[i].p != NULL && all[(i + 1) % 6].p != NULL)
            whole &= clu_link(all[i].p, &all[(i + 1) % 6].self) == CLU_OK;
        if (all[i].p != NULL)
            whole &= clu_spawn_remote(all[i].p, "b@h", "m", "f", slice_of("j"), true, true).n > 0;
    }
    if (all[0].p != NULL)
        whole &= clu_exit_signal(all[0].p, &all[5].self, atom_term(&term, "oops")) == CLU_OK;
    if (all[0].p != NULL)
        whole &= clu_exit_signal(all[0].p, &all[2].self, atom_term(&term, "kill")) == CLU_OK;
    world_run(&scene.w);
    if (all[3].p != NULL) {
        all[3].p->mailbox_max = 200;
        for (size_t i = 0; i < 3 && all[1].p != NULL; i++)
            whole &= actor_tell(&all[1], &all[3], "much") == CLU_OK;
    }
    world_run(&scene.w);
    for (size_t i = 0; i < ACTORS; i++)
        actor_fini(&all[i]);
    size_t errors = scene.w.errors;

    world_fini(&scene.w);
    for (size_t i = 0; i < ACTORS; i++)
        actor_fini(&all[i]);
    return whole && errors == 0;
}

static void every_allocation_may_fail(void **state)
{
    static failing_story *const stories[] = {
        ends_of_links_are_told, ends_of_monitors_are_told, ends_of_held_links_are_told,
        links_come_and_go,      messages_of_all_kinds,     calls_end,
        calls_of_others,        ends_of_all_kinds};

    (void)state;
    failing_tell_all(stories, COUNT(stories));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
