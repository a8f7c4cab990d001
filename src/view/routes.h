/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIEW_ROUTES_H
#define VIEW_ROUTES_H

#include "base/buf.h"
#include "model/snapshot.h"
#include "view/mustache.h"

/* What a node answers over HTTP: a table of paths, each with what renders its body. Bodies are
 * rendered once a snapshot and shared by all replies that need them. */
struct routes;

/* A body that replies share. Bytes never change; whoever holds one releases it once. */
struct http_body {
    struct buf bytes;
    size_t holders;
};

void http_body_release(struct http_body *body);

struct http_request {
    clu_slice method; /* "GET" */
    clu_slice path;   /* without the query */
    clu_slice query;  /* behind the '?', as it came; empty without one */
    clu_slice host;   /* the header Host without its port; empty when it is absent */
};

struct http_reply {
    uint16_t status;
    const char *type;  /* Content-Type */
    const char *allow; /* the header Allow, or NULL */
    /* Holders of the bytes must call http_body_release when they were sent. NULL only when out of
     * memory: send the status alone. */
    struct http_body *body;
    /* HEAD: send the body's length, not its bytes. */
    bool head_only;
};

/* routes_new: template is --template's text, empty for the built-in page. A mistake in it is
 * CLU_ESYNTAX or CLU_ESIZE with words in *why. */
CLU_MUST_USE clu_error routes_new(struct routes **out, clu_slice template,
                                  struct mustache_error *why);
void routes_free(struct routes *r);

/* routes_answer: always a whole reply; what the request lacks or memory refuses is told by its
 * status. snapshot is the present one, NULL when there is none: 503 for all but /livez. The body
 * outlives routes and snapshot. One thread. */
struct http_reply routes_answer(struct routes *r, const struct http_request *request,
                                const struct snapshot *snapshot);

#endif
