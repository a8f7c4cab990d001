/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include <erlclu/format.h>

#include "../dist/drain.h"
#include "dist/flags.h"
#include "node/global_impl.h"

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

static clu_pid pid_of(size_t i, uint32_t id)
{
    return (clu_pid){.node = slice_of(names[i]), .id = id, .serial = 1, .creation = 7};
}

static void link_up(struct fixture *f, size_t i)
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

static void link_down(struct fixture *f, size_t i, const char *reason)
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

static void begin(struct fixture *f)
{
    *f = (struct fixture){.now = 1000};
    f->ref = (clu_ref){.node = slice_of("p@h"), .creation = 7, .n = 3, .words = {1, 2, 3}};
    assert_int_equal(node_init(&f->node, "us@h", 5, false), CLU_OK);
    assert_int_equal(clu_global_start(&f->node, 42), CLU_OK);
    assert_int_equal(clu_global_start(&f->node, 42), CLU_EEXIST);
    node_turn(&f->node, f->now);
}

static void end(struct fixture *f)
{
    for (size_t i = 0; i < PEERS; i++)
        link_down(f, i, "connection_closed");
    buf_free(&f->said);
    node_fini(&f->node);
}

static void pass(struct fixture *f, uint64_t ms)
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

static clu_reader payload_of(const struct frame *f)
{
    clu_reader r = reader_of(f->payload);

    r.refs = f->refs;
    return r;
}

static void print(struct buf *out, clu_reader r)
{
    clu_writer text;

    clu_writer_init(&text);
    assert_int_equal(clu_print(&r, &text), CLU_OK);
    buf_put(out, text.data, text.len);
    clu_writer_free(&text);
}

static void answer(struct fixture *f, size_t i, clu_reader message);

/* The messages that have gone to a peer since the last time; monitors are left out. */
static const char *said(struct fixture *f, size_t i)
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
            print(&f->said, payload_of(&frame));
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

static void says(struct fixture *f, size_t i, const char *expected)
{
    const char *text = said(f, i);

    if (strstr(text, expected) == NULL)
        fail_msg("%s: expected %s in:\n%s", names[i], expected, text);
}

static void says_nothing(struct fixture *f, size_t i)
{
    assert_string_equal(said(f, i), "");
}

/* Sends a message, with its sender, to our global_name_server. */
static void hear(struct fixture *f, size_t i, const clu_writer *message, const clu_pid *from)
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
static void answer(struct fixture *f, size_t i, clu_reader message)
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

static void init_connect(struct fixture *f, size_t i)
{
    HEAR(f, i, "{'$gen_cast',{init_connect,{8,500},~a,{locker,no_longer_a_pid,#{},~p}}}", names[i],
         f->peers[i].locker);
}

static void ack(struct fixture *f, size_t i, int tag)
{
    HEAR(f, i, "{init_connect_ack,~a,~i,500}", names[i], tag);
}

static void he_locks(struct fixture *f, size_t i, const clu_pid *who, const clu_writer *id)
{
    HEAR(f, i, "{'$gen_call',{~p,[alias|~r]},{set_lock,~t}}", *who, f->ref, written(id));
}

static void he_unlocks(struct fixture *f, size_t i, const clu_pid *who, const clu_writer *id)
{
    HEAR(f, i, "{'$gen_call',{~p,[alias|~r]},{del_lock,~t}}", *who, f->ref, written(id));
}

/* {global, [Locker, Locker]}: his comes first: its serial is the lesser one. */
static void lockers(struct fixture *f, size_t i, clu_writer *id)
{
    clu_pid mine = clu_self(f->node.global->lockers);

    clu_writer_init(id);
    assert_int_equal(clu_format(id, "{global,[~p,~p]}", f->peers[i].locker, mine), CLU_OK);
}

static void he_says_set(struct fixture *f, size_t i, int tag, bool set)
{
    HEAR(f, i, "{'$gen_cast',{lock_set,~p,~o,[],~i}}", f->peers[i].locker, set, tag);
}

static void exchange(struct fixture *f, size_t i, int tag, const char *name, const clu_pid *pid)
{
    if (name == NULL)
        HEAR(f, i, "{'$gen_cast',{exchange,~a,[],[],~i}}", names[i], tag);
    else
        HEAR(f, i, "{'$gen_cast',{exchange,~a,[{~a,~p,method}],[],~i}}", names[i], name, *pid, tag);
}

