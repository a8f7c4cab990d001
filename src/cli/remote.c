/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/remote.h"

clu_ref remote_call(clu_process *self, const char *node, clu_slice mfa)
{
    clu_reader r = {.pos = mfa.data, .end = mfa.data + mfa.len};
    clu_ref ref = {0};
    clu_writer w;

    clu_writer_init(&w);
    /* execute_call(Ref, M, F, A) hands the first back; the monitor's reference tells enough. */
    clu_put_list(&w, 4);
    clu_put_int(&w, 0);
    if (clu_get_list(&r) == 3)
        for (int i = 0; i < 3; i++)
            clu_put_term(&w, &r);
    clu_put_nil(&w);
    if (w.err == CLU_OK && r.err == CLU_OK)
        ref = clu_spawn_remote(self, node, "erpc", "execute_call", (clu_slice){w.data, w.len},
                               false, true);
    clu_writer_free(&w);
    return ref;
}

/* {Ref, return, Value} | {Ref, throw | exit, Reason} | {Ref, error, Reason, Stack}
 * | {Ref, error, {erpc, Reason}} */
static bool take_result(clu_reader r, struct outcome *o)
{
    size_t arity = clu_peek_type(&r) == CLU_TYPE_TUPLE ? clu_get_tuple(&r) : 0;

    if ((arity != 3 && arity != 4) || clu_get_int(&r) != 0)
        return false;
    clu_slice how = clu_get_atom(&r);

    o->term = r;
    clu_skip_term(&r);
    if (arity == 4)
        o->stack = r;
    o->returned = slice_is(how, "return");
    o->exception = o->returned ? (clu_slice){NULL, 0} : how;
    return r.err == CLU_OK;
}

bool remote_outcome(const clu_signal *signal, struct outcome *o)
{
    if (signal->kind == CLU_SIGNAL_SPAWNED && signal->from.node.len > 0)
        return false;
    *o = (struct outcome){.term = signal->term};
    if (signal->kind == CLU_SIGNAL_DOWN && !take_result(signal->term, o))
        *o = (struct outcome){.term = signal->term};
    return signal->kind == CLU_SIGNAL_DOWN || signal->kind == CLU_SIGNAL_SPAWNED;
}
