/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/shell.h"

#include <signal.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/remote.h"
#include "etf/etf.h"
#include "net/signals.h"
#include "net/system.h"

/* A shell that was interrupted and told to end gets so long. */
#define LAST_MOMENT_MS 1000

void shell_fail(struct shell *sh, int status, const char *words)
{
    session_end(&sh->session, program_fail(status, "%s: %s", sh->session.conf->target, words));
}

/* ---- calls ---- */

static bool is_atom(clu_reader r, const char *text)
{
    return slice_is(clu_get_atom(&r), text) && r.err == CLU_OK;
}

bool shell_call(struct shell *sh, enum shell_call_kind kind, uint32_t number, clu_slice mfa)
{
    struct shell_call *c = calloc(1, sizeof *c);

    if (c != NULL)
        c->ref = remote_call(sh->session.self, sh->session.answer.node, mfa);
    if (c == NULL || c->ref.n == 0) {
        free(c);
        shell_fail(sh, EXIT_LOCAL, clu_strerror(CLU_ENOMEM));
        return false;
    }
    c->kind = kind;
    c->number = number;
    list_append(&sh->calls, &c->list);
    return true;
}

static struct shell_call *call_of(struct shell *sh, const clu_ref *ref)
{
    for (struct list *at = sh->calls.next; at != &sh->calls; at = at->next) {
        struct shell_call *c = CONTAINER_OF(at, struct shell_call, list);

        if (memcmp(c->ref.words, ref->words, sizeof ref->words) == 0)
            return c;
    }
    return NULL;
}

static void on_call(struct shell *sh, const clu_signal *signal)
{
    struct shell_call *c = call_of(sh, &signal->ref);
    struct outcome o;

    if (c == NULL || (c->kind != SHELL_CALL_WATCH && !remote_outcome(signal, &o)))
        return;
    struct shell_call call = *c;
    sh->undefined = call.kind != SHELL_CALL_WATCH && !o.returned && is_atom(o.term, "undef");
    clu_reader *answer = call.kind != SHELL_CALL_WATCH && o.returned ? &o.term : NULL;

    list_remove(&c->list);
    free(c);
    if (call.kind == SHELL_CALL_WATCH)
        term_gone(sh->term, call.number);
    else if (call.kind == SHELL_CALL_TERM)
        term_answer(sh->term, call.number, answer);
    else
        shell_started(sh, call.kind, answer);
}

/* ---- what the terminal wants ---- */

static void exit_shell(struct shell *sh, const char *reason)
{
    uint8_t room[32];
    clu_writer w;
    clu_error err;

    if (!sh->lives)
        return;
    clu_writer_fixed(&w, room, sizeof room);
    clu_put_atom_text(&w, reason);
    err = clu_exit_signal(sh->session.self, &sh->pid, (clu_slice){w.data, w.len});
    (void)err; /* the link is gone, then: EXIT is on its way */
}

static void take_last_moment(struct shell *sh)
{
    if (sh->last_moment.n > 0)
        clu_cancel(sh->session.self, &sh->last_moment);
    sh->last_moment.n = 0;
}

static void give_last_moment(struct shell *sh)
{
    take_last_moment(sh);
    sh->last_moment = clu_after(sh->session.self, LAST_MOMENT_MS);
}

static bool carry_send(struct shell *sh, const struct term_effect *e)
{
    clu_to to = clu_to_pid(e->to);
    clu_error err = clu_send_raw(sh->session.self, &to, e->term);

    sh->busy = err == CLU_EBUSY;
    if (err == CLU_ENOMEM)
        shell_fail(sh, EXIT_LOCAL, clu_strerror(err));
    return !sh->busy;
}

static bool carry_call(struct shell *sh, const struct term_effect *e)
{
    return shell_call(sh, SHELL_CALL_TERM, e->call, e->term);
}

/* Processes of other nodes are taken as they come: no node is dialled for them. */
static bool carry_watch(struct shell *sh, const struct term_effect *e)
{
    struct shell_call *c;
    clu_to to = clu_to_pid(e->to);

    if (!slice_is(e->to.node, sh->session.answer.node))
        return true;
    c = calloc(1, sizeof *c);
    if (c == NULL) {
        shell_fail(sh, EXIT_LOCAL, clu_strerror(CLU_ENOMEM));
        return false;
    }
    c->kind = SHELL_CALL_WATCH;
    c->number = e->call;
    c->ref = clu_monitor(sh->session.self, &to);
    list_append(&sh->calls, &c->list);
    return true;
}

