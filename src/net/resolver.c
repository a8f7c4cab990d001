/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions to DNS servers over c-ares. Every question has a channel of its own, so a source port
 * of its own (two queries of one port at once are what conntrack drops), and dies with it at its
 * deadline. Replies are handed on as they came: rcode, TTLs and all. Two things are done here and
 * not by c-ares, which would keep the reply from us: TCP for a reply that was cut (when TCP fails,
 * the cut one still is worth something), and the next server for one that said "not me".
 */
#include "net/resolver.h"

#include <stdlib.h>

/* Newer releases call the raw queries deprecated; they are what carries rcode, TTLs and SOA of all
 * releases from 1.18 on to one parser. */
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <netinet/in.h>

#include "base/buf.h"
#include "base/list.h"
#include "net/system.h"
#include "net/watch.h"

/* The first wait for a reply; c-ares doubles it. */
#define ATTEMPT_MS 1000
#define ATTEMPTS   2
/* What passes every path in one datagram (DNS flag day 2020). */
#define EDNS_SIZE 1232
/* Sockets of one channel: a UDP and a TCP one a server. */
#define SOCKETS_MAX (2 * RESOLV_SERVERS_MAX)
#define DNS_PORT    53
#define DNS_CLASS   1
/* In a message's third and fourth byte. */
#define DNS_TRUNCATED 0x02
#define DNS_RCODE     0x0f
#define DNS_HEADER    12

struct query;

struct query_socket {
    struct query *query;
    int fd;
    struct watch *readable, *writable; /* NULL while not wanted */
};

struct query {
    struct list list;
    struct resolver *resolver;
    slot_id id;
    char name[HOST_NAME_SIZE];
    uint16_t type;
    uint64_t deadline_ms;
    size_t first_server; /* those before it said "not me" */
    bool over_tcp;
    ares_channel channel;
    struct watch *timer;
    struct query_socket sockets[SOCKETS_MAX];
    bool replied; /* status and reply are set */
    int status;
    struct buf reply;
    struct buf kept; /* an answer that is worth less than none, until a better one came */
};

struct resolver {
    struct watch_base *base;
    const struct resolv_conf *conf;
    resolver_fn *done;
    void (*turn)(void *arg);
    void *arg;
    struct list queries;
};

/* ---- the channel of a question ---- */

static void settle(struct query *q);

static void on_reply(void *arg, int status, int timeouts, unsigned char *msg, int len)
{
    struct query *q = arg;

    (void)timeouts;
    /* The channel's end, which is of our own making. */
    if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED)
        return;
    q->replied = true;
    q->status = status;
    buf_reset(&q->reply);
    if (msg != NULL && len > 0)
        buf_put(&q->reply, msg, (size_t)len);
}

static void process(struct query *q, ares_socket_t readable, ares_socket_t writable)
{
    struct resolver *r = q->resolver;

    ares_process_fd(q->channel, readable, writable);
    settle(q);
    r->turn(r->arg);
}

static void on_readable(void *arg, bool timed_out)
{
    struct query_socket *s = arg;

    (void)timed_out;
    process(s->query, s->fd, ARES_SOCKET_BAD);
}

static void on_writable(void *arg, bool timed_out)
{
    struct query_socket *s = arg;

    (void)timed_out;
    /* c-ares says no more than that it wants to write, until it does not. */
    watch_start(s->writable, NEVER);
    process(s->query, ARES_SOCKET_BAD, s->fd);
}

