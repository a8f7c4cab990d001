/* SPDX-License-Identifier: Apache-2.0 */
#include "node/calls.h"

/* What answers look like, for each kind of call and each way that a function may end. */

/* ---- pieces ---- */

static void put_pair(clu_writer *w, const char *atom)
{
    clu_put_tuple(w, 2);
    clu_put_atom_text(w, atom);
}

/* {Module, Function, Arity or arguments, []} */
static void put_frame(clu_writer *w, clu_slice module, clu_slice function, size_t arity,
                      const clu_reader *args)
{
    clu_put_tuple(w, 4);
    clu_put_atom(w, module);
    clu_put_atom(w, function);
    if (args != NULL) {
        clu_reader r = *args;

        clu_put_term(w, &r);
    } else {
        clu_put_uint(w, arity);
    }
    clu_put_nil(w);
}

/* A stack of one frame, as erpc cuts it: the function that was called. */
static void put_stack(clu_writer *w, const struct clu_call *call)
{
    if (call->kind != CALL_SERVER) {
        clu_put_list(w, 1);
        if (call->asked != NULL)
            put_frame(w, call->asked->module, call->asked->function, 0, &call->asked->args);
        else if (call->f != NULL)
            put_frame(w, call->f->module, call->f->function, call->f->arity, NULL);
        else
            put_frame(w, slice_of("erlang"), slice_of("apply"), 3, NULL);
    }
    clu_put_nil(w);
}

void put_error_atom(clu_writer *w, clu_error err)
{
#define X(name, value, text) {value, #name},
    static const struct {
        clu_error err;
        const char *name;
    } names[] = {CLU_ERROR_MAP(X)};
#undef X
    char atom[32] = "unknown";

    for (size_t i = 0; i < COUNT(names); i++)
        if (names[i].err == err)
            text_set(atom, sizeof atom, slice_of(names[i].name + strlen("CLU_")));
    for (char *c = atom; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    clu_put_atom_text(w, atom);
}

/* ---- the exit reason of a process that ran the function ---- */

static void begin_exit(clu_writer *w, enum ending ending)
{
    if (ending == ENDING_ERROR || ending == ENDING_THROW)
        clu_put_tuple(w, 2);
    if (ending == ENDING_THROW)
        put_pair(w, "nocatch");
}

/* What the function returned is nobody's. */
static void end_exit(struct clu_call *call)
{
    if (call->ending == ENDING_RETURN) {
        clu_writer_reset(&call->w);
        clu_put_atom_text(&call->w, "normal");
    } else if (call->ending != ENDING_EXIT) {
        put_stack(&call->w, call);
    }
}

static void begin_spawn(struct clu_call *call)
{
    begin_exit(&call->w, call->ending);
}

/* erpc:execute_cast/3 raises an error of its own, with that of the function in it. */
static void begin_cast(struct clu_call *call)
{
    if (call->ending == ENDING_ERROR) {
        clu_put_tuple(&call->w, 2);
        put_pair(&call->w, "exception");
    }
    begin_exit(&call->w, call->ending);
}

static void end_cast(struct clu_call *call)
{
    end_exit(call);
    if (call->ending != ENDING_ERROR)
        return;
    clu_put_list(&call->w, 1);
    put_frame(&call->w, slice_of("erpc"), slice_of("execute_cast"), 3, NULL);
    clu_put_nil(&call->w);
}

/* ---- {Ref, return, Value}, {Ref, error, Reason, Stack}, ... ---- */

static void begin_erpc(struct clu_call *call)
{
    static const char *const words[ENDINGS] = {"return", "throw", "exit", "error"};

    clu_put_tuple(&call->w, call->ending == ENDING_ERROR ? 4 : 3);
    clu_put_raw(&call->w, call->tag);
    clu_put_atom_text(&call->w, words[call->ending]);
}

static void end_error(struct clu_call *call)
{
    if (call->ending == ENDING_ERROR)
        put_stack(&call->w, call);
}

/* ---- messages ---- */

static void begin_value(struct clu_call *call)
{
    if (call->ending == ENDING_EXIT || call->ending == ENDING_ERROR) {
        put_pair(&call->w, "badrpc");
        put_pair(&call->w, "EXIT");
    }
    if (call->ending == ENDING_ERROR)
        clu_put_tuple(&call->w, 2);
}

static void begin_rex(struct clu_call *call)
{
    clu_put_tuple(&call->w, 2);
    clu_put_raw(&call->w, call->tag);
    begin_value(call);
}

static void begin_hidden(struct clu_call *call)
{
    put_pair(&call->w, "rex");
    begin_value(call);
}

/* An exception of a server's function is the reason that its caller exits with. */
static void begin_server(struct clu_call *call)
{
    if (call->ending == ENDING_RETURN) {
        clu_put_tuple(&call->w, 2);
        clu_put_raw(&call->w, call->tag);
    } else if (call->ending == ENDING_THROW) {
        put_pair(&call->w, "bad_return_value");
    } else if (call->ending == ENDING_ERROR) {
        clu_put_tuple(&call->w, 2);
    }
}

/* ---- the table ---- */

static const struct {
    void (*begin)(struct clu_call *call);
    void (*end)(struct clu_call *call);
} shapes[] = {
    [CALL_SPAWN] = {begin_spawn, end_exit},    [CALL_ERPC] = {begin_erpc, end_error},
    [CALL_CAST] = {begin_cast, end_cast},      [CALL_REX] = {begin_rex, end_error},
    [CALL_HIDDEN] = {begin_hidden, end_error}, [CALL_SERVER] = {begin_server, end_error},
};

void answer_begin(struct clu_call *call, enum ending ending)
{
    clu_writer_reset(&call->w);
    call->ending = ending;
    shapes[call->kind].begin(call);
    call->prefix = call->w.len;
}

void answer_end(struct clu_call *call)
{
    shapes[call->kind].end(call);
}
