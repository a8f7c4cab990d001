/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include "../dist/drain.h"
#include "node/global.h"

/* More rounds than any story needs. */
#define ROUNDS_MAX 10000

const char *world_name(size_t i)
{
    static const char *const names[WORLD_NODES] = {"a@h", "b@h", "c@h", "d@h", "e@h", "f@h", "g@h"};

    return names[i];
}

bool world_init(struct world *w, size_t n)
{
    *w = (struct world){.n = n, .now = 1000, .flags = WORLD_FLAGS, .what = ""};
    for (size_t i = 0; i < n; i++) {
        if (node_init(&w->nodes[i], world_name(i), (uint32_t)(i + 4), false) != CLU_OK)
            return false;
        node_now(&w->nodes[i], w->now);
    }
    return true;
}

void world_fini(struct world *w)
{
    for (size_t a = 0; a < w->n; a++)
        for (size_t b = 0; b < a; b++)
            world_cut(w, a, b);
    for (size_t i = 0; i < w->n; i++)
        node_fini(&w->nodes[i]);
}

/* ---- links ---- */

static void tell_lost(struct world *w, size_t a, size_t b)
{
    if (w->lost != NULL)
        w->lost(w, a, b);
}

void world_unreachable(struct world *w, size_t a, size_t b)
{
    tell_lost(w, a, b);
    node_unreachable(&w->nodes[a], world_name(b));
}

static bool open_end(struct world *w, size_t a, size_t b)
{
    struct world_end *e = &w->ends[a][b];

    *e = (struct world_end){.up = true};
    channel_init(&e->channel, w->flags, 60000, 4, w->now);
    return node_link_up(&w->nodes[a], &e->link, &e->channel, world_name(b), (uint32_t)(b + 4),
                        w->flags) == CLU_OK;
}

static void close_end(struct world *w, size_t a, size_t b)
{
    struct world_end *e = &w->ends[a][b];

    if (!e->up)
        return;
    e->up = false;
    tell_lost(w, a, b);
    node_link_down(&w->nodes[a], &e->link, "connection_closed");
    channel_fini(&e->channel);
    buf_free(&e->flight);
}

bool world_join(struct world *w, size_t a, size_t b)
{
    if (w->ends[a][b].up || a == b)
        return true;
    bool up = open_end(w, a, b);

    if (up && open_end(w, b, a))
        return true;
    world_cut(w, a, b);
    return false;
}

void world_cut(struct world *w, size_t a, size_t b)
{
    close_end(w, a, b);
    close_end(w, b, a);
}

static void break_link(struct world *w, size_t a, size_t b, const char *what)
{
    w->errors++;
    w->what = what;
    world_cut(w, a, b);
}

/* ---- steps ---- */

/* w->n: none of ours. */
static size_t index_of(const struct world *w, const char *name)
{
    size_t i = 0;

    while (i < w->n && strcmp(world_name(i), name) != 0)
        i++;
    return i;
}

/* What global wants to be cut. */
static void cut_wanted(struct world *w, size_t a)
{
    const char *name;

    while ((name = global_next_cut(&w->nodes[a])) != NULL) {
        size_t b = index_of(w, name);

        if (b < w->n)
            world_cut(w, a, b);
    }
    bool out = global_wants_out(&w->nodes[a]);

    for (size_t b = 0; out && b < w->n; b++)
        world_cut(w, a, b);
}

static void dial(struct world *w, size_t a, const char *name)
{
    size_t b = index_of(w, name);

    if (b == w->n) {
        node_unreachable(&w->nodes[a], name);
        return;
    }
    enum world_dial dial = w->dial == WORLD_ASKS ? w->asked(w, a, b) : w->dial;

    if (dial == WORLD_REFUSES || (dial == WORLD_JOINS && !world_join(w, a, b)))
        world_unreachable(w, a, b);
}

