/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/remote.h"
#include "cli/session.h"
#include "conf/scan.h"
#include "view/term_json.h"

/* call NODE MODULE FUNCTION [ARGS]: erpc:call/4 for people and scripts. */

struct calling {
    struct session session;
    clu_writer mfa;
    clu_ref ref;
};

static void put_json_field(struct buf *out, const char *name, clu_slice text)
{
    buf_printf(out, ", \"%s\": ", name);
    term_json_text(out, text);
}

static clu_error print_term(clu_reader *r, struct buf *out)
{
    clu_writer text;

    clu_writer_init(&text);
    clu_error err = clu_print(r, &text);

    buf_put(out, text.data, text.len);
    clu_writer_free(&text);
    return err;
}

/* {"node": ..., "result": term} or {"node": ..., "exception": ..., "reason": term}. */
static clu_error put_json(const struct calling *c, struct outcome *o, struct buf *out)
{
    const struct session *s = &c->session;
    bool by_itself = o->exception.len == 0;

    buf_put_text(out, "{\"node\": ");
    term_json_text(out, slice_of(s->answer.node));
    if (!o->returned)
        put_json_field(out, "exception", by_itself ? slice_of("none") : o->exception);
    buf_printf(out, ", \"%s\": ", o->returned ? "result" : "reason");
    clu_error err = term_json(&o->term, out, s->conf->tagged);

    if (err == CLU_OK && o->stack.pos != NULL) {
        buf_put_text(out, ", \"stack\": ");
        err = term_json(&o->stack, out, s->conf->tagged);
    }
    buf_put_text(out, "}\n");
    return err;
}

static clu_error put_text(struct outcome *o, struct buf *out)
{
    clu_error err = print_term(&o->term, out);

    buf_put_byte(out, '\n');
    return err;
}

/* How many, of a list of arguments, or a number. */
static size_t take_arity(clu_reader *r)
{
    clu_reader string = *r, list = *r;
    size_t n = clu_get_string(&string).len;

    if (string.err == CLU_OK)
        return n;
    n = clu_get_list(&list);
    return list.err == CLU_OK ? n : (size_t)clu_get_uint(r);
}

/* "app:sleep/1" of Module, Function and arguments. */
static void put_function(struct buf *out, clu_reader *r)
{
    clu_error err = print_term(r, out);

    buf_put_byte(out, ':');
    if (err == CLU_OK)
        err = print_term(r, out);
    buf_printf(out, "/%zu", take_arity(r));
    if (err != CLU_OK)
        out->err = err;
}

/* Whether an exception is that of the code loader: undef, and in the first row of the stack is the
 * function that there is not, with its arguments. (erlang:error(undef) looks the same.) */
static bool find_undefined(const struct outcome *o, clu_reader *row)
{
    clu_reader reason = o->term;

    *row = o->stack;
    if (o->stack.pos == NULL || !slice_is(clu_get_atom(&reason), "undef") ||
        clu_get_list(row) == 0 || clu_get_tuple(row) != 4)
        return false;
    clu_reader peek = *row;
    bool erlang = slice_is(clu_get_atom(&peek), "erlang");
    bool error = slice_is(clu_get_atom(&peek), "error");

    return !(erlang && error) && clu_peek_type(&peek) == CLU_TYPE_LIST;
}

/* People leave out what Elixir puts before the names of its modules. */
static bool lacks_elixir(clu_reader row, clu_slice *module)
{
    *module = clu_get_atom(&row);
    return module->len > 0 && module->data[0] >= 'A' && module->data[0] <= 'Z' &&
           !slice_starts(*module, "Elixir.");
}

static void tell_undefined(const struct outcome *o)
{
    struct buf function = {0};
    clu_slice module;
    clu_reader row;

    if (!find_undefined(o, &row))
        return;
    bool elixir = lacks_elixir(row, &module);

    put_function(&function, &row);
    if (function.err == CLU_OK && elixir)
        program_fail(EXIT_NO, "%s does not exist there: Elixir modules are called Elixir.%.*s",
                     buf_text(&function), (int)module.len, (const char *)module.data);
    else if (function.err == CLU_OK)
        program_fail(EXIT_NO, "%s does not exist there", buf_text(&function));
    buf_free(&function);
}

/* "exception error: badarith", "  in erlang:'/'(1,0) ..." is left to the stack. */
static int tell_raised(struct calling *c, struct outcome *o)
{
    const char *target = c->session.conf->target;
    const struct outcome unread = *o;
    struct buf reason = {0}, stack = {0};
    clu_error err = print_term(&o->term, &reason);
    int status = EXIT_NO;

    if (err == CLU_OK && o->stack.pos != NULL)
        err = print_term(&o->stack, &stack);
    if (err != CLU_OK)
        status = program_fail(EXIT_LOCAL, "%s", clu_strerror(err));
    else if (o->exception.len == 0)
        status =
            program_fail(EXIT_NO, "%s: the call came to nothing: %s", target, buf_text(&reason));
    else
        status = program_fail(EXIT_NO, "%s: exception %.*s: %s%s%s", target, (int)o->exception.len,
                              (const char *)o->exception.data, buf_text(&reason),
                              stack.len > 0 ? " in " : "", buf_text(&stack));
    tell_undefined(&unread);
    buf_free(&reason);
    buf_free(&stack);
    return status;
}

