/* SPDX-License-Identifier: Apache-2.0
 *
 * A node that tests talk to: functions, servers and processes of each kind that call.h has, calls
 * to others (outward.c), large messages (large.c), answers on a full link (brimful.c), and a
 * process that does what it is told (subject.h). citizen NAME COOKIE_FILE DISCOVER ARGS_FILE
 * [global]: what is not given, or empty, is the default.
 */
#include "citizen.h"

#include <stdlib.h>
#include <string.h>

/* ---- calc: functions ---- */

static clu_error add(clu_call *call, clu_reader *args, void *arg)
{
    (void)arg;
    clu_get_list(args);
    int64_t a = clu_get_int(args), b = clu_get_int(args);

    if (args->err != CLU_OK)
        return args->err;
    clu_put_int(clu_reply_begin(call), a + b);
    return clu_reply_end(call);
}

static clu_error same(clu_call *call, clu_reader *args, void *arg)
{
    (void)arg;
    clu_get_list(args);
    clu_put_term(clu_reply_begin(call), args);
    return clu_reply_end(call);
}

/* fail(Class, Reason) */
static clu_error raise_it(clu_call *call, clu_reader *args, void *arg)
{
    char class[16] = "";

    (void)arg;
    clu_get_list(args);
    clu_slice word = clu_get_atom(args);

    if (args->err != CLU_OK || word.len >= sizeof class)
        return CLU_EBADARG;
    memcpy(class, word.data, word.len);
    clu_put_term(clu_raise_begin(call, class), args);
    return clu_reply_end(call);
}

static clu_error busy(clu_call *call, clu_reader *args, void *arg)
{
    (void)call;
    (void)args;
    (void)arg;
    return CLU_EBUSY;
}

/* bytes(N): a binary of so many bytes. */
static clu_error bytes(clu_call *call, clu_reader *args, void *arg)
{
    (void)arg;
    clu_get_list(args);
    uint64_t n = clu_get_uint(args);
    uint8_t *data = args->err == CLU_OK ? calloc(1, n + 1) : NULL;

    if (data == NULL)
        return CLU_EBADARG;
    clu_put_binary(clu_reply_begin(call), data, n);
    free(data);
    return clu_reply_end(call);
}

/* leader(): the group leader that it was called with. */
static clu_error leader(clu_call *call, clu_reader *args, void *arg)
{
    clu_pid pid = clu_group_leader(clu_call_self(call));

    (void)args;
    (void)arg;
    clu_put_pid(clu_reply_begin(call), &pid);
    return clu_reply_end(call);
}

/* ---- later(Ms): answers in so many ms; awaited(): whether the last of them is awaited ---- */

static clu_call *latest;

static void late_receive(clu_process *self, const clu_signal *s, void *arg)
{
    clu_call *call = arg;

    if (s->kind != CLU_SIGNAL_TIMEOUT)
        return;
    clu_put_atom_text(clu_reply_begin(call), "late");
    if (clu_reply_end(call) != CLU_OK)
        abort();
    latest = NULL;
    clu_exit(self, "normal");
}

static clu_error later(clu_call *call, clu_reader *args, void *arg)
{
    (void)arg;
    clu_get_list(args);
    uint64_t ms = clu_get_uint(args);

    if (args->err != CLU_OK)
        return args->err;
    clu_process *timer =
        clu_spawn(clu_call_node(call), &(clu_spawn_options){.receive = late_receive, .arg = call});

    if (timer == NULL || clu_after(timer, ms).n == 0)
        return CLU_ENOMEM;
    latest = call;
    return CLU_PENDING;
}

static clu_error awaited(clu_call *call, clu_reader *args, void *arg)
{
    (void)args;
    (void)arg;
    bool is = latest != NULL && clu_call_is_awaited(latest);

    clu_put_atom_text(clu_reply_begin(call), is ? "true" : "false");
    return clu_reply_end(call);
}

/* ---- loop(): a process that lives on: {Pid, Term} is answered with Term, stop ends it ---- */

static void loop_receive(clu_process *self, const clu_signal *s, void *arg)
{
    clu_reader r = s->term, word = s->term;

    (void)arg;
    if (s->kind != CLU_SIGNAL_MESSAGE)
        return;
    if (clu_slice_is(clu_get_atom(&word), "stop")) {
        clu_exit(self, "stopped");
        return;
    }
    clu_get_tuple(&r);
    clu_to to = clu_to_pid(clu_get_pid(&r));

    clu_put_term(clu_send_begin(self, &to), &r);
    if (clu_send_end(self) != CLU_OK)
        abort();
}

static clu_error loop(clu_call *call, clu_reader *args, void *arg)
{
    (void)args;
    (void)arg;
    clu_become(call, loop_receive, NULL, NULL);
    return CLU_OK;
}

