/* SPDX-License-Identifier: Apache-2.0
 *
 * A node that takes part in global and does by rpc what a test asks:
 *
 *   namer:register(Name, Method)     yes | no: a new process has the name
 *   namer:re_register(Name, Method)  yes
 *   namer:unregister(Name)           ok
 *   namer:whereis(Name)              Pid | undefined
 *   namer:send(Name, Message)        true | false
 *   namer:names()                    how many there are
 *   namer:kill(Name)                 ends the process that has it, if it is one of ours
 *   namer:heard()                    the last message that came to one of ours
 *   namer:sync()                     ok
 *   namer:lock(Resource, Requester, Retries)   true | false; Retries -1: no end
 *   namer:unlock(Resource, Requester)          true
 *   namer:drop()                     the process that has the locks ends, another takes its place
 *
 * namer NAME COOKIE_FILE [SPECS]
 */
#include <erlclu/erlclu.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static clu_process *keeper; /* of the locks */
static clu_writer heard;

static void hear(clu_process *self, const clu_signal *s, void *arg)
{
    clu_reader term = s->term;

    (void)self;
    (void)arg;
    if (s->kind != CLU_SIGNAL_MESSAGE)
        return;
    clu_writer_reset(&heard);
    clu_put_term(&heard, &term);
}

/* One argument, spelt out. */
static clu_slice take(clu_reader *args, clu_writer *w)
{
    clu_writer_init(w);
    clu_put_term(w, args);
    return (clu_slice){w->data, w->len};
}

static void reply_atom(clu_call *call, const char *word)
{
    clu_put_atom_text(clu_reply_begin(call), word);
    if (clu_reply_end(call) != CLU_OK)
        fprintf(stderr, "an answer was lost\n");
}

/* What global has answered is the answer. */
static void pass_on(clu_process *self, const clu_answer *answer, void *arg)
{
    clu_reader term = answer->term;

    (void)self;
    clu_put_term(clu_reply_begin(arg), &term);
    if (clu_reply_end(arg) != CLU_OK)
        fprintf(stderr, "an answer was lost\n");
}

static clu_error asked(clu_ref ref, clu_writer *name)
{
    clu_writer_free(name);
    return ref.n > 0 ? CLU_PENDING : CLU_EBADARG;
}

/* ---- names ---- */

static clu_resolve method_of(clu_slice word)
{
    return clu_slice_is(word, "notify") ? CLU_RESOLVE_NOTIFY
           : clu_slice_is(word, "none") ? CLU_RESOLVE_NONE
                                        : CLU_RESOLVE_EXIT;
}

/* arg: whether a name may be taken from others. */
static clu_error do_register(clu_call *call, clu_reader *args, void *arg)
{
    clu_process *p = clu_spawn(clu_call_node(call), &(clu_spawn_options){.receive = hear});
    clu_process *self = clu_call_self(call);
    clu_writer w;

    clu_get_list(args);
    clu_slice name = take(args, &w);
    clu_resolve method = method_of(clu_get_atom(args));
    clu_pid pid = clu_self(p);

    return asked(arg != NULL ? clu_global_re_register(self, name, &pid, method, pass_on, call)
                             : clu_global_register(self, name, &pid, method, pass_on, call),
                 &w);
}

static clu_error unregister(clu_call *call, clu_reader *args, void *arg)
{
    clu_writer w;

    (void)arg;
    clu_get_list(args);
    clu_slice name = take(args, &w);

    return asked(clu_global_unregister(clu_call_self(call), name, pass_on, call), &w);
}

static clu_error whereis(clu_call *call, clu_reader *args, void *arg)
{
    clu_writer w;
    clu_pid pid;

    (void)arg;
    clu_get_list(args);
    bool found = clu_global_whereis(clu_call_node(call), take(args, &w), &pid);

    if (found)
        clu_put_pid(clu_reply_begin(call), &pid);
    else
        clu_put_atom_text(clu_reply_begin(call), "undefined");
    clu_writer_free(&w);
    return clu_reply_end(call);
}

static clu_error send_it(clu_call *call, clu_reader *args, void *arg)
{
    clu_writer name, message;

    (void)arg;
    clu_get_list(args);
    clu_slice to = take(args, &name), term = take(args, &message);
    clu_error err = clu_global_send(clu_call_self(call), to, term);

    reply_atom(call, err == CLU_OK ? "true" : "false");
    clu_writer_free(&name);
    clu_writer_free(&message);
    return CLU_OK;
}