static bool carry_unwatch(struct shell *sh, const struct term_effect *e)
{
    for (struct list *at = sh->calls.next; at != &sh->calls; at = at->next) {
        struct shell_call *c = CONTAINER_OF(at, struct shell_call, list);

        if (c->kind != SHELL_CALL_WATCH || c->number != e->call)
            continue;
        clu_demonitor(sh->session.self, &c->ref);
        list_remove(&c->list);
        free(c);
        break;
    }
    return true;
}

static bool carry_interrupt(struct shell *sh, const struct term_effect *e)
{
    (void)e;
    exit_shell(sh, "interrupt");
    return true;
}

/* As if its terminal had ended, of which IEx tells its evaluator; then, without a choice. */
static bool carry_kill(struct shell *sh, const struct term_effect *e)
{
    (void)e;
    exit_shell(sh, "die");
    give_last_moment(sh);
    return true;
}

static bool carry_start(struct shell *sh, const struct term_effect *e)
{
    (void)e;
    shell_start(sh);
    return true;
}

static bool carry_leave(struct shell *sh, const struct term_effect *e)
{
    (void)e;
    sh->leaving = true;
    if (term_was_cut(sh->term) && sh->status == EXIT_DONE)
        sh->status = program_fail(EXIT_NO, "the input ended within an expression%s",
                                  sh->iex ? "" : ": is its final dot missing?");
    if (sh->lives)
        give_last_moment(sh);
    else
        session_end(&sh->session, sh->status);
    return true;
}

static bool (*const carry[])(struct shell *, const struct term_effect *) = {
    [TERM_SEND] = carry_send,   [TERM_CALL] = carry_call,       [TERM_INTERRUPT] = carry_interrupt,
    [TERM_WATCH] = carry_watch, [TERM_UNWATCH] = carry_unwatch, [TERM_KILL] = carry_kill,
    [TERM_START] = carry_start, [TERM_LEAVE] = carry_leave,
};

/* Who does not read our output any more (a closed terminal, head) has what it wanted. */
static void write_out(struct shell *sh)
{
    if (sh->unread) {
        buf_reset(term_banner(sh->term));
        buf_reset(term_output(sh->term));
        return;
    }
    /* A script needs nobody who reads its banner. */
    (void)tty_write(term_banner(sh->term), true);
    sh->unread = !tty_write(term_output(sh->term), false);
    if (sh->unread)
        term_leave(sh->term);
}

void shell_drain(struct shell *sh)
{
    struct term_effect e;

    write_out(sh);
    while (!sh->busy && term_next(sh->term, &e)) {
        if (!carry[e.kind](sh, &e))
            break;
        term_drop(sh->term);
    }
    if (term_error(sh->term) != CLU_OK)
        shell_fail(sh, EXIT_LOCAL, clu_strerror(term_error(sh->term)));
    if (sh->session.drive.timeout != NULL && term_has_asked(sh->term))
        session_stays(&sh->session);
    tty_listen(sh->tty, term_is_hungry(sh->term));
}

/* ---- signals ---- */

static void tell_end(struct shell *sh, clu_reader reason)
{
    clu_writer text;

    if (is_atom(reason, "noconnection")) {
        sh->status =
            program_fail(EXIT_CLOSED, "the connection to %s is lost", sh->session.conf->target);
        return;
    }
    clu_writer_init(&text);
    clu_error err = clu_print(&reason, &text);

    clu_put_bytes(&text, "", 1);
    if (err == CLU_OK)
        err = text.err;
    sh->status = program_fail(EXIT_NO, "the shell ended: %s",
                              err == CLU_OK ? (const char *)text.data : clu_strerror(err));
    clu_writer_free(&text);
}

/* What a shell ends with that was asked to. */
static bool was_meant(clu_reader reason)
{
    return is_atom(reason, "normal") || is_atom(reason, "killed") || is_atom(reason, "die");
}

