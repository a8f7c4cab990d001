/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/calls.h"
#include "node/global_impl.h"

/* Functions of the module global that other nodes call here. */

/* resolve_it(Method, Name, Pid1, Pid2): the lesser node of two that exchange their names has found
 * a second owner, and ours is the first. A function that we do not have fails, as in a BEAM. */
static clu_error resolve_it(clu_call *call, clu_reader *args, void *arg)
{
    clu_writer w, copy;

    if (clu_get_list(args) != 4)
        return CLU_EBADARG;
    clu_writer_init(&copy);
    for (int i = 0; i < 4; i++)
        clu_put_term(&copy, args);
    clu_reader r = read_written(&copy);
    clu_slice method = clu_get_raw(&r);
    clu_slice name = clu_get_raw(&r);
    clu_pid a = clu_get_pid(&r);
    clu_pid b = clu_get_pid(&r);
    clu_error err = copy.err != CLU_OK ? copy.err : r.err != CLU_OK ? CLU_EBADARG : CLU_OK;

    clu_writer_init(&w);
    if (err == CLU_OK && !resolve_here(arg, method, name, &a, &b, &w)) {
        clu_put_tuple(&w, 2);
        clu_put_atom_text(&w, "EXIT");
        clu_put_atom_text(&w, "undef");
    }
    if (err == CLU_OK) {
        clu_put_raw(clu_reply_begin(call), written(&w));
        err = clu_reply_end(call);
    }
    clu_writer_free(&w);
    clu_writer_free(&copy);
    return err;
}

static clu_error whereis_name(clu_call *call, clu_reader *args, void *arg)
{
    clu_writer name;

    if (clu_get_list(args) != 1)
        return CLU_EBADARG;
    clu_writer_init(&name);
    clu_put_term(&name, args);
    const clu_pid *pid = name.err == CLU_OK ? name_where(arg, written(&name)) : NULL;
    clu_writer *w = clu_reply_begin(call);

    if (pid != NULL)
        clu_put_pid(w, pid);
    else
        clu_put_atom_text(w, "undefined");
    clu_writer_free(&name);
    return clu_reply_end(call);
}

static clu_error registered_names(clu_call *call, clu_reader *args, void *arg)
{
    const struct global *g = arg;
    const struct map_entry *at = NULL;
    const struct gname *e;
    clu_writer *w = clu_reply_begin(call);

    (void)args;
    clu_put_list(w, map_count(&g->names));
    while ((e = map_next(&g->names, &at, NULL)) != NULL)
        clu_put_raw(w, e->name);
    clu_put_nil(w);
    return clu_reply_end(call);
}

static const struct {
    const char *function;
    unsigned arity;
    clu_function *run;
} exports[] = {
    {"resolve_it", 4, resolve_it},
    {"whereis_name", 1, whereis_name},
    {"registered_names", 0, registered_names},
};

clu_error global_exports(struct global *g)
{
    clu_error err = CLU_OK;

    for (size_t i = 0; i < COUNT(exports) && err == CLU_OK; i++)
        err =
            export_new(g->node, "global", exports[i].function, exports[i].arity, exports[i].run, g);
    return err;
}