static void resolved(struct fixture *f, size_t i, int tag)
{
    HEAR(f, i, "{'$gen_cast',{resolved,~a,[],[],unused,[],~i}}", names[i], tag);
}

#define STEPS 7

/* The n-th step of a session in which he asks for the lock. */
static void step(struct fixture *f, size_t i, int n, int tag)
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

static void meet(struct fixture *f, size_t i, int tag)
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

static bool knows(struct fixture *f, const char *node)
{
    struct nodelist known = {0};

    peers_known(f->node.global, &known);
    bool has = nodelist_has(&known, slice_of(node));

    nodelist_free(&known);
    return has;
}

/* ---- what a program asks ---- */

static char word[16];

static void on_answer(clu_process *self, const clu_answer *a, void *arg)
{
    clu_reader r = a->term;

    (void)self;
    (void)arg;
    text_set(word, sizeof word, clu_get_atom(&r));
}

static void nothing(clu_process *self, const clu_signal *s, void *arg)
{
    (void)self;
    (void)s;
    (void)arg;
}

static clu_process *spawn(struct fixture *f)
{
    return clu_spawn(&f->node, &(clu_spawn_options){.receive = nothing});
}

static const uint8_t x_term[] = {ETF_SMALL_ATOM_UTF8, 1, 'x'};
static const clu_slice x = {x_term, sizeof x_term};

static clu_process *register_x(struct fixture *f)
{
    clu_process *p = spawn(f);
    clu_pid pid = clu_self(p);

    word[0] = '\0';
    assert_int_not_equal(clu_global_register(p, x, &pid, CLU_RESOLVE_EXIT, on_answer, NULL).n, 0);
    return p;
}

/* ---- stories ---- */

static void a_session(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    link_up(&f, 0);
    says(&f, 0,
         "{'$gen_cast',{init_connect,{8,1},us@h,{locker,no_longer_a_pid,#{erlclu => 8},<us@h.");
    step(&f, 0, 0, 1);
    assert_string_equal(said(&f, 0), "{init_connect_ack,us@h,500,1}\n");
    step(&f, 0, 1, 1);
    says_nothing(&f, 0);
    step(&f, 0, 2, 1);
    says(&f, 0, "{[alias|#Ref<p@h.3.2.1>],true}\n");
    step(&f, 0, 3, 1);
    const char *text = said(&f, 0);

    assert_non_null(strstr(text, "{'$gen_cast',{lock_set,<us@h."));
    assert_non_null(strstr(text, ",true,[],500}}\n{'$gen_cast',{exchange,us@h,[],[],500}}\n"));
    step(&f, 0, 4, 1);
    assert_string_equal(said(&f, 0), "{'$gen_cast',{resolved,us@h,[],[],unused,[],500}}\n");
    assert_false(knows(&f, "p@h"));
    step(&f, 0, 5, 1);
    assert_true(knows(&f, "p@h"));
    assert_non_null(global_lock(f.node.global)); /* his locker has it still */
    step(&f, 0, 6, 1);
    assert_null(global_lock(f.node.global));
    end(&f);
}

/* We have the lock first, and ask him. */
static void we_ask(void **state)
{
    struct fixture f;
    clu_writer id;

    (void)state;
    begin(&f);
    link_up(&f, 1);
    step(&f, 1, 0, 1);
    step(&f, 1, 1, 1);
    said(&f, 1);
    pass(&f, 300);
    says(&f, 1, "{set_lock,{global,[<z@h.20.1>,<us@h.");
    lockers(&f, 1, &id);
    assert_non_null(global_lock(f.node.global));
    clu_writer_free(&id);
    link_down(&f, 1, "connection_closed"); /* before he has answered */
    pass(&f, 100);
    assert_null(global_lock(f.node.global));
    end(&f);
}

/* The peer goes behind every step; a name can be registered at once, and it can come back. */
static void he_dies_in_every_step(void **state)
{
    (void)state;
    for (int last = 0; last <= STEPS; last++)
        for (uint64_t wait = 0; wait <= 400; wait += 400) {
            struct fixture f;

            begin(&f);
            link_up(&f, 0);
            for (int n = 0; n < last; n++)
                step(&f, 0, n, 1);
            pass(&f, wait);
            link_down(&f, 0, "connection_closed");
            register_x(&f);
            pass(&f, 20000);
            if (strcmp(word, "yes") != 0)
                fail_msg("behind %d steps and %u ms: %s", last, (unsigned)wait, word);
            assert_null(global_lock(f.node.global));
            meet(&f, 0, 2);
            assert_true(knows(&f, "p@h"));
            end(&f);
        }
}

