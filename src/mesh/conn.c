/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of connections: ids, what each wants of the driver, and the rows of functions by kind.
 * A conn that was closed stays in the table, dead, until the driver was told: so its id cannot name
 * a successor while the driver still knows it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mesh/internal.h"

static const struct conn_ops *const kinds[CONN_KINDS] = {
    [CONN_LINK] = &link_ops,
    [CONN_EPMD_QUERY] = &epmd_query_ops,
    [CONN_EPMD_SELF] = &epmd_self_ops,
    [CONN_EPMD_SERVED] = &epmd_served_ops,
};

static const struct conn_ops *ops(const struct conn *c)
{
    return kinds[c->kind];
}

bool conn_add(struct machine *m, struct conn *c, enum conn_kind kind)
{
    c->kind = kind;
    list_init(&c->wanting);
    list_init(&c->in_crowd);
    c->id = slots_add(&m->conns, c);
    if (c->id != 0)
        return true;
    free(c);
    return false;
}

static void want(struct machine *m, struct conn *c, enum conn_want what)
{
    c->wants |= (uint8_t)what;
    if (list_empty(&c->wanting))
        list_append(&m->wanting, &c->wanting);
}

void conn_dial(struct machine *m, struct conn *c)
{
    c->outbound = true;
    want(m, c, WANT_DIAL);
}

size_t conn_piece(clu_slice out, struct iovec *iov)
{
    if (out.len == 0)
        return 0;
    *iov = (struct iovec){(void *)(uintptr_t)out.data, out.len};
    return 1;
}

static bool has_pending(struct conn *c)
{
    struct iovec iov;

    return ops(c)->pending(c, true, &iov, 1) > 0;
}

void conn_wake(struct machine *m, struct conn *c)
{
    if (!c->dead && c->opened && (c->wants & WANT_SEND) == 0 && has_pending(c))
        want(m, c, WANT_SEND);
}

void conn_due(struct machine *m, struct conn *c, uint64_t at_ms)
{
    /* Out of memory here would lose a deadline for ever: the conn goes instead. */
    if (heap_set(&m->dues, &c->due, at_ms) != CLU_OK)
        conn_close(m, c);
}

void crowd_join(struct machine *m, struct crowd *crowd, struct conn *c, uint64_t now_ms)
{
    if (crowd->n >= crowd->max) {
        conn_close(m, CONTAINER_OF(crowd->members.next, struct conn, in_crowd));
        if (crowd->told_ms == 0 || now_ms - crowd->told_ms > NEWS_OLD_MS) {
            struct event *e = machine_event(m, EVENT_LIMIT);

            text_set(e->what, sizeof e->what, slice_of(crowd->what));
            snprintf(e->reason, sizeof e->reason,
                     "more than %u at once: the oldest are closed for the newest", crowd->max);
        }
        crowd->told_ms = now_ms;
    }
    list_append(&crowd->members, &c->in_crowd);
    c->crowd = crowd;
    crowd->n++;
}

void crowd_leave(struct conn *c)
{
    if (c->crowd == NULL)
        return;
    list_remove(&c->in_crowd);
    c->crowd->n--;
    c->crowd = NULL;
}

void conn_drop(struct machine *m, struct conn *c)
{
    crowd_leave(c);
    if (!c->dead)
        ops(c)->free(m, c);
    heap_remove(&m->dues, &c->due);
    list_remove(&c->wanting);
    slots_remove(&m->conns, c->id);
    free(c);
}

void conn_close(struct machine *m, struct conn *c)
{
    if (c->dead)
        return;
    crowd_leave(c);
    ops(c)->free(m, c);
    heap_remove(&m->dues, &c->due);
    c->dead = true;
    /* The driver never heard of a dial that it did not take: nothing to close there, but the
     * caller may still hold the conn: it goes with the next update. */
    c->wants = (c->wants & WANT_DIAL) != 0 ? WANT_DIAL | WANT_CLOSE : WANT_CLOSE;
    want(m, c, WANT_CLOSE);
}

void conn_end(struct machine *m, struct conn *c)
{
    if (c->dead)
        return;
    if (!c->opened || !has_pending(c)) {
        conn_close(m, c);
        return;
    }
    c->ending = true;
    conn_wake(m, c);
}

