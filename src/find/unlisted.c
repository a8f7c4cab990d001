/* SPDX-License-Identifier: Apache-2.0
 *
 * What becomes of peers that nobody lists any more: doubted until complete answers leave none, then
 * absent, then forgotten; or, linked, cut where --prune asks for it. All on the calm clock, which
 * runs only while the last answer of every source is complete: who failed to answer says nothing
 * about anybody's absence. Each queue is in the order of that clock, so only heads are looked at.
 */
#include "find/reconcile_impl.h"

/* ---- the calm clock ---- */

static uint64_t calm_at(const struct reconcile *r, uint64_t now_ms)
{
    return r->calm_ms + (r->unsure == 0 ? now_ms - r->calm_at_ms : 0);
}

/* When the calm clock will show this, if it runs on. */
static uint64_t when_calm(const struct reconcile *r, uint64_t calm_ms)
{
    return r->unsure != 0 ? NEVER : r->calm_at_ms + (max_u64(calm_ms, r->calm_ms) - r->calm_ms);
}

void unlisted_answer(struct reconcile *r, unsigned source, const struct round *round,
                     uint64_t now_ms)
{
    uint32_t bit = UINT32_C(1) << source;

    if (round->adds_only)
        return;
    r->calm_ms = calm_at(r, now_ms);
    r->calm_at_ms = now_ms;
    if (round->kind != RESULT_COMPLETE) {
        r->unsure |= bit;
        return;
    }
    r->unsure &= ~bit;
    r->ttl_s[source] = round->ttl_s;
    r->sees_us = round->sees_us ? r->sees_us | bit : r->sees_us & ~bit;
    r->polled = round->standing ? r->polled & ~bit : r->polled | bit;
}

void unlisted_answered(struct reconcile *r, unsigned source, const struct round *round,
                       uint64_t now_ms)
{
    if (round->kind != RESULT_COMPLETE)
        return;
    r->owing &= ~(UINT32_C(1) << source);
    if (r->owing == 0) {
        r->rounds++;
        r->owing = r->polled;
    }
    if (!list_empty(&r->strays))
        r->next_cut_ms = r->cut_ms; /* who sees us may have changed */
    unlisted_pass(r, now_ms);
}

/* ---- the queues ---- */

static void queue_set(struct reconcile *r, struct list *queue, struct waiting *w, bool in,
                      uint64_t now_ms)
{
    if (in != list_empty(&w->link))
        return;
    if (!in) {
        list_remove(&w->link);
        return;
    }
    w->since_ms = calm_at(r, now_ms);
    w->round = r->rounds;
    list_append(queue, &w->link);
}

static struct waiting *head_of(const struct list *queue)
{
    return list_empty(queue) ? NULL : CONTAINER_OF(queue->next, struct waiting, link);
}

void unlisted_follow(struct reconcile *r, struct tracked *p, uint64_t now_ms)
{
    bool was_stray = !list_empty(&p->stray.link);
    bool stray = p->linked && p->t.sources == 0 && r->prune == PRUNE_AFTER;
    bool down = !p->linked && !p->dialling && !tracked_wants_dial(p);

    queue_set(r, &r->doubted, &p->doubt, p->sought && !tracked_wanted(p) && r->prune != PRUNE_NEVER,
              now_ms);
    queue_set(r, &r->idle, &p->idle, down && !p->sought, now_ms);
    queue_set(r, &r->strays, &p->stray, stray, now_ms);
    if (stray && !was_stray)
        r->next_cut_ms = min_u64(r->next_cut_ms, max_u64(r->cut_ms, now_ms + r->prune_ms));
}

/* ---- given up, forgotten ---- */

static uint64_t gone_after(const struct reconcile *r)
{
    uint64_t ttl_s = 0;

    for (size_t i = 0; i < SOURCES_MAX; i++)
        ttl_s = max_u64(ttl_s, r->ttl_s[i]);
    return max_u64(GONE_TTLS * 1000 * ttl_s, GONE_MS);
}

/* When the first of the doubted is gone; NEVER while only answers can tell. */
static uint64_t doubt_ends(const struct reconcile *r)
{
    const struct waiting *head = head_of(&r->doubted);

    if (head == NULL || (r->polled != 0 && r->rounds - head->round < GONE_ANSWERS))
        return NEVER;
    return when_calm(r, head->since_ms + gone_after(r));
}

static uint64_t idle_ends(const struct reconcile *r)
{
    const struct waiting *head = head_of(&r->idle);

    return head == NULL ? NEVER : when_calm(r, head->since_ms + ABSENT_KEPT_MS);
}

bool unlisted_make_room(struct reconcile *r)
{
    struct waiting *head = head_of(&r->idle);

    if (head == NULL)
        return false;
    tracked_forget(r, CONTAINER_OF(head, struct tracked, idle));
    return true;
}

void unlisted_pass(struct reconcile *r, uint64_t now_ms)
{
    while (doubt_ends(r) <= now_ms) {
        struct tracked *p = CONTAINER_OF(head_of(&r->doubted), struct tracked, doubt);

        p->sought = false;
        tracked_settle(r, p, now_ms);
    }
    while (idle_ends(r) <= now_ms)
        unlisted_make_room(r);
}

uint64_t unlisted_deadline(const struct reconcile *r)
{
    uint64_t cut = r->unsure != 0 ? NEVER : r->next_cut_ms;

    return min_u64(min_u64(doubt_ends(r), idle_ends(r)), cut);
}

/* ---- cut: --prune after:T ---- */

void reconcile_prune(struct reconcile *r, enum prune prune, uint64_t after_ms)
{
    r->prune = prune;
    r->prune_ms = after_ms;
}

/* Who never was listed, an observer say, has not left any list. An answer without ourselves may be
 * the answer to another question: it cuts nobody. */
static bool may_cut(const struct reconcile *r, const struct tracked *p)
{
    return p->listers != 0 && (p->listers & ~r->sees_us) == 0;
}

bool reconcile_has_cut(const struct reconcile *r, const char *name, uint32_t creation)
{
    const struct tracked *p = tracked_named(r, name);

    return p != NULL && p->cut && p->t.creation == creation;
}

static struct target *cut(struct reconcile *r, struct tracked *p, uint64_t now_ms)
{
    r->cut_ms = r->next_cut_ms = now_ms + PRUNE_GAP_MS;
    p->cut = true;
    p->sought = false;
    list_remove(&p->stray.link);
    return &p->t;
}

struct target *reconcile_prune_next(struct reconcile *r, uint64_t now_ms)
{
    if (r->unsure != 0 || now_ms < r->next_cut_ms)
        return NULL;
    r->next_cut_ms = NEVER;
    for (struct list *l = r->strays.next; l != &r->strays; l = l->next) {
        struct tracked *p = CONTAINER_OF(l, struct tracked, stray.link);
        uint64_t at_ms = when_calm(r, p->stray.since_ms + r->prune_ms);

        if (!may_cut(r, p))
            continue;
        if (at_ms <= now_ms)
            return cut(r, p, now_ms);
        r->next_cut_ms = at_ms; /* those behind it are due later */
        break;
    }
    return NULL;
}
