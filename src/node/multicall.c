/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/calls.h"

/* The same call to many nodes, as erpc:multicall has it: one answer a node. */

struct part {
    struct multi *all;
    size_t index;
};

/* One block, with the names behind the parts. It hangs on a tie of the caller's, the anchor, so
 * that it goes with the caller. */
struct multi {
    clu_multi_fn *fn;
    void *arg;
    slot_id anchor;
    uint64_t timeout_ms;
    size_t n, left;
    const char *module, *function;
    const char **nodes;
    struct part parts[];
};

static char *put_text(char **to, const char *text)
{
    size_t size = strlen(text) + 1;
    char *at = memcpy(*to, text, size);

    *to += size;
    return at;
}

static struct multi *multi_new(const char *const *nodes, size_t n, const char *module,
                               const char *function)
{
    size_t names = strlen(module) + strlen(function) + 2, rows;

    for (size_t i = 0; i < n; i++)
        names += strlen(nodes[i]) + 1;
    rows = n * (sizeof(struct part) + sizeof *nodes);
    struct multi *m = n > MULTICALL_MAX ? NULL : malloc(sizeof *m + rows + names);

    if (m == NULL)
        return NULL;
    *m = (struct multi){.n = n, .left = n, .nodes = (const char **)(void *)(m->parts + n)};
    char *to = (char *)(m->nodes + n);

    m->module = put_text(&to, module);
    m->function = put_text(&to, function);
    for (size_t i = 0; i < n; i++) {
        m->parts[i] = (struct part){.all = m, .index = i};
        m->nodes[i] = put_text(&to, nodes[i]);
    }
    return m;
}

clu_writer *clu_multicall_begin(clu_process *p, const char *const *nodes, size_t n,
                                const char *module, const char *function, uint64_t timeout_ms)
{
    struct sending *s = &p->node->sending;
    struct multi *m = p->ended ? NULL : multi_new(nodes, n, module, function);

    *s = (struct sending){.from = p, .multi = m};
    clu_writer_init(&s->w);
    if (m == NULL)
        clu_writer_fail(&s->w, p->ended ? CLU_ENOENT : CLU_ENOMEM);
    else
        m->timeout_ms = timeout_ms;
    return &s->w;
}

/* ---- answers ---- */

static void part_answered(clu_process *self, const clu_answer *answer, void *arg)
{
    struct part *part = arg;
    struct multi *m = part->all;
    struct tie *anchor = slots_get(&self->node->ties, m->anchor);

    m->left--;
    m->fn(self, part->index, answer, m->left, m->arg);
    if (m->left == 0 && anchor != NULL)
        tie_free(anchor);
}

/* What could not even be asked is told as an answer too, later as all are. */
static clu_error fail_part(struct clu_process *p, struct part *part, clu_error err)
{
    struct tie *t = tie_new(p, TIE_CALL);
    struct atom_term term;
    const char *why = "system_limit";

    if (t == NULL)
        return CLU_ENOMEM;
    if (err == CLU_EBUSY || err == CLU_EBADARG)
        why = err == CLU_EBUSY ? "busy" : "badarg";
    t->on_answer = part_answered;
    t->arg = part;
    tie_answer(t, CLU_NO_PROCESS, (clu_slice){NULL, 0}, reader_of(atom_term(&term, why)));
    return CLU_OK;
}

static clu_error ask(struct clu_process *p, struct part *part, clu_slice args)
{
    const struct multi *m = part->all;

    clu_put_raw(clu_rpc_begin(p, m->nodes[part->index], m->module, m->function, m->timeout_ms),
                args);
    clu_error err = clu_call_end(p, part_answered, part, NULL);

    return err == CLU_OK ? CLU_OK : fail_part(p, part, err);
}

/* ---- end ---- */

static struct tie *anchor(struct clu_process *p, struct multi *m)
{
    struct tie *t = tie_new(p, 0);

    if (t == NULL) {
        free(m);
        return NULL;
    }
    t->more = m;
    m->anchor = t->id;
    return t;
}

/* Without memory for one of them the whole is taken back: no answer of it comes. */
static clu_error ask_all(struct clu_process *p, struct multi *m, clu_slice args)
{
    clu_error err = CLU_OK;

    for (size_t i = 0; i < m->n && err == CLU_OK; i++)
        err = ask(p, &m->parts[i], args);
    return err;
}

static void take_back(struct clu_process *p, const struct multi *m)
{
    struct list *next;

    for (struct list *at = p->ties.next; at != &p->ties; at = next) {
        struct tie *t = CONTAINER_OF(at, struct tie, of_owner);
        const struct part *part = t->arg;

        next = at->next;
        if (t->on_answer == part_answered && part->all == m)
            tie_end(t);
    }
}

static clu_error run(struct clu_process *p, struct multi *m, clu_slice args)
{
    struct tie *t = anchor(p, m);

    if (t == NULL)
        return CLU_ENOMEM;
    clu_error err = ask_all(p, m, args);

    if (err != CLU_OK) {
        take_back(p, m);
        tie_free(t);
    }
    return err;
}

clu_error clu_multicall_end(clu_process *p, clu_multi_fn *fn, void *arg)
{
    struct sending *s = &p->node->sending;
    struct multi *m = s->multi;
    clu_writer w = s->w;

    if (s->from != p || (m == NULL && w.err == CLU_OK))
        return CLU_EBADARG;
    clu_error err = w.err == CLU_OK && w.len == 0 ? CLU_EBADARG : w.err;

    *s = (struct sending){0};
    if (err != CLU_OK || m->n == 0) {
        free(m);
    } else {
        m->fn = fn;
        m->arg = arg;
        err = run(p, m, (clu_slice){w.data, w.len});
    }
    clu_writer_free(&w);
    return err;
}
