/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "global_net.h"

#define NET_FLAGS (DFLAGS_OFFERED | DFLAG_PUBLISHED)

void net_open(struct net *net, size_t n, uint64_t seed)
{
    *net = (struct net){.n = n, .now_ms = 1000};
    rng_init(&net->rng, seed);
    for (size_t i = 0; i < n; i++) {
        snprintf(net->names[i], sizeof net->names[i], "n%u@h", (unsigned)i);
        assert_int_equal(node_init(&net->nodes[i], net->names[i], (uint32_t)(10 + i), false), 0);
        assert_int_equal(clu_global_start(&net->nodes[i], rng_next(&net->rng)), CLU_OK);
        node_turn(&net->nodes[i], net->now_ms);
    }
}

static void end_down(struct net *net, size_t a, size_t b, const char *reason)
{
    struct net_end *e = &net->ends[a][b];

    node_link_down(&net->nodes[a], &e->link, reason);
    channel_fini(&e->channel);
    e->up = false;
}

void net_cut(struct net *net, size_t a, size_t b, bool by_a)
{
    if (!net->ends[a][b].up)
        return;
    end_down(net, a, b, by_a ? "disconnect" : "connection_closed");
    end_down(net, b, a, "connection_closed");
}

void net_close(struct net *net)
{
    for (size_t a = 0; a < net->n; a++)
        for (size_t b = 0; b < net->n; b++)
            net_cut(net, a, b, false);
    for (size_t i = 0; i < net->n; i++)
        node_fini(&net->nodes[i]);
}

static void end_up(struct net *net, size_t a, size_t b)
{
    struct net_end *e = &net->ends[a][b];

    channel_init(&e->channel, NET_FLAGS, 60000, 4, net->now_ms);
    e->up = true;
    assert_int_equal(node_link_up(&net->nodes[a], &e->link, &e->channel, net->names[b],
                                  net->nodes[b].creation, NET_FLAGS),
                     CLU_OK);
}

void net_link(struct net *net, size_t a, size_t b)
{
    if (a == b || net->ends[a][b].up || net->apart[a][b])
        return;
    end_up(net, a, b);
    end_up(net, b, a);
}

void net_part(struct net *net, unsigned mask)
{
    for (size_t a = 0; a < net->n; a++)
        for (size_t b = 0; b < net->n; b++) {
            net->apart[a][b] = (mask >> a & 1) != (mask >> b & 1);
            if (net->apart[a][b])
                net_cut(net, a, b, false);
        }
}

void net_heal(struct net *net)
{
    net_part(net, 0);
    for (size_t a = 0; a < net->n; a++)
        for (size_t b = 0; b < a; b++)
            net_link(net, a, b);
}

/* ---- what happens ---- */

static void receive(struct net *net, size_t a, size_t b, const uint8_t *data, size_t len)
{
    struct net_end *e = &net->ends[a][b];
    const char *what = NULL;
    struct control c;
    struct frame f;

    channel_feed(&e->channel, data, len, net->now_ms);
    while (channel_next(&e->channel, &f)) {
        assert_int_equal(control_parse(&c, f.control, f.payload, f.refs, &what), CLU_OK);
        assert_int_equal(node_receive(&net->nodes[a], &e->link, &c, &what), CLU_OK);
    }
    assert_int_equal(e->channel.err, CLU_OK);
}

/* Some bytes go from a to b. */
static bool carry(struct net *net, size_t a, size_t b)
{
    struct iovec iov[8];
    uint8_t piece[4096];

    if (!net->ends[a][b].up)
        return false;
    struct channel *c = &net->ends[a][b].channel;

    if (channel_pending(c, true, iov, 8) == 0)
        return false;
    size_t len = (size_t)min_u64(iov[0].iov_len, rng_range(&net->rng, 1, sizeof piece));

    memcpy(piece, iov[0].iov_base, len);
    channel_sent(c, len, net->now_ms);
    receive(net, b, a, piece, len);
    return true;
}

static size_t index_of(const struct net *net, const char *name)
{
    for (size_t i = 0; i < net->n; i++)
        if (strcmp(net->names[i], name) == 0)
            return i;
    fail_msg("no node %s", name);
    return 0;
}

static void dial(struct net *net, size_t a, const char *name)
{
    size_t b = index_of(net, name);

    if (net->apart[a][b])
        node_unreachable(&net->nodes[a], name);
    else
        net_link(net, a, b);
}

static bool serve(struct net *net, size_t a)
{
    struct clu_node *n = &net->nodes[a];
    const char *name;
    bool did = false;

    node_turn(n, net->now_ms);
    while ((name = node_next_wanted(n)) != NULL) {
        dial(net, a, name);
        did = true;
    }
    while (node_next_talking(n) != NULL)
        continue;
    while ((name = global_next_cut(n)) != NULL) {
        net_cut(net, a, index_of(net, name), true);
        did = true;
    }
    if (global_wants_out(n))
        for (size_t b = 0; b < net->n; b++)
            net_cut(net, a, b, true);
    return did || node_deadline(n) == 0;
}

bool net_step(struct net *net)
{
    size_t first = (size_t)rng_range(&net->rng, 0, net->n * net->n - 1);
    bool did = false;

    for (size_t i = 0; i < net->n; i++)
        did |= serve(net, i);
    for (size_t i = 0; i < net->n * net->n; i++) {
        size_t k = (first + i) % (net->n * net->n);

        if (carry(net, k / net->n, k % net->n))
            return true;
    }
    return did;
}

static uint64_t next_deadline(const struct net *net)
{
    uint64_t at = NEVER;

    for (size_t i = 0; i < net->n; i++)
        at = min_u64(at, node_deadline(&net->nodes[i]));
    return at;
}

void net_run(struct net *net, uint64_t ms)
{
    uint64_t end = net->now_ms + ms;

    for (;;) {
        while (net_step(net))
            continue;
        uint64_t at = next_deadline(net);

        if (at > end)
            break;
        net->now_ms = max_u64(net->now_ms, at);
        for (size_t i = 0; i < net->n; i++)
            node_tick(&net->nodes[i], net->now_ms);
    }
    net->now_ms = end;
    for (size_t i = 0; i < net->n; i++)
        node_tick(&net->nodes[i], end);
    while (net_step(net))
        continue;
}
