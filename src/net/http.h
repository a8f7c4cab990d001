/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "view/routes.h"

struct watch_base;
struct http;

struct http_hooks {
    /* Makes the reply to a request; the server releases its body. */
    struct http_reply (*answer)(void *arg, const struct http_request *request);
    /* A limit was crossed, told once until it was kept again. May be NULL. */
    void (*limit)(void *arg, const char *reason);
    void *arg;
};

/* http_new: a server at this address. CLU_EBADARG when it cannot listen; words in why. */
CLU_MUST_USE clu_error http_new(struct http **out, struct watch_base *base, const struct addr *at,
                                const struct http_hooks *hooks, char why[REASON_SIZE]);
void http_free(struct http *h);
/* http_address: where it listens, with the port that the system chose. */
struct addr http_address(const struct http *h);

/* http_get: one whole GET for a program that has nothing else to do: it blocks, at most timeout_ms.
 * The address is a literal one. The body is appended. CLU_ETIMEOUT, CLU_ECLOSED (no
 * connection), CLU_EPROTO (no HTTP answer on it), CLU_ESIZE, CLU_ENOMEM and errno
 * (out of memory or files). */
CLU_MUST_USE clu_error http_get(const struct addr *at, const char *path, uint64_t timeout_ms,
                                uint16_t *status, struct buf *body);

#endif
