/* SPDX-License-Identifier: Apache-2.0 */
/* Says who comes and who goes, and why: observer [SPEC...] */
#include <erlclu/erlclu.h>

#include <stdio.h>

static void on_signal(clu_process *self, const clu_signal *s, void *arg)
{
    int len = (int)s->node.len;
    const char *name = (const char *)s->node.data;
    clu_reader term = s->term;
    clu_slice reason;

    (void)self;
    (void)arg;
    if (s->kind == CLU_SIGNAL_NODE_UP)
        printf("up %.*s\n", len, name);
    else if (s->kind == CLU_SIGNAL_NODE_DOWN && clu_match(&term, "~a", &reason) == CLU_OK)
        printf("down %.*s: %.*s\n", len, name, (int)reason.len, (const char *)reason.data);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    clu_node *node = clu_node_new(&(clu_options){
        .name = "observer",
        .discover = argc > 1 ? argv[1] : NULL,
    });
    clu_process *p = clu_spawn(node, &(clu_spawn_options){.receive = on_signal});

    if (p != NULL)
        clu_monitor_nodes(p, true);
    return clu_main(node);
}
