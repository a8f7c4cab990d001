/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "cli/cli.h"
#include "cli/remote.h"
#include "cli/session.h"
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

/* "exception error: badarith", "  in erlang:'/'(1,0) ..." is left to the stack. */
static int tell_raised(struct calling *c, struct outcome *o)
{
    const char *target = c->session.conf->target;
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

    session_end(&c->session, lost ? program_fail(EXIT_CLOSED, "the connection to %s is lost",
                                                 c->session.conf->target)
                                  : print_outcome(c, &o));
}

static void on_linked(struct session *s)
{
    struct calling *c = CONTAINER_OF(s, struct calling, session);

    c->ref = remote_call(s->self, s->answer.node, (clu_slice){c->mfa.data, c->mfa.len});
    if (c->ref.n == 0)
        session_end(s, program_fail(EXIT_LOCAL, "%s", clu_strerror(CLU_ENOMEM)));
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
        return program_fail(EXIT_USAGE, "MODULE, FUNCTION: %s", clu_strerror(w->err));
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
    struct calling c = {.session = {.on_linked = on_linked, .receive = on_signal}};

    clu_writer_init(&c.mfa);
    int status = put_mfa(&c.mfa, conf);

    if (status == EXIT_DONE)
        status = session_run(&c.session, conf);
    session_close(&c.session);
    clu_writer_free(&c.mfa);
    return status;
}
