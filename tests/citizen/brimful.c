/* SPDX-License-Identifier: Apache-2.0
 *
 * brimful: a gen_server that answers when its link is full, and says more behind that: {Word, Sink}
 * fills it with what Sink is to read.
 *
 *   stop     the link takes nothing: done, and the server ends
 *   stop_big large messages wait: a binary of 200,000 bytes, and the server ends
 *   tell     the same binary, then the message behind to the caller
 *   wait     is answered by the next one:
 *   both     that binary to wait, then second
 */
#include "citizen.h"

#include <stdlib.h>

#define LARGE 200000

static const uint8_t bytes[4u << 20];

struct brimful {
    clu_process *filler; /* whose messages fill the link */
    clu_call *waiting;
    clu_pid told; /* who is still to be told; id 0: nobody */
    uint8_t node[256];
};

static void check(clu_error err)
{
    if (err != CLU_OK)
        abort();
}

static clu_error send_bytes(clu_process *p, clu_pid pid, size_t n)
{
    clu_to to = clu_to_pid(pid);

    clu_put_binary(clu_send_begin(p, &to), bytes, n);
    return clu_send_end(p);
}

static void reply_word(clu_call *call, const char *word)
{
    clu_put_atom_text(clu_reply_begin(call), word);
    check(clu_reply_end(call));
}

static void reply_large(clu_call *call)
{
    clu_put_binary(clu_reply_begin(call), bytes, LARGE);
    check(clu_reply_end(call));
}

/* Nothing goes out before this step is over. */
static void fill(const struct brimful *b, clu_pid sink, bool large)
{
    clu_error err = CLU_OK;

    if (large)
        check(send_bytes(b->filler, sink, sizeof bytes));
    while (!large && err == CLU_OK)
        err = send_bytes(b->filler, sink, LARGE / 4);
    if (!large && err != CLU_EBUSY)
        abort();
}

static void tell(clu_process *self, struct brimful *b)
{
    clu_to to = clu_to_pid(b->told);

    clu_put_atom_text(clu_send_begin(self, &to), "behind");
    clu_error err = clu_send_end(self);

    if (err != CLU_EBUSY)
        check(err);
    if (err == CLU_OK)
        b->told.id = 0;
}

static void keep(struct brimful *b, clu_pid pid)
{
    if (pid.node.len > sizeof b->node)
        abort();
    for (size_t i = 0; i < pid.node.len; i++)
        b->node[i] = pid.node.data[i];
    pid.node.data = b->node;
    b->told = pid;
}

static clu_error brimful_call(clu_call *call, clu_reader *request, void *arg)
{
    struct brimful *b = arg;
    clu_process *self = clu_call_self(call);

    clu_get_tuple(request);
    clu_slice word = clu_get_atom(request);
    clu_pid sink = clu_get_pid(request);

    if (request->err != CLU_OK)
        return request->err;
    if (clu_slice_is(word, "wait")) {
        b->waiting = call;
        return CLU_PENDING;
    }
    fill(b, sink, !clu_slice_is(word, "stop"));
    if (clu_slice_is(word, "stop")) {
        reply_word(call, "done");
        clu_exit(self, "normal");
    } else if (clu_slice_is(word, "stop_big")) {
        reply_large(call);
        clu_exit(self, "normal");
    } else if (clu_slice_is(word, "tell")) {
        keep(b, clu_call_from(call));
        reply_large(call);
        tell(self, b);
    } else {
        reply_large(b->waiting);
        reply_word(call, "second");
    }
    return CLU_OK;
}

static void brimful_info(clu_process *self, const clu_signal *s, void *arg)
{
    struct brimful *b = arg;

    if (s->kind == CLU_SIGNAL_WRITABLE && b->told.id != 0)
        tell(self, b);
}

static void serve(clu_node *node, struct brimful *b);

static void brimful_stopped(clu_process *self, clu_slice reason, void *arg)
{
    (void)reason;
    serve(clu_process_node(self), arg);
}

static void serve(clu_node *node, struct brimful *b)
{
    static const clu_server server = {
        .call = brimful_call, .info = brimful_info, .stopped = brimful_stopped};

    clu_serve(node, "brimful", &server, b);
}

static void hear_nothing(clu_process *self, const clu_signal *s, void *arg)
{
    (void)self;
    (void)s;
    (void)arg;
}

void brimful_start(clu_node *node)
{
    static struct brimful b;

    b.filler = clu_spawn(node, &(clu_spawn_options){.receive = hear_nothing});
    serve(node, &b);
}
