/* SPDX-License-Identifier: Apache-2.0
 * take FILE: writes the binaries that {take, Node} is sent, of any size, while they come; {done,
 * Pid} is answered by {took, Bytes}. For one sender: the parts of several come by turns
 * (clu_stream). */
#include <erlclu/erlclu.h>

#include <stdio.h>

/* In front of a binary's bytes stand a tag and a length, in four bytes. */
#define HEAD 5

static FILE *out;
static size_t took; /* bytes */

static void on_part(clu_process *self, const clu_stream *s, void *arg)
{
    static bool is_binary;
    size_t head = s->part == CLU_STREAM_FIRST ? HEAD : 0;

    (void)self, (void)arg;
    if (s->part == CLU_STREAM_FIRST)
        is_binary = s->bytes.len >= HEAD && s->bytes.data[0] == ETF_BINARY;
    if (is_binary)
        took += fwrite(s->bytes.data + head, 1, s->bytes.len - head, out);
}

/* What is small comes whole. */
static void on_signal(clu_process *self, const clu_signal *s, void *arg)
{
    clu_reader term = s->term;
    clu_slice bytes;
    clu_pid pid;

    (void)arg;
    if (s->kind == CLU_SIGNAL_STREAM_LOST) {
        fprintf(stderr, "take: the connection ended within a binary\n");
    } else if (s->kind == CLU_SIGNAL_MESSAGE && clu_match(&term, "~b", &bytes) == CLU_OK) {
        took += fwrite(bytes.data, 1, bytes.len, out);
    } else if (s->kind == CLU_SIGNAL_MESSAGE && clu_match(&term, "{done,~p}", &pid) == CLU_OK) {
        clu_to to = clu_to_pid(pid);

        if (fflush(out) != 0 || clu_send(self, &to, "{took,~i}", took) != CLU_OK)
            fprintf(stderr, "take: FILE is not whole, or the peer did not hear of it\n");
        took = 0;
    }
}

int main(int argc, char **argv)
{
    out = argc > 1 ? fopen(argv[1], "w") : stdout;
    if (out == NULL)
        return perror(argv[1]), 2;
    clu_node *node = clu_node_new(&(clu_options){.name = "take"});
    clu_process *p = clu_spawn(node, &(clu_spawn_options){.receive = on_signal, .name = "take"});

    if (p != NULL)
        clu_on_stream(p, on_part, NULL);
    return clu_main(node);
}
