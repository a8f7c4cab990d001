/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <openssl/err.h>

#include "base/list.h"
#include "conf/scan.h"
#include "net/loop_impl.h"
#include "net/socket.h"
#include "net/tls.h"

/* GETs over TLS, by libevent's client: it carries bytes, a chunk at a time. How long a server may
 * be silent, how much it may send and whom it must be are ours. */

/* Of an answer's headers; those of an API server have some 500 bytes. */
#define HEADERS_MAX 16384
/* A chunk is delivered once it is whole, so this much may have to wait. An API server writes an
 * object, or a whole page of a list, into one; the source's own limit is lower. */
#define CHUNK_MAX (16u << 20)
/* One answer, all in all: a watch of ten minutes in which everything changes every second. */
#define BODY_MAX (1u << 30)
/* libevent's own timer, longer than ours: never the first. */
#define SLACK_S     60
#define HEADER_SIZE 20000

enum progress { APART, MET, TRUSTED };

/* One request with its answer, and a connection of its own: a token or an authority that changed
 * counts from the next one on. It ends in its timer only: libevent stands on it in its callbacks.
 */
struct exchange {
    struct stream *stream;
    struct list of_all;
    struct evhttp_connection *connection;
    struct bufferevent *bytes; /* the connection's */
    SSL *tls;
    struct watch *timer; /* of silence; once it is over, of its end */
    uint64_t silence_ms;
    const char *why; /* what is wrong with what came; NULL */
    enum progress state;
    int error; /* of the system, that ended the handshake; 0: none */
    bool over; /* nothing of it is given any more */
    char to[ADDR_TEXT_MAX];
};

struct stream {
    struct loop *loop;
    unsigned source;
    OSSL_LIB_CTX *lib;
    struct exchange *now; /* NULL: none is under way */
    struct list all;
};

static void exchange_free(struct exchange *e)
{
    list_remove(&e->of_all);
    watch_base_return(e->stream->loop->base);
    if (e->connection != NULL)
        evhttp_connection_free(e->connection); /* and its bytes */
    else if (e->bytes != NULL)
        bufferevent_free(e->bytes);
    SSL_free(e->tls);
    watch_free(e->timer);
    free(e);
}

/* Nothing is given of it from now on. */
static void retire(struct exchange *e)
{
    e->over = true;
    if (e->stream->now == e)
        e->stream->now = NULL;
    watch_start(e->timer, 0);
}

static void give(struct exchange *e, const struct given *given)
{
    struct loop *l = e->stream->loop;

    needs_given(l, e->stream->source, given);
    loop_turn(l);
}

static void give_end(struct exchange *e, const char *why)
{
    if (e->over)
        return;
    retire(e);
    give(e, &(struct given){.kind = GIVEN_END, .why = why});
}

/* ---- what went wrong ---- */

/* Of libevent's words for it; once there is a connection. */
static const char *const errors[] = {
    [EVREQ_HTTP_TIMEOUT] = "it was silent for too long",
    [EVREQ_HTTP_EOF] = "it closed the connection before its answer was whole",
    [EVREQ_HTTP_INVALID_HEADER] = "its answer is no HTTP",
    [EVREQ_HTTP_BUFFER_ERROR] = "the connection broke",
    [EVREQ_HTTP_REQUEST_CANCEL] = "the request was given up",
    [EVREQ_HTTP_DATA_TOO_LONG] = "its answer is too long",
};

static void on_error(enum evhttp_request_error error, void *arg)
{
    struct exchange *e = arg;

    e->why = errors[error];
}

static const char *tls_words(struct exchange *e)
{
    unsigned long error = bufferevent_get_openssl_error(e->bytes);
    const char *words = error == 0 ? NULL : ERR_reason_error_string(error);

    return words == NULL ? "it closed the connection, or said nothing" : words;
}

/* When libevent tells of a failure, it has closed the socket and cleared the rest. */
static void on_handshake(const SSL *tls, int where, int result)
{
    struct exchange *e = SSL_get_app_data(tls);

    if ((where & SSL_CB_HANDSHAKE_DONE) != 0)
        e->state = TRUSTED;
    if ((where & SSL_CB_EXIT) == 0 || result > 0)
        return;
    if (errno != EAGAIN && errno != 0)
        e->error = errno;
    else if (e->state == APART) /* it is to answer, or has answered something else */
        e->state = MET;
}

