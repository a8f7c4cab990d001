/* SPDX-License-Identifier: Apache-2.0
 *
 * Discovery's side of the machine: asks what the sources want to know, hands the answers back, and
 * gives what they list to the reconciler.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mesh/internal.h"

/* Changes of a list that are told one by one after a look-up; the others are counted. */
#define CHANGES_TOLD_MAX 32
/* What all nodes of a mesh notice at one moment, the restart of one, has them look again: in a
 * large mesh spread over so much time for each link, and at most over a pause between two look-ups.
 * It harms nobody: the newcomer dials by itself. */
#define STIR_AT_ONCE_MAX 10
#define STIR_MS_PER_LINK 10
#define STIR_MAX_MS      5000

clu_error discover_init(struct machine *m, char why[REASON_SIZE])
{
    const struct settings *s = m->settings;

    m->place = (struct source_place){.own_name = m->name,
                                     .resolv = m->resolv,
                                     .kubernetes = &s->kubernetes,
                                     .crypto = m->crypto,
                                     .rng = &m->rng,
                                     .hidden = s->hidden};
    for (size_t i = 0; i < s->n_specs; i++) {
        clu_error err = source_new(&m->sources[i], s->specs[i], &m->place, why);

        if (err != CLU_OK)
            return err;
        m->n_sources++;
    }
    return CLU_OK;
}

void discover_fini(struct machine *m)
{
    uint32_t at = 0;
    struct lookup *q;

    for (size_t i = 0; i < m->n_sources; i++)
        source_free(m->sources[i]);
    while ((q = slots_next(&m->lookups, &at)) != NULL)
        free(q);
    slots_free(&m->lookups);
    names_free_all(m);
}

/* A source has a new list, or a new reason for having none: told once, not at every poll, nor
 * whenever the list changes while the reason stays. */
static void tell_result(struct machine *m, size_t i, const struct source_row *row)
{
    enum result_kind kind = row->result;
    uint32_t n_entries = row->n_addresses;

    if (row->asking) /* the other family is still out: told when the round ends */
        return;
    bool same = strcmp(row->reason, m->source_reason[i]) == 0 &&
                (row->reason[0] != '\0' ||
                 (kind == m->source_result[i] && n_entries == m->source_count[i]));

    m->source_result[i] = kind;
    m->source_count[i] = n_entries;
    text_set(m->source_reason[i], REASON_SIZE, slice_of(row->reason));
    if (same)
        return;
    bool lists = kind == RESULT_COMPLETE || kind == RESULT_PARTIAL;
    bool fine = lists && row->reason[0] == '\0'; /* who only hears has never all */
    struct event *e = machine_event(m, fine ? EVENT_DISCOVERY : EVENT_DISCOVERY_FAILED);

    text_set(e->what, sizeof e->what, slice_of(row->spec));
    text_set(e->reason, sizeof e->reason, slice_of(row->reason));
    e->number = n_entries;
}

/* What becomes of a node that is not listed any more. */
static const char *left_with(struct machine *m, const char *name)
{
    if (strcmp(name, m->name) == 0)
        return "that is this node";
    if (link_find(m, name) == NULL)
        return "it is not linked";
    return m->settings->prune == PRUNE_AFTER ? "its link stays for now (--prune)"
                                             : "its link stays";
}

/* A first answer may bring thousands of addresses, more than the ring of events holds. */
static void tell_changes(struct machine *m, size_t i)
{
    struct addr addr;
    char name[NODE_NAME_SIZE];
    unsigned source;
    uint64_t n = 0;

    for (bool listed; reconcile_change(m->reconcile, &addr, name, &source, &listed);) {
        if (++n > CHANGES_TOLD_MAX)
            continue;
        struct event *e = machine_event(m, listed ? EVENT_LISTED : EVENT_UNLISTED);

        e->address = addr;
        text_set(e->node, sizeof e->node, slice_of(name));
        text_set(e->what, sizeof e->what, slice_of(m->settings->specs[source]));
        if (!listed)
            text_set(e->reason, sizeof e->reason, slice_of(left_with(m, name)));
    }
    if (n <= CHANGES_TOLD_MAX)
        return;
    struct event *e = machine_event(m, EVENT_CHANGES);

    e->number = n - CHANGES_TOLD_MAX;
    text_set(e->what, sizeof e->what, slice_of(m->settings->specs[i]));
}

/* The table of targets is full: told when it first happens, and whenever more are left out. */
static void tell_refused(struct machine *m, size_t i)
{
    uint64_t refused = reconcile_refused(m->reconcile);

    if (refused == m->refused)
        return;
    struct event *e = machine_event(m, EVENT_DISCOVERY_FAILED);

    text_set(e->what, sizeof e->what, slice_of(m->settings->specs[i]));
    snprintf(e->reason, sizeof e->reason, "%llu entries left out: this node keeps at most %u peers",
             (unsigned long long)(refused - m->refused), (unsigned)TARGETS_MAX);
    m->refused = refused;
}

/* Since when all that is listed is linked, and nothing has changed; NEVER while it is not so. */
static uint64_t calm_since(const struct machine *m)
{
    const struct tally *t = reconcile_tally(m->reconcile);

    return t->missing > 0 ? NEVER : max_u64(t->settled_ms, m->started_ms);
}