/* Locks that he holds go with his process, or with his node. */
static void locks_of_the_dead(void **state)
{
    struct fixture f;
    clu_writer id;
    clu_pid other;

    (void)state;
    begin(&f);
    link_up(&f, 0);
    other = pid_of(0, 40);
    clu_writer_init(&id);
    assert_int_equal(clu_format(&id, "{res,me}"), CLU_OK);
    said(&f, 0);
    he_locks(&f, 0, &f.peers[0].server, &id);
    says(&f, 0, ",true}");
    he_locks(&f, 0, &other, &id); /* the same requester: shared */
    says(&f, 0, ",true}");
    clu_writer_reset(&id);
    assert_int_equal(clu_format(&id, "{res,another}"), CLU_OK);
    he_locks(&f, 0, &other, &id);
    says(&f, 0, ",false}");
    link_down(&f, 0, "connection_closed");
    assert_int_equal(map_count(&f.node.global->locks), 0);
    clu_writer_free(&id);
    end(&f);
}

static void names_need_the_lock(void **state)
{
    struct fixture f;
    clu_pid pid;

    (void)state;
    begin(&f);
    meet(&f, 0, 1);
    /* free, and given back in order: taken, as global.erl does for the sake of old versions */
    HEAR(&f, 0, "{'$gen_call',{~p,[alias|~r]},{register,x,~p,method}}", f.peers[0].registrar, f.ref,
         f.peers[0].server);
    says(&f, 0, ",yes}");
    assert_true(clu_global_whereis(&f.node, x, &pid));
    assert_true(pid_equal(&pid, &f.peers[0].server));
    /* another holds it: not taken */
    clu_writer id;

    clu_writer_init(&id);
    assert_int_equal(clu_format(&id, "{global,~p}", f.peers[0].locker), CLU_OK);
    he_locks(&f, 0, &f.peers[0].locker, &id);
    HEAR(&f, 0, "{'$gen_call',{~p,[alias|~r]},{register,x,~p,method}}", f.peers[0].registrar, f.ref,
         f.peers[0].server);
    assert_true(clu_global_whereis(&f.node, x, &pid)); /* it says nothing new */
    HEAR(&f, 0, "{'$gen_call',{~p,[alias|~r]},{register,x,~p,method}}", f.peers[0].registrar, f.ref,
         f.peers[0].locker);
    assert_false(clu_global_whereis(&f.node, x, &pid));
    clu_writer_free(&id);
    link_down(&f, 0, "connection_closed");
    end(&f);
}

static void words_of_other_sessions(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    link_up(&f, 0);
    said(&f, 0);
    step(&f, 0, 0, 1);
    said(&f, 0);
    ack(&f, 0, 77); /* he sees another pair of tags: all begins anew */
    const char *text = said(&f, 0);

    assert_non_null(strstr(text, "{cancel_connect,us@h,500}"));
    assert_non_null(strstr(text, "{init_connect,{8,2},us@h"));
    HEAR(&f, 0, "{cancel_connect,~a,1}", names[0]); /* of the session before */
    says_nothing(&f, 0);
    HEAR(&f, 0, "{cancel_connect,~a,2}", names[0]);
    says(&f, 0, "{init_connect,{8,3},us@h");
    step(&f, 0, 0, 3);
    says(&f, 0, "{init_connect_ack,us@h,500,3}");
    step(&f, 0, 0, 3); /* out of order: he has begun anew, and so do we */
    says(&f, 0, "{init_connect,{8,4},us@h");
    exchange(&f, 0, 3, NULL, NULL);
    resolved(&f, 0, 3);
    he_says_set(&f, 0, 3, true);
    assert_false(knows(&f, "p@h"));
    for (int n = 0; n < STEPS; n++)
        step(&f, 0, n, 4);
    assert_true(knows(&f, "p@h"));
    end(&f);
}

static void he_is_no_part_of_it(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    link_up(&f, 0);
    said(&f, 0);
    word[0] = '\0';
    assert_int_not_equal(clu_global_sync(spawn(&f), on_answer, NULL).n, 0);
    pass(&f, 1000);
    assert_string_equal(word, "");
    HEAR(&f, 0, "{'$gen_cast',{in_sync,~a,true}}", names[0]);
    pass(&f, 1);
    assert_string_equal(word, "ok");
    assert_false(knows(&f, "p@h"));
    register_x(&f);
    pass(&f, 1000);
    assert_string_equal(word, "yes");
    says_nothing(&f, 0);
    end(&f);
}

