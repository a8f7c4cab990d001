/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/global_impl.h"

/* What the locker says to all before it gives the lock back: who is new. It must reach those as
 * well that are not linked yet, before they can be given the lock. */

void farewell_free(struct farewell *bye)
{
    if (bye == NULL)
        return;
    nodelist_free(&bye->to);
    clu_writer_free(&bye->message);
    free(bye);
}

/* It is held until the node is linked, in front of what gives the lock back. */
static void say_held(struct global *g, const char *node, clu_slice message)
{
    clu_to to = clu_to_name("global_name_server", node);

    g->muted = false;
    g->node->urgent = true;
    clu_writer *w = clu_send_begin(g->lockers, &to);

    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "$gen_cast");
    clu_put_raw(w, message);
    tell_end(g, g->lockers);
}

/* One that is on its way, because others know it, hears it once it is linked: nobody else tells it.
 */
static void say_later(struct global *g, struct gpeer *p, clu_slice message)
{
    clu_put_raw(&p->farewells.w, message);
    p->farewells.n++;
    if (global_ok(g, p->farewells.w.err))
        say_held(g, p->name, message);
}

void farewell_say_again(struct global *g, const struct gpeer *p)
{
    const struct remote *r = remote_find(g->node, slice_of(p->name));
    clu_reader at = terms_read(&p->farewells);

    if (r != NULL && r->held.len > 0) /* somebody else has it dialled: they are held still */
        return;
    for (size_t i = 0; i < p->farewells.n; i++)
        say_held(g, p->name, clu_get_raw(&at));
}

void farewell_say(struct global *g, const struct farewell *bye)
{
    for (size_t i = 0; bye != NULL && i < bye->to.n && !g->dead; i++) {
        struct gpeer *p = peer_find(g, slice_of(bye->to.names[i]));

        if (p != NULL && p->wanted && !p->linked) {
            say_later(g, p, written(&bye->message));
            continue;
        }
        clu_put_raw(cast_begin(g, g->lockers, slice_of(bye->to.names[i])), written(&bye->message));
        tell_end(g, g->lockers);
    }
}