static void fill(const struct world *w, struct world_end *e)
{
    size_t room = w->room == 0 ? SIZE_MAX : w->room;

    while (e->flight.len < room && e->flight.err == CLU_OK &&
           take_pending(&e->channel, &e->flight, room - e->flight.len, w->now) > 0)
        continue;
}

void world_turn(struct world *w, size_t a)
{
    const char *name;

    node_turn(&w->nodes[a], w->now);
    while ((name = node_next_wanted(&w->nodes[a])) != NULL)
        dial(w, a, name);
    cut_wanted(w, a);
    while (node_next_talking(&w->nodes[a]) != NULL)
        continue;
    for (size_t b = 0; b < w->n; b++) {
        struct world_end *e = &w->ends[a][b];

        if (!e->up)
            continue;
        fill(w, e);
        if (e->channel.err != CLU_OK || e->flight.err != CLU_OK)
            break_link(w, a, b, e->channel.err != CLU_OK ? e->channel.what : "no memory");
        else if (!channel_is_busy(&e->channel))
            node_writable(&e->link);
    }
}

static clu_error receive(struct world *w, size_t a, size_t b, const char **what)
{
    struct world_end *e = &w->ends[b][a];
    struct frame f;
    clu_error err = CLU_OK;

    node_now(&w->nodes[b], w->now);
    while (err == CLU_OK && channel_next(&e->channel, &f))
        err = node_frame(&w->nodes[b], &e->link, &f, what);
    if (err == CLU_OK && e->channel.err != CLU_OK)
        *what = e->channel.what;
    return err == CLU_OK ? e->channel.err : err;
}

bool world_carry(struct world *w, size_t a, size_t b)
{
    struct world_end *e = &w->ends[a][b];
    const char *what = "";

    if (!e->up || e->flight.len == 0 || (e->left == 0 && e->flight.len < 4))
        return false;
    if (e->left == 0)
        e->left = 4 + (size_t)get_be32(e->flight.data);
    size_t size = (size_t)min_u64(e->left, e->flight.len);

    e->left -= size;

    channel_feed(&w->ends[b][a].channel, e->flight.data, size, w->now);
    if (receive(w, a, b, &what) != CLU_OK)
        break_link(w, a, b, what);
    else
        buf_drop(&e->flight, size);
    return true;
}

static bool is_quiet(const struct world *w)
{
    for (size_t a = 0; a < w->n; a++) {
        if (node_deadline(&w->nodes[a]) <= w->now || !list_empty(&w->nodes[a].talking) ||
            !list_empty(&w->nodes[a].wanted))
            return false;
        for (size_t b = 0; b < w->n; b++)
            if (w->ends[a][b].up &&
                (w->ends[a][b].flight.len > 0 || channel_queued(&w->ends[a][b].channel) > 0))
                return false;
    }
    return true;
}

void world_run(struct world *w)
{
    for (size_t round = 0; round < ROUNDS_MAX; round++) {
        for (size_t a = 0; a < w->n; a++) {
            node_tick(&w->nodes[a], w->now);
            world_turn(w, a);
            for (size_t b = 0; b < w->n; b++)
                while (world_carry(w, a, b))
                    continue;
        }
        if (is_quiet(w))
            return;
    }
}

void world_pass(struct world *w, uint64_t ms)
{
    w->now += ms;
    world_run(w);
}

/* ---- actors ---- */

static void put_pid(struct buf *out, const struct world *w, const clu_pid *pid)
{
    for (size_t i = 0; i < w->n_actors; i++) {
        const clu_pid *p = &w->actors[i]->self;

        if (p->id == pid->id && p->serial == pid->serial && p->creation == pid->creation &&
            slice_equal(p->node, pid->node)) {
            buf_put_text(out, w->actors[i]->name);
            return;
        }
    }
    buf_put_text(out, "?");
}

static void put_term(struct buf *out, clu_reader term)
{
    clu_writer text;

    if (term.pos == term.end)
        return;
    clu_writer_init(&text);
    buf_put_byte(out, ' ');
    if (clu_print(&term, &text) == CLU_OK)
        buf_put(out, text.data, text.len);
    else
        buf_put_text(out, "(bad term)");
    clu_writer_free(&text);
}

