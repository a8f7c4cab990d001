/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "find/dns_answer.h"
#include "find/source_polled.h"
#include "find/srv_set.h"
#include "find/trust.h"

/* srv:NAME: the SRV records of a name, as _dist._tcp.SERVICE.NS.svc.ZONE: the port of each node,
 * and the stable host name that a StatefulSet gives its pods. */

struct srv_source {
    struct polled polled;
    bool waiting;             /* the query of the present round is out */
    struct dns_answer answer; /* of the present round */
    struct trust trust;
    struct srv_set believed;   /* what was listed before the doubts, if there are any */
    struct srv_set doubtful;   /* what came since they began: listed too */
    size_t n_gone;             /* of the believed, not in the last answer that told */
    size_t n_unnamed;          /* targets that could not be listed: neither address nor name */
    char many[HOST_NAME_SIZE]; /* a target with several ports; "" without one */
};

static struct srv_source *srv_of(struct source *s)
{
    return (struct srv_source *)s;
}

/* What is listed: one entry a target. */

/* A pod of two families has glue of both: its node has one name, of our family as ours is. */
static struct addr address_of(const struct source *s, const struct dns_service *service)
{
    const struct addr *first = &service->glue[s->own.family == 6];
    const struct addr *other = &service->glue[s->own.family != 6];

    return first->family != 0 ? *first : *other;
}

static void add_entry(struct srv_source *d, const struct dns_service *service, size_t n_ports)
{
    struct source *s = &d->polled.source;
    struct entry *e = &s->entries[s->n_entries];
    char host[LABEL_SIZE];
    size_t len = strcspn(service->target, ".");

    *e = (struct entry){.addr = address_of(s, service)};
    /* Which of several ports is distribution's is not told: 0 asks epmd. */
    e->addr.port = n_ports == 1 ? service->port : 0;
    if (n_ports > 1)
        text_set(d->many, sizeof d->many, slice_of(service->target));
    text_set(host, sizeof host, (clu_slice){(const uint8_t *)service->target, len});
    source_name(s, e, host, service->target);
    if (e->addr.family == 0 && e->name[0] == '\0')
        d->n_unnamed++;
    else
        s->n_entries++;
}

static size_t count_ports(const struct srv_set *set, size_t first)
{
    size_t n = 1;

    while (first + n < set->n &&
           strcmp(set->items[first].target, set->items[first + n].target) == 0)
        n++;
    return n;
}

static void add_entries(struct srv_source *d, const struct srv_set *set)
{
    d->n_unnamed = 0;
    d->many[0] = '\0';
    for (size_t i = 0, n_ports; i < set->n && d->polled.source.n_entries < SOURCE_ENTRIES_MAX;
         i += n_ports) {
        n_ports = count_ports(set, i);
        add_entry(d, &set->items[i], n_ports);
    }
}

static bool same_entries(const struct entry *a, const struct entry *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!addr_equal(&a[i].addr, &b[i].addr) || strcmp(a[i].name, b[i].name) != 0)
            return false;
    return true;
}

/* Without memory the entries stay as they are until the next round. */
static void refresh_entries(struct srv_source *d)
{
    struct source *s = &d->polled.source;
    struct srv_set all = {NULL, 0};
    struct entry *before = s->entries;
    size_t n_before = s->n_entries;
    struct entry *entries = NULL;

    if (srv_set_merge(&all, d->believed.items, d->believed.n) == CLU_OK &&
        srv_set_merge(&all, d->doubtful.items, d->doubtful.n) == CLU_OK)
        entries = calloc(all.n + 1, sizeof *entries);
    if (entries != NULL) {
        s->entries = entries;
        s->n_entries = 0;
        add_entries(d, &all);
        d->polled.changed |= n_before != s->n_entries || !same_entries(before, entries, n_before);
        free(before);
    }
    srv_set_free(&all);
}

/* Rounds. */

/* The records of a whole answer, or of one that tells that there are none. What is believed after
 * doubts is all that came since they began: the answers may be samples. */
static void replace(struct srv_source *d, const struct srv_set *found, uint64_t now_ms)
{
    if (srv_set_merge(&d->doubtful, found->items, found->n) != CLU_OK)
        return;
    d->n_gone = srv_set_missing(&d->believed, found);
    if (!trust_takes(&d->trust, d->believed.n, d->n_gone, now_ms))
        return;
    srv_set_free(&d->believed);
    d->believed = d->doubtful;
    d->doubtful = (struct srv_set){NULL, 0};
}

/* Part of the records: they are there, and say nothing of others. */
static void add(struct srv_source *d, const struct srv_set *found)
{
    struct srv_set *to = trust_doubts(&d->trust) ? &d->doubtful : &d->believed;

    if (srv_set_merge(to, found->items, found->n) != CLU_OK)
        dns_answer_drop(&d->answer);
}

static enum result_kind apply(struct srv_source *d, const struct srv_set *found, uint64_t now_ms)
{
    static const enum result_kind kinds[] = {
        [NOT_ASKED] = RESULT_FAILED, [FOUND] = RESULT_COMPLETE, [EMPTY] = RESULT_NEGATIVE,
        [NO_NAME] = RESULT_NEGATIVE, [CUT] = RESULT_PARTIAL,    [FAILED] = RESULT_FAILED,
    };
    enum result_kind kind = kinds[d->answer.outcome];