static void on_exit_signal(struct shell *sh, const clu_signal *signal)
{
    bool is_shell = sh->lives && signal->from.id == sh->pid.id &&
                    signal->from.serial == sh->pid.serial &&
                    slice_equal(signal->from.node, sh->pid.node);

    if (!is_shell)
        return;
    bool lost = is_atom(signal->term, "noconnection");

    take_last_moment(sh);
    sh->lives = sh->killed = false;
    if (lost || !(sh->leaving || was_meant(signal->term)))
        tell_end(sh, signal->term);
    term_shell(sh->term, false);
    if (lost)
        term_leave(sh->term);
    if (sh->leaving || lost)
        session_end(&sh->session, sh->status);
}

/* The shell has not ended by itself; then nor by our signal: nobody answers there any more. */
static void on_last_moment(struct shell *sh)
{
    sh->last_moment.n = 0;
    if (sh->killed) {
        session_end(&sh->session, EXIT_CLOSED);
        return;
    }
    sh->killed = true;
    exit_shell(sh, "kill");
    give_last_moment(sh);
}

static void on_signal(clu_process *self, const clu_signal *signal, void *arg)
{
    struct shell *sh = CONTAINER_OF(arg, struct shell, session);

    (void)self;
    switch (signal->kind) {
    case CLU_SIGNAL_MESSAGE: term_message(sh->term, signal->term); break;
    case CLU_SIGNAL_SPAWNED:
    case CLU_SIGNAL_DOWN: on_call(sh, signal); break;
    case CLU_SIGNAL_EXIT: on_exit_signal(sh, signal); break;
    case CLU_SIGNAL_TIMEOUT: on_last_moment(sh); break;
    case CLU_SIGNAL_WRITABLE: sh->busy = false; break;
    default: break;
    }
    shell_drain(sh);
}

/* ---- events of the terminal ---- */

static void turn(struct shell *sh)
{
    if (sh->session.self != NULL)
        shell_drain(sh);
    loop_turn(sh->session.drive.loop);
}

static void on_read(void *arg, clu_slice bytes)
{
    struct shell *sh = arg;

    if (bytes.len > 0)
        term_keys(sh->term, bytes);
    else
        term_eof(sh->term);
    turn(sh);
}

static void resize(struct shell *sh)
{
    unsigned columns, rows;

    tty_size(&columns, &rows);
    term_resize(sh->term, columns, rows);
}

static void on_resized(void *arg)
{
    resize(arg);
    turn(arg);
}

/* Somebody ends us: the shell there hears of it. */
static void on_system_signal(void *arg, int number)
{
    struct shell *sh = arg;

    if (number == SIGCHLD) {
        signals_bury();
        return;
    }
    if (sh->session.self == NULL) {
        session_end(&sh->session, EXIT_NO);
        return;
    }
    sh->status = EXIT_NO;
    term_leave(sh->term);
    turn(sh);
}

/* ---- from start to end ---- */

static void on_linked(struct session *s)
{
    struct shell *sh = CONTAINER_OF(s, struct shell, session);

    sh->tty = tty_new(loop_base(s->drive.loop), on_read, on_resized, sh);
    sh->signals = signals_new(loop_base(s->drive.loop), true, on_system_signal, sh);
    if (sh->tty == NULL || sh->signals == NULL || (sh->interactive && !tty_raw(sh->tty))) {
        session_end(s, program_cannot_start());
        return;
    }
    resize(sh); /* it may have changed before there was somebody to tell */
    shell_start(sh);
    tty_listen(sh->tty, true);
}

static bool make_term(struct shell *sh)
{
    struct term_options o = {.interactive = sh->interactive};

    tty_size(&o.columns, &o.rows);
    sh->term = term_new(&o);
    return sh->term != NULL;
}

static void shell_close(struct shell *sh)
{
    tty_free(sh->tty);
    signals_free(sh->signals);
    session_close(&sh->session);
    term_free(sh->term);
    while (!list_empty(&sh->calls)) {
        struct shell_call *c = CONTAINER_OF(sh->calls.next, struct shell_call, list);

        list_remove(&c->list);
        free(c);
    }
}

int shell_main(const struct conf *c)
{
    struct shell sh = {.interactive = tty_is_terminal(), .status = EXIT_DONE};

    sh.session.on_linked = on_linked;
    sh.session.receive = on_signal;
    list_init(&sh.calls);
    int status = make_term(&sh) ? session_run(&sh.session, c)
                                : program_fail(EXIT_LOCAL, "%s", clu_strerror(CLU_ENOMEM));

    shell_close(&sh);
    return status;
}