static void count(clu_slice name, const clu_pid *pid, void *arg)
{
    (void)name;
    (void)pid;
    ++*(int *)arg;
}

static clu_error names(clu_call *call, clu_reader *args, void *arg)
{
    int n = 0;

    (void)args;
    (void)arg;
    clu_global_names(clu_call_node(call), count, &n);
    clu_put_int(clu_reply_begin(call), n);
    return clu_reply_end(call);
}

static clu_error kill_it(clu_call *call, clu_reader *args, void *arg)
{
    clu_writer w;
    clu_pid pid;

    (void)arg;
    clu_get_list(args);
    bool found = clu_global_whereis(clu_call_node(call), take(args, &w), &pid);
    clu_process *p = found ? clu_find(clu_call_node(call), &pid) : NULL;

    if (p != NULL)
        clu_exit(p, "asked_to");
    reply_atom(call, p != NULL ? "true" : "false");
    clu_writer_free(&w);
    return CLU_OK;
}

static clu_error last_heard(clu_call *call, clu_reader *args, void *arg)
{
    clu_writer *w = clu_reply_begin(call);

    (void)args;
    (void)arg;
    if (heard.len > 0)
        clu_put_raw(w, (clu_slice){heard.data, heard.len});
    else
        clu_put_atom_text(w, "nothing");
    return clu_reply_end(call);
}

static clu_error sync_it(clu_call *call, clu_reader *args, void *arg)
{
    clu_ref ref = clu_global_sync(clu_call_self(call), pass_on, call);

    (void)args;
    (void)arg;
    return ref.n > 0 ? CLU_PENDING : CLU_EBADARG;
}

/* ---- locks ---- */

static clu_error lock(clu_call *call, clu_reader *args, void *arg)
{
    clu_writer w, v;

    clu_get_list(args);
    clu_slice resource = take(args, &w), requester = take(args, &v);
    int64_t retries = arg == NULL ? 0 : clu_get_int(args);
    clu_ref ref =
        arg == NULL
            ? clu_global_del_lock(keeper, resource, requester, NULL, 0, pass_on, call)
            : clu_global_set_lock(keeper, resource, requester, NULL, 0,
                                  retries < 0 ? CLU_INFINITY : (uint64_t)retries, pass_on, call);

    clu_writer_free(&v);
    return asked(ref, &w);
}

static void keep(clu_node *node)
{
    keeper = clu_spawn(node, &(clu_spawn_options){.receive = hear});
}

static clu_error drop(clu_call *call, clu_reader *args, void *arg)
{
    (void)args;
    (void)arg;
    clu_exit(keeper, "dropped");
    keep(clu_call_node(call));
    reply_atom(call, "ok");
    return CLU_OK;
}

int main(int argc, char **argv)
{
    static int yes;
    clu_node *node = clu_node_new(&(clu_options){
        .name = argc > 1 ? argv[1] : NULL,
        .cookie_file = argc > 2 ? argv[2] : NULL,
        .discover = argc > 3 && argv[3][0] != '\0' ? argv[3] : NULL,
        .log = "info",
        .global = true,
    });

    clu_writer_init(&heard);
    keep(node);
    clu_export(node, "namer", "register", 2, do_register, NULL);
    clu_export(node, "namer", "re_register", 2, do_register, &yes);
    clu_export(node, "namer", "unregister", 1, unregister, NULL);
    clu_export(node, "namer", "whereis", 1, whereis, NULL);
    clu_export(node, "namer", "send", 2, send_it, NULL);
    clu_export(node, "namer", "names", 0, names, NULL);
    clu_export(node, "namer", "kill", 1, kill_it, NULL);
    clu_export(node, "namer", "heard", 0, last_heard, NULL);
    clu_export(node, "namer", "sync", 0, sync_it, NULL);
    clu_export(node, "namer", "lock", 3, lock, &yes);
    clu_export(node, "namer", "unlock", 2, lock, NULL);
    clu_export(node, "namer", "drop", 0, drop, NULL);
    int status = clu_main(node);

    clu_writer_free(&heard);
    return status;
}
