/* SPDX-License-Identifier: Apache-2.0 */
#include "find/source_polled.h"

#include "find/trust.h"

/* Our own address should be in the answer by then: endpoints reach DNS within a few seconds. */
#define SELF_SEEN_MS 10000
/* The start burst ends when the answer has not changed for this many rounds. */
#define UNCHANGED_ROUNDS 2

static struct polled *polled_of(struct source *s)
{
    return (struct polled *)s;
}

void polled_init(struct source *s)
{
    struct polled *p = polled_of(s);

    p->when.next_ms = p->when.poke_ms = NEVER;
}

clu_error polled_open(struct source *s, const char *body, char why[REASON_SIZE])
{
    return source_absolute(s, body, polled_of(s)->name, why);
}

void polled_start(struct source *s, uint64_t now_ms)
{
    schedule_start(&polled_of(s)->when, s->place->rng, now_ms);
}

void polled_poke(struct source *s, uint64_t now_ms)
{
    schedule_poke(&polled_of(s)->when, now_ms);
}

void polled_calm(struct source *s, uint64_t since_ms)
{
    polled_of(s)->when.calm_ms = since_ms;
}

uint64_t polled_deadline(const struct source *s)
{
    const struct polled *p = (const struct polled *)s;

    return p->running ? NEVER : schedule_deadline(&p->when);
}

void polled_query(struct polled *p, uint16_t type, struct need *need)
{
    p->source.row.queries++;
    need->kind = NEED_RECORDS;
    need->u.records.type = type;
    text_set(need->u.records.name, sizeof need->u.records.name, slice_of(p->name));
}

bool polled_begin(struct polled *p, uint64_t now_ms)
{
    if (p->running || schedule_deadline(&p->when) > now_ms)
        return false;
    p->running = true;
    p->changed = false;
    p->begun_ms = now_ms;
    schedule_begun(&p->when);
    return true;
}

enum result_kind polled_believe(struct polled *p, enum result_kind answered, bool doubted,
                                bool is_empty)
{
    if (answered == RESULT_COMPLETE && doubted)
        return RESULT_PARTIAL;
    if (answered == RESULT_COMPLETE || answered == RESULT_PARTIAL)
        p->emptied = false;
    else if (answered == RESULT_NEGATIVE && p->changed && is_empty)
        p->emptied = true;
    return answered == RESULT_NEGATIVE && p->emptied ? RESULT_COMPLETE : answered;
}

static void plan_next(struct polled *p, const struct round_end *end, uint64_t now_ms)
{
    /* What is not believed was answered all the same: no reason to back off. */
    enum result_kind kind = end->doubted ? RESULT_COMPLETE : end->kind;
    bool settled = end->sees_us && p->unchanged >= UNCHANGED_ROUNDS;

    if (p->changed || end->kind != RESULT_COMPLETE)
        schedule_stir(&p->when, now_ms);
    schedule_ended(&p->when, kind, end->ttl_s, settled, now_ms);
}

void polled_end(struct polled *p, const struct round_end *end, uint64_t now_ms)
{
    struct source_row *row = &p->source.row;

    p->running = false;
    p->saw_us |= end->sees_us;
    p->unchanged = p->changed ? 0 : p->unchanged + (end->kind == RESULT_COMPLETE);
    if (p->changed)
        row->changed_ms = now_ms;
    row->asking = false;
    row->result = end->kind;
    row->sees_us = end->sees_us;
    row->ttl_s = end->ttl_s;
    source_count(&p->source, p->begun_ms, now_ms);
    plan_next(p, end, now_ms);
    text_set(row->cache, sizeof row->cache, slice_of(schedule_cache(&p->when)));
}

/* One address that stays and was never ours is more likely a Service's than a pod's; unless there
 * is a link to it. */
static bool is_cluster_ip(const struct polled *p, uint64_t now_ms)
{
    const struct source *s = &p->source;

    return s->n_entries == 1 && s->entries[0].addr.family != 0 && !p->saw_us &&
           p->when.calm_ms == NEVER && now_ms >= s->row.changed_ms + SELF_SEEN_MS;
}

void polled_explain_answer(struct polled *p, const char *type, const struct dns_answer *a)
{
    struct source *s = &p->source;

    say(s->row.reason, "%s%s%s", type == NULL ? "" : type,
        type == NULL ? "" : " records: ", a->reason);
    say_servers(s->row.reason, "asked: ", s->place->resolv);
}

void polled_explain_us(struct polled *p, uint64_t now_ms)
{
    struct source *s = &p->source;
    char ip[ADDR_TEXT_MAX];

    s->row.reason[0] = '\0';
    if (s->row.sees_us || !source_wants_us(s) || now_ms < p->when.start_ms + SELF_SEEN_MS)
        return;
    if (source_explain_loopback(s))
        return;
    if (is_cluster_ip(p, now_ms))
        say(s->row.reason,
            "%.180s has one address, %s, and it is not this pod's: is it a ClusterIP Service? "
            "write clusterIP: None; or, if it is headless, publishNotReadyAddresses: true",
            p->name, addr_ip_text(&s->entries[0].addr, ip));
    else
        say(s->row.reason,
            "our own address %s is not in the answer, so others cannot find us there: does the "
            "Service's selector match this pod, and is publishNotReadyAddresses: true set?",
            addr_ip_text(&s->own, ip));
}

void polled_explain_doubt(struct polled *p, size_t n_gone, size_t n_listed)
{
    say(p->source.row.reason,
        "%zu of the %zu listed are gone from the answer at once: they are kept until it has said "
        "so %u times over %u s",
        n_gone, n_listed, TRUST_TIMES, TRUST_MS / 1000u);
}
