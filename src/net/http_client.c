/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include "net/http.h"
#include "net/watch.h"

/* The largest document of our own that we would read: a snapshot of some ten thousand peers. */
#define BODY_MAX (32u << 20)

struct get {
    struct watch_base *base;
    struct watch *timer;
    struct evhttp_connection *connection;
    uint16_t *status;
    struct buf *body;
    clu_error err;
    bool over;
};

static void end(struct get *g, clu_error err)
{
    g->err = err;
    g->over = true;
    watch_base_break(g->base);
}

static void on_timeout(void *arg, bool timed_out)
{
    (void)timed_out;
    end(arg, CLU_ETIMEOUT);
}

/* libevent calls this only where there was a connection; on_answer follows. */
static void on_error(enum evhttp_request_error error, void *arg)
{
    struct get *g = arg;

    g->err = error == EVREQ_HTTP_DATA_TOO_LONG ? CLU_ESIZE : CLU_EPROTO;
}

static void on_answer(struct evhttp_request *req, void *arg)
{
    struct get *g = arg;
    struct evbuffer *in = req == NULL ? NULL : evhttp_request_get_input_buffer(req);
    size_t len = in == NULL ? 0 : evbuffer_get_length(in);

    if (req == NULL || evhttp_request_get_response_code(req) == 0) {
        end(g, g->err);
        return;
    }
    uint8_t *space = buf_space(g->body, len);

    *g->status = (uint16_t)evhttp_request_get_response_code(req);
    if (space != NULL && evbuffer_copyout(in, space, len) == (ev_ssize_t)len)
        buf_add(g->body, len);
    end(g, g->body->err);
}

static bool prepare(struct get *g, const struct addr *at)
{
    char ip[ADDR_TEXT_MAX];

    g->base = watch_base_new();
    if (g->base == NULL)
        return false;
    g->timer = watch_new(g->base, WATCH_TIMER, -1, on_timeout, g);
    g->connection = evhttp_connection_base_new(watch_base_events(g->base), NULL,
                                               addr_ip_text(at, ip), at->port);
    return g->timer != NULL && g->connection != NULL;
}

static clu_error ask(struct get *g, const struct addr *at, const char *path, uint64_t timeout_ms)
{
    char host[ADDR_TEXT_MAX];
    struct evhttp_request *req = evhttp_request_new(on_answer, g);

    if (req == NULL)
        return CLU_ENOMEM;
    evhttp_request_set_error_cb(req, on_error);
    /* Our timer alone decides: libevent's 50 s are of silence only. */
    evhttp_connection_set_timeout(g->connection, (int)(timeout_ms / 1000) + 1);
    evhttp_connection_set_max_body_size(g->connection, BODY_MAX);
    evhttp_add_header(evhttp_request_get_output_headers(req), "Host", addr_text(at, host));
    evhttp_add_header(evhttp_request_get_output_headers(req), "Connection", "close");
    if (evhttp_make_request(g->connection, req, EVHTTP_REQ_GET, path) != 0)
        return CLU_ECLOSED;
    /* There was no way to connect at all: no route, or no file. */
    if (g->over)
        return CLU_ECLOSED;
    watch_start(g->timer, timeout_ms);
    watch_base_run(g->base);
    return g->err;
}

clu_error http_get(const struct addr *at, const char *path, uint64_t timeout_ms, uint16_t *status,
                   struct buf *body)
{
    struct get g = {.status = status, .body = body, .err = CLU_ECLOSED};
    clu_error err = prepare(&g, at) ? ask(&g, at, path, timeout_ms) : CLU_ENOMEM;

    if (g.connection != NULL)
        evhttp_connection_free(g.connection);
    watch_free(g.timer);
    if (g.base != NULL)
        watch_base_free(g.base);
    return err;
}