static void fail(struct exchange *e)
{
    char why[REASON_SIZE];
    const char *refusal = tls_refusal(e->tls);

    if (refusal != NULL)
        snprintf(why, sizeof why, "the API server at %s: its certificate is refused: %s", e->to,
                 refusal);
    else if (e->state == TRUSTED)
        snprintf(why, sizeof why, "the API server at %s: %s", e->to,
                 e->why != NULL ? e->why : errors[EVREQ_HTTP_BUFFER_ERROR]);
    else if (e->state == APART)
        snprintf(why, sizeof why, "no connection to the API server at %s: %s", e->to,
                 strerror(e->error != 0 ? e->error : ETIMEDOUT));
    else
        snprintf(why, sizeof why, "the API server at %s: TLS failed: %s", e->to, tls_words(e));
    give_end(e, why);
}

/* ---- what comes ---- */

static int on_head(struct evhttp_request *req, void *arg)
{
    struct exchange *e = arg;
    const char *after = evhttp_find_header(evhttp_request_get_input_headers(req), "Retry-After");
    struct given given = {.kind = GIVEN_HEAD,
                          .status = (uint16_t)evhttp_request_get_response_code(req)};

    if (after != NULL && !text_number(slice_of(after), 0, UINT32_MAX, &given.retry_after_s))
        given.retry_after_s = 0; /* a date: nobody sends it */
    if (!e->over)
        give(e, &given);
    return e->over ? -1 : 0;
}

static void on_chunk(struct evhttp_request *req, void *arg)
{
    struct exchange *e = arg;
    struct evbuffer *in = evhttp_request_get_input_buffer(req);
    size_t len = evbuffer_get_length(in);
    const uint8_t *data = evbuffer_pullup(in, -1);

    if (!e->over && data != NULL)
        give(e, &(struct given){.kind = GIVEN_BODY, .bytes = {data, len}});
}

/* libevent calls this behind on_error, too, and where there was no connection. */
static void on_done(struct evhttp_request *req, void *arg)
{
    struct exchange *e = arg;

    if (req == NULL || evhttp_request_get_response_code(req) == 0)
        fail(e);
    else
        give_end(e, NULL);
}

/* Bytes came, whether they make a chunk yet or not. */
static void on_bytes(struct evbuffer *in, const struct evbuffer_cb_info *info, void *arg)
{
    struct exchange *e = arg;

    if (e->over || info->n_added == 0)
        return;
    if (evbuffer_get_length(in) > CHUNK_MAX)
        e->why = "a chunk of its answer is too long";
    watch_start(e->timer, e->why == NULL ? e->silence_ms : 0);
}

static void on_timer(void *arg, bool timed_out)
{
    struct exchange *e = arg;

    (void)timed_out;
    if (e->over) {
        exchange_free(e);
        return;
    }
    if (e->why == NULL)
        e->why = errors[EVREQ_HTTP_TIMEOUT];
    fail(e);
}

/* ---- asking ---- */

static bool open_connection(struct exchange *e, const struct need *need)
{
    struct watch_base *base = e->stream->loop->base;
    struct event_base *events = watch_base_events(base);
    char ip[ADDR_TEXT_MAX];

    e->timer = watch_new(base, WATCH_TIMER, -1, on_timer, e);
    SSL_set_app_data(e->tls, e);
    SSL_set_info_callback(e->tls, on_handshake);
    if (e->timer == NULL || SSL_up_ref(e->tls) != 1)
        return false;
    e->bytes = bufferevent_openssl_socket_new(events, -1, e->tls, BUFFEREVENT_SSL_CONNECTING,
                                              BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (e->bytes == NULL) {
        SSL_free(e->tls);
        return false;
    }
    e->connection = evhttp_connection_base_bufferevent_new(
        events, NULL, e->bytes, addr_ip_text(&need->u.http.to, ip), need->u.http.to.port);
    if (e->connection == NULL)
        return false;
    evhttp_connection_set_timeout(e->connection, (int)(e->silence_ms / 1000) + SLACK_S);
    evhttp_connection_set_max_headers_size(e->connection, HEADERS_MAX);
    evhttp_connection_set_max_body_size(e->connection, BODY_MAX);
    return evbuffer_add_cb(bufferevent_get_input(e->bytes), on_bytes, e) != NULL;
}

static bool add_headers(struct exchange *e, struct evhttp_request *req, clu_slice token)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    char bearer[HEADER_SIZE];
    int n = snprintf(bearer, sizeof bearer, "Bearer %.*s", (int)token.len,
                     token.len == 0 ? "" : (const char *)token.data);
    bool ok = n > 0 && (size_t)n < sizeof bearer;

    ok = ok && evhttp_add_header(headers, "Host", e->to) == 0;
    ok = ok && evhttp_add_header(headers, "Accept", "application/json") == 0;
    ok = ok && evhttp_add_header(headers, "User-Agent", "erlclu/" CLU_VERSION) == 0;
    ok = ok && evhttp_add_header(headers, "Connection", "close") == 0;
    if (ok && token.len > 0)
        ok = evhttp_add_header(headers, "Authorization", bearer) == 0;
    explicit_bzero(bearer, sizeof bearer);
    return ok;
}

