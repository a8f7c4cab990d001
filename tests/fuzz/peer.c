/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "dist/flags.h"
#include "node/proc.h"

/* A peer that has proved the cookie and sends any signal at any time, with pids and references of
 * anybody: living and dead processes of ours, its own, others', nearly right ones; while ours link,
 * watch, call, spawn and end. Whatever it sends, the node stands, and its tables are empty when all
 * is over. One byte a choice. */

#define PROCS 4
#define PIDS  12
#define REFS  10

struct play {
    struct clu_node node;
    struct node_link link;
    struct channel channel;
    bool up;
    clu_process *procs[PROCS];
    clu_pid pids[PIDS];    /* the first are of those processes */
    clu_ref refs[REFS];    /* the first few were made by ours, round and round */
    size_t n_refs, n_ties; /* references of ours; ties of a node that nothing has happened to */
    const uint8_t *at, *end;
};

static uint8_t next(struct play *p)
{
    return p->at < p->end ? *p->at++ : 0;
}

/* ---- who is named ---- */

static void on_signal(clu_process *self, const clu_signal *s, void *arg)
{
    (void)self;
    (void)arg;
    clu_reader term = s->term;

    if (term.pos < term.end)
        clu_skip_term(&term);
    assert(term.err == CLU_OK);
}

static void on_stopped(clu_process *self, clu_slice reason, void *arg)
{
    struct play *p = arg;

    (void)reason;
    for (size_t i = 0; i < PROCS; i++)
        if (p->procs[i] == self)
            p->procs[i] = NULL;
}

static void on_answer(clu_process *self, const clu_answer *answer, void *arg)
{
    (void)self;
    (void)arg;
    assert(answer->outcome <= CLU_TIMED_OUT);
}

static void born(struct play *p, size_t i)
{
    static const char *const names[PROCS] = {"one", NULL, "three", NULL};
    clu_spawn_options o = {.receive = i == 1 ? NULL : on_signal,
                           .stopped = on_stopped,
                           .arg = p,
                           .name = names[i],
                           .trap_exit = i < 3,
                           .mailbox_max = 10000};

    if (p->procs[i] != NULL)
        return;
    p->procs[i] = clu_spawn(&p->node, &o);
    if (p->procs[i] != NULL)
        p->pids[i] = clu_self(p->procs[i]);
}

static void name_others(struct play *p)
{
    static const char *const nodes[] = {"p@h", "p@h", "q@h", "us@h", "p@h", "us@h", "p@h", ""};

    for (uint32_t i = PROCS; i < PIDS; i++)
        p->pids[i] = (clu_pid){
            .node = slice_of(nodes[i - PROCS]), .id = i, .serial = i / 2, .creation = 3 + i % 3};
    for (uint32_t i = 0; i < REFS; i++)
        p->refs[i] = (clu_ref){.node = slice_of(nodes[i % COUNT(nodes)]),
                               .creation = 3 + i % 3,
                               .n = 1 + i % CLU_REF_WORDS_MAX,
                               .words = {i, i / 2, i / 3}};
}

static void keep_ref(struct play *p, clu_ref ref)
{
    if (ref.n > 0)
        p->refs[p->n_refs++ % (REFS / 2)] = ref;
}

/* ---- what the peer sends ---- */

/* Ops and the kinds of their fields: a number, an atom, a pid, a pid or a name, a reference, a
 * term; P: a payload follows. */
static const struct {
    uint8_t op;
    const char *fields;
} ops[] = {
    {1, "pp"},   {2, "apP"},  {3, "ppt"},   {6, "paaP"},    {7, "pp"},
    {8, "ppt"},  {19, "pwr"}, {20, "pwr"},  {21, "wprt"},   {22, "ppP"},
    {24, "ppP"}, {26, "ppP"}, {28, "wprP"}, {29, "rppmoP"}, {31, "rpnw"},
    {33, "prP"}, {35, "npp"}, {36, "npp"},  {37, "npxP"},
};

static const char *const atoms[] = {"one", "three",  "net_kernel", "rex",  "",
                                    "pg",  "normal", "kill",       "erpc", "global_name_server"};

static void put_term(struct play *p, clu_writer *w)
{
    switch (next(p) % 6) {
    case 0: clu_put_int(w, next(p)); break;
    case 1: clu_put_atom_text(w, atoms[next(p) % COUNT(atoms)]); break;
    case 2: /* an answer */
        clu_put_tuple(w, 2);
        clu_put_ref(w, &p->refs[next(p) % REFS]);
        clu_put_int(w, 1);
        break;
    case 3: /* the same by [alias | Ref] */
        clu_put_tuple(w, 2);
        clu_put_list(w, 1);
        clu_put_atom_text(w, "alias");
        clu_put_ref(w, &p->refs[next(p) % REFS]);
        clu_put_int(w, 2);
        break;
    case 4: /* a call, or a question of sys */
        clu_put_tuple(w, 3);
        clu_put_atom_text(w, next(p) % 2 == 0 ? "$gen_call" : "system");
        clu_put_tuple(w, 2);
        clu_put_pid(w, &p->pids[next(p) % PIDS]);
        clu_put_ref(w, &p->refs[next(p) % REFS]);
        clu_put_atom_text(w, next(p) % 2 == 0 ? "get_state" : "get_status");
        break;
    default: clu_put_nil(w); break;
    }
}

