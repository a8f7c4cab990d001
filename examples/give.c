/* SPDX-License-Identifier: Apache-2.0
 * give FILE NAME NODE: gen_server:call({Name, Node}, Binary) with a file of any size, which is sent
 * from where it lies, and never copied. Prints the answer. */
#include <erlclu/erlclu.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static const void *bytes;
static size_t size;

static void on_answer(clu_process *self, const clu_answer *answer, void *arg)
{
    clu_reader term = answer->term;
    clu_writer text = {0};

    (void)arg;
    if (clu_print(&term, &text) == CLU_OK)
        printf("%s%.*s\n", answer->outcome == CLU_ANSWERED ? "" : "failed: ", (int)text.len,
               (const char *)text.data);
    clu_writer_free(&text);
    clu_stop(clu_process_node(self));
}

/* Only to a node that is linked nothing is copied. */
static void on_signal(clu_process *self, const clu_signal *s, void *arg)
{
    clu_to *to = arg;

    if (s->kind != CLU_SIGNAL_NODE_UP || !clu_slice_equal(s->node, to->node))
        return;
    clu_lend_binary(clu_call_begin(self, to, CLU_INFINITY), bytes, size, NULL, NULL);
    if (clu_call_end(self, on_answer, NULL, NULL) != CLU_OK)
        clu_stop(clu_process_node(self));
}

int main(int argc, char **argv)
{
    char seed[300];
    int fd = argc == 4 ? open(argv[1], O_RDONLY) : -1;

    size = (size_t)lseek(fd, 0, SEEK_END);
    bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) {
        fprintf(stderr, "give FILE NAME NODE: FILE cannot be read, or is empty\n");
        return 2;
    }
    clu_to to = clu_to_name(argv[2], argv[3]);

    snprintf(seed, sizeof seed, "static:%s", argv[3]);
    clu_node *node = clu_node_new(&(clu_options){.name = "give", .discover = seed});
    clu_process *p = clu_spawn(node, &(clu_spawn_options){.receive = on_signal, .arg = &to});

    if (p != NULL)
        clu_monitor_nodes(p, true);
    return clu_main(node);
}
