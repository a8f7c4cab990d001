/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>

#include "net/socket.h"
#include "net/system.h"
#include "net/visitors.h"

/* What a client may cost us; evhttp by itself has no limits at all. */
static const struct {
    size_t headers; /* bytes of request line and headers */
    size_t body;    /* bytes of a body, which no route wants */
    size_t visitors;
    size_t crowd;         /* connections, from which on the idle ones are closed for new ones */
    size_t owed;          /* bytes of answers that slow readers keep in our memory, all together */
    uint32_t patience_ms; /* for a whole request, and again for its answer */
} limits = {
    .headers = 8 << 10,
    .body = 64 << 10,
    .visitors = 256,
    .crowd = 192,
    .owed = 16 << 20,
    .patience_ms = 10000,
};

/* Out of files: how long until we look again. */
#define RESUME_MS 1000

struct http {
    struct evhttp *server;
    struct evconnlistener *listener; /* the server's */
    struct watch *failed, *resume;   /* accepting: it failed; it is tried again */
    uint64_t short_ms;               /* it failed last, 0: never */
    struct addr address;
    struct visitors visitors;
    struct http_hooks hooks;
};

/* ---- answering ---- */

static const struct {
    enum evhttp_cmd_type type;
    const char *word;
} methods[] = {
    {EVHTTP_REQ_GET, "GET"},     {EVHTTP_REQ_HEAD, "HEAD"},       {EVHTTP_REQ_POST, "POST"},
    {EVHTTP_REQ_PUT, "PUT"},     {EVHTTP_REQ_DELETE, "DELETE"},   {EVHTTP_REQ_OPTIONS, "OPTIONS"},
    {EVHTTP_REQ_TRACE, "TRACE"}, {EVHTTP_REQ_CONNECT, "CONNECT"}, {EVHTTP_REQ_PATCH, "PATCH"},
};

static const char *method_word(enum evhttp_cmd_type type)
{
    for (size_t i = 0; i < COUNT(methods); i++)
        if (methods[i].type == type)
            return methods[i].word;
    return "";
}

/* All that evhttp can read, so that a route and not evhttp refuses a method. */
static uint16_t all_methods(void)
{
    unsigned all = 0;

    for (size_t i = 0; i < COUNT(methods); i++)
        all |= methods[i].type;
    return (uint16_t)all;
}

static void on_sent(const void *data, size_t len, void *body)
{
    (void)data;
    (void)len;
    http_body_release(body);
}

/* The body goes by reference; what becomes of its holder is on_sent's business then. */
static void attach_body(struct evbuffer *out, struct http_body *body)
{
    if (evbuffer_add_reference(out, body->bytes.data, body->bytes.len, on_sent, body) != 0)
        http_body_release(body);
}

static void add_headers(struct evkeyvalq *headers, const struct http_reply *reply)
{
    char length[24];

    /* evhttp counts the bytes that it sends, which for HEAD are none. */
    snprintf(length, sizeof length, "%zu", reply->body == NULL ? 0 : reply->body->bytes.len);
    evhttp_add_header(headers, "Content-Length", length);
    evhttp_add_header(headers, "Content-Type", reply->type);
    evhttp_add_header(headers, "Cache-Control", "no-store");
    evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
    if (reply->allow != NULL)
        evhttp_add_header(headers, "Allow", reply->allow);
}

static void send_reply(struct evhttp_request *req, const struct http_reply *reply)
{
    struct evbuffer *out = evbuffer_new();

    add_headers(evhttp_request_get_output_headers(req), reply);
    if (out != NULL && reply->body != NULL && !reply->head_only && reply->body->bytes.len > 0)
        attach_body(out, reply->body);
    else
        http_body_release(reply->body);
    evhttp_send_reply(req, reply->status, NULL, out);
    if (out != NULL)
        evbuffer_free(out);
}

/* "/path?query" or "http://host/path": its path. What begins with "//" is a path too (RFC 9112,
 * 3.2.1), in which evhttp sees the host of a URI without a scheme. */
static clu_slice path_of(const struct evhttp_request *req)
{
    const char *uri = evhttp_request_get_uri(req);

    if (uri[0] == '/' && uri[1] == '/')
        return (clu_slice){(const uint8_t *)uri, strcspn(uri, "?#")};
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(req));

    return slice_of(path == NULL || path[0] == '\0' ? "/" : path);
}

static clu_slice query_of(const struct evhttp_request *req)
{
    const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(req));

    return slice_of(query == NULL ? "" : query);
}

static void on_request(struct evhttp_request *req, void *arg)
{
    struct http *h = arg;
    const struct bufferevent *bev =
        evhttp_connection_get_bufferevent(evhttp_request_get_connection(req));
    const char *host = evhttp_request_get_host(req);
    struct http_request request = {
        .method = slice_of(method_word(evhttp_request_get_command(req))),
        .path = path_of(req),
        .query = query_of(req),
        .host = slice_of(host == NULL ? "" : host),
    };
    struct http_reply reply = h->hooks.answer(h->hooks.arg, &request);

    size_t len = reply.body == NULL || reply.head_only ? 0 : reply.body->bytes.len;

    visitors_renew(&h->visitors, bev);
    send_reply(req, &reply);
    visitors_owe(&h->visitors, bev, len);
}