/* p@h is gone, says z@h: we ask it to cut, once, and do not tell when that is done. */
static void told_of_a_loss(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    meet(&f, 0, 1);
    meet(&f, 1, 2);
    said(&f, 0);
    said(&f, 1);
    HEAR(&f, 1, "{lost_connection,~a,17,-5,~a}", names[1], names[0]);
    says(&f, 0, "{remove_connection,us@h}");
    assert_false(knows(&f, "p@h"));
    HEAR(&f, 1, "{lost_connection,~a,17,-5,~a}", names[1], names[0]);
    HEAR(&f, 1, "{lost_connection,~a,17,-9,~a}", names[1], names[0]);
    says_nothing(&f, 0);
    said(&f, 1);
    link_down(&f, 0, "connection_closed");
    pass(&f, 5000);
    says_nothing(&f, 1);
    end(&f);
}

static void told_to_cut(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    meet(&f, 0, 1);
    meet(&f, 1, 2);
    said(&f, 1);
    assert_null(global_next_cut(&f.node));
    HEAR(&f, 0, "{remove_connection,~a}", names[0]);
    assert_string_equal(global_next_cut(&f.node), "p@h");
    assert_null(global_next_cut(&f.node));
    link_down(&f, 0, "disconnect");
    pass(&f, 5000);
    says_nothing(&f, 1);
    HEAR(&f, 1, "{remove_connection,~a}", names[0]); /* not known any more */
    assert_null(global_next_cut(&f.node));
    end(&f);
}

/* Whoever ended it; at once when it is there again, and not when the other end has told that it
 * lost us. */
static void losses_are_told_late(void **state)
{
    enum { NOTHING, COMES_BACK, TELLS } rows[] = {NOTHING, COMES_BACK, TELLS};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;

        begin(&f);
        meet(&f, 0, 1);
        meet(&f, 1, 2);
        said(&f, 1);
        link_down(&f, 0, i == 0 ? "net_tick_timeout" : "connection_closed");
        pass(&f, 1900);
        says_nothing(&f, 1);
        if (rows[i] == COMES_BACK) {
            link_up(&f, 0);
            says(&f, 1, "{lost_connection,us@h,");
        } else if (rows[i] == TELLS)
            HEAR(&f, 1, "{lost_connection,~a,17,1,us@h}", names[0]);
        pass(&f, 100);
        said(&f, 1);
        pass(&f, 2100);
        const char *text = said(&f, 1);

        if ((strstr(text, "{lost_connection,us@h,") != NULL) != (rows[i] == NOTHING))
            fail_msg("row %u: %s", (unsigned)i, text);
        end(&f);
    }
}

static void nothing_is_told_at_the_end(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    meet(&f, 0, 1);
    meet(&f, 1, 2);
    said(&f, 1);
    global_leave(&f.node);
    link_down(&f, 0, "connection_closed");
    pass(&f, 5000);
    says_nothing(&f, 1);
    end(&f);
}

/* A peer does not read, and must be cut: all are, and nobody is told to decide between us. */
static void one_that_does_not_read(void **state)
{
    struct global_news news = {0};
    struct fixture f;

    (void)state;
    begin(&f);
    meet(&f, 0, 1);
    meet(&f, 1, 2);
    said(&f, 1);
    global_overfull(&f.node, "p@h");
    while (global_next_news(&f.node, &news) && news.kind != GLOBAL_OVERFULL)
        continue;
    assert_string_equal(news.node, "p@h");
    assert_true(global_wants_out(&f.node));
    link_down(&f, 0, "disconnect");
    says_nothing(&f, 1);
    link_down(&f, 1, "disconnect");
    pass(&f, 5000);
    meet(&f, 1, 3);
    assert_true(knows(&f, "z@h"));
    pass(&f, 5000);
    assert_null(strstr(said(&f, 1), "lost_connection"));
    end(&f);
}

