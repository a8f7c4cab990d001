/* SPDX-License-Identifier: Apache-2.0
 *
 * A node: made from options, run until it is stopped, or driven by a loop of the program's own.
 *
 * A program makes a node, exports functions and spawns processes (call.h, process.h), and runs it
 * with clu_main, clu_run or clu_step. All of that belongs to one thread at a time: the one that
 * drives the node. Only clu_post and clu_stop may be called from any other. The library starts no
 * thread, keeps no state outside the node, and touches the signals of the process in clu_main
 * alone: a program that runs its node otherwise and has a k8s: source ignores SIGPIPE by itself,
 * for TLS writes to connections that may be gone. Several nodes may live in one process, each with
 * a thread of its own or all with one.
 */
#ifndef ERLCLU_NODE_H
#define ERLCLU_NODE_H

#include <erlclu/process.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what a node is made from ---- */

/* How grave an event is. */
typedef enum clu_level {
    CLU_LEVEL_DEBUG,
    CLU_LEVEL_INFO,
    CLU_LEVEL_WARNING,
    CLU_LEVEL_ERROR,
} clu_level;

/* clu_event_fn: something that people should know has happened (linked, lost, refused, ...): one
 * sentence, borrowed until the function returns. Called by the thread that drives the node. */
typedef void clu_event_fn(clu_node *node, clu_level level, const char *sentence, void *arg);

/* All zero is a node like any other. What is NULL, 0 or false is taken from the args file, then
 * from the environment, then from the default: the same order, and the same spellings, as the
 * options of `erlclu run` (erlclu-run(1)). Texts are copied. New fields are only ever appended. */
typedef struct clu_options {
    const char *name;        /* NAME or NAME@HOST; ERLCLU_NODE; erlclu. Without @HOST at $MY_POD_IP,
                                else at 127.0.0.1 */
    const char *discover;    /* where nodes are: SPECs separated by blanks; ERLCLU_DISCOVER; in a
                                pod the headless Service erlclu-headless, else nowhere */
    const char *cookie;      /* the cookie itself */
    const char *cookie_file; /* or the file that holds it, read again when it changes;
                                RELEASE_COOKIE; ~/.erlang.cookie */
    const char *args_file;   /* a vm.args file */
    const char *epmd;        /* "auto" (default), "embedded", "external" or "none" */
    const char *listen_address; /* an IP address; the one of the name */
    const char *prune;          /* "when_down" (default), "never" or "after:TIME" */
    const char *dns;            /* ADDR or ADDR:PORT: the one DNS server to ask */
    const char *log;        /* what goes to standard error: events of "debug", "info", "warning" or
                               "error" and above, or "none". Default: "warning" under clu_main, else
                               "none" */
    uint16_t listen_port;   /* for other nodes; any free one */
    uint16_t epmd_port;     /* of all epmds; ERL_EPMD_PORT; 4369 */
    uint32_t ticktime;      /* net_ticktime in seconds, the same on all nodes; 60 */
    bool hidden;            /* be a hidden node */
    bool global;            /* take part in Erlang's `global` (global.h) */
    clu_event_fn *on_event; /* hears of every event, whatever the log shows; may be NULL */
    void *event_arg;
} clu_options;

/* ---- life ---- */

/* clu_node_new: makes a node; nothing is opened yet, no other node hears of it. options NULL: all
 * zero. What is wrong with an option sticks to the node: clu_main says it, clu_node_error tells it;
 * such a node takes exports and processes, and never runs. NULL when there is no memory for it,
 * which clu_main, clu_export, clu_spawn, clu_serve and the functions of this file take as they take
 * a node that failed. End it with clu_node_free, or with clu_main. */
static inline clu_node *clu_node_new(const clu_options *options);
/* clu_node_new_sized: the same for callers through an FFI: size is that of the clu_options that the
 * caller knows. CLU_EBADARG sticks when it is larger than the library's and what lies beyond is not
 * zero: the library is too old for that option. */
CLU_API clu_node *clu_node_new_sized(const clu_options *options, size_t size);
/* clu_node_free: closes all links, ends all processes (reason shutdown) and frees the node; NULL is
 * fine. Never from within a function that the node calls. */
CLU_API void clu_node_free(clu_node *node);

/* clu_node_error: the first thing that went wrong with the node as a sentence, "" when nothing did;
 * good until the node ends. clu_node_status: the same as a code: CLU_EBADARG a setting,
 * CLU_ESTART this machine does not let the node run (its name or port is taken, ...), CLU_ENOMEM,
 * or what clu_export and clu_spawn say. clu_node_clear: forgets it, for programs that can go on
 * without what failed; no use after CLU_EBADARG and CLU_ESTART. */
CLU_API const char *clu_node_error(const clu_node *node);
CLU_API clu_error clu_node_status(const clu_node *node);
CLU_API void clu_node_clear(clu_node *node);
/* clu_node_name: the full name, as other nodes know it; borrowed. "" of a node that failed. */
CLU_API const char *clu_node_name(const clu_node *node);

