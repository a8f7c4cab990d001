/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "find/gossip_impl.h"

/* libcluster's group (of MCAST-TEST-NET, RFC 5771), port and TTL. */
#define GROUP       0xe9fc0120u
#define BROADCAST   0xffffffffu
#define PORT        45892
#define TTL_DEFAULT 1

/* On the interface of our own address, where there is one: a pod may have no route for groups. */
static void gossip_start(struct source *s, uint64_t now_ms)
{
    struct gossip_source *g = gossip_of(s);

    if (!g->broadcast && g->interface.family == 0 && s->own.family == 4 && !addr_is_any(&s->own) &&
        !addr_is_loopback(&s->own))
        g->interface = s->own;
    g->start_ms = g->open_ms = now_ms;
    g->judge_ms = now_ms + GOSSIP_LISTEN_MS;
}

/* ---- the SPEC ---- */

static clu_error refuse(const char *what, const char *value, char why[REASON_SIZE])
{
    say(why, "gossip: %s, not \"%.60s\"", what, value);
    return CLU_EBADARG;
}

static clu_error set_secret_file(struct source *s, const char *value, char why[REASON_SIZE])
{
    if (value[0] == '\0')
        return refuse("secret-file is the path of a file", value, why);
    text_set(gossip_of(s)->secret_file, NEED_PATH_SIZE, slice_of(value)); /* a SPEC is shorter */
    return CLU_OK;
}

static clu_error set_interface(struct source *s, const char *value, char why[REASON_SIZE])
{
    struct addr *a = &gossip_of(s)->interface;

    if (addr_parse_ip(a, slice_of(value)) && a->family == 4)
        return CLU_OK;
    return refuse("interface is an IPv4 address of this host", value, why);
}

static clu_error set_ttl(struct source *s, const char *value, char why[REASON_SIZE])
{
    size_t len = strlen(value);
    unsigned long ttl = strtoul(value, NULL, 10);

    if (len == 0 || strspn(value, "0123456789") != len || len > 3 || ttl > UINT8_MAX)
        return refuse("ttl is a number of routers from 0 to 255", value, why);
    gossip_of(s)->ttl = (uint8_t)ttl;
    gossip_of(s)->ttl_given = true;
    return CLU_OK;
}

static clu_error set_broadcast(struct source *s, const char *value, char why[REASON_SIZE])
{
    return source_set_flag(s, &gossip_of(s)->broadcast, "broadcast", value, why);
}

/* RFC 1112: 224.0.0.0 to 239.255.255.255. */
static bool is_group(const struct addr *a)
{
    return a->ip[0] >> 4 == 14;
}

/* NULL, or what is wrong with where the packets shall go. */
static const char *problem_of(const struct gossip_source *g)
{
    if (g->to.family != 4)
        return "libcluster's gossip is IPv4 only";
    if (!g->broadcast)
        return is_group(&g->to) ? NULL
                                : "no multicast address (224.0.0.0 to 239.255.255.255); "
                                  "broadcast=1 sends to a broadcast address";
    if (is_group(&g->to))
        return "a multicast address, and broadcast=1 sends to a broadcast address";
    if (g->interface.family != 0 || g->ttl_given)
        return "interface and ttl are of multicast: with broadcast=1 write the broadcast address "
               "of the network that is meant";
    return NULL;
}

static void gossip_init(struct source *s)
{
    gossip_of(s)->ttl = TTL_DEFAULT;
}

static clu_error gossip_source_open(struct source *s, const char *body, char why[REASON_SIZE])
{
    struct gossip_source *g = gossip_of(s);
    char text[ADDR_TEXT_MAX];

    g->to = addr_v4(g->broadcast ? BROADCAST : GROUP, PORT);
    if (body[0] != '\0' && !addr_parse(&g->to, slice_of(body)))
        return refuse("takes an address, ADDR or ADDR:PORT", body, why);
    if (g->to.port == 0)
        g->to.port = PORT;
    const char *problem = problem_of(g);

    if (problem == NULL)
        return CLU_OK;
    say(why, "gossip: %s: %s", addr_ip_text(&g->to, text), problem);
    return CLU_EBADARG;
}

static void gossip_close(struct source *s)
{
    struct gossip_source *g = gossip_of(s);

    free(g->heard.last_ms);
    explicit_bzero(g->key, sizeof g->key);
}

static const struct source_option options[] = {{"secret-file", set_secret_file},
                                               {"interface", set_interface},
                                               {"ttl", set_ttl},
                                               {"broadcast", set_broadcast}};

const struct scheme scheme_gossip = {
    .name = "gossip",
    .adds_only = true,
    .size = sizeof(struct gossip_source),
    .options = options,
    .n_options = COUNT(options),
    .init = gossip_init,
    .open = gossip_source_open,
    .close = gossip_close,
    .start = gossip_start,
    .tick = gossip_tick,
    .deadline = gossip_deadline,
    .need = gossip_need,
    .given = gossip_given,
};
