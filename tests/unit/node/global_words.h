/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_NODE_GLOBAL_WORDS_H
#define TESTS_NODE_GLOBAL_WORDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <erlclu/format.h>

#include "dist/flags.h"
#include "node/global_impl.h"
#include "said.h"

/* Our node us@h, and peers of whom only the words are there. p@h is the lesser node: it decides
 * conflicts; z@h is the greater one, and the boss. */

#define FLAGS (DFLAGS_OFFERED | DFLAG_PUBLISHED)
#define PEERS 2

static const char *const names[PEERS] = {"p@h", "z@h"};

struct peer {
    struct channel channel, far;
    struct node_link link;
    bool up;
    bool answers; /* calls, with true */
    clu_pid server, locker, registrar;
};

struct fixture {
    struct clu_node node;
    struct peer peers[PEERS];
    struct buf said;
    uint64_t now;
    clu_ref ref;
};

/* ---- the peers ---- */

static inline clu_pid pid_of(size_t i, uint32_t id)
{
    return (clu_pid){.node = slice_of(names[i]), .id = id, .serial = 1, .creation = 7};
}

static inline void link_up(struct fixture *f, size_t i)
{
    struct peer *p = &f->peers[i];

    channel_init(&p->channel, FLAGS, 60000, 4, f->now);
    channel_init(&p->far, FLAGS, 60000, 4, f->now);
    p->server = pid_of(i, 10);
    p->locker = pid_of(i, 20);
    p->registrar = pid_of(i, 30);
    assert_int_equal(node_link_up(&f->node, &p->link, &p->channel, names[i], 7, FLAGS), CLU_OK);
    p->up = true;
    node_turn(&f->node, f->now);
}

static inline void link_down(struct fixture *f, size_t i, const char *reason)
{
    struct peer *p = &f->peers[i];

    if (!p->up)
        return;
    p->up = false;
    node_link_down(&f->node, &p->link, reason);
    node_turn(&f->node, f->now);
    channel_fini(&p->channel);
    channel_fini(&p->far);
}

static inline void begin(struct fixture *f)
{
    *f = (struct fixture){.now = 1000};
    f->ref = (clu_ref){.node = slice_of("p@h"), .creation = 7, .n = 3, .words = {1, 2, 3}};
    assert_int_equal(node_init(&f->node, "us@h", 5, false), CLU_OK);
    assert_int_equal(clu_global_start(&f->node, 42), CLU_OK);
    assert_int_equal(clu_global_start(&f->node, 42), CLU_EEXIST);
    node_turn(&f->node, f->now);
}

static inline void end(struct fixture *f)
{
    for (size_t i = 0; i < PEERS; i++)
        link_down(f, i, "connection_closed");
    buf_free(&f->said);
    node_fini(&f->node);
}

static inline void pass(struct fixture *f, uint64_t ms)
{
    uint64_t until = f->now + ms;

    while (node_deadline(&f->node) <= until) {
        f->now = max_u64(f->now, node_deadline(&f->node));
        node_tick(&f->node, f->now);
        node_turn(&f->node, f->now);
    }
    f->now = until;
    node_turn(&f->node, f->now);
}

static inline clu_reader payload_of(const struct frame *f)
{
    clu_reader r = reader_of(f->payload);

    r.refs = f->refs;
    return r;
}

static inline void answer(struct fixture *f, size_t i, clu_reader message);

/* The messages that have gone to a peer since the last time; monitors are left out. */
static inline const char *said(struct fixture *f, size_t i)
{
    struct peer *p = &f->peers[i];
    struct buf out = {0};
    struct frame frame;

    buf_reset(&f->said);
    for (;;) {
        take_all(&p->channel, &out, f->now);
        if (out.len == 0)
            break;
        channel_feed(&p->far, out.data, out.len, f->now);
        while (channel_next(&p->far, &frame)) {
            if (frame.payload.len == 0)
                continue;
            print_term(&f->said, frame.payload, frame.refs);
            buf_put_byte(&f->said, '\n');
            if (p->answers)
                answer(f, i, payload_of(&frame));
        }
        assert_int_equal(p->far.err, CLU_OK);
        buf_reset(&out);
    }
    buf_free(&out);
    return buf_text(&f->said);
}

static inline void says(struct fixture *f, size_t i, const char *expected)
{
    const char *text = said(f, i);

    if (strstr(text, expected) == NULL)
        fail_msg("%s: expected %s in:\n%s", names[i], expected, text);
}

static inline void says_nothing(struct fixture *f, size_t i)
{
    assert_string_equal(said(f, i), "");
}

/* Sends a message, with its sender, to our global_name_server. */
static inline void hear(struct fixture *f, size_t i, const clu_writer *message, const clu_pid *from)
{
    struct control c;
    const char *what = NULL;
    clu_writer w;

    assert_int_equal(message->err, CLU_OK);
    clu_writer_init(&w);
    control_put_send_to_name(&w, from, slice_of("global_name_server"));
    assert_int_equal(control_parse(&c, written(&w), written(message), NULL, &what), CLU_OK);
    assert_int_equal(node_receive(&f->node, &f->peers[i].link, &c, &what), CLU_OK);
    node_turn(&f->node, f->now);
    clu_writer_free(&w);
}