static void on_timer(void *arg, bool timed_out)
{
    (void)timed_out;
    process(arg, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static struct query_socket *find_socket(struct query *q, int fd)
{
    struct query_socket *free_one = NULL;

    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        struct query_socket *s = &q->sockets[i];

        if (s->readable == NULL && s->writable == NULL)
            free_one = s;
        else if (s->fd == fd)
            return s;
    }
    return free_one;
}

static void want(struct query_socket *s, struct watch **watch, enum watch_kind kind, watch_fn *fn,
                 bool wanted)
{
    if (wanted == (*watch != NULL))
        return;
    watch_free(*watch);
    *watch = wanted ? watch_new(s->query->resolver->base, kind, s->fd, fn, s) : NULL;
    if (*watch != NULL)
        watch_start(*watch, NEVER);
}

/* c-ares says what it waits for. When memory is lacking here, the question runs into its deadline.
 */
static void on_socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct query *q = arg;
    struct query_socket *s = find_socket(q, fd);

    if (s == NULL)
        return;
    s->query = q;
    s->fd = fd;
    want(s, &s->readable, WATCH_READ, on_readable, readable != 0);
    want(s, &s->writable, WATCH_WRITE, on_writable, writable != 0);
}

static bool set_servers(struct query *q)
{
    const struct resolv_conf *conf = q->resolver->conf;
    struct ares_addr_port_node nodes[RESOLV_SERVERS_MAX] = {0};
    size_t n = 0;

    for (size_t i = q->first_server; i < conf->n_servers; i++, n++) {
        const struct addr *a = &conf->servers[i];
        struct ares_addr_port_node *node = &nodes[n];

        node->family = a->family == 6 ? AF_INET6 : AF_INET;
        memcpy(&node->addr, a->ip, a->family == 6 ? 16 : 4);
        node->udp_port = node->tcp_port = a->port == 0 ? DNS_PORT : a->port;
        node->next = i + 1 < conf->n_servers ? node + 1 : NULL;
    }
    return ares_set_servers_ports(q->channel, nodes) == ARES_SUCCESS;
}

/* Everything is said, so that c-ares reads neither resolv.conf nor the environment for it: the
 * servers may come from the command line. */
static bool open_channel(struct query *q)
{
    char lookups[] = "b";
    struct ares_options o = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP | ARES_FLAG_EDNS |
                 (q->over_tcp ? ARES_FLAG_USEVC : ARES_FLAG_IGNTC),
        .timeout = ATTEMPT_MS,
        .tries = ATTEMPTS,
        .ndots = 0,
        .lookups = lookups,
        .ednspsz = EDNS_SIZE,
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = q,
    };
    int set = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
              ARES_OPT_SERVERS | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_SORTLIST |
              ARES_OPT_EDNSPSZ | ARES_OPT_SOCK_STATE_CB | ARES_OPT_NOROTATE;

#ifdef ARES_OPT_QUERY_CACHE
    set |= ARES_OPT_QUERY_CACHE; /* 0: an empty answer would be kept for an hour */
#endif
#ifdef ARES_OPT_UDP_MAX_QUERIES
    set |= ARES_OPT_UDP_MAX_QUERIES;
    o.udp_max_queries = 1;
#endif
    q->channel = NULL;
    return ares_init_options(&q->channel, &o, set) == ARES_SUCCESS && set_servers(q);
}

static void close_channel(struct query *q)
{
    if (q->channel != NULL)
        ares_destroy(q->channel);
    q->channel = NULL;
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        watch_free(q->sockets[i].readable);
        watch_free(q->sockets[i].writable);
        q->sockets[i] = (struct query_socket){0};
    }
}

/* ---- the life of a question ---- */

static void attempt(struct query *q)
{
    close_channel(q);
    q->replied = false;
    if (open_channel(q)) {
        ares_query(q->channel, q->name, DNS_CLASS, q->type, on_reply, q);
        return;
    }
    buf_reset(&q->reply);
    q->replied = true;
    q->status = ARES_ENOMEM;
}

static void query_free(struct query *q)
{
    close_channel(q);
    watch_free(q->timer);
    buf_free(&q->reply);
    buf_free(&q->kept);
    list_remove(&q->list);
    free(q);
}

static void finish(struct query *q, enum dns_status status, clu_slice msg)
{
    struct resolver *r = q->resolver;

    r->done(r->arg, q->id, status, msg);
    query_free(q);
}

static const struct {
    int ares;
    enum dns_status status;
} statuses[] = {
    {ARES_ETIMEOUT, DNS_TIMEOUT},
    {ARES_ECONNREFUSED, DNS_REFUSED_CONN},
};

