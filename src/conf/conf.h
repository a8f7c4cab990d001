/* SPDX-License-Identifier: Apache-2.0
 *
 * conf: text to settings: command line, vm.args, environment, cookie files, resolv.conf, hosts.
 *   knows: every option, its sources and their order, and what a value may look like.
 *   must not know: files, environment, clock: the caller hands in texts, or functions that fetch
 * them. A mistake is one sentence: what was given and what is allowed.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <erlclu/node.h>

#include "base/buf.h"
#include "model/settings.h"

/* The subcommands, in the order of the overview. word, arguments, what it does. */
#define CONF_COMMAND_MAP(X)                                                                        \
    X(CMD_RUN, "run", "", "be a node: discover, connect, serve the page")                          \
    X(CMD_DEMO, "demo", "", "four nodes here, one of them Erlang's, and the page")                 \
    X(CMD_DISCOVER, "discover", "SPEC...", "what discovery sees: answers, TTLs, names")            \
    X(CMD_NAMES, "names", "[HOST]", "what an epmd lists")                                          \
    X(CMD_EPMD, "epmd", "", "be an epmd")                                                          \
    X(CMD_PING, "ping", "[NODE]", "ask a node: pong or pang, and why")                             \
    X(CMD_CALL, "call", "NODE MOD FUN [ARGS]", "call a function; ARGS is an Erlang list")          \
    X(CMD_SEND, "send", "NODE NAME TERM", "send a term to a registered process")                   \
    X(CMD_SHELL, "shell", "[NODE]", "a remote console on an Erlang or Elixir node")                \
    X(CMD_NODES, "nodes", "", "the nodes that a running node sees")                                \
    X(CMD_STATUS, "status", "", "what a running node lacks, why, and what to do")                  \
    X(CMD_WAIT, "wait", "[SPEC...]", "until so many nodes are linked, or reachable")               \
    X(CMD_INSTALL, "install", "DIR", "copy this program to a directory")                           \
    X(CMD_VERSION, "version", "", "print the version")

enum conf_command {
#define X(id, word, arguments, help) id,
    CONF_COMMAND_MAP(X)
#undef X
        CONF_COMMANDS,
    /* No command: a node within somebody's program, made from clu_options. */
    CMD_LIBRARY = CONF_COMMANDS,
    CONF_ROLES
};

/* Largest file that conf wants to see: a hosts file of some ten thousand rows. */
#define CONF_FILE_MAX (1u << 20)

/* What the caller hands in. Everything is borrowed until conf_load returns. */
struct conf_input {
    enum conf_command command;
    /* The words behind the subcommand. */
    size_t argc;
    const char *const *argv;
    /* CMD_LIBRARY: what the program sets, in place of words. */
    const clu_options *options;
    /* env: the value of a variable, NULL when it is not set. */
    const char *(*env)(void *arg, const char *name);
    /* read_file: appends the text of a file. CLU_ENOENT: there is none; CLU_ESIZE: over
     * CONF_FILE_MAX; any other error: why says what the system said. CLU_OK with a why: what is odd
     * about the file, "others than its owner have access to it". */
    clu_error (*read_file)(void *arg, const char *path, struct buf *text, char why[REASON_SIZE]);
    void *arg;
};

/* Something that people should know and that stops nothing: a line that was passed over, ... The
 * driver makes an EVENT_SETTING of it. */
struct conf_note {
    char what[SPEC_SIZE];     /* "vm.args line 3: % ..." */
    char reason[REASON_SIZE]; /* "passed over: ..." */
};

struct conf {
    enum conf_command command;
    bool help; /* --help was given: print conf_help; nothing else is set */
    struct settings settings;
    struct resolv_conf resolv;
    struct hosts_file hosts;

    /* What the commands alone look at. */
    char **args; /* words that are not options */
    size_t n_args;
    /* call, ping, send, shell: the full name of the node: its word, else RELEASE_NODE */
    char target[NODE_NAME_SIZE];
    bool json;
    bool tagged;         /* call --json=tagged */
    bool erl;            /* shell --erl */
    bool short_;         /* discover --short */
    uint32_t timeout_ms; /* of the whole command; demo: 0 for ever */
    bool timeout_given;  /* it is not the default */
    /* wait: one of the two is given, the other is 0. */
    uint32_t want_peers, want_reachable;
    bool or_first;
    struct addr here; /* MY_POD_IP; family 0: not in a pod */

    struct conf_note *notes;
    size_t n_notes;
    char error[2 * REASON_SIZE]; /* after CLU_EBADARG: one sentence */
};

/* conf_load: merges all sources. Own allocations end with conf_fini, after a failure too.
 * CLU_EBADARG: out->error says what is wrong (exit status 2); CLU_ENOMEM. */
CLU_MUST_USE clu_error conf_load(struct conf *out, const struct conf_input *in);
void conf_fini(struct conf *c);

/* conf_command_of: the command of a word; CONF_COMMANDS when there is none. */
enum conf_command conf_command_of(const char *word);
/* conf_nearest_command: that was meant by a word which is none; NULL: nothing is near. */
const char *conf_nearest_command(const char *word);
const char *conf_command_word(enum conf_command command);
/* conf_command_arguments: "NODE", "[HOST]", "" for none. */
const char *conf_command_arguments(enum conf_command command);
/* conf_help: the --help text of a command, at most a screen; conf_overview: that of the program. */
void conf_help(enum conf_command command, struct buf *out);
void conf_overview(struct buf *out);

#endif