/* ---- counter: a gen_server ---- */

struct counter {
    int64_t value;
    clu_call *waiting; /* of wait, until the next cast */
};

static clu_error reply_value(clu_call *call, const struct counter *c)
{
    clu_put_int(clu_reply_begin(call), c->value);
    return clu_reply_end(call);
}

/* get, {add, N}, wait (for a cast), crash, quit, hush: never answered before it ends */
static clu_error counter_call(clu_call *call, clu_reader *request, void *arg)
{
    struct counter *c = arg;

    if (clu_peek_type(request) == CLU_TYPE_TUPLE) {
        clu_get_tuple(request);
        clu_get_atom(request);
        c->value += clu_get_int(request);
        return request->err == CLU_OK ? reply_value(call, c) : CLU_EBADARG;
    }
    clu_slice word = clu_get_atom(request);

    if (clu_slice_is(word, "get"))
        return reply_value(call, c);
    if (clu_slice_is(word, "quit"))
        clu_exit(clu_call_self(call), "quits");
    else if (!clu_slice_is(word, "wait"))
        return CLU_EBADARG;
    c->waiting = call;
    return CLU_PENDING;
}

static void counter_cast(clu_process *self, clu_reader *request, void *arg)
{
    struct counter *c = arg;
    clu_call *waiting = c->waiting;

    (void)self;
    clu_get_tuple(request);
    clu_get_atom(request);
    c->value += clu_get_int(request);
    c->waiting = NULL;
    if (waiting != NULL && reply_value(waiting, c) != CLU_OK)
        abort();
}

/* {Pid, value} is answered with the value. */
static void counter_info(clu_process *self, const clu_signal *s, void *arg)
{
    struct counter *c = arg;
    clu_reader r = s->term;

    if (s->kind != CLU_SIGNAL_MESSAGE || clu_get_tuple(&r) != 2)
        return;
    clu_to to = clu_to_pid(clu_get_pid(&r));

    clu_put_int(clu_send_begin(self, &to), c->value);
    if (clu_send_end(self) != CLU_OK)
        abort();
}

static void counter_state(clu_process *self, clu_writer *w, void *arg)
{
    const struct counter *c = arg;

    (void)self;
    clu_put_map(w, 1);
    clu_put_atom_text(w, "value");
    clu_put_int(w, c->value);
}

static const clu_server counter = {
    .call = counter_call,
    .cast = counter_cast,
    .info = counter_info,
    .state = counter_state,
};
static const clu_server mute; /* has nothing to say to anybody */

static void serve_counter(clu_node *node);

/* A call that quits finds its successor, as a supervisor has it. */
static void counter_stopped(clu_process *self, clu_slice reason, void *arg)
{
    struct counter *c = arg;

    (void)reason;
    c->value = 0;
    if (c->waiting != NULL) {
        if (reply_value(c->waiting, c) != CLU_OK)
            abort();
        c->waiting = NULL;
    }
    serve_counter(clu_process_node(self));
}

static void serve_counter(clu_node *node)
{
    static struct counter value;
    static clu_server server;

    server = counter;
    server.stopped = counter_stopped;
    clu_serve(node, "counter", &server, &value);
}

/* ---- a plain process: hears all, answers nothing ---- */

static void plain_receive(clu_process *self, const clu_signal *s, void *arg)
{
    (void)self;
    (void)s;
    (void)arg;
}

static const struct {
    const char *function;
    unsigned arity;
    clu_function *run;
} functions[] = {
    {"add", 2, add},     {"same", 1, same},       {"fail", 2, raise_it},
    {"busy", 0, busy},   {"bytes", 1, bytes},     {"leader", 0, leader},
    {"later", 1, later}, {"awaited", 0, awaited}, {"loop", 0, loop},
};

static const char *given(int argc, char **argv, int i)
{
    return i < argc && argv[i][0] != '\0' ? argv[i] : NULL;
}

int main(int argc, char **argv)
{
    clu_node *node = clu_node_new(&(clu_options){
        .name = given(argc, argv, 1),
        .cookie_file = given(argc, argv, 2),
        .discover = given(argc, argv, 3),
        .args_file = given(argc, argv, 4),
        .global = given(argc, argv, 5) != NULL,
        .log = "warning",
    });

    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        clu_export(node, "calc", functions[i].function, functions[i].arity, functions[i].run, NULL);
    outward_export(node);
    large_start(node);
    brimful_start(node);
    subject_start(node);
    serve_counter(node);
    clu_serve(node, "mute", &mute, NULL);
    clu_spawn(node, &(clu_spawn_options){.receive = plain_receive, .name = "plain"});
    clu_spawn(node, &(clu_spawn_options){.name = "mailbox"});
    return clu_main(node);
}
