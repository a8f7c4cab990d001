/* SPDX-License-Identifier: Apache-2.0
 *
 * erlclu as a messaging peer: `clu server NAME COOKIE` is a sink and an echo, `clu client NAME
 * COOKIE PEER WHAT...` measures one of them, or msg.erl's. Everything goes through the ordinary
 * calls. */
#include <erlclu/erlclu.h>
#include <string.h>

#include "measure.h"

static clu_node *node;
static clu_process *self;
static const char *peer;
static uint8_t blob[1 << 20];

/* ---- the server: msg.erl's, in C ---- */

struct sink {
    int64_t n, bytes;
    clu_pid to; /* whom to push to; while left > 0 */
    char to_node[256];
    int64_t size, left;
};

static void push(clu_process *p, struct sink *s)
{
    clu_to to = clu_to_pid(s->to);

    for (; s->left > 0; s->left--) {
        clu_put_binary(clu_send_begin(p, &to), blob, (size_t)s->size);
        if (clu_send_end(p) == CLU_EBUSY)
            return;
    }
}

static void sink_done(clu_process *p, struct sink *s, clu_reader *r)
{
    clu_pid from = clu_get_pid(r);
    clu_to to = clu_to_pid(from);
    clu_writer *w = clu_send_begin(p, &to);

    clu_put_tuple(w, 3);
    clu_put_atom_text(w, "ack");
    clu_put_int(w, s->n);
    clu_put_int(w, s->bytes);
    if (clu_send_end(p) != CLU_OK)
        die("no room for the acknowledgement");
    s->n = s->bytes = 0;
}

static void sink_push(clu_process *p, struct sink *s, clu_reader *r)
{
    s->to = clu_get_pid(r);
    memcpy(s->to_node, s->to.node.data, s->to.node.len);
    s->to.node.data = (const uint8_t *)s->to_node;
    s->size = clu_get_int(r);
    s->left = clu_get_int(r);
    push(p, s);
}

static void sink(clu_process *p, const clu_signal *signal, void *arg)
{
    struct sink *s = arg;
    clu_reader r = signal->term;

    if (signal->kind == CLU_SIGNAL_WRITABLE) {
        push(p, s);
    } else if (clu_peek_type(&r) == CLU_TYPE_BINARY) {
        s->n++;
        s->bytes += (int64_t)clu_get_binary(&r).len;
    } else if (clu_get_tuple(&r) == 2) {
        clu_get_atom(&r);
        sink_done(p, s, &r);
    } else {
        clu_get_atom(&r);
        sink_push(p, s, &r);
    }
}

static void echo(clu_process *p, const clu_signal *signal, void *arg)
{
    clu_reader r = signal->term;

    (void)arg;
    if (signal->kind != CLU_SIGNAL_MESSAGE || clu_get_tuple(&r) != 3)
        return;
    clu_get_atom(&r);
    clu_to to = clu_to_pid(clu_get_pid(&r));

    clu_put_term(clu_send_begin(p, &to), &r);
    if (clu_send_end(p) != CLU_OK)
        die("no room for the echo");
}

static void gulp(clu_process *p, const clu_stream *part, void *arg)
{
    struct sink *s = arg;

    (void)p;
    s->n += part->part == CLU_STREAM_LAST;
    s->bytes += (int64_t)part->bytes.len;
}

static int serve(void)
{
    static struct sink state, large;

    clu_spawn(node, &(clu_spawn_options){.receive = sink, .arg = &state, .name = "sink"});
    clu_spawn(node, &(clu_spawn_options){.receive = echo, .name = "echo"});
    clu_on_stream(
        clu_spawn(node, &(clu_spawn_options){.receive = sink, .arg = &large, .name = "gulp"}), gulp,
        &large);
    return clu_main(node);
}

/* ---- the client ---- */

static int64_t acked, n_got, want_got;
static bool done;
static struct trips trips;

static void step_until(const bool *flag)
{
    while (!*flag)
        if (!clu_step(node, -1))
            die(clu_node_error(node));
}

static void ping(clu_process *p)
{
    clu_to to = clu_to_name("echo", peer);
    clu_pid me = clu_self(p);
    clu_writer *w = clu_send_begin(p, &to);

    trip_begins(&trips);
    clu_put_tuple(w, 3);
    clu_put_atom_text(w, "ping");
    clu_put_pid(w, &me);
    clu_put_binary(w, blob, 16);
    if (clu_send_end(p) != CLU_OK)
        die("no room for a ping");
}

static bool writable;

static void receive(clu_process *p, const clu_signal *signal, void *arg)
{
    clu_reader r = signal->term;

    (void)arg;
    if (signal->kind == CLU_SIGNAL_WRITABLE) {
        writable = true;
    } else if (signal->kind == CLU_SIGNAL_NODE_DOWN) {
        die("the peer is gone");
    } else if (signal->kind != CLU_SIGNAL_MESSAGE) {
        return;
    } else if (clu_peek_type(&r) == CLU_TYPE_TUPLE) {
        clu_get_tuple(&r);
        clu_get_atom(&r);
        acked = clu_get_int(&r);
        done = true;
    } else if (want_got > 0) {
        done = ++n_got == want_got;
    } else {
        done = trip_ends(&trips);
        if (!done)
            ping(p);
    }
}

static void put_done(clu_writer *w, size_t size)
{
    clu_pid me = clu_self(self);

    (void)size;
    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "done");
    clu_put_pid(w, &me);
}

static void put_blob(clu_writer *w, size_t size)
{
    clu_put_binary(w, blob, size);
}

