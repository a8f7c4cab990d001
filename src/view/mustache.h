/* SPDX-License-Identifier: Apache-2.0
 *
 * view: what people see of a node: page, JSON, metrics, log lines, tables for the terminal.
 *   knows: the structs of model, Mustache, HTML, JSON, Prometheus' text format.
 *   must not know: sockets, clocks, files, and how any of what it shows comes about.
 * All of it is a function of its arguments; texts from peers are hostile until escaped here.
 */
#ifndef VIEW_MUSTACHE_H
#define VIEW_MUSTACHE_H

#include <jansson.h>

#include "base/buf.h"

/* A template of a page; nobody writes more by hand, and offsets stay far from 32 bits. */
#define MUSTACHE_TEMPLATE_MAX (1u << 20)
/* Sections open in one template, and sections and partials under way while rendering. */
#define MUSTACHE_DEPTH_MAX 64
/* The largest page: room for TARGETS_MAX (16384) peers of two kilobytes each, all of them missing.
 */
#define MUSTACHE_OUTPUT_MAX (32u << 20)
/* Instructions of one rendering: nested loops over long lists may print nothing for ever. */
#define MUSTACHE_STEPS_MAX 4000000u

/* A compiled template: immutable, usable any number of times. */
struct mustache;

/* Why a template was refused: "line 3: {{/b}} closes nothing". Lines count from 1. */
struct mustache_error {
    uint32_t line;
    char text[128];
};

/* Where {{>name}} finds its template; NULL renders nothing. What find returns must live until the
 * rendering ends. */
struct mustache_partials {
    const struct mustache *(*find)(void *arg, clu_slice name);
    void *arg;
};

/* mustache_compile: copies the text. CLU_ESYNTAX and CLU_ESIZE come with words in *why. On failure
 * *out is NULL. */
CLU_MUST_USE clu_error mustache_compile(struct mustache **out, clu_slice text,
                                        struct mustache_error *why);
void mustache_free(struct mustache *m);

/* mustache_render: appends to out. context and partials may be NULL. CLU_ESIZE: over
 * MUSTACHE_OUTPUT_MAX or MUSTACHE_STEPS_MAX; CLU_EDEPTH: over MUSTACHE_DEPTH_MAX; out then holds a
 * part.
 *
 * Beyond the specification, which leaves it open: an empty text is false in sections, as an empty
 * list is; lists and objects interpolate to nothing. */
CLU_MUST_USE clu_error mustache_render(const struct mustache *m, const json_t *context,
                                       const struct mustache_partials *partials, struct buf *out);

#endif
