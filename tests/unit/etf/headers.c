/* SPDX-License-Identifier: Apache-2.0
 *
 * What a user of the headers writes, as C11 and as C++17. With MISTAKE set it must not compile.
 */
#include <erlclu/erlclu.h>

/* rpc:call(Node, calc, add, [A, B]) */
static clu_error add(clu_call *call, clu_reader *args, void *arg)
{
    int64_t a, b, sum;

    (void)arg;
    if (clu_match(args, "[~i,~i]", &a, &b) != CLU_OK || __builtin_add_overflow(a, b, &sum))
        return CLU_EBADARG; /* the caller sees error:badarg */
    return clu_reply(call, "~i", sum);
}

void export_add(clu_node *node);
void export_add(clu_node *node)
{
    clu_export(node, "calc", "add", 2, add, NULL);
}

static void on_answer(clu_process *self, const clu_answer *answer, void *arg)
{
    clu_to to = clu_to_name("log", NULL);
    clu_reader term = answer->term;
    const clu_atom *tag = (const clu_atom *)arg;

    if (clu_send(self, &to, "{~a,~p,~t}", tag, clu_self(self), &term) != CLU_OK)
        clu_exit(self, "normal");
}

clu_error talk(clu_process *self, clu_call *call, clu_slice bytes, unsigned short n);
clu_error talk(clu_process *self, clu_call *call, clu_slice bytes, unsigned short n)
{
    clu_to to = clu_to_name("server", "n1@127.0.0.1");
    clu_ref ref = clu_monitor(self, &to);
    bool yes = true;
    clu_error errors[] = {
        clu_cast(self, &to, "ping"),
        clu_notify(self, &to, "{event,~r,~o}", ref, yes),
        clu_ask(self, &to, 5000, on_answer, NULL, "{get,~b,~u}", bytes, n),
        clu_rpc(self, "n1@127.0.0.1", "lists", "seq", CLU_INFINITY, on_answer, NULL, "[1,~i]", n),
        clu_raise(call, "throw", "{~s,~f}", "text", 1.0f),
    };

    return errors[n % 5];
}

bool take_apart(clu_reader *r);
bool take_apart(clu_reader *r)
{
    clu_slice name;
    clu_pid pid;
    clu_reader rest;
    clu_list list;
    unsigned char small;
    unsigned long long big;
    double ratio;

    return clu_match(r, "ok") == CLU_OK || clu_match(r, "{~a,~p,~t,~l,~i,~u,~f}", &name, &pid,
                                                     &rest, &list, &small, &big, &ratio) == CLU_OK;
}

#if MISTAKE == 1
bool wrong(clu_reader *r)
{
    return clu_match(r, "~i", 5) == CLU_OK; /* no pointer */
}
#elif MISTAKE == 2
bool wrong(clu_writer *w, void *pointer)
{
    return clu_format(w, "~t", pointer) == CLU_OK; /* of anything */
}
#elif MISTAKE == 3
bool wrong(clu_reader *r, const int64_t *a)
{
    return clu_match(r, "~i", a) == CLU_OK; /* may not be written to */
}
#elif MISTAKE == 4
bool wrong(clu_writer *w)
{
    return clu_format(w, "~i~i", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17) ==
           CLU_OK;
}
#endif