    if (kind == RESULT_COMPLETE || kind == RESULT_NEGATIVE)
        replace(d, found, now_ms);
    else if (kind == RESULT_PARTIAL)
        add(d, found);
    refresh_entries(d);
    return kind == RESULT_PARTIAL && found->n == 0 ? RESULT_FAILED : kind;
}

static bool sees_us(const struct source *s)
{
    for (size_t i = 0; s->own.family != 0 && i < s->n_entries; i++)
        if (addr_same_ip(&s->entries[i].addr, &s->own))
            return true;
    return source_lists_us(s);
}

/* Without addresses nobody can tell whether one of them is ours. */
static bool has_addresses(const struct source *s)
{
    for (size_t i = 0; i < s->n_entries; i++)
        if (s->entries[i].addr.family != 0)
            return true;
    return false;
}

/* A ClusterIP Service has one record, which leads to the Service itself. */
static bool leads_to_itself(const struct srv_source *d)
{
    const struct service_name *service = &d->polled.source.service;
    char name[3 * HOST_NAME_SIZE];

    if (d->believed.n != 1 || service->name[0] == '\0')
        return false;
    snprintf(name, sizeof name, "%s.%s.svc.%s", service->name, service->ns, service->zone);
    return host_name_same(d->believed.items[0].target, name);
}

static void explain_complete(struct srv_source *d, uint64_t now_ms)
{
    char *reason = d->polled.source.row.reason, ip[ADDR_TEXT_MAX];

    if (leads_to_itself(d))
        say(reason,
            "%.150s has one target, the Service itself (%s), and no pod: is it a ClusterIP "
            "Service? write clusterIP: None",
            d->polled.name, addr_ip_text(&d->believed.items[0].glue[0], ip));
    else if (d->many[0] != '\0')
        say(reason,
            "%.120s has several ports, and which of them is Erlang distribution's is not told: its "
            "epmd is asked; ask for one named port, as srv:_dist._tcp.SERVICE.NS.svc.ZONE",
            d->many);
    else if (d->n_unnamed > 0)
        say(reason,
            "%zu of the targets came without an address, which their names are made of: they are "
            "left out; ?name={base}@{target} makes names without",
            d->n_unnamed);
    else if (has_addresses(&d->polled.source))
        polled_explain_us(&d->polled, now_ms);
    else
        reason[0] = '\0';
}

static void explain(struct srv_source *d, enum result_kind answered, bool doubted, uint64_t now_ms)
{
    struct source_row *row = &d->polled.source.row;

    text_set(row->answer, sizeof row->answer, slice_of(d->answer.word));
    if (doubted)
        polled_explain_doubt(&d->polled, d->n_gone, d->believed.n);
    else if (answered == RESULT_COMPLETE)
        explain_complete(d, now_ms);
    else
        polled_explain_answer(&d->polled, NULL, &d->answer);
}

static void end_round(struct srv_source *d, const struct srv_set *found, uint64_t now_ms)
{
    struct polled *p = &d->polled;
    enum result_kind answered = apply(d, found, now_ms);
    struct round_end end = {
        .kind = polled_believe(p, answered, trust_doubts(&d->trust), d->believed.n == 0),
        .ttl_s = answered == RESULT_FAILED ? 0 : d->answer.ttl_s,
        .sees_us = sees_us(&p->source)};

    end.doubted = answered == RESULT_COMPLETE && end.kind == RESULT_PARTIAL;
    polled_end(p, &end, now_ms);
    explain(d, answered, end.doubted, now_ms);
}

static bool srv_need(struct source *s, uint64_t now_ms, struct need *need)
{
    struct srv_source *d = srv_of(s);

    if (!polled_begin(&d->polled, now_ms))
        return false;
    d->waiting = true;
    polled_query(&d->polled, DNS_TYPE_SRV, need);
    return true;
}

static bool srv_given(struct source *s, const struct given *given, uint64_t now_ms)
{
    struct srv_source *d = srv_of(s);
    struct source_query query = {.type = DNS_TYPE_SRV};
    struct dns_reply reply;

    if (!d->waiting || given->type != DNS_TYPE_SRV)
        return false;
    d->waiting = false;
    text_set(query.name, sizeof query.name, slice_of(d->polled.name));
    dns_answer_read(&d->answer, &reply, &query, given->dns, given->bytes);
    s->row.failures += d->answer.outcome == FAILED;
    if (d->answer.outcome != FAILED)
        s->row.last_ms = now_ms;
    end_round(d, &(struct srv_set){reply.services, reply.n_services}, now_ms);
    dns_reply_free(&reply);
    return true;
}

static void srv_close(struct source *s)
{
    srv_set_free(&srv_of(s)->believed);
    srv_set_free(&srv_of(s)->doubtful);
}

static const struct source_option options[] = {
    {"base", source_set_base},
    {"name", source_set_name},
};

const struct scheme scheme_srv = {
    .name = "srv",
    .guesses = true,
    .parts = PART_BIT(PARTS) - 1,
    .template = "{base}@{target}",
    .size = sizeof(struct srv_source),
    .options = options,
    .n_options = COUNT(options),
    .init = polled_init,
    .open = polled_open,
    .close = srv_close,
    .start = polled_start,
    .poke = polled_poke,
    .deadline = polled_deadline,
    .calm = polled_calm,
    .need = srv_need,
    .given = srv_given,
};
