/* SPDX-License-Identifier: Apache-2.0
 * Lines from standard input to a registered process, and what it sends back: bridge NAME NODE. It
 * gets {bridge, Pid, Line}. A thread reads; the node dials NODE, and who ERLCLU_DISCOVER lists. */
#include <erlclu/erlclu.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static clu_process *process;
static clu_to to;

static void on_signal(clu_process *self, const clu_signal *s, void *arg)
{
    clu_reader term = s->term;
    clu_writer text = {0};

    (void)self, (void)arg;
    if (s->kind == CLU_SIGNAL_MESSAGE && clu_print(&term, &text) == CLU_OK)
        printf("%.*s\n", (int)text.len, (const char *)text.data);
    clu_writer_free(&text);
}

/* In the node's thread; node is NULL when it has ended. */
static void send_line(clu_node *node, void *line)
{
    if (node != NULL &&
        clu_send(process, &to, "{bridge,~p,~b}", clu_self(process), (char *)line) != CLU_OK)
        fprintf(stderr, "bridge: lost: %s\n", (char *)line);
    free(line);
}

static void *read_lines(void *node)
{
    char *line = NULL;
    size_t cap = 0;

    while (getline(&line, &cap, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (clu_post(node, send_line, line) == CLU_OK)
            line = NULL; /* send_line frees it */
    }
    clu_stop(node);
    return NULL;
}

int main(int argc, char **argv)
{
    clu_node *node = clu_node_new(&(clu_options){.name = "bridge"});

    setlinebuf(stdout);
    process = clu_spawn(node, &(clu_spawn_options){.receive = on_signal});
    to = clu_to_name(argc > 2 ? argv[1] : "bridge", argc > 2 ? argv[2] : NULL);
    if (pthread_create(&(pthread_t){0}, NULL, read_lines, node) == 0 && clu_run(node) == CLU_OK)
        return 0; /* without freeing the node, which the thread still knows */
    fprintf(stderr, "bridge: %s\n", clu_node_error(node));
    return 1;
}