static void put_field(struct play *p, clu_writer *w, char kind)
{
    switch (kind) {
    case 'n': clu_put_uint(w, next(p) % 32); break;
    case 'a': clu_put_atom_text(w, atoms[next(p) % COUNT(atoms)]); break;
    case 'p': clu_put_pid(w, &p->pids[next(p) % PIDS]); break;
    case 'r': clu_put_ref(w, &p->refs[next(p) % REFS]); break;
    case 't': put_term(p, w); break;
    case 'w': put_field(p, w, next(p) % 3 == 0 ? 'a' : 'p'); break;
    case 'x': put_field(p, w, "par"[next(p) % 3]); break;
    case 'm':
        clu_put_tuple(w, 3);
        put_field(p, w, 'a');
        put_field(p, w, 'a');
        put_field(p, w, 'n');
        break;
    default:
        clu_put_list(w, 1);
        clu_put_atom_text(w, next(p) % 2 == 0 ? "link" : "monitor");
        clu_put_nil(w);
        break;
    }
}

static void disconnect(struct play *p)
{
    if (!p->up)
        return;
    node_link_down(&p->node, &p->link, "connection_closed");
    channel_fini(&p->channel);
    p->up = false;
}

static void connect(struct play *p)
{
    uint64_t flags = DFLAGS_OFFERED | DFLAG_PUBLISHED;

    if (p->up)
        return;
    channel_init(&p->channel, flags, 60000, 4, 0);
    p->up = true;
    if (node_link_up(&p->node, &p->link, &p->channel, "p@h", 3, flags) != CLU_OK)
        disconnect(p);
}

static void receive(struct play *p, clu_slice control, clu_slice payload)
{
    struct control c;
    const char *what = NULL;

    if (control_parse(&c, control, payload, NULL, &what) != CLU_OK)
        return;
    if (node_receive(&p->node, &p->link, &c, &what) != CLU_OK) {
        assert(what != NULL);
        disconnect(p);
    }
}

static void peer_sends(struct play *p)
{
    size_t row = next(p) % COUNT(ops);
    const char *fields = ops[row].fields;
    clu_writer control, payload;

    if (!p->up)
        return;
    clu_writer_init(&control);
    clu_writer_init(&payload);
    clu_put_tuple(&control, 1 + strcspn(fields, "P"));
    clu_put_int(&control, ops[row].op);
    for (; *fields != '\0'; fields++)
        if (*fields == 'P')
            put_term(p, &payload);
        else
            put_field(p, &control, *fields);
    receive(p, (clu_slice){control.data, control.len}, (clu_slice){payload.data, payload.len});
    clu_writer_free(&control);
    clu_writer_free(&payload);
}

/* ---- what ours do ---- */

static void call(struct play *p, clu_process *self, const clu_to *to)
{
    clu_ref ref = {0};

    clu_put_nil(clu_call_begin(self, to, next(p)));
    if (clu_call_end(self, on_answer, NULL, &ref) == CLU_OK)
        keep_ref(p, ref);
}

static void ours_do(struct play *p)
{
    size_t i = next(p) % PROCS;
    const clu_pid *other = &p->pids[next(p) % PIDS];
    clu_process *self = p->procs[i];
    clu_to to = clu_to_pid(*other);
    clu_signal s;
    clu_error err = CLU_OK;

    if (self == NULL || other->node.len == 0) {
        born(p, i);
        return;
    }
    switch (next(p) % 12) {
    case 0: err = clu_link(self, other); break;
    case 1: err = clu_unlink(self, other); break;
    case 2: keep_ref(p, clu_monitor(self, &to)); break;
    case 3: clu_demonitor(self, &p->refs[next(p) % REFS]); break;
    case 4: call(p, self, &to); break;
    case 5: keep_ref(p, clu_alias(self)); break;
    case 6: keep_ref(p, clu_after(self, next(p))); break;
    case 7:
        keep_ref(p,
                 clu_spawn_remote(self, "p@h", "m", "f", slice_of("j"), next(p) % 2, next(p) % 2));
        break;
    case 8: clu_exit(self, atoms[next(p) % COUNT(atoms)]); break;
    case 9: err = clu_send_raw(self, &to, slice_of("j")); break;
    case 10: clu_call_forget(self, &p->refs[next(p) % REFS]); break;
    default:
        while (clu_take(self, &s))
            on_signal(self, &s, NULL);
        break;
    }
    (void)err;
}

static void turn(struct play *p)
{
    const char *name;
    struct iovec iov[16];

    node_tick(&p->node, p->node.now_ms + next(p));
    node_turn(&p->node, p->node.now_ms);
    while ((name = node_next_wanted(&p->node)) != NULL)
        node_unreachable(&p->node, name);
    while (node_next_talking(&p->node) != NULL)
        continue;
    for (size_t n; p->up && (n = channel_pending(&p->channel, true, iov, COUNT(iov))) > 0;)
        for (size_t i = 0; i < n; i++)
            channel_sent(&p->channel, iov[i].iov_len, 0);
}

static void finish(struct play *p)
{
    disconnect(p);
    for (size_t i = 0; i < PROCS; i++)
        if (p->procs[i] != NULL)
            clu_exit(p->procs[i], "shutdown");
    for (int i = 0; i < 10; i++)
        turn(p);
    assert(p->node.bonds.n == 0 && p->node.watchers.n == 0);
    assert(p->node.ties.n_used == p->n_ties && map_count(&p->node.remotes) == 0);
    node_fini(&p->node);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct play play;
    struct play *p = &play;

    *p = (struct play){.at = data, .end = data + size};
    if (node_init(&p->node, "us@h", 4, false) != CLU_OK)
        abort();
    p->n_ties = p->node.ties.n_used;
    name_others(p);
    for (size_t i = 0; i < PROCS; i++)
        born(p, i);
    connect(p);
    while (p->at < p->end)
        switch (next(p) % 16) {
        case 0: disconnect(p); break;
        case 1: connect(p); break;
        case 2:
        case 3: turn(p); break;
        case 4:
        case 5:
        case 6:
        case 7: ours_do(p); break;
        default: peer_sends(p); break;
        }
    finish(p);
    return 0;
}
