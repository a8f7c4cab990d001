/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_OPTIONS_H
#define CONF_OPTIONS_H

#include "conf/conf.h"
#include "conf/vm_args.h"

/* What the files of this layer share: options, where their values came from, and the one merge. */

/* In the order in which values are applied: where two options set one thing, the later wins. */
enum option_id {
    OPT_HELP,
    OPT_DISCOVER,
    OPT_NAME,
    OPT_ARGS_FILE,
    OPT_COOKIE,
    OPT_PEER_COOKIE,
    OPT_SHOW_COOKIE,
    OPT_HIDDEN,
    OPT_GLOBAL,
    OPT_PROTO_DIST,
    OPT_START_EPMD,
    OPT_LISTEN_MIN,
    OPT_LISTEN_MAX,
    OPT_EPMD_LESS_PORT,
    OPT_EPMD,
    OPT_EPMD_PORT,
    OPT_LISTEN_ADDRESS,
    OPT_LISTEN_PORT,
    OPT_TICKTIME,
    OPT_TICK_INTENSITY,
    OPT_SETUP_TIME,
    OPT_SHUTDOWN,
    OPT_COOKIE_OVERLAP,
    OPT_HTTP_ADDR,
    OPT_HTTP_PORT,
    OPT_HTTP,
    OPT_METRICS_PORT,
    OPT_TEMPLATE,
    OPT_PRUNE,
    OPT_ADDRESS,
    OPT_PORT,
    OPT_DNS,
    OPT_PEERS,
    OPT_REACHABLE,
    OPT_OR_FIRST,
    OPT_TIMEOUT,
    OPT_SECONDS,
    OPT_SHORT,
    OPT_JSON,
    OPT_ERL,
    OPT_LOG_LEVEL,
    OPT_LOG_FORMAT,
    OPTIONS
};

/* Where a value came from; the greater wins. */
enum source_rank {
    SOURCE_ENVIRONMENT,
    SOURCE_ARGS_FILE,
    SOURCE_COMMAND_LINE, /* or a field of clu_options */
    SOURCE_PROGRAM,      /* clu_options.cookie: the value, and not a file's name */
};

/* One value as one source gave it. */
struct given {
    enum option_id option;
    enum source_rank source;
    char *text;                   /* "" for an option without argument */
    char where[112];              /* "--http", "vm.args line 3", "HTTP_PORT" */
    const char *wrong;            /* this spelling is understood, but never right: why; else NULL */
    char unset[VM_VARIABLE_SIZE]; /* the variable in it that is not set; else "" */
};

/* conf_load at work. */
struct loading {
    struct conf *out;
    const struct conf_input *in;
    struct given *given;
    size_t n_given;
    struct addr here; /* MY_POD_IP, else 127.0.0.1 */
    bool in_pod;      /* MY_POD_IP is set */
    clu_error err;    /* sticks */
};

struct option {
    const char *name;       /* on the command line; NULL: only in other sources */
    const char *arg;        /* NULL: a flag */
    const char *word;       /* a flag that may be given as --name=word, too; NULL */
    uint32_t word_commands; /* where it may */
    uint32_t commands;
    const char *env;       /* NULL: none */
    uint32_t env_commands; /* of them, those that look at the variable */
    size_t field;          /* in struct conf; what set gets */
    /* set: NULL on success; else what is wrong, to go behind the value ("is not ..."), or "" when
     * the sentence is said already. */
    const char *(*set)(struct loading *l, const struct given *g, void *field);
    bool secret; /* the value is never shown */
    const char *help;
    const char *other_help; /* what these commands say of it instead */
    uint32_t other_commands;
};

extern const struct option conf_options[OPTIONS];

static inline uint32_t command_bit(enum conf_command command)
{
    return UINT32_C(1) << command;
}

/* conf_say: the error sentence; returns false. Only the first counts. */
bool conf_say(struct loading *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* conf_no_memory: returns false. */
bool conf_no_memory(struct loading *l);
/* conf_note_that: a note for people. */
bool conf_note_that(struct loading *l, const char *what, const char *reason);
/* conf_give: keeps a value. The text is copied; the new row, to fill in more, or NULL. */
struct given *conf_give(struct loading *l, enum option_id option, enum source_rank source,
                        clu_slice text, const char *where);
/* conf_try: the text of a file that may be missing; why says what is wrong with it. Out of memory
 * is already told. */
clu_error conf_try(struct loading *l, const char *path, struct buf *text, char why[REASON_SIZE]);
/* conf_read: the text of a file that must be there. what names it in the sentence: "--cookie-file".
 */
bool conf_read(struct loading *l, const char *path, const char *what, struct buf *text);
const char *conf_env(const struct loading *l, const char *name);

/* Sources. Each keeps what it finds with conf_give; false after conf_say. */
bool conf_take_words(struct loading *l);
bool conf_take_options(struct loading *l);
/* conf_take_args_file: what names it in the sentence: "--args-file", ".args_file". */
bool conf_take_args_file(struct loading *l, const char *path, const char *what);
bool conf_take_environment(struct loading *l);

/* conf_apply: the merge: every option's values of its highest source. */
bool conf_apply(struct loading *l);
/* conf_finish: what follows from several settings, and the defaults that need a look around. */
bool conf_finish(struct loading *l);

/* What a command is and needs. */
struct role {
    bool own_name, hidden, no_listen, no_dial, epmd_only;
    bool cookie;   /* fails without one */
    bool resolver; /* reads resolv.conf and hosts */
    bool page;     /* serves a page or asks for one: its address may be a name of hosts */
    bool target;   /* is for one node: its first word, else RELEASE_NODE */
    uint8_t min_args, max_args;
    const char *stray; /* what to say of a word too many; NULL: --help says more */
};

extern const struct role conf_roles[CONF_ROLES];

#endif
