/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/shell.h"

#include <erlclu/call.h>

#include "term/chardata.h"

/* The first release whose edlin_expand takes options and whose format_matches the width. */
#define RELEASE_OF_WIDTHS 26

static bool call(struct shell *sh, enum shell_call_kind kind, const char *module,
                 const char *function, const char *argument)
{
    clu_writer w;
    bool ok;

    clu_writer_init(&w);
    clu_put_list(&w, 3);
    clu_put_atom_text(&w, module);
    clu_put_atom_text(&w, function);
    clu_put_list(&w, argument == NULL ? 0 : 1);
    if (argument != NULL)
        clu_put_atom_text(&w, argument);
    clu_put_nil(&w);
    clu_put_nil(&w);
    ok = w.err == CLU_OK && shell_call(sh, kind, 0, (clu_slice){w.data, w.len});
    clu_writer_free(&w);
    return ok;
}

/* As `erl -remsh` and `iex --remsh` start theirs: the function answers with the shell's pid, and
 * the shell has the group leader of who called it. */
static void start(struct shell *sh)
{
    if (sh->release == 0 || !sh->iex_known)
        return;
    call(sh, SHELL_CALL_START, sh->iex ? "Elixir.IEx" : "shell", "start", NULL);
}

/* group:whereis_shell/0: since OTP 26, the expander of a shell whose group leader is remote asks
 * there for the shell, whose variables and functions it wants to know. */
static clu_error whereis_shell(clu_call *call, clu_reader *args, void *arg)
{
    const struct shell *sh = arg;
    clu_writer *w = clu_reply_begin(call);

    (void)args;
    if (sh->lives)
        clu_put_pid(w, &sh->pid);
    else
        clu_put_atom_text(w, "undefined");
    return clu_reply_end(call);
}

void shell_start(struct shell *sh)
{
    clu_process *self = sh->session.self;
    clu_pid pid = clu_self(self);

    if (sh->release != 0) {
        start(sh);
        return;
    }
    if (clu_set_group_leader(self, &pid, &pid) != CLU_OK) {
        shell_fail(sh, EXIT_LOCAL, clu_strerror(CLU_ENOMEM));
        return;
    }
    clu_export(clu_process_node(self), "group", "whereis_shell", 0, whereis_shell, sh);
    sh->iex_known = sh->session.conf->erl;
    if (call(sh, SHELL_CALL_RELEASE, "erlang", "system_info", "otp_release") && !sh->iex_known)
        call(sh, SHELL_CALL_IEX, "code", "ensure_loaded", "Elixir.IEx");
}

static unsigned number_of(clu_reader *text)
{
    struct buf digits = {0};
    unsigned n = 0;

    if (chardata_put(&digits, text, true))
        for (size_t i = 0; i < digits.len && digits.data[i] >= '0' && digits.data[i] <= '9'; i++)
            n = n < 1000 ? n * 10 + (unsigned)(digits.data[i] - '0') : n;
    buf_free(&digits);
    return n;
}

/* {module, 'Elixir.IEx'} | {error, nofile}. */
static bool is_loaded(clu_reader *answer)
{
    return clu_peek_type(answer) == CLU_TYPE_TUPLE && clu_get_tuple(answer) == 2 &&
           slice_is(clu_get_atom(answer), "module") && answer->err == CLU_OK;
}

static void put_pid(struct shell *sh, clu_writer *w)
{
    clu_put_pid(w, &sh->pid);
}

/* IEx sets a function that looks for its shell where it would be if it were local; it is told
 * instead. edlin_expand takes options behind the text since OTP 26. */
static bool set_expander(struct shell *sh)
{
    uint8_t room[NODE_NAME_SIZE + 64];
    struct term_expander e = {
        .module = sh->iex ? "Elixir.IEx.Autocomplete" : "edlin_expand",
        .function = "expand",
        .format_takes_width = sh->release >= RELEASE_OF_WIDTHS,
        .fixed = sh->iex,
    };
    clu_writer w;

    clu_writer_fixed(&w, room, sizeof room);
    e.n_more = sh->iex || e.format_takes_width ? 1 : 0;
    if (sh->iex)
        put_pid(sh, &w);
    else if (e.n_more > 0)
        clu_put_nil(&w);
    e.more = (clu_slice){w.data, w.len};
    return w.err == CLU_OK && term_set_expander(sh->term, &e) == CLU_OK;
}

/* Those who know their shell from elsewhere would stop the node with it. */
static void tell_how_to_leave(struct shell *sh)
{
    if (sh->interactive && !sh->told)
        term_say(sh->term,
                 sh->iex ? "Ctrl-D leaves; System.halt() or System.stop() would stop the node\n"
                         : "Ctrl-D leaves; q(). or halt(). would stop the node\n");
    sh->told = true;
}

static void take_shell(struct shell *sh, clu_reader *answer)
{
    clu_pid pid = {0};

    if (answer != NULL && clu_peek_type(answer) == CLU_TYPE_PID)
        pid = clu_get_pid(answer);
    if (pid.node.len == 0 || pid.node.len > sizeof sh->node) {
        shell_fail(sh, EXIT_NO,
                   sh->undefined
                       ? "it has neither IEx nor Erlang's shell, as no node has that runs "
                         "no Erlang; what it exports can be called: erlclu call"
                       : "no shell could be started there");
        return;
    }
    memcpy(sh->node, pid.node.data, pid.node.len);
    sh->pid = pid;
    sh->pid.node.data = sh->node;
    if (clu_link(sh->session.self, &sh->pid) != CLU_OK || !set_expander(sh)) {
        shell_fail(sh, EXIT_LOCAL, clu_strerror(CLU_ENOMEM));
        return;
    }
    sh->lives = true;
    tell_how_to_leave(sh);
    term_shell(sh->term, true);
}

void shell_started(struct shell *sh, enum shell_call_kind kind, clu_reader *answer)
{
    if (kind == SHELL_CALL_START) {
        take_shell(sh, answer);
        return;
    }
    if (kind == SHELL_CALL_RELEASE)
        sh->release = answer == NULL ? 0 : number_of(answer);
    else
        sh->iex = answer != NULL && is_loaded(answer);
    if (kind == SHELL_CALL_IEX)
        sh->iex_known = true;
    if (kind == SHELL_CALL_RELEASE && sh->release == 0)
        shell_fail(sh, EXIT_NO, "it runs no functions for us");
    else
        start(sh);
}