void actor_note(struct actor *a, const clu_signal *s)
{
    static const char *const kinds[] = {
        [CLU_SIGNAL_MESSAGE] = "message",
        [CLU_SIGNAL_EXIT] = "exit",
        [CLU_SIGNAL_DOWN] = "down",
        [CLU_SIGNAL_TIMEOUT] = "timeout",
        [CLU_SIGNAL_SPAWNED] = "spawned",
        [CLU_SIGNAL_NODE_UP] = "up",
        [CLU_SIGNAL_NODE_DOWN] = "gone",
        [CLU_SIGNAL_WRITABLE] = "writable",
        [CLU_SIGNAL_STREAM_LOST] = "stream lost",
    };
    struct buf *out = &a->log;

    buf_put_text(out, kinds[s->kind]);
    if (s->from.node.len > 0) {
        buf_put_byte(out, ' ');
        put_pid(out, a->world, &s->from);
    }
    if (s->name.len > 0) {
        buf_put_byte(out, ' ');
        buf_put_slice(out, s->name);
    }
    if (s->node.len > 0) {
        buf_put_byte(out, ' ');
        buf_put_slice(out, s->node);
    }
    put_term(out, s->term);
    buf_put_byte(out, '\n');
}

static void on_signal(clu_process *self, const clu_signal *s, void *arg)
{
    struct actor *a = arg;

    (void)self;
    a->n++;
    actor_note(a, s);
    if (a->does != NULL)
        a->does(a, s);
}

static void on_stopped(clu_process *self, clu_slice reason, void *arg)
{
    struct actor *a = arg;

    (void)self;
    buf_put_text(&a->log, "ended");
    put_term(&a->log, reader_of(reason));
    buf_put_byte(&a->log, '\n');
    if (a->stopped != NULL)
        a->stopped(a);
    a->p = NULL;
}

bool actor_start(struct actor *a, struct world *w, size_t i, const char *name,
                 const clu_spawn_options *options, bool takes)
{
    clu_spawn_options o = options == NULL ? (clu_spawn_options){0} : *options;

    *a = (struct actor){.world = w, .name = name};
    o.receive = takes ? NULL : on_signal;
    o.stopped = on_stopped;
    o.arg = a;
    a->p = clu_spawn(&w->nodes[i], &o);
    if (a->p == NULL)
        return false;
    a->self = clu_self(a->p);
    if (w->n_actors < WORLD_ACTORS)
        w->actors[w->n_actors++] = a;
    return true;
}

void actor_fini(struct actor *a)
{
    buf_free(&a->log);
}

clu_error actor_send(struct actor *a, const clu_to *to, const char *text)
{
    clu_put_atom_text(clu_send_begin(a->p, to), text);
    return clu_send_end(a->p);
}

clu_error actor_tell(struct actor *a, const struct actor *b, const char *text)
{
    clu_to to = clu_to_pid(b->self);

    return actor_send(a, &to, text);
}

void actor_takes(struct actor *a)
{
    clu_signal s;

    while (a->p != NULL && clu_take(a->p, &s))
        actor_note(a, &s);
}

void actor_answered(clu_process *self, const clu_answer *answer, void *arg)
{
    static const char *const outcomes[] = {
        [CLU_ANSWERED] = "answered",
        [CLU_RAISED] = "raised",
        [CLU_NO_PROCESS] = "no process",
        [CLU_TIMED_OUT] = "timed out",
    };
    struct actor *a = arg;

    (void)self;
    buf_put_text(&a->log, outcomes[answer->outcome]);
    put_term(&a->log, answer->term);
    buf_put_byte(&a->log, '\n');
}

const char *actor_said(struct actor *a, struct buf *said)
{
    buf_free(said);
    *said = a->log;
    a->log = (struct buf){0};
    return buf_text(said);
}
