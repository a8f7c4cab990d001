/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SHELL_H
#define CLI_SHELL_H

#include "base/list.h"
#include "cli/session.h"
#include "net/tty.h"
#include "term/term.h"

/* Inside of `erlclu shell`: shell.c joins terminal and node, shell_start.c starts a shell there. */

/* What the answer of a call is for. */
enum shell_call_kind {
    SHELL_CALL_TERM,    /* the terminal's own */
    SHELL_CALL_RELEASE, /* erlang:system_info(otp_release) */
    SHELL_CALL_IEX,     /* code:ensure_loaded('Elixir.IEx') */
    SHELL_CALL_WATCH,   /* none: a monitor of the terminal's */
    SHELL_CALL_START,   /* shell:start() or 'Elixir.IEx':start() */
};

struct shell_call {
    struct list list;
    enum shell_call_kind kind;
    uint32_t number; /* SHELL_CALL_TERM */
    clu_ref ref;
};

struct shell {
    struct session session;
    struct term *term;
    struct tty *tty;
    struct signals *signals;
    bool interactive;
    struct list calls;
    bool unread; /* nobody reads our output */
    bool busy;   /* the link takes no more: wait for CLU_SIGNAL_WRITABLE */

    unsigned release; /* of OTP there; 0: not known yet */
    bool iex, iex_known;
    bool undefined; /* the function of the latest call: there is none there */
    bool lives, leaving, killed;
    bool told;                    /* how to leave */
    uint8_t node[NODE_NAME_SIZE]; /* what pid.node borrows */
    clu_ref last_moment;          /* a timer: how long it may still take; n is 0 without one */
    clu_pid pid;                  /* the shell's */
    int status;
};

/* shell_drain: carries out what the terminal wants. */
void shell_drain(struct shell *sh);
/* shell_call: of the peer, mfa as remote_call has it; false when memory is out: it ends then. */
bool shell_call(struct shell *sh, enum shell_call_kind kind, uint32_t number, clu_slice mfa);
/* shell_start: begins, or begins anew: asks what is there, and starts a shell. */
void shell_start(struct shell *sh);
/* shell_started: the answer of a call that it made; NULL: none. */
void shell_started(struct shell *sh, enum shell_call_kind kind, clu_reader *answer);
/* shell_fail: ends it all, after words. */
void shell_fail(struct shell *sh, int status, const char *words);

#endif