/* A node that he knows is to be linked, and cannot be: three attempts, then all are told. */
static void an_unreachable_node(void **state)
{
    struct global_news news;
    struct fixture f;
    int attempts = 0;
    const char *name;

    (void)state;
    begin(&f);
    meet(&f, 0, 1);
    HEAR(&f, 0, "{'$gen_cast',{new_nodes,~a,[],[],[{'q@h',8}],[{vsn,8},{lock,undefined}]}}",
         names[0]);
    assert_true(knows(&f, "q@h"));
    for (int i = 0; i < 50; i++) {
        pass(&f, 100);
        while ((name = node_next_wanted(&f.node)) != NULL) {
            assert_string_equal(name, "q@h");
            attempts++;
            node_unreachable(&f.node, "q@h");
        }
    }
    assert_int_equal(attempts, 3);
    assert_false(knows(&f, "q@h"));
    assert_true(global_next_news(&f.node, &news));
    assert_int_equal(news.kind, GLOBAL_UNREACHABLE);
    pass(&f, 4000);
    says(&f, 0, "{lost_connection,us@h,");
    end(&f);
}

static void z_cannot_be_reached(struct fixture *f)
{
    assert_string_equal(node_next_wanted(&f->node), "z@h");
    node_unreachable(&f->node, "z@h");
    node_turn(&f->node, f->now);
}

/* An exchange ends while a node that is known, z@h, is dialled, which fails: it hears of it with
 * the next dial. */
static void a_farewell_waits_for_the_next_dial(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    meet(&f, 0, 1);
    HEAR(&f, 0, "{'$gen_cast',{new_nodes,~a,[],[],[{'z@h',8}],[{vsn,8},{lock,undefined}]}}",
         names[0]);
    link_down(&f, 0, "connection_closed");
    link_up(&f, 0);
    for (int n = 0; n < 4; n++)
        step(&f, 0, n, 2);
    z_cannot_be_reached(&f); /* its lock is not waited for any more */
    step(&f, 0, 4, 2);
    step(&f, 0, 5, 2);
    assert_true(knows(&f, "p@h"));
    z_cannot_be_reached(&f);
    assert_null(node_next_wanted(&f.node));
    pass(&f, 1000);
    assert_string_equal(node_next_wanted(&f.node), "z@h");
    link_up(&f, 1);
    says(&f, 1, "{'$gen_cast',{new_nodes,us@h,[],[],[{p@h,8}],[{vsn,8},{lock,");
    end(&f);
}

/* Names come with the exchange; the lesser node decides, so we say nothing against p@h. */
static void names_of_both_sides(void **state)
{
    struct fixture f;
    clu_pid pid, his;

    (void)state;
    begin(&f);
    register_x(&f);
    pass(&f, 10);
    assert_string_equal(word, "yes");
    his = pid_of(0, 50);
    link_up(&f, 0);
    for (int n = 0; n < 4; n++)
        step(&f, 0, n, 1);
    says(&f, 0, "{exchange,us@h,[{x,<us@h.");
    exchange(&f, 0, 1, "x", &his);
    says(&f, 0, "{resolved,us@h,[],[],unused,[],500}");
    HEAR(&f, 0, "{'$gen_cast',{resolved,~a,[{insert,{x,~p,method}}],[],unused,[],1}}", names[0],
         his);
    assert_true(clu_global_whereis(&f.node, x, &pid));
    assert_true(pid_equal(&pid, &his));
    end(&f);
}

/* Against z@h it is we who decide: with random_exit_name the lesser node's process stays. */
static void we_decide(void **state)
{
    struct fixture f;
    clu_pid his;

    (void)state;
    begin(&f);
    register_x(&f);
    pass(&f, 10);
    his = pid_of(1, 50);
    link_up(&f, 1);
    for (int n = 0; n < 4; n++)
        step(&f, 1, n, 1);
    said(&f, 1);
    exchange(&f, 1, 1, "x", &his);
    says(
        &f, 1,
        "{resolved,us@h,[{insert,{x,<us@h.6.6>,fun global:random_exit_name/3}}],[],unused,[],500}");
    end(&f);
}

/* ---- what makes no sense ---- */