/* {'$gen_call', {Pid, Tag}, Request}: {Tag, true} to the pid. */
static inline void answer(struct fixture *f, size_t i, clu_reader message)
{
    clu_reader tag, request;
    const char *what = NULL;
    struct control c;
    clu_writer w, a;
    clu_pid pid;

    if (clu_match(&message, "{'$gen_call',{~p,~t},~t}", &pid, &tag, &request) != CLU_OK)
        return;
    clu_writer_init(&w);
    clu_writer_init(&a);
    control_put_send(&w, &pid);
    assert_int_equal(clu_format(&a, "{~t,true}", tag), CLU_OK);
    assert_int_equal(control_parse(&c, written(&w), written(&a), NULL, &what), CLU_OK);
    assert_int_equal(node_receive(&f->node, &f->peers[i].link, &c, &what), CLU_OK);
    node_turn(&f->node, f->now);
    clu_writer_free(&w);
    clu_writer_free(&a);
}

#define HEAR(f, i, ...)                                                                            \
    do {                                                                                           \
        clu_writer message_;                                                                       \
        clu_writer_init(&message_);                                                                \
        assert_int_equal(clu_format(&message_, __VA_ARGS__), CLU_OK);                              \
        hear(f, i, &message_, &(f)->peers[i].server);                                              \
        clu_writer_free(&message_);                                                                \
    } while (0)

/* ---- steps of a session with peer i, whose tags are 500 (his) and `tag` (ours) ---- */

static inline void init_connect(struct fixture *f, size_t i)
{
    HEAR(f, i, "{'$gen_cast',{init_connect,{8,500},~a,{locker,no_longer_a_pid,#{},~p}}}", names[i],
         f->peers[i].locker);
}

static inline void ack(struct fixture *f, size_t i, int tag)
{
    HEAR(f, i, "{init_connect_ack,~a,~i,500}", names[i], tag);
}

static inline void he_locks(struct fixture *f, size_t i, const clu_pid *who, const clu_writer *id)
{
    HEAR(f, i, "{'$gen_call',{~p,[alias|~r]},{set_lock,~t}}", *who, f->ref, written(id));
}

static inline void he_unlocks(struct fixture *f, size_t i, const clu_pid *who, const clu_writer *id)
{
    HEAR(f, i, "{'$gen_call',{~p,[alias|~r]},{del_lock,~t}}", *who, f->ref, written(id));
}

/* {global, [Locker, Locker]}: his comes first: its serial is the lesser one. */
static inline void lockers(struct fixture *f, size_t i, clu_writer *id)
{
    clu_pid mine = clu_self(f->node.global->lockers);

    clu_writer_init(id);
    assert_int_equal(clu_format(id, "{global,[~p,~p]}", f->peers[i].locker, mine), CLU_OK);
}

static inline void he_says_set(struct fixture *f, size_t i, int tag, bool set)
{
    HEAR(f, i, "{'$gen_cast',{lock_set,~p,~o,[],~i}}", f->peers[i].locker, set, tag);
}

static inline void exchange(struct fixture *f, size_t i, int tag, const char *name,
                            const clu_pid *pid)
{
    if (name == NULL)
        HEAR(f, i, "{'$gen_cast',{exchange,~a,[],[],~i}}", names[i], tag);
    else
        HEAR(f, i, "{'$gen_cast',{exchange,~a,[{~a,~p,method}],[],~i}}", names[i], name, *pid, tag);
}

static inline void resolved(struct fixture *f, size_t i, int tag)
{
    HEAR(f, i, "{'$gen_cast',{resolved,~a,[],[],unused,[],~i}}", names[i], tag);
}

#define STEPS 7

/* The n-th step of a session in which he asks for the lock. */
static inline void step(struct fixture *f, size_t i, int n, int tag)
{
    clu_writer id;

    lockers(f, i, &id);
    switch (n) {
    case 0: init_connect(f, i); break;
    case 1: ack(f, i, tag); break;
    case 2: he_locks(f, i, &f->peers[i].locker, &id); break;
    case 3: he_says_set(f, i, tag, true); break;
    case 4: exchange(f, i, tag, NULL, NULL); break;
    case 5: resolved(f, i, tag); break;
    case 6: he_unlocks(f, i, &f->peers[i].locker, &id); break;
    }
    clu_writer_free(&id);
}

static inline void meet(struct fixture *f, size_t i, int tag)
{
    link_up(f, i);
    f->peers[i].answers = true;
    for (int n = 0; n < STEPS; n++) {
        step(f, i, n, tag);
        for (size_t k = 0; k < 2 * PEERS; k++)
            if (f->peers[k % PEERS].up)
                said(f, k % PEERS);
    }
}

static inline bool knows(struct fixture *f, const char *node)
{
    struct nodelist known = {0};

    peers_known(f->node.global, &known);
    bool has = nodelist_has(&known, slice_of(node));

    nodelist_free(&known);
    return has;
}

/* ---- what a program asks ---- */

/* The atom that answered last. */
static char word[16];

static inline void on_answer(clu_process *self, const clu_answer *a, void *arg)
{
    clu_reader r = a->term;

    (void)self;
    (void)arg;
    text_set(word, sizeof word, clu_get_atom(&r));
}

static inline void nothing(clu_process *self, const clu_signal *s, void *arg)
{
    (void)self;
    (void)s;
    (void)arg;
}

static inline clu_process *spawn(struct fixture *f)
{
    return clu_spawn(&f->node, &(clu_spawn_options){.receive = nothing});
}

static const uint8_t x_term[] = {ETF_SMALL_ATOM_UTF8, 1, 'x'};
static const clu_slice x = {x_term, sizeof x_term};

static inline clu_process *register_x(struct fixture *f)
{
    clu_process *p = spawn(f);
    clu_pid pid = clu_self(p);

    word[0] = '\0';
    assert_int_not_equal(clu_global_register(p, x, &pid, CLU_RESOLVE_EXIT, on_answer, NULL).n, 0);
    return p;
}

#endif
