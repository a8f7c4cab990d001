/* SPDX-License-Identifier: Apache-2.0 */
#include "view/routes.h"

#include <stdlib.h>
#include <strings.h>

#include "view/api.h"
#include "view/fields.h"
#include "view/metrics.h"
#include "view/page.h"
#include "view/verdict.h"

#define TYPE_HTML "text/html; charset=utf-8"
#define TYPE_JSON "application/json"
#define TYPE_TEXT "text/plain; charset=utf-8"
#define ALLOWED   "GET, HEAD"

/* A body as kept: of which snapshot it tells. */
struct kept {
    struct http_body *body;
    uint64_t version, now_ms;
};

/* One path. Either `document` makes its JSON, or `render` writes the body; the rest is for those
 * that are no view of a snapshot. */
struct route {
    const char *path, *type;
    json_t *(*document)(const struct snapshot *);
    clu_error (*render)(const struct routes *, const struct snapshot *, struct buf *out);
    uint16_t (*status)(const struct snapshot *); /* NULL: 200 */
    /* What it makes of a query, which the others pass over. NULL: nothing. */
    struct http_reply (*asked)(const struct http_request *, const struct snapshot *);
    /* It shows counters, or the time, that grow without a new version: rendered anew for every
     * snapshot. */
    bool live;
    bool needs_nothing; /* answered without a snapshot */
    bool shows_cookie;  /* with --show-cookie */
};

static clu_error render_page(const struct routes *, const struct snapshot *, struct buf *);
static clu_error render_metrics(const struct routes *, const struct snapshot *, struct buf *);
static clu_error render_alive(const struct routes *, const struct snapshot *, struct buf *);
static clu_error render_ready(const struct routes *, const struct snapshot *, struct buf *);
static uint16_t ready_status(const struct snapshot *);
static struct http_reply ready_asked(const struct http_request *, const struct snapshot *);

static const struct route table[] = {
    {.path = "/", .type = TYPE_HTML, .render = render_page, .live = true, .shows_cookie = true},
    {.path = "/api/v1/cluster", .type = TYPE_JSON, .document = api_cluster, .live = true},
    {.path = "/api/v1/peers", .type = TYPE_JSON, .document = api_peers, .live = true},
    {.path = "/api/v1/discovery", .type = TYPE_JSON, .document = api_discovery},
    {.path = "/api/v1/mesh", .type = TYPE_JSON, .document = api_mesh},
    {.path = "/metrics", .type = METRICS_TYPE, .render = render_metrics, .live = true},
    {.path = "/livez", .type = TYPE_TEXT, .render = render_alive, .needs_nothing = true},
    {.path = "/readyz",
     .type = TYPE_TEXT,
     .render = render_ready,
     .status = ready_status,
     .asked = ready_asked},
};

struct routes {
    struct mustache *page;
    struct kept kept[COUNT(table)];
};

void http_body_release(struct http_body *body)
{
    if (body == NULL || --body->holders > 0)
        return;
    buf_free(&body->bytes);
    free(body);
}

static struct http_body *hold(struct http_body *body)
{
    if (body != NULL)
        body->holders++;
    return body;
}

/* The caller is the first holder. */
static struct http_body *body_new(void)
{
    struct http_body *body = calloc(1, sizeof *body);

    return hold(body);
}

clu_error routes_new(struct routes **out, clu_slice template, struct mustache_error *why)
{
    struct routes *r = calloc(1, sizeof *r);

    *out = NULL;
    *why = (struct mustache_error){.line = 1, .text = "out of memory"};
    if (r == NULL)
        return CLU_ENOMEM;
    clu_error err = mustache_compile(&r->page, template.len > 0 ? template : page_template(), why);

    if (err != CLU_OK) {
        routes_free(r);
        return err;
    }
    *out = r;
    return CLU_OK;
}

void routes_free(struct routes *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < COUNT(r->kept); i++)
        http_body_release(r->kept[i].body);
    mustache_free(r->page);
    free(r);
}

static clu_error render_page(const struct routes *r, const struct snapshot *s, struct buf *out)
{
    json_t *context = page_context(s);

    if (context == NULL)
        return CLU_ENOMEM;
    clu_error err = mustache_render(r->page, context, NULL, out);

    json_decref(context);
    return err;
}

static clu_error render_metrics(const struct routes *r, const struct snapshot *s, struct buf *out)
{
    (void)r;
    metrics_put(out, s);
    return CLU_OK;
}

static clu_error render_alive(const struct routes *r, const struct snapshot *s, struct buf *out)
{
    (void)r;
    (void)s;
    buf_put_text(out, "alive\n");
    return CLU_OK;
}

static clu_error render_ready(const struct routes *r, const struct snapshot *s, struct buf *out)
{
    (void)r;
    (void)ready_put(out, s, 0);
    return CLU_OK;
}

static uint16_t ready_status(const struct snapshot *s)
{
    return is_ready(s) ? 200 : 503;
}

