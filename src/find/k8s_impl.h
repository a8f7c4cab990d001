/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_K8S_IMPL_H
#define FIND_K8S_IMPL_H

#include "base/buf.h"
#include "find/k8s_set.h"
#include "find/source_impl.h"

/* k8s:[NAMESPACE/]SERVICE and k8s:[NAMESPACE/]pods?selector=...: a list, then a watch that goes on
 * from it. source_k8s.c is the scheme, k8s_ask.c what is asked for and when, k8s_answer.c what
 * comes back, k8s_refuse.c what is said and done when it is no list. */

/* Pauses after failures: doubled from the first to the longest, and jitter, so that nodes that
 * failed together do not return together. */
#define K8S_RETRY_FIRST_MS 800
#define K8S_RETRY_MAX_MS   30000
/* Where people must act first (403, 404), and for what the server asks for in Retry-After. */
#define K8S_PATIENT_MAX_MS 60000
/* Lists begin no closer together than this, and so do watches, whatever the server does. */
#define K8S_GAP_MS 1000
/* With no byte for so long a list has failed. A watch is quiet by nature: the server ends it after
 * timeoutSeconds, and when not even that comes, the connection is half open. */
#define K8S_SILENCE_MS  15000
#define K8S_WATCH_MIN_S 300
#define K8S_WATCH_MAX_S 600
/* Our own address should be listed by then. */
#define K8S_SELF_SEEN_MS 10000
/* What is kept of an error's document. */
#define K8S_ERROR_MAX 8192
/* A token: those of Kubernetes have some 1200 bytes. */
#define K8S_TOKEN_MAX 16384
/* resourceVersion and continue are opaque: a number and a base64 text of some 400 bytes. */
#define K8S_VERSION_SIZE  64
#define K8S_CONTINUE_SIZE 512
/* ?selector=, percent-encoded: what remains of a path. */
#define K8S_SELECTOR_SIZE 256

/* What is to be done next, in this order; before each request all files are read again, since the
 * kubelet renews them. */
enum k8s_step {
    STEP_PAUSE, /* until next_ms */
    STEP_NAMESPACE,
    STEP_TOKEN,
    STEP_CA,
    STEP_ASK,
    STEP_ANSWER, /* a request is under way, until stop_ms at most */
};

struct k8s_source {
    struct source source;
    const struct k8s_kind *kind;
    char selector[K8S_SELECTOR_SIZE]; /* labelSelector, percent-encoded */
    struct k8s_port port;
    struct family_choice family;

    enum k8s_step step;
    bool waiting; /* a file of this step was asked for */
    bool cancel;  /* the request is to be ended */
    uint64_t next_ms, stop_ms;
    uint64_t started_ms, list_ms, asked_ms; /* the source, its last list, its last round */
    unsigned failures;                      /* in a row */
    bool renewed;                           /* the token was read again for a 401 */
    bool told_self;                         /* whether we are listed has been looked at */

    bool watching; /* what is, or will be, asked for is a watch from version */
    char version[K8S_VERSION_SIZE];
    char page[K8S_CONTINUE_SIZE]; /* "": the first */
    struct buf token, ca;

    uint16_t status; /* of the answer; 0: none yet */
    uint32_t retry_after_s;
    struct buf text; /* of the answer, as far as it is not read yet */

    struct k8s_set set;
    bool stale; /* the entries do not show the set as it is */
};

static inline struct k8s_source *k8s_of(struct source *s)
{
    return (struct k8s_source *)s;
}

/* k8s_ask.c */
uint64_t k8s_deadline(const struct source *s);
bool k8s_need(struct source *s, uint64_t now_ms, struct need *need);
/* k8s_again: the next request begins at that time. */
void k8s_again(struct k8s_source *k, uint64_t at_ms);
/* k8s_file: a file that was asked for. True when there is something to tell. */
bool k8s_file(struct k8s_source *k, const struct given *given, uint64_t now_ms);
/* k8s_encode: the text as it may stand in a query; false when it does not fit. */
bool k8s_encode(char *out, size_t size, const char *text);

/* k8s_answer.c: those that are true have something to list or to tell. */
bool k8s_head(struct k8s_source *k, const struct given *given, uint64_t now_ms);
bool k8s_body(struct k8s_source *k, const struct given *given, uint64_t now_ms);
bool k8s_end(struct k8s_source *k, const struct given *given, uint64_t now_ms);
/* k8s_refresh: what is listed, after a change of the set or when something held is over.
 * CLU_ENOMEM: some other time. */
CLU_MUST_USE clu_error k8s_refresh(struct k8s_source *k, uint64_t now_ms, bool *changed);
/* k8s_told: what the row says when all is well with the server. */
bool k8s_told(struct k8s_source *k, uint64_t now_ms);

/* k8s_refuse.c: the set is kept. Each plans the next request; true: why is in the row. */
/* k8s_failed: what came makes no sense: the whole list is asked for again. */
bool k8s_failed(struct k8s_source *k, uint64_t now_ms, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* k8s_lost: nothing came, or not all: a watch goes on from where it was. */
bool k8s_lost(struct k8s_source *k, uint64_t now_ms, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* k8s_no_memory: for what came, or for what it makes: the whole list again, when there is some. */
bool k8s_no_memory(struct k8s_source *k, uint64_t now_ms);
/* k8s_refused: the server said this status, of HTTP or in a Status object; message: its words. */
bool k8s_refused(struct k8s_source *k, uint16_t status, const char *message, uint64_t now_ms);

#endif