static void nonsense_is_told_once(void **state)
{
    static const char *const rows[] = {
        "{'$gen_cast',{init_connect,8,'p@h',x}}",
        "{'$gen_cast',{init_connect,{8,1},'p@h',{locker,x,y,z}}}",
        "{'$gen_cast',{init_connect,{8,1},1,2}}",
        "{'$gen_cast',{exchange,'p@h',x,y,1}}",
        "{'$gen_cast',{exchange}}",
        "{'$gen_cast',{resolved,'p@h',1,2,3,4,1}}",
        "{'$gen_cast',{new_nodes,1,2,3,4,5}}",
        "{'$gen_cast',{new_nodes,'p@h',[{insert,x},{delete},17],[x],[{1,2},y|z],[lock]}}",
        "{'$gen_cast',{in_sync}}",
        "{'$gen_cast',{in_sync,1,2}}",
        "{'$gen_cast',{lock_set,1,2,3}}",
        "{'$gen_cast',{lock_set,x,true,[],1}}",
        "{'$gen_cast',hello}",
        "{'$gen_cast',{hello}}",
        "{init_connect_ack,1,2,3}",
        "{init_connect_ack,'p@h'}",
        "{cancel_connect,'p@h'}",
        "{lost_connection,1,2,3,4}",
        "{lost_connection,'p@h',[x],a,'p@h'}",
        "{remove_connection}",
        "{remove_connection,1}",
        "{'$gen_call',x,y}",
        "{'$gen_call',{x,y},{set_lock,1}}",
        "[]",
        "{}",
        "\"text\"",
        "#{a => b}",
    };
    struct global_news news;
    struct fixture f;
    unsigned n = 0;

    (void)state;
    begin(&f);
    link_up(&f, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        clu_writer w;
        size_t at;

        clu_writer_init(&w);
        if (clu_parse(rows[i], strlen(rows[i]), &w, &at, NULL) != CLU_OK)
            fail_msg("row %s", rows[i]);
        hear(&f, 0, &w, &f.peers[0].server);
        clu_writer_free(&w);
    }
    while (global_next_news(&f.node, &news)) {
        assert_int_equal(news.kind, GLOBAL_ODD);
        n++;
    }
    assert_int_equal(n, 1);
    said(&f, 0);
    int tag = (int)peer_find(f.node.global, slice_of("p@h"))->my_tag;

    for (int i = 0; i < STEPS; i++)
        step(&f, 0, i, tag);
    assert_true(knows(&f, "p@h"));
    end(&f);
}

/* Whoever asks in the name of a node that is not linked: no answer dials it. */
static void answers_dial_nobody(void **state)
{
    const clu_pid stranger = {.node = slice_of("q@h"), .id = 1, .serial = 1, .creation = 7};
    struct fixture f;

    (void)state;
    begin(&f);
    link_up(&f, 0);
    said(&f, 0);
    HEAR(&f, 0, "{'$gen_call',{~p,tag},get_known}", stranger);
    assert_null(node_next_wanted(&f.node));
    HEAR(&f, 0, "{'$gen_call',{~p,tag},{sync,[]}}", stranger);
    assert_null(node_next_wanted(&f.node));
    HEAR(&f, 0, "{'$gen_call',{~p,tag},{sync,['p@h']}}", f.peers[0].server);
    link_down(&f, 0, "connection_closed"); /* that is an answer, to who is gone */
    assert_null(node_next_wanted(&f.node));
    end(&f);
}

/* Pairs of names that nobody has heard of take a bounded place. */
static void losses_without_end(void **state)
{
    struct fixture f;
    char a[32];

    (void)state;
    begin(&f);
    link_up(&f, 0);
    for (int i = 0; i < 12000; i++) {
        snprintf(a, sizeof a, "n%d@h", i);
        HEAR(&f, 0, "{lost_connection,~a,1,1,x@h}", a);
    }
    assert_in_range(f.node.global->n_lost, 1, 10000);
    pass(&f, 3700000);
    HEAR(&f, 0, "{lost_connection,~a,1,1,x@h}", "n@h");
    assert_int_equal(f.node.global->n_lost, 1);
    end(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session),
        cmocka_unit_test(we_ask),
        cmocka_unit_test(he_dies_in_every_step),
        cmocka_unit_test(locks_of_the_dead),
        cmocka_unit_test(names_need_the_lock),
        cmocka_unit_test(words_of_other_sessions),
        cmocka_unit_test(he_is_no_part_of_it),
        cmocka_unit_test(told_of_a_loss),
        cmocka_unit_test(told_to_cut),
        cmocka_unit_test(losses_are_told_late),
        cmocka_unit_test(nothing_is_told_at_the_end),
        cmocka_unit_test(one_that_does_not_read),
        cmocka_unit_test(an_unreachable_node),
        cmocka_unit_test(a_farewell_waits_for_the_next_dial),
        cmocka_unit_test(names_of_both_sides),
        cmocka_unit_test(we_decide),
        cmocka_unit_test(nonsense_is_told_once),
        cmocka_unit_test(answers_dial_nobody),
        cmocka_unit_test(losses_without_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
