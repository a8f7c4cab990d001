/* SPDX-License-Identifier: Apache-2.0 */
#include "subject.h"

/* {pg_start, Scope} */
static clu_error do_pg_start(struct subject *c, clu_call *call, clu_reader *r)
{
    char scope[256];

    if (!get_text(r, scope, sizeof scope))
        return CLU_EBADARG;
    return order_reply(call, clu_pg_start(clu_process_node(c->self), scope));
}

/* {pg_join, Scope, Group}, {pg_leave, Scope, Group} */
static clu_error do_pg_join(struct subject *c, clu_call *call, clu_reader *r)
{
    char scope[256];

    if (!get_text(r, scope, sizeof scope))
        return CLU_EBADARG;
    return order_reply(call, clu_pg_join(c->self, scope, term_at(c, r)));
}

static clu_error do_pg_leave(struct subject *c, clu_call *call, clu_reader *r)
{
    char scope[256];

    if (!get_text(r, scope, sizeof scope))
        return CLU_EBADARG;
    return order_reply(call, clu_pg_leave(c->self, scope, term_at(c, r)));
}

static bool put_member(const clu_pid *pid, bool local, void *w)
{
    (void)local;
    clu_put_list(w, 1);
    clu_put_pid(w, pid);
    return true;
}

static clu_error do_pg_members(struct subject *c, clu_call *call, clu_reader *r)
{
    char scope[256];

    if (!get_text(r, scope, sizeof scope))
        return CLU_EBADARG;
    clu_slice group = term_at(c, r);
    clu_writer *w = clu_reply_begin(call);

    clu_pg_members(clu_process_node(c->self), scope, group, put_member, w);
    clu_put_nil(w);
    return clu_reply_end(call);
}

/* What global has answered is the answer. */
static void registered(clu_process *self, const clu_answer *answer, void *arg)
{
    if (clu_reply(arg, "~t", answer->term) != CLU_OK)
        clu_exit(self, "no_room");
}

/* {register, Name}: yes or no. */
static clu_error do_register(struct subject *c, clu_call *call, clu_reader *r)
{
    clu_pid self = clu_self(c->self);
    clu_ref ref =
        clu_global_register(c->self, term_at(c, r), &self, CLU_RESOLVE_EXIT, registered, call);

    return ref.n > 0 ? CLU_PENDING : CLU_EBADARG;
}

static clu_error do_whereis(struct subject *c, clu_call *call, clu_reader *r)
{
    clu_pid pid;

    if (clu_global_whereis(clu_process_node(c->self), term_at(c, r), &pid))
        return clu_reply(call, "~p", pid);
    return clu_reply(call, "undefined");
}

const struct order cluster_orders[] = {
    {"pg_join", do_pg_join},
    {"pg_leave", do_pg_leave},
    {"pg_members", do_pg_members},
    {"pg_start", do_pg_start},
    {"register", do_register},
    {"whereis", do_whereis},
    {NULL, NULL},
};
