/* SPDX-License-Identifier: Apache-2.0
 *
 * Large messages: processes named sink, giver and leaver.
 */
#include "citizen.h"

#include <stdlib.h>
#include <string.h>

/* ---- sink: takes messages as streams, and says of each what it was ---- */

/* As erlang:adler32/1 has it. So many bytes may be added before a sum of 32 bits runs over. */
#define ADLER_RUN 5552

static uint32_t adler32(uint32_t sum, clu_slice bytes)
{
    uint32_t a = sum & 0xffff, b = sum >> 16;

    for (size_t i = 0; i < bytes.len;) {
        size_t end = bytes.len - i < ADLER_RUN ? bytes.len : i + ADLER_RUN;

        for (; i < end; i++) {
            a += bytes.data[i];
            b += a;
        }
        a %= 65521;
        b %= 65521;
    }
    return b << 16 | a;
}

struct sink {
    uint64_t bytes, parts;
    uint32_t sum;
};

/* {sink, Bytes, Parts, Adler32} to the sender, when the last part has come. One message at a time.
 */
static void sink_stream(clu_process *self, const clu_stream *part, void *arg)
{
    struct sink *k = arg;

    if (part->part == CLU_STREAM_FIRST)
        *k = (struct sink){.sum = 1};
    k->bytes += part->bytes.len;
    k->parts++;
    k->sum = adler32(k->sum, part->bytes);
    if (part->part != CLU_STREAM_LAST)
        return;
    clu_to to = clu_to_pid(part->from);
    clu_writer *w = clu_send_begin(self, &to);

    clu_put_tuple(w, 4);
    clu_put_atom_text(w, "sink");
    clu_put_uint(w, k->bytes);
    clu_put_uint(w, k->parts);
    clu_put_uint(w, k->sum);
    if (clu_send_end(self) != CLU_OK)
        abort();
}

/* {whole, Bytes} for a message that came whole; {lost, Node} goes to whoever sent the one before.
 */
static void sink_receive(clu_process *self, const clu_signal *s, void *arg)
{
    static clu_to watcher;
    static uint8_t node[256];
    static clu_pid pid;

    (void)arg;
    if (s->kind == CLU_SIGNAL_MESSAGE && s->from.node.len < sizeof node) {
        pid = s->from;
        for (size_t i = 0; i < pid.node.len; i++)
            node[i] = pid.node.data[i];
        pid.node.data = node;
        watcher = clu_to_pid(pid);
    }
    if (s->kind != CLU_SIGNAL_MESSAGE && s->kind != CLU_SIGNAL_STREAM_LOST)
        return;
    clu_writer *w = clu_send_begin(self, &watcher);

    clu_put_tuple(w, 2);
    clu_put_atom_text(w, s->kind == CLU_SIGNAL_MESSAGE ? "whole" : "lost");
    if (s->kind == CLU_SIGNAL_MESSAGE)
        clu_put_uint(w, (uint64_t)(s->term.end - s->term.pos));
    else
        clu_put_atom(w, s->node);
    if (clu_send_end(self) != CLU_OK)
        abort();
}

/* ---- on order ---- */

static void say(clu_process *self, const clu_to *to, const char *word)
{
    clu_put_atom_text(clu_send_begin(self, to), word);
    if (clu_send_end(self) != CLU_OK)
        abort();
}

/* {Pid, Bytes}; false: it is none. */
static bool take_order(const clu_signal *s, clu_pid *pid, uint64_t *n)
{
    clu_reader r = s->term;

    if (s->kind != CLU_SIGNAL_MESSAGE)
        return false;
    clu_get_tuple(&r);
    *pid = clu_get_pid(&r);
    *n = clu_get_uint(&r);
    return r.err == CLU_OK;
}

/* ---- giver: {Pid, Bytes}: sends a binary of so many bytes, and then the atom behind ---- */

static void give(clu_process *self, const clu_pid *pid, uint64_t n)
{
    clu_to to = clu_to_pid(*pid);
    clu_writer *w = clu_send_begin(self, &to);

    uint8_t *data = malloc(n);

    if (data == NULL)
        abort();
    memset(data, 7, n);
    clu_lend_binary(w, data, n, free, data);
    if (clu_send_end(self) != CLU_OK)
        abort();
    say(self, &to, "behind");
}

static void giver_receive(clu_process *self, const clu_signal *s, void *arg)
{
    clu_pid pid;
    uint64_t n;

    (void)arg;
    if (take_order(s, &pid, &n))
        give(self, &pid, n);
}

/* ---- leaver: {Pid, Bytes}: sends first, a binary of so many bytes and bye, and stops the node
 * ---- */

static void leaver_receive(clu_process *self, const clu_signal *s, void *arg)
{
    clu_pid pid;
    uint64_t n;

    (void)arg;
    if (!take_order(s, &pid, &n))
        return;
    clu_to to = clu_to_pid(pid);
    uint8_t *data = calloc(1, n);

    if (data == NULL)
        return;
    say(self, &to, "first");
    clu_put_binary(clu_send_begin(self, &to), data, n);
    if (clu_send_end(self) != CLU_OK)
        abort();
    free(data);
    say(self, &to, "bye");
    clu_exit(self, "leaving");
    clu_stop(clu_process_node(self));
}

void large_start(clu_node *node)
{
    static struct sink sink;

    clu_process *p = clu_spawn(node, &(clu_spawn_options){.receive = sink_receive, .name = "sink"});

    if (p != NULL)
        clu_on_stream(p, sink_stream, &sink);
    clu_spawn(node, &(clu_spawn_options){.receive = giver_receive, .name = "giver"});
    clu_spawn(node, &(clu_spawn_options){.receive = leaver_receive, .name = "leaver"});
}
