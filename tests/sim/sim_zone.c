/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_impl.h"

/* Of every record. */
#define SIM_TTL_S 5

void sim_zone_changed(struct sim *s)
{
    for (size_t i = 0; i < 2; i++)
        buf_free(&s->answers[i]);
}

static void put_question(struct buf *out, const char *name, uint16_t type)
{
    while (*name != '\0') {
        size_t len = strcspn(name, ".");

        buf_put_byte(out, (uint8_t)len);
        buf_put(out, name, len);
        name += len + (name[len] == '.');
    }
    const uint8_t end[] = {0, 0, (uint8_t)type, 0, 1};

    buf_put(out, end, sizeof end);
}

/* The A record of node i, for the name of the question. */
static void put_record(struct buf *out, unsigned i)
{
    const uint8_t head[] = {0xc0, 0x0c, 0, DNS_TYPE_A, 0, 1, 0, 0, 0, SIM_TTL_S, 0, 4};
    struct addr a = sim_address(i);

    buf_put(out, head, sizeof head);
    buf_put(out, a.ip, 4);
}

static void count_query(struct sim *s)
{
    if (s->now / 1000 != s->second)
        s->in_second = 0;
    s->second = s->now / 1000;
    s->load.queries++;
    s->load.peak = max_u64(s->load.peak, ++s->in_second);
}

clu_slice sim_zone_answer(struct sim *s, const struct update *u)
{
    static const uint8_t rcodes[] = {[SIM_DNS_OK] = 0,
                                     [SIM_DNS_NXDOMAIN] = 3,
                                     [SIM_DNS_SERVFAIL] = 2,
                                     [SIM_DNS_DROP] = 0,
                                     [SIM_DNS_EMPTY] = 0};
    struct buf *out = &s->answers[u->u.resolve.type == DNS_TYPE_AAAA];
    bool all = u->u.resolve.type == DNS_TYPE_A && s->dns == SIM_DNS_OK;
    uint8_t head[12] = {[2] = 0x84, [3] = rcodes[s->dns], [5] = 1};
    uint16_t count = 0;

    count_query(s);
    if (s->dns == SIM_DNS_DROP)
        return (clu_slice){NULL, 0};
    if (out->len > 0)
        return buf_slice(out);
    for (unsigned k = 1; all && k <= SIM_NODES_MAX; k++)
        count = (uint16_t)(count + s->nodes[k].listed);
    put_be16(head + 6, count);
    buf_put(out, head, sizeof head);
    put_question(out, u->u.resolve.name, u->u.resolve.type);
    for (unsigned k = 1; all && k <= SIM_NODES_MAX; k++)
        if (s->nodes[k].listed)
            put_record(out, k);
    return buf_slice(out);
}
