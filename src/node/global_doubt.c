/* SPDX-License-Identifier: Apache-2.0 */
#include "node/global_impl.h"

/* Two that are linked know each other, or neither does and they are about to meet. What a cut in
 * the midst of an exchange leaves behind may be one that knows another which does not know it: no
 * word of the protocol ever ends that. So whoever is linked is asked, once all should be over, whom
 * it knows. If it is wrong about us twice in a row, the exchange has failed: the link is cut, and
 * whatever comes of that is global's ordinary business. */

/* When all should be over, and the pause until it is asked again. */
#define DOUBT_MS       20000
#define DOUBT_AGAIN_MS 5000
#define DOUBTS_MAX     2

static void ask(struct global *g, void *arg);

static void wait_for(struct global *g, struct gpeer *p, uint64_t ms)
{
    timer_stop(g, p->doubt);
    p->doubt = timer_start(g, ms, ask, p);
}

void doubt_end(struct global *g, struct gpeer *p)
{
    timer_stop(g, p->doubt);
    p->doubt = NULL;
    if (p->asked.n > 0 && !g->dead)
        clu_call_forget(g->registrars, &p->asked);
    p->asked.n = 0;
    p->doubts = 0;
}

void doubt_begin(struct global *g, struct gpeer *p)
{
    doubt_end(g, p);
    if (p->linked && !p->apart && !g->broken && !g->dead)
        wait_for(g, p, DOUBT_MS);
}

/* [Node | {Node, Version}] */
static bool has_own_name(const struct global *g, clu_reader r)
{
    bool has = false;

    for (size_t n = clu_get_list(&r); n > 0 && r.err == CLU_OK; n--) {
        bool pair = clu_peek_type(&r) == CLU_TYPE_TUPLE && clu_get_tuple(&r) == 2;

        has |= is_own_name(g->node, clu_get_atom(&r));
        if (pair)
            clu_skip_term(&r);
    }
    return has && r.err == CLU_OK;
}

/* Neither knows the other, and here nothing is under way that could change it: it said that it is
 * in sync, or was asked to cut the link and did not. */
static bool is_idle(const struct gpeer *p)
{
    return !p->known && p->my_tag == 0;
}

static void judge(struct global *g, struct gpeer *p, bool knows_us)
{
    if (knows_us == p->known && !is_idle(p)) {
        p->doubts = 0;
        if (!p->known)
            wait_for(g, p, DOUBT_MS);
        return;
    }
    if (++p->doubts < DOUBTS_MAX) {
        wait_for(g, p, DOUBT_AGAIN_MS);
        return;
    }
    global_tell(g, GLOBAL_ONE_SIDED, p->name, "", "");
    global_cut(g, p->name);
}

/* Who has no global at all is not asked again; a link that ends takes the question with it. */
static void on_reply(clu_process *self, const clu_answer *answer, void *arg)
{
    struct global *g = self->node->global;
    struct gpeer *p = arg;

    p->asked.n = 0;
    if (answer->outcome == CLU_ANSWERED)
        judge(g, p, has_own_name(g, answer->term));
    else
        p->apart = true;
    global_run(g);
}

static void ask(struct global *g, void *arg)
{
    struct gpeer *p = arg;
    clu_to to = clu_to_name("global_name_server", p->name);

    p->doubt = NULL;
    g->node->urgent = true;
    clu_put_atom_text(clu_call_begin(g->registrars, &to, CLU_INFINITY), "get_known");
    clu_error err = clu_call_end(g->registrars, on_reply, p, &p->asked);

    g->node->urgent = false;
    if (!global_ok(g, err))
        p->asked.n = 0;
}