static int print_outcome(struct calling *c, struct outcome *o)
{
    bool json = c->session.conf->json;
    struct buf out = {0};

    if (!o->returned && !json)
        return tell_raised(c, o);
    clu_error err = json ? put_json(c, o, &out) : put_text(o, &out);

    if (err != CLU_OK) {
        buf_free(&out);
        return program_fail(EXIT_LOCAL, "the answer cannot be shown: %s", clu_strerror(err));
    }
    int status = program_print(&out);

    return status != EXIT_DONE || o->returned ? status : EXIT_NO;
}

/* The connection is lost, or the time is over: words of ours, or what erpc:call says of it. */
static int tell_none(struct calling *c, int status, const char *reason, const char *words)
{
    uint8_t room[32];
    clu_writer w;

    if (!c->session.conf->json)
        return program_fail(status, "%s", words);
    clu_writer_fixed(&w, room, sizeof room);
    clu_put_atom_text(&w, reason);
    struct outcome o = {.term = {.pos = w.data, .end = w.data + w.len}};
    int printed = print_outcome(c, &o);

    return printed == EXIT_NO ? status : printed;
}

static int tell_lost(struct calling *c)
{
    char words[REASON_SIZE];

    snprintf(words, sizeof words, "the connection to %s is lost", c->session.conf->target);
    return tell_none(c, EXIT_CLOSED, "noconnection", words);
}

static int on_late(struct session *s)
{
    struct calling *c = CONTAINER_OF(s, struct calling, session);
    clu_reader mfa = {.pos = c->mfa.data, .end = c->mfa.data + c->mfa.len};
    struct buf words = {0};

    buf_printf(&words, "%s did not answer ", s->conf->target);
    clu_get_list(&mfa);
    put_function(&words, &mfa);
    buf_printf(&words, " within %g s: see --timeout; the function may still run",
               s->conf->timeout_ms / 1000.0);
    int status = tell_none(c, EXIT_TCP_TIMEOUT, "timeout", buf_text(&words));

    buf_free(&words);
    return status;
}

static void on_signal(clu_process *self, const clu_signal *signal, void *arg)
{
    struct calling *c = CONTAINER_OF(arg, struct calling, session);
    struct outcome o;
    clu_reader reason = signal->term;

    (void)self;
    if (memcmp(signal->ref.words, c->ref.words, sizeof c->ref.words) != 0 ||
        !remote_outcome(signal, &o))
        return;
    bool lost = !o.returned && o.exception.len == 0 &&
                slice_is(clu_get_atom(&reason), "noconnection") && reason.err == CLU_OK;

    session_end(&c->session, lost ? tell_lost(c) : print_outcome(c, &o));
}

static void on_linked(struct session *s)
{
    struct calling *c = CONTAINER_OF(s, struct calling, session);

    c->ref = remote_call(s->self, s->answer.node, (clu_slice){c->mfa.data, c->mfa.len});
    if (c->ref.n == 0)
        session_end(s, program_fail(EXIT_LOCAL, "%s", clu_strerror(CLU_ENOMEM)));
}

static int check_names(const struct conf *c)
{
    const char *module = c->args[1], *function = c->args[2], *colon = strchr(module, ':');

    if (module[0] == '\0' || function[0] == '\0')
        return program_fail(EXIT_USAGE, "%s is empty", module[0] == '\0' ? "MOD" : "FUN");
    if (colon != NULL)
        return program_fail(EXIT_USAGE, "MOD and FUN are two words, with a blank between: %.*s %s",
                            (int)(colon - module), module, colon + 1);
    return EXIT_DONE;
}

/* [Module, Function, Arguments] of the command line. */
static int put_mfa(clu_writer *w, const struct conf *c)
{
    const char *arguments = c->n_args > 3 ? c->args[3] : "[]";
    size_t at = 0, begin;

    clu_put_list(w, 3);
    clu_put_atom_text(w, c->args[1]);
    clu_put_atom_text(w, c->args[2]);
    if (w->err != CLU_OK)
        return program_fail(EXIT_USAGE, "MOD, FUN: %s", clu_strerror(w->err));
    begin = w->len;
    clu_error err = clu_parse(arguments, strlen(arguments), w, &at, NULL);
    clu_reader list = {.pos = w->data + begin, .end = w->data + w->len};

    if (err != CLU_OK)
        return fail_to_parse("ARGS", arguments, at, err);
    if (clu_peek_type(&list) != CLU_TYPE_LIST)
        return program_fail(EXIT_USAGE, "ARGS is an Erlang list, such as '[1, \"two\"]'");
    clu_put_nil(w);
    return EXIT_DONE;
}

int call_main(const struct conf *conf)
{
    struct calling c = {
        .session = {.on_linked = on_linked, .on_late = on_late, .receive = on_signal},
    };

    clu_writer_init(&c.mfa);
    int status = check_names(conf);

    if (status == EXIT_DONE)
        status = put_mfa(&c.mfa, conf);

    if (status == EXIT_DONE)
        status = session_run(&c.session, conf);
    session_close(&c.session);
    clu_writer_free(&c.mfa);
    return status;
}