static bool send_request(struct exchange *e, const struct need *need)
{
    struct evhttp_request *req = evhttp_request_new(on_done, e);

    if (req == NULL)
        return false;
    evhttp_request_set_error_cb(req, on_error);
    evhttp_request_set_header_cb(req, on_head);
    evhttp_request_set_chunked_cb(req, on_chunk);
    if (!add_headers(e, req, need->u.http.token)) {
        evhttp_request_free(req);
        return false;
    }
    if (evhttp_make_request(e->connection, req, EVHTTP_REQ_GET, need->u.http.path) != 0)
        return false;
    int fd = bufferevent_getfd(e->bytes);

    if (fd >= 0) { /* else on_done is to come */
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        socket_probe(fd);
    }
    return watch_start(e->timer, e->silence_ms);
}

static struct exchange *exchange_new(struct stream *s, const struct need *need,
                                     char why[REASON_SIZE])
{
    struct exchange *e = calloc(1, sizeof *e);

    snprintf(why, REASON_SIZE, "%s", clu_strerror(CLU_ENOMEM));
    if (e == NULL)
        return NULL;
    e->stream = s;
    list_append(&s->all, &e->of_all);
    watch_base_borrow(s->loop->base);
    e->silence_ms = need->u.http.silence_ms;
    addr_text(&need->u.http.to, e->to);
    e->tls = tls_client(s->lib, need->u.http.ca, &need->u.http.to, why);
    if (e->tls != NULL && open_connection(e, need))
        return e;
    exchange_free(e);
    return NULL;
}

static void ask(struct stream *s, const struct need *need)
{
    char why[REASON_SIZE];
    struct exchange *e = exchange_new(s, need, why);

    s->now = e;
    if (e != NULL && send_request(e, need))
        return;
    if (e != NULL && !e->over) {
        retire(e);
        snprintf(why, sizeof why, "no connection to the API server at %s: %s", e->to,
                 strerror(errno));
    }
    needs_given(s->loop, s->source, &(struct given){.kind = GIVEN_END, .why = why});
}

static struct stream *stream_new(struct loop *l, unsigned source)
{
    struct stream *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    *s = (struct stream){.loop = l, .source = source, .lib = OSSL_LIB_CTX_new()};
    list_init(&s->all);
    if (s->lib != NULL)
        return s;
    free(s);
    return NULL;
}

void stream_carry(struct loop *l, unsigned source, const struct need *need)
{
    struct stream **s = &l->needs[source].stream;

    if (*s == NULL && need->kind == NEED_HTTP)
        *s = stream_new(l, source);
    if (*s != NULL && (*s)->now != NULL)
        retire((*s)->now);
    if (need->kind != NEED_HTTP)
        return;
    if (*s != NULL)
        ask(*s, need);
    else
        needs_given(l, source, &(struct given){.kind = GIVEN_END, .why = clu_strerror(CLU_ENOMEM)});
}

void stream_free(struct stream *s)
{
    if (s == NULL)
        return;
    while (!list_empty(&s->all))
        exchange_free(CONTAINER_OF(s->all.next, struct exchange, of_all));
    OSSL_LIB_CTX_free(s->lib);
    free(s);
}