static void lend_blob(clu_writer *w, size_t size)
{
    clu_lend_binary(w, blob, size, NULL, NULL);
}

/* Waits as long as the peer reads too slowly. */
static void send(const clu_to *to, void (*put)(clu_writer *w, size_t size), size_t size)
{
    for (;;) {
        put(clu_send_begin(self, to), size);
        clu_error err = clu_send_end(self);

        if (err == CLU_OK)
            return;
        if (err != CLU_EBUSY)
            die(clu_strerror(err));
        writable = false;
        step_until(&writable);
    }
}

static void one_way(const char *what, void (*put)(clu_writer *w, size_t size), size_t size,
                    long count)
{
    double rates[REPEATS];
    clu_to to = clu_to_name("sink", peer);

    for (int i = 0; i < REPEATS; i++) {
        double begin = now_s();

        for (long k = 0; k < count; k++)
            send(&to, put, size);
        done = false;
        send(&to, put_done, 0);
        step_until(&done);
        if (acked != count)
            die("messages were lost");
        rates[i] = (double)count / (now_s() - begin);
    }
    print_rates(what, size, rates);
}

static void measure_one_way(size_t size, long count)
{
    one_way("oneway", put_blob, size, count);
}

static void measure_lent(size_t size, long count)
{
    if (size >= CLU_LEND_MIN)
        one_way("lent", lend_blob, size, count);
}

static void measure_push(size_t size, long count)
{
    double rates[REPEATS];
    clu_to to = clu_to_name("sink", peer);
    clu_pid me = clu_self(self);

    for (int i = 0; i < REPEATS; i++) {
        double begin = now_s();
        clu_writer *w = clu_send_begin(self, &to);

        n_got = 0;
        want_got = count;
        clu_put_tuple(w, 4);
        clu_put_atom_text(w, "push");
        clu_put_pid(w, &me);
        clu_put_int(w, (int64_t)size);
        clu_put_int(w, count);
        if (clu_send_end(self) != CLU_OK)
            die("no room for the order");
        done = false;
        step_until(&done);
        rates[i] = (double)count / (now_s() - begin);
    }
    want_got = 0;
    print_rates("push", size, rates);
}

static void measure_trips(void)
{
    done = false;
    ping(self);
    step_until(&done);
    print_trips("pingpong", &trips);
}

/* clu_rpc_begin or clu_rex_begin */
typedef clu_writer *begin_fn(clu_process *self, const char *node, const char *module,
                             const char *function, uint64_t timeout_ms);

static begin_fn *begin;
static void call(void);

static void answered(clu_process *p, const clu_answer *answer, void *arg)
{
    (void)p, (void)arg;
    if (answer->outcome != CLU_ANSWERED)
        die("the call failed");
    done = trip_ends(&trips);
    if (!done)
        call();
}

static void call(void)
{
    trip_begins(&trips);
    clu_put_nil(begin(self, peer, "erlang", "node", CLU_INFINITY));
    if (clu_call_end(self, answered, NULL, NULL) != CLU_OK)
        die("no room for a call");
}

static void measure_calls(const char *what, begin_fn *by)
{
    begin = by;
    done = false;
    call();
    step_until(&done);
    print_trips(what, &trips);
}

static void measure_rpc(void)
{
    measure_calls("rpc", clu_rpc_begin);
}

static void measure_rex(void)
{
    measure_calls("rex", clu_rex_begin);
}

/* Pings, while a gigabyte is sent: the answer to what is sent behind that is the end. */
static struct pings pings;

static void receive_under_load(clu_process *p, const clu_signal *signal, void *arg)
{
    (void)arg;
    if (signal->kind != CLU_SIGNAL_MESSAGE)
        return;
    ping_ends(&pings, trips.began);
    if (!done)
        ping(p);
}

static uint8_t *gigabyte;

static void put_gigabyte(clu_writer *w, size_t size)
{
    clu_lend_binary(w, gigabyte, size, NULL, NULL);
}

static void measure_gigabyte(void)
{
    clu_process *other = clu_spawn(node, &(clu_spawn_options){.receive = receive_under_load});
    clu_to to = clu_to_name("gulp", peer);

    gigabyte = malloc(GIGABYTE);
    if (other == NULL || gigabyte == NULL)
        die("no memory for a gigabyte");
    memset(gigabyte, 'x', GIGABYTE);
    done = false;
    send(&to, put_done, 0);
    step_until(&done); /* they are linked */
    done = false;
    send(&to, put_gigabyte, GIGABYTE);
    ping(other);
    send(&to, put_done, 0);
    step_until(&done);
    print_pings(&pings);
    clu_exit(other, "normal");
    free(gigabyte);
}

static const struct measure measures[] = {
    {"pingpong", .trips = measure_trips},    {"rpc", .trips = measure_rpc},
    {"rex", .trips = measure_rex},           {"oneway", .rates = measure_one_way},
    {"lent", .rates = measure_lent},         {"push", .rates = measure_push},
    {"gigabyte", .trips = measure_gigabyte}, {NULL},
};

static int client(char **what)
{
    self = clu_spawn(node, &(clu_spawn_options){.receive = receive});
    if (self == NULL)
        die(clu_node_error(node));
    clu_monitor_nodes(self, true);
    measure_all(measures, what);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        die("clu server NAME COOKIE | clu client NAME COOKIE PEER WHAT...");
    node = clu_node_new(&(clu_options){.name = argv[2], .cookie = argv[3], .epmd = "external"});
    memset(blob, 'x', sizeof blob);
    if (argc < 5)
        return serve();
    peer = argv[4];
    return client(argv + 5);
}