static void fill_dial(struct machine *m, const struct conn *c, struct update *u)
{
    u->kind = UPDATE_DIAL;
    u->u.dial.to = c->peer;
    u->u.dial.timeout_ms = CONNECT_MS;
    u->u.dial.from = m->address;
    u->u.dial.from.port = 0;
    /* We dial from the address of our name, so that peers see it; but a loopback address reaches
     * nothing outside this host, another family nothing at all, and Erlang's epmd on loopback
     * lets nobody register who comes from another address. */
    if (m->everywhere || m->address.family != c->peer.family ||
        addr_is_loopback(&m->address) != addr_is_loopback(&c->peer))
        u->u.dial.from = (struct addr){0};
}

bool conn_take_update(struct machine *m, struct update *u)
{
    while (!list_empty(&m->wanting)) {
        struct conn *c = CONTAINER_OF(m->wanting.next, struct conn, wanting);
        uint8_t wants = c->wants;

        list_remove(&c->wanting);
        c->wants = 0;
        u->conn = c->id;
        if (c->dead) {
            slots_remove(&m->conns, c->id);
            free(c);
            if ((wants & WANT_DIAL) != 0)
                continue;
            u->kind = UPDATE_CLOSE;
            return true;
        }
        if ((wants & WANT_DIAL) != 0) {
            fill_dial(m, c, u);
            return true;
        }
        u->kind = UPDATE_SEND;
        return true;
    }
    return false;
}

static struct conn *get(struct machine *m, slot_id id)
{
    struct conn *c = slots_get(&m->conns, id);

    return c == NULL || c->dead ? NULL : c;
}

void machine_opened(struct machine *m, slot_id id, const struct addr *local, uint64_t now_ms)
{
    m->now_ms = now_ms;
    struct conn *c = get(m, id);

    if (c == NULL)
        return;
    c->opened = true;
    c->local = *local;
    ops(c)->opened(m, c, now_ms);
    conn_wake(m, c);
}

void machine_refused(struct machine *m, slot_id id, enum dial_error error, const char *text,
                     uint64_t now_ms)
{
    m->now_ms = now_ms;
    struct conn *c = slots_get(&m->conns, id);

    if (c == NULL)
        return;
    if (!c->dead)
        ops(c)->refused(m, c, error, text, now_ms);
    conn_drop(m, c);
}

size_t machine_space(struct machine *m, slot_id id, struct iovec iov[MACHINE_PLACES])
{
    struct conn *c = get(m, id);

    if (c == NULL)
        return 0;
    if (ops(c)->space != NULL)
        return ops(c)->space(m, c, iov);
    iov[0] = (struct iovec){m->scratch, sizeof m->scratch};
    return 1;
}

void machine_got(struct machine *m, slot_id id, size_t n, uint64_t now_ms)
{
    m->now_ms = now_ms;
    struct conn *c = get(m, id);

    if (c == NULL || m->leaving)
        return;
    ops(c)->got(m, c, n, now_ms);
    conn_wake(m, c);
}

void machine_closed(struct machine *m, slot_id id, const char *text, uint64_t now_ms)
{
    m->now_ms = now_ms;
    struct conn *c = slots_get(&m->conns, id);

    if (c == NULL)
        return;
    if (!c->dead && !c->opened)
        ops(c)->refused(m, c, DIAL_UNREACHABLE, text, now_ms);
    else if (!c->dead && !m->leaving) /* else it is what they are to do */
        ops(c)->closed(m, c, text, now_ms);
    conn_drop(m, c);
}

size_t machine_pending(struct machine *m, slot_id id, bool large, struct iovec *iov, size_t max)
{
    struct conn *c = get(m, id);

    return c == NULL || max == 0 ? 0 : ops(c)->pending(c, large, iov, max);
}

void machine_sent(struct machine *m, slot_id id, size_t n, uint64_t now_ms)
{
    m->now_ms = now_ms;
    struct conn *c = get(m, id);

    if (c == NULL)
        return;
    ops(c)->sent(c, n, now_ms);
    if (c->ending && !has_pending(c))
        conn_close(m, c);
}

void conn_run_due(struct machine *m, uint64_t now_ms)
{
    struct heap_item *item;

    while ((item = heap_pop(&m->dues, now_ms)) != NULL) {
        struct conn *c = CONTAINER_OF(item, struct conn, due);

        ops(c)->due(m, c, now_ms);
        conn_wake(m, c);
    }
}

void conn_close_all(struct machine *m)
{
    uint32_t at = 0;
    struct conn *c;

    while ((c = slots_next(&m->conns, &at)) != NULL)
        conn_close(m, c);
}

void conn_free_all(struct machine *m)
{
    uint32_t at = 0;
    struct conn *c;

    while ((c = slots_next(&m->conns, &at)) != NULL)
        conn_drop(m, c);
    slots_free(&m->conns);
    heap_free(&m->dues);
}