static clu_error render(const struct routes *r, const struct route *route, const struct snapshot *s,
                        struct buf *out)
{
    if (route->document != NULL)
        return json_put(out, route->document(s), JSON_LAYOUT);
    clu_error err = route->render(r, s, out);

    return err != CLU_OK ? err : out->err;
}

static bool is_current(const struct kept *kept, const struct route *route, const struct snapshot *s)
{
    if (kept->body == NULL)
        return false;
    return s == NULL ||
           (kept->version == s->version && (!route->live || kept->now_ms == s->now_ms));
}

static clu_error refresh(struct routes *r, const struct route *route, struct kept *kept,
                         const struct snapshot *s)
{
    struct http_body *body = body_new();
    clu_error err = body == NULL ? CLU_ENOMEM : render(r, route, s, &body->bytes);

    if (err != CLU_OK) {
        http_body_release(body);
        return err;
    }
    http_body_release(kept->body);
    *kept = (struct kept){.body = body};
    if (s != NULL) {
        kept->version = s->version;
        kept->now_ms = s->now_ms;
    }
    return CLU_OK;
}

/* A reply of its own for whoever asked; without a body where it could not be written whole. */
static struct http_reply reply_once(uint16_t status, struct http_body *body)
{
    if (body != NULL && body->bytes.err != CLU_OK) {
        http_body_release(body);
        body = NULL;
    }
    return (struct http_reply){.status = status, .type = TYPE_TEXT, .body = body};
}

/* A reply of one sentence. */
static struct http_reply refuse(uint16_t status, const char *sentence)
{
    struct http_body *body = body_new();

    if (body != NULL)
        buf_printf(&body->bytes, "%s\n", sentence);
    return reply_once(status, body);
}

/* "min_peers=3" */
static bool parse_min_peers(clu_slice query, uint32_t *n)
{
    const size_t key = strlen("min_peers="), digits_max = 5;

    *n = 0;
    if (query.len <= key || query.len > key + digits_max ||
        memcmp(query.data, "min_peers=", key) != 0)
        return false;
    for (size_t i = key; i < query.len; i++) {
        if (query.data[i] < '0' || query.data[i] > '9')
            return false;
        *n = *n * 10 + (query.data[i] - '0');
    }
    return true;
}

static struct http_reply ready_asked(const struct http_request *request, const struct snapshot *s)
{
    struct http_body *body;
    uint32_t min_peers;

    if (!parse_min_peers(request->query, &min_peers))
        return refuse(400, "/readyz takes ?min_peers=N, N from 0 to 99999, and nothing else");
    body = body_new();
    bool yes = body != NULL && ready_put(&body->bytes, s, min_peers);

    return reply_once(yes ? 200 : 503, body);
}

/* "[::1]" as "::1" */
static clu_slice without_brackets(clu_slice host)
{
    if (host.len < 2 || host.data[0] != '[' || host.data[host.len - 1] != ']')
        return host;
    return (clu_slice){host.data + 1, host.len - 2};
}

/* A name of somebody else's domain may lead here (DNS rebinding), and a script of that domain then
 * reads what we answer: what is secret is told under no name but our own. */
static bool is_own_host(clu_slice host)
{
    struct addr literal;

    return host.len == 0 ||
           (host.len == 9 && strncasecmp((const char *)host.data, "localhost", 9) == 0) ||
           addr_parse_ip(&literal, without_brackets(host));
}

static struct http_reply answer(struct routes *r, size_t i, const struct http_request *request,
                                const struct snapshot *s)
{
    const struct route *route = &table[i];
    struct kept *kept = &r->kept[i];
    clu_error err = CLU_OK;

    if (s == NULL && !route->needs_nothing)
        return refuse(503, "this node has nothing to show yet");
    if (route->shows_cookie && s->cookie != NULL && !is_own_host(request->host))
        return refuse(421, "--show-cookie: ask by IP address, or as localhost");
    if (route->asked != NULL && request->query.len > 0)
        return route->asked(request, s);
    if (!is_current(kept, route, s))
        err = refresh(r, route, kept, s);
    if (err != CLU_OK)
        return refuse(500, clu_strerror(err));
    return (struct http_reply){
        .status = route->status == NULL ? 200 : route->status(s),
        .type = route->type,
        .body = hold(kept->body),
    };
}

static struct http_reply dispatch(struct routes *r, const struct http_request *request,
                                  const struct snapshot *s)
{
    for (size_t i = 0; i < COUNT(table); i++) {
        if (!slice_is(request->path, table[i].path))
            continue;
        if (slice_is(request->method, "GET") || slice_is(request->method, "HEAD"))
            return answer(r, i, request, s);
        struct http_reply reply = refuse(405, "this page can only be read: GET or HEAD");

        reply.allow = ALLOWED;
        return reply;
    }
    return refuse(404, "no such page; / links to those that there are");
}

struct http_reply routes_answer(struct routes *r, const struct http_request *request,
                                const struct snapshot *snapshot)
{
    struct http_reply reply = dispatch(r, request, snapshot);

    reply.head_only = slice_is(request->method, "HEAD");
    return reply;
}
