/* SPDX-License-Identifier: Apache-2.0 */
#include "node/node.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/calls.h"
#include "node/global.h"

/* ---- life ---- */

clu_error node_init(struct clu_node *n, const char *name, uint32_t creation, bool hidden)
{
    *n = (struct clu_node){.hidden = hidden};
    struct list *const all[] = {&n->runnable, &n->dying, &n->talking,
                                &n->wanted,   &n->calls, &n->observers};

    for (size_t i = 0; i < COUNT(all); i++)
        list_init(all[i]);
    n->procs.max = NODE_PROCESSES_MAX;
    n->calls_max = CLU_CALLS_MAX;
    node_rename(n, name, creation);
    clu_error err = services_start(n);

    return err == CLU_OK ? builtins_export(n) : err;
}

/* The connections are gone already; what is left is told to nobody. */
void node_fini(struct clu_node *n)
{
    struct atom_term term;
    uint32_t at = 0;

    if (n->dying.next == NULL)
        return;
    n->closing = true;
    for (struct clu_process *p; (p = slots_next(&n->procs, &at)) != NULL;)
        process_end(p, atom_term(&term, "shutdown"));
    while (!list_empty(&n->dying))
        process_bury(CONTAINER_OF(n->dying.next, struct clu_process, dying));
    global_fini(n);
    calls_free(n);
    remotes_free(n);
    slots_free(&n->procs);
    slots_free(&n->ties);
    map_free(&n->names);
    map_free(&n->remotes);
    exports_free(n);
    index_free(&n->watchers);
    index_free(&n->bonds);
    index_free(&n->backlogs);
    heap_free(&n->timers);
    spare_free(&n->spare_procs);
    spare_free(&n->spare_ties);
    spare_free(&n->spare_watchers);
    *n = (struct clu_node){0};
}

void node_seed(struct clu_node *n, uint64_t seed)
{
    n->seed = seed;
}

void node_rename(struct clu_node *n, const char *name, uint32_t creation)
{
    text_set(n->name, sizeof n->name, slice_of(name));
    n->creation = creation;
}

void node_fail(struct clu_node *n, clu_error err, const char *format, ...)
{
    va_list args;

    if (n->err != CLU_OK)
        return;
    n->err = err;
    va_start(args, format);
    vsnprintf(n->why, sizeof n->why, format, args);
    va_end(args);
}

/* ---- the end of a step ---- */

static void bury_all(struct clu_node *n)
{
    while (!list_empty(&n->dying))
        process_bury(CONTAINER_OF(n->dying.next, struct clu_process, dying));
}

/* Whoever has more than its share comes last next time. */
void node_turn(struct clu_node *n, uint64_t now_ms)
{
    uint32_t budget = NODE_TURN_MAX;

    n->now_ms = now_ms;
    bury_all(n);
    while (budget > 0 && !list_empty(&n->runnable)) {
        struct clu_process *p = CONTAINER_OF(n->runnable.next, struct clu_process, runnable);

        list_remove(&p->runnable);
        /* It may be there again already: by a message to itself. */
        if (!mailbox_run(p, &budget) && list_empty(&p->runnable))
            list_append(&n->runnable, &p->runnable);
        bury_all(n);
    }
}

/* ---- time ---- */

uint64_t node_deadline(const struct clu_node *n)
{
    return list_empty(&n->runnable) && list_empty(&n->dying) ? heap_next(&n->timers) : 0;
}

void node_tick(struct clu_node *n, uint64_t now_ms)
{
    struct heap_item *item;

    n->now_ms = now_ms;
    while ((item = heap_pop(&n->timers, now_ms)) != NULL)
        tie_due(CONTAINER_OF(item, struct tie, due));
}