/* clu_main: all that a main function is left with: runs the node until SIGTERM or SIGINT, or
 * clu_stop; frees it. What failed, before or while it ran, is said in one sentence on standard
 * error, unless the log has said it there. Returns the exit status: 0, 2 for a wrong setting, 12
 * for what failed on this machine. The two signals are taken through a descriptor, and blocked
 * meanwhile in this thread (threads that were made before must block them by themselves); one that
 * still waits when it returns is dropped. SIGPIPE is ignored from then on. */
CLU_API int clu_main(clu_node *node);
/* clu_run: runs the node until clu_stop (CLU_OK) or until something fails, now or before: the
 * error, which clu_node_error explains. The node is over then: free it. */
CLU_API clu_error clu_run(clu_node *node);

/* ---- from any thread ---- */

/* clu_stop: has the node leave: clu_run and clu_main return, clu_step says false. Before that,
 * linked nodes read what was sent to them, for at most CLU_STOP_MS; until then functions of
 * processes and exports are called no more, what comes is dropped, and no node is dialled: what is
 * held for one that is not linked, or is sent now by a clu_post, may be lost. A second clu_stop, in
 * a later step, waits for nothing. clu_main does the same at its two signals; clu_node_free of a
 * node that was not stopped closes all at once. From any thread, and from signal handlers; not
 * after the node was freed. */
CLU_API void clu_stop(clu_node *node);
/* A peer that does not read keeps a node that is to stop no longer than this. */
#define CLU_STOP_MS 1000
/* clu_post: has the thread that drives the node call fn(node, arg), in the order in which they were
 * posted by one thread. From any thread; not after the node was freed. fn is called exactly once:
 * by clu_node_free, with node NULL, when the node ends before its turn comes. CLU_EBUSY:
 * CLU_POSTS_MAX wait already; CLU_ENOMEM. Then fn is not called. */
typedef void clu_post_fn(clu_node *node, void *arg);
CLU_API CLU_MUST_USE clu_error clu_post(clu_node *node, clu_post_fn *fn, void *arg);
/* More than a thread that is alive lets wait; at some 50 bytes each. */
#define CLU_POSTS_MAX (1u << 20)

/* ---- other nodes ---- */

typedef struct clu_peer {
    const char *name; /* full; borrowed until the node is next driven */
    uint32_t creation;
    bool hidden; /* to us, or we to it */
} clu_peer;

/* clu_nodes: the nodes that are linked now, in no order: fills at most max of peers and returns how
 * many there are (nodes(connected)). */
CLU_API size_t clu_nodes(clu_node *node, clu_peer *peers, size_t max);
/* clu_connect: has a node dialled that is not linked (net_kernel:connect_node/1, but it does not
 * wait): a process that observes nodes hears what comes of it. Sending to a node does the same.
 * CLU_EBADARG: no full name; CLU_EBUSY: too many are known already, or the node is leaving or over;
 * the error of a node that failed (clu_node_status). */
CLU_API CLU_MUST_USE clu_error clu_connect(clu_node *node, const char *name);
/* clu_ping: net_adm:ping/1: dials the node where it is not linked, asks it, and calls fn exactly
 * once, later: with failure NULL when it answered (this node does), else with a sentence that says
 * what came back and from where, borrowed until fn returns. Within 70 s; at clu_node_free at the
 * latest. CLU_ENOMEM, CLU_EBADARG, CLU_EBUSY when the node is over, the error of a node that
 * failed: fn is not called. */
typedef void clu_ping_fn(clu_node *node, const char *name, const char *failure, void *arg);
CLU_API CLU_MUST_USE clu_error clu_ping(clu_node *node, const char *name, clu_ping_fn *fn,
                                        void *arg);

/* ---- a loop of one's own ---- */

/* clu_step: carries out what is there to be done, waiting for it at most timeout_ms (0: not at all;
 * -1: for ever). The functions of exports and processes are called in here. false when the node is
 * over: after clu_stop, or when something failed (clu_node_status). The first step starts the node.
 * Never from within a function that the node calls. */
CLU_API bool clu_step(clu_node *node, int timeout_ms);
/* clu_fd: a descriptor that is readable whenever clu_step(node, 0) has something to do, timers and
 * the first step among it: for poll, epoll, libuv, asyncio. It belongs to the node, is good until
 * clu_node_free, and is only to be waited for. What the program sends by itself, outside of
 * functions that the node calls, goes out with the next step: make one then. -1 when the system has
 * no descriptor left. */
CLU_API int clu_fd(clu_node *node);

static inline clu_node *clu_node_new(const clu_options *options)
{
    return clu_node_new_sized(options, sizeof(clu_options));
}

#ifdef __cplusplus
}
#endif

#endif