static enum dns_status status_of(int ares)
{
    for (size_t i = 0; i < COUNT(statuses); i++)
        if (statuses[i].ares == ares)
            return statuses[i].status;
    return DNS_BROKEN;
}

static bool is_cut(clu_slice msg)
{
    /* c-ares cuts what is longer than we asked for. */
    return (msg.data[2] & DNS_TRUNCATED) != 0 || msg.len >= EDNS_SIZE;
}

/* SERVFAIL, NOTIMP, REFUSED: this server cannot say; another one may. */
static bool is_not_me(clu_slice msg)
{
    uint8_t rcode = msg.data[3] & DNS_RCODE;

    return rcode == 2 || rcode == 4 || rcode == 5;
}

/* Whether a reply asks for another attempt; then the next one is prepared and the reply kept. */
static bool should_go_on(struct query *q, clu_slice msg)
{
    if (!q->over_tcp && is_cut(msg))
        q->over_tcp = true;
    else if (is_not_me(msg) && q->first_server + 1 < q->resolver->conf->n_servers)
        q->first_server++;
    else
        return false;
    buf_reset(&q->kept);
    buf_put_slice(&q->kept, msg);
    return true;
}

static void arm_timer(struct query *q, uint64_t now_ms)
{
    struct timeval tv;
    uint64_t wait = q->deadline_ms - now_ms;

    if (ares_timeout(q->channel, NULL, &tv) != NULL)
        wait = min_u64(wait, (uint64_t)tv.tv_sec * 1000 + (uint64_t)tv.tv_usec / 1000 + 1);
    watch_start(q->timer, wait);
}

/* Called behind everything that may have brought a reply. */
static void settle(struct query *q)
{
    uint64_t now_ms = system_now_ms();

    while (q->replied) {
        clu_slice msg = buf_slice(&q->reply);

        if (msg.len < DNS_HEADER) {
            bool kept = q->kept.len > 0;

            finish(q, kept ? DNS_ANSWERED : status_of(q->status), buf_slice(&q->kept));
            return;
        }
        if (now_ms >= q->deadline_ms || !should_go_on(q, msg)) {
            finish(q, DNS_ANSWERED, msg);
            return;
        }
        attempt(q);
    }
    if (now_ms < q->deadline_ms)
        arm_timer(q, now_ms);
    else
        finish(q, q->kept.len > 0 ? DNS_ANSWERED : DNS_TIMEOUT, buf_slice(&q->kept));
}

void resolver_ask(struct resolver *r, slot_id query, const char *name, uint16_t type)
{
    struct query *q = r->conf->n_servers == 0 ? NULL : calloc(1, sizeof *q);

    if (q != NULL)
        q->timer = watch_new(r->base, WATCH_TIMER, -1, on_timer, q);
    if (q == NULL || q->timer == NULL) {
        free(q);
        r->done(r->arg, query, DNS_NO_SERVER, (clu_slice){NULL, 0});
        return;
    }
    q->resolver = r;
    q->id = query;
    q->type = type;
    q->deadline_ms = system_now_ms() + RESOLVER_DEADLINE_MS;
    text_set(q->name, sizeof q->name, slice_of(name));
    list_append(&r->queries, &q->list);
    attempt(q);
    settle(q);
}

/* ---- the resolver ---- */

struct resolver *resolver_new(struct watch_base *base, const struct resolv_conf *conf,
                              resolver_fn *done, void (*turn)(void *arg), void *arg)
{
    struct resolver *r = calloc(1, sizeof *r);

    if (r == NULL)
        return NULL;
    *r = (struct resolver){.base = base, .conf = conf, .done = done, .turn = turn, .arg = arg};
    list_init(&r->queries);
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
        free(r);
        return NULL;
    }
    return r;
}

void resolver_free(struct resolver *r)
{
    if (r == NULL)
        return;
    while (!list_empty(&r->queries))
        query_free(CONTAINER_OF(r->queries.next, struct query, list));
    ares_library_cleanup();
    free(r);
}

bool resolver_is_busy(const struct resolver *r)
{
    return !list_empty(&r->queries);
}