static void round_ended(struct machine *m, size_t i, uint64_t now_ms)
{
    struct source_row row;
    size_t n;
    const struct entry *entries = source_entries(m->sources[i], &n);

    source_row(m->sources[i], m->wall_offset, &row);
    const struct round round = {.kind = row.result,
                                .sees_us = row.sees_us,
                                .standing = source_stands(m->sources[i]),
                                .adds_only = source_adds_only(m->sources[i]),
                                .ttl_s = row.ttl_s,
                                .entries = entries,
                                .n = n};

    reconcile_list(m->reconcile, (unsigned)i, &round, now_ms);
    source_calm(m->sources[i], calm_since(m));
    tell_changes(m, i);
    tell_refused(m, i);
    tell_result(m, i, &row);
    machine_changed(m);
}

static void tell_no_source(struct machine *m)
{
    struct event *e = machine_event(m, EVENT_NO_DISCOVERY);

    text_set(e->what, sizeof e->what,
             slice_of(m->settings->library ? "no .discover" : "no --discover"));
}

void discover_start(struct machine *m, uint64_t now_ms)
{
    m->discovering = true;
    if (m->n_sources == 0 && !m->settings->no_listen)
        tell_no_source(m);
    for (size_t i = 0; i < m->n_sources; i++) {
        source_start(m->sources[i], &m->address, now_ms);
        /* A source that asks nobody (static) has its list at once. */
        if (source_result(m->sources[i]) != RESULT_WAITING)
            round_ended(m, i, now_ms);
    }
}

slot_id lookup_new(struct machine *m, enum lookup_owner owner, uint32_t who,
                   const struct source_query *sq)
{
    struct lookup *q = calloc(1, sizeof *q);

    if (q == NULL)
        return 0;
    q->owner = owner;
    q->who = who;
    q->type = sq->type;
    text_set(q->name, sizeof q->name, slice_of(sq->name));
    q->id = slots_add(&m->lookups, q);
    if (q->id == 0) {
        free(q);
        return 0;
    }
    list_append(&m->lookup_queue, &q->queue);
    return q->id;
}

static void give(struct machine *m, size_t i, const struct given *given, uint64_t now_ms)
{
    if (source_given(m->sources[i], given, now_ms))
        round_ended(m, i, now_ms);
}

/* Needs that the machine meets by itself; false for those that are the driver's. */
static bool meet(struct machine *m, size_t i, const struct need *need, uint64_t now_ms)
{
    if (need->kind == NEED_NAMES) {
        names_need(m, (unsigned)i, need, now_ms);
        return true;
    }
    if (need->kind != NEED_RECORDS)
        return false;
    if (lookup_new(m, LOOKUP_SOURCE, (uint32_t)i, &need->u.records) == 0)
        give(m, i,
             &(struct given){
                 .kind = GIVEN_RECORDS, .type = need->u.records.type, .dns = DNS_TIMEOUT},
             now_ms);
    return true;
}

bool discover_take(struct machine *m, struct update *u)
{
    if (m->draining || !m->discovering)
        return false;
    names_due(m, m->now_ms);
    for (size_t i = 0; i < m->n_sources; i++) {
        if (source_deadline(m->sources[i]) <= m->now_ms && source_tick(m->sources[i], m->now_ms))
            round_ended(m, i, m->now_ms);
        while (source_deadline(m->sources[i]) <= m->now_ms &&
               source_need(m->sources[i], m->now_ms, &u->u.need.need)) {
            if (meet(m, i, &u->u.need.need, m->now_ms))
                continue;
            u->kind = UPDATE_NEED;
            u->u.need.source = (unsigned)i;
            return true;
        }
    }
    return false;
}

void machine_given(struct machine *m, unsigned source, const struct given *given, uint64_t now_ms)
{
    m->now_ms = now_ms;
    if (source < m->n_sources && !m->stopped)
        give(m, source, given, now_ms);
}

uint64_t discover_deadline(const struct machine *m)
{
    uint64_t at = names_deadline(m);

    if (m->draining || !m->discovering)
        return NEVER;
    for (size_t i = 0; i < m->n_sources; i++)
        at = min_u64(at, source_deadline(m->sources[i]));
    return at;
}

void discover_stir(struct machine *m, uint64_t now_ms)
{
    size_t links = machine_links(m);
    uint64_t spread = min_u64(links * STIR_MS_PER_LINK, STIR_MAX_MS);

    discover_poke(m, links <= STIR_AT_ONCE_MAX ? now_ms : now_ms + rng_range(&m->rng, 0, spread));
}

void discover_poke(struct machine *m, uint64_t now_ms)
{
    for (size_t i = 0; i < m->n_sources; i++)
        source_poke(m->sources[i], now_ms);
}

void discover_answer(struct machine *m, struct lookup *q, enum dns_status status, clu_slice msg,
                     uint64_t now_ms)
{
    if (q->owner == LOOKUP_DIAL) {
        struct dial *d = slots_get(&m->dials, q->who);

        if (d != NULL)
            dial_resolved(m, d, status, msg, now_ms);
    } else if (q->owner == LOOKUP_ASK) {
        struct ask *a = ask_get(m, q->who);

        if (a != NULL)
            ask_resolved(m, a, status, msg, now_ms);
    } else if (q->owner == LOOKUP_NAMES) {
        names_resolved(m, q->who, status, msg, now_ms);
    } else {
        const struct given given = {
            .kind = GIVEN_RECORDS, .type = q->type, .dns = status, .bytes = msg};

        give(m, q->who, &given, now_ms);
    }
}
