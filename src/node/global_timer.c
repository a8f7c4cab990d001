/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/global_impl.h"

/* Global's timers: those of its registrar's process, each with what is to be done. */

struct gtimer *timer_start(struct global *g, uint64_t ms, void (*fn)(struct global *, void *),
                           void *arg)
{
    struct gtimer *t = g->dead ? NULL : calloc(1, sizeof *t);

    if (t == NULL) {
        global_broken(g);
        return NULL;
    }
    *t = (struct gtimer){.ref = clu_after(g->registrars, ms), .fn = fn, .arg = arg};
    list_append(&g->timers, &t->list);
    if (t->ref.n == 0) {
        timer_stop(g, t);
        global_broken(g);
        return NULL;
    }
    return t;
}

void timer_stop(struct global *g, struct gtimer *t)
{
    if (t == NULL)
        return;
    if (!g->dead)
        clu_cancel(g->registrars, &t->ref);
    list_remove(&t->list);
    free(t);
}

bool timer_signal(struct global *g, const clu_signal *s)
{
    for (struct list *at = g->timers.next; at != &g->timers; at = at->next) {
        struct gtimer *t = CONTAINER_OF(at, struct gtimer, list);
        struct gtimer fired = *t;

        if (memcmp(t->ref.words, s->ref.words, sizeof t->ref.words) != 0)
            continue;
        list_remove(&t->list);
        free(t);
        fired.fn(g, fired.arg);
        return true;
    }
    return false;
}

/* As global.erl has it: up to 250 ms, doubling, 8 s at most. */
uint64_t timer_random(struct global *g, unsigned times)
{
    return rng_range(&g->rng, 1, times > 5 ? 8000 : UINT64_C(125) << times);
}
