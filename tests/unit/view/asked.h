/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_VIEW_ASKED_H
#define TESTS_VIEW_ASKED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sample.h"
#include "view/routes.h"

/* What routes answer to a request, of the snapshot in sample. */

static struct sample sample;

static inline struct routes *new_routes(const char *template)
{
    struct routes *routes;
    struct mustache_error why;

    if (routes_new(&routes, slice_of(template), &why) != CLU_OK)
        fail_msg("line %u: %s", why.line, why.text);
    return routes;
}

/* target: a path, and a query if it has one. */
static inline struct http_reply ask(struct routes *routes, const char *method, const char *target)
{
    size_t len = strcspn(target, "?");
    struct http_request request = {
        .method = slice_of(method),
        .path = {(const uint8_t *)target, len},
        .query = slice_of(target[len] == '?' ? target + len + 1 : ""),
    };

    return routes_answer(routes, &request, &sample.snapshot);
}

static inline const char *body_of(const struct http_reply *reply)
{
    assert_non_null(reply->body);
    return buf_text(&reply->body->bytes);
}

#endif
