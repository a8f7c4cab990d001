/* SPDX-License-Identifier: Apache-2.0
 *
 * erl_interface as a client of msg.erl: `ei NAME COOKIE PEER WHAT...`. `batch` measures what a BEAM
 * can take at most: frames made once, written 64 kB at a time. */
#include <arpa/inet.h>
#include <ei.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"

static ei_cnode ec;
static int fd;
static ei_x_buff rx;
static char blob[1 << 20];

#define BATCH_BYTES 65536

static void receive(void)
{
    erlang_msg m;
    int got;

    do {
        rx.index = 0;
        got = ei_xreceive_msg(fd, &m, &rx);
    } while (got == ERL_TICK);
    if (got == ERL_ERROR)
        die("ei: cannot receive");
}

static void send_to(const char *name, ei_x_buff *x)
{
    char to[32];

    strcpy(to, name);
    if (ei_reg_send(&ec, fd, to, x->buff, x->index) < 0)
        die("ei: cannot send");
}

static void send_done(void)
{
    ei_x_buff x;

    ei_x_new_with_version(&x);
    ei_x_encode_tuple_header(&x, 2);
    ei_x_encode_atom(&x, "done");
    ei_x_encode_pid(&x, ei_self(&ec));
    send_to("sink", &x);
    ei_x_free(&x);
}

static void await_ack(long count)
{
    int at = 0, version, arity;
    char atom[MAXATOMLEN];
    long n;

    receive();
    ei_decode_version(rx.buff, &at, &version);
    ei_decode_tuple_header(rx.buff, &at, &arity);
    ei_decode_atom(rx.buff, &at, atom);
    ei_decode_long(rx.buff, &at, &n);
    if (n != count)
        die("ei: messages were lost");
}

static void measure_one_way(size_t size, long count)
{
    double rates[REPEATS];
    ei_x_buff x;

    ei_x_new(&x);
    for (int i = 0; i < REPEATS; i++) {
        double begin = now_s();

        for (long k = 0; k < count; k++) {
            x.index = 0;
            ei_x_encode_version(&x);
            ei_x_encode_binary(&x, blob, (int)size);
            send_to("sink", &x);
        }
        send_done();
        await_ack(count);
        rates[i] = (double)count / (now_s() - begin);
    }
    ei_x_free(&x);
    print_rates("oneway", size, rates);
}

static void measure_push(size_t size, long count)
{
    double rates[REPEATS];

    for (int i = 0; i < REPEATS; i++) {
        double begin = now_s();
        ei_x_buff x;

        ei_x_new_with_version(&x);
        ei_x_encode_tuple_header(&x, 4);
        ei_x_encode_atom(&x, "push");
        ei_x_encode_pid(&x, ei_self(&ec));
        ei_x_encode_long(&x, (long)size);
        ei_x_encode_long(&x, count);
        send_to("sink", &x);
        for (long k = 0; k < count; k++)
            receive();
        ei_x_free(&x);
        rates[i] = (double)count / (now_s() - begin);
    }
    print_rates("push", size, rates);
}

static void ping(ei_x_buff *x)
{
    x->index = 0;
    ei_x_encode_version(x);
    ei_x_encode_tuple_header(x, 3);
    ei_x_encode_atom(x, "ping");
    ei_x_encode_pid(x, ei_self(&ec));
    ei_x_encode_binary(x, blob, 16);
    send_to("echo", x);
    receive();
}

static void call(ei_x_buff *arguments)
{
    ei_x_buff answer;
    char module[] = "erlang", function[] = "node";

    ei_x_new(&answer);
    if (ei_rpc(&ec, fd, module, function, arguments->buff, arguments->index, &answer) < 0)
        die("ei: the call failed");
    ei_x_free(&answer);
}

static void measure_trips(const char *what, void (*trip)(ei_x_buff *), ei_x_buff *x)
{
    static struct trips trips;

    do {
        trip_begins(&trips);
        trip(x);
    } while (!trip_ends(&trips));
    print_trips(what, &trips);
}

static void measure_pings(void)
{
    ei_x_buff x;

    ei_x_new(&x);
    measure_trips("pingpong", ping, &x);
    ei_x_free(&x);
}

static void measure_calls(void)
{
    ei_x_buff x;

    ei_x_new(&x);
    ei_x_encode_empty_list(&x);
    measure_trips("rpc", call, &x);
    ei_x_free(&x);
}

/* ---- the ceiling ---- */

static size_t build_frame(ei_x_buff *x, size_t size)
{
    static const char head[5] = {0, 0, 0, 0, 112};

    x->index = 0;
    ei_x_append_buf(x, head, sizeof head);
    ei_x_encode_version(x);
    ei_x_encode_tuple_header(x, 4);
    ei_x_encode_long(x, ERL_REG_SEND);
    ei_x_encode_pid(x, ei_self(&ec));
    ei_x_encode_atom(x, "");
    ei_x_encode_atom(x, "sink");
    ei_x_encode_version(x);
    ei_x_encode_binary(x, blob, (int)size);
    uint32_t len = htonl((uint32_t)x->index - 4);

    memcpy(x->buff, &len, sizeof len);
    return (size_t)x->index;
}

static void write_all(const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n <= 0)
            die("batch: cannot write");
        data += n;
        len -= (size_t)n;
    }
}

static void measure_batch(size_t size, long all)
{
    long count = size == 16 ? 10 * all : all;
    double rates[REPEATS];
    ei_x_buff x;

    ei_x_new(&x);
    size_t frame = build_frame(&x, size);
    long per = frame >= BATCH_BYTES ? 1 : (long)(BATCH_BYTES / frame);
    char *batch = malloc((size_t)per * frame);

    for (long i = 0; i < per; i++)
        memcpy(batch + (size_t)i * frame, x.buff, frame);
    count = count / per * per;
    for (int i = 0; i < REPEATS; i++) {
        double begin = now_s();

        for (long k = 0; k < count; k += per)
            write_all(batch, (size_t)per * frame);
        send_done();
        await_ack(count);
        rates[i] = (double)count / (now_s() - begin);
    }
    free(batch);
    ei_x_free(&x);
    print_rates("batch", size, rates);
}

static const struct measure measures[] = {
    {"pingpong", .trips = measure_pings}, {"rpc", .trips = measure_calls},
    {"oneway", .rates = measure_one_way}, {"push", .rates = measure_push},
    {"batch", .rates = measure_batch},    {NULL},
};

int main(int argc, char **argv)
{
    struct in_addr at = {.s_addr = inet_addr("127.0.0.1")};
    char host[] = "localhost", alive[] = "bench";

    if (argc < 4)
        die("ei NAME COOKIE PEER WHAT...");
    ei_init();
    if (ei_connect_xinit(&ec, host, alive, argv[1], &at, argv[2], 1) < 0)
        die("ei: cannot start");
    fd = ei_connect(&ec, argv[3]);
    if (fd < 0)
        die("ei: cannot connect");
    memset(blob, 'x', sizeof blob);
    ei_x_new(&rx);
    measure_all(measures, argv + 4);
    return 0;
}