/* ---- listening ---- */

static void on_full(void *arg, bool full)
{
    struct http *h = arg;

    /* Who comes now waits in the system's queue. */
    if (full)
        evconnlistener_disable(h->listener);
    else
        evconnlistener_enable(h->listener);
}

static void on_crowded(void *arg, const char *reason)
{
    struct http *h = arg;

    if (h->hooks.limit != NULL)
        h->hooks.limit(h->hooks.arg, reason);
}

static void on_resume(void *arg, bool timed_out)
{
    struct http *h = arg;

    (void)timed_out;
    if (!h->visitors.is_full)
        evconnlistener_enable(h->listener);
}

/* Out of files, most likely: a connection that waits would call us again at once. */
static void on_accept_failed(void *arg, bool timed_out)
{
    struct http *h = arg;

    (void)timed_out;
    evconnlistener_disable(h->listener);
    watch_start(h->resume, RESUME_MS);
    watch_start(h->failed, NEVER);
    if (socket_shortage_is_news(&h->short_ms, system_now_ms()) && h->hooks.limit != NULL)
        h->hooks.limit(h->hooks.arg, "the system has no file for one more: who comes waits until "
                                     "it has; raise the limit of open files");
}

/* The listener's argument is evhttp, which knows nothing of us. What we can reach by the listener
 * is its socket: our watch waits for room to write there, which a socket that listens never has. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    (void)arg;
    event_base_active_by_fd(evconnlistener_get_base(listener), evconnlistener_get_fd(listener),
                            EV_WRITE);
}

static bool set_up(struct http *h, struct watch_base *base)
{
    if (!visitors_init(&h->visitors, base))
        return false;
    h->visitors.max = limits.visitors;
    h->visitors.crowd = limits.crowd;
    h->visitors.owed_max = limits.owed;
    h->visitors.patience_ms = limits.patience_ms;
    h->visitors.full = on_full;
    h->visitors.crowded = on_crowded;
    h->visitors.arg = h;
    h->server = evhttp_new(watch_base_events(base));
    if (h->server == NULL)
        return false;
    evhttp_set_max_headers_size(h->server, (ssize_t)limits.headers);
    evhttp_set_max_body_size(h->server, (ssize_t)limits.body);
    evhttp_set_timeout(h->server, (int)(limits.patience_ms / 1000));
    evhttp_set_allowed_methods(h->server, all_methods());
    evhttp_set_bevcb(h->server, visitors_add, &h->visitors);
    evhttp_set_gencb(h->server, on_request, h);
    return true;
}

static bool listen_on(struct http *h, struct watch_base *base, int fd)
{
    h->listener = evconnlistener_new(watch_base_events(base), NULL, NULL,
                                     LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    if (h->listener == NULL) {
        close(fd);
        return false;
    }
    if (evhttp_bind_listener(h->server, h->listener) == NULL) {
        evconnlistener_free(h->listener);
        return false;
    }
    evconnlistener_set_error_cb(h->listener, on_accept_error);
    h->failed = watch_new(base, WATCH_WRITE, fd, on_accept_failed, h);
    h->resume = watch_new(base, WATCH_TIMER, -1, on_resume, h);
    return h->failed != NULL && h->resume != NULL && watch_start(h->failed, NEVER);
}

static clu_error open_at(struct http *h, struct watch_base *base, const struct addr *at,
                         char why[REASON_SIZE])
{
    char text[ADDR_TEXT_MAX];
    int fd = socket_listen(at);

    if (fd < 0) {
        snprintf(why, REASON_SIZE, "cannot listen for HTTP at %s: %s", addr_text(at, text),
                 strerror(errno));
        return CLU_EBADARG;
    }
    h->address = socket_local(fd);
    return listen_on(h, base, fd) ? CLU_OK : CLU_ENOMEM;
}

clu_error http_new(struct http **out, struct watch_base *base, const struct addr *at,
                   const struct http_hooks *hooks, char why[REASON_SIZE])
{
    struct http *h = calloc(1, sizeof *h);

    *out = NULL;
    snprintf(why, REASON_SIZE, "%s", clu_strerror(CLU_ENOMEM));
    if (h == NULL)
        return CLU_ENOMEM;
    h->hooks = *hooks;
    clu_error err = set_up(h, base) ? open_at(h, base, at, why) : CLU_ENOMEM;

    if (err != CLU_OK) {
        http_free(h);
        return err;
    }
    *out = h;
    return CLU_OK;
}

void http_free(struct http *h)
{
    if (h == NULL)
        return;
    watch_free(h->failed);
    watch_free(h->resume);
    if (h->server != NULL)
        evhttp_free(h->server);
    visitors_fini(&h->visitors);
    free(h);
}

struct addr http_address(const struct http *h)
{
    return h->address;
}
