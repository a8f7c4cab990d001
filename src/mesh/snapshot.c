/* SPDX-License-Identifier: Apache-2.0
 *
 * The snapshot: what page, JSON and metrics show, filled from targets, links and sources.
 */
#include <stdlib.h>

#include "mesh/internal.h"

static uint64_t wall(const struct machine *m, uint64_t ms)
{
    return ms == 0 || ms == NEVER ? 0 : ms + m->wall_offset;
}

/* What the flags tell of the release: every BEAM offers headers with an atom cache; each release
 * that added a signal added a flag for it. 25, 26 and 27 offer the same; a node of ours offers what
 * 28 does, and calls itself 29. */
static const char *release_of(uint64_t flags)
{
    static const struct {
        uint64_t flag;
        const char *release;
    } rows[] = {
        {DFLAG_NATIVE_RECORDS, "29"},
        {DFLAG_ALTACT_SIG, "28-29"},
        {DFLAG_UNLINK_ID | DFLAG_V4_NC, "25-27"},
    };

    if ((flags & DFLAG_DIST_HDR_ATOM_CACHE) == 0)
        return "";
    for (size_t i = 0; i < COUNT(rows); i++)
        if ((flags & rows[i].flag) == rows[i].flag)
            return rows[i].release;
    return "";
}

static void add_link(const struct machine *m, const struct link *l, struct peer_row *row)
{
    text_set(row->name, sizeof row->name, slice_of(l->name));
    row->state = PEER_LINKED;
    if (!row->listed || row->address.family == 0)
        row->address = link_address(l);
    row->visible = (l->node.flags & DFLAG_PUBLISHED) != 0;
    row->inbound = !l->conn.outbound;
    row->creation = l->node.creation;
    row->flags = l->peer_flags;
    text_set(row->otp_release, sizeof row->otp_release, slice_of(release_of(l->peer_flags)));
    row->since_ms = wall(m, l->up_ms);
    row->bytes_in = l->channel.bytes_in;
    row->bytes_out = l->channel.bytes_out;
    row->messages_in = l->channel.frames_in;
    row->messages_out = l->channel.frames_out;
    row->queued = channel_queued(&l->channel);
    row->not_reading = l->not_reading;
    /* A hidden node stands in nobody's list. */
    row->sees_us = m->settings->hidden ? TELLS_NOTHING : views_sees_us(m->views, l->name);
    row->sees = views_sees(m->views, l->name);
    row->stage = STAGE_NONE;
    row->reason[0] = '\0';
}

static void add_target(struct machine *m, const struct target *t, struct peer_row *row)
{
    const struct link *l = t->name[0] == '\0' ? NULL : link_find(m, t->name);

    *row = (struct peer_row){
        .address = t->addr,
        .state = t->state,
        .listed = t->sources != 0,
        .sources = t->sources,
        .hinted = t->hinted,
        .terminating = t->terminating,
        .listed_ms = wall(m, t->listed_ms),
        .seen_by = t->name[0] == '\0' ? 0 : views_seen_by(m->views, t->name),
        .island = views_island(m->views, t->id),
        .creation = t->creation,
        .since_ms = wall(m, t->since_ms),
        .stage = t->stage,
        .attempts = t->attempts,
        .next_dial_ms = t->due.place == 0 ? 0 : wall(m, t->due.at_ms),
    };
    text_set(row->name, sizeof row->name, slice_of(t->name));
    text_set(row->reason, sizeof row->reason, slice_of(t->reason));
    if (l != NULL)
        add_link(m, l, row);
}

/* Links without a target: commands that came to ask, and nodes beyond TARGETS_MAX. */
static void add_untracked(struct machine *m, struct peer_row *rows)
{
    const struct map_entry *at = NULL;
    const struct link *l;

    while ((l = map_next(&m->links, &at, NULL)) != NULL) {
        if (l->target != 0)
            continue;
        struct peer_row *row = &rows[m->snap.n_peers++];

        *row = (struct peer_row){0};
        add_link(m, l, row);
    }
}

static int by_name(const void *a, const void *b)
{
    const struct peer_row *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    if (order == 0)
        order = memcmp(x->address.ip, y->address.ip, sizeof x->address.ip);
    return order != 0 ? order : x->address.port - y->address.port;
}

static bool fill_peers(struct machine *m)
{
    struct snapshot *s = &m->snap;
    const struct target *t;
    size_t n = 0;

    for (uint32_t at = 0; reconcile_walk(m->reconcile, &at) != NULL;)
        n++;
    struct peer_row *rows = realloc(s->peers, (n + map_count(&m->links) + 1) * sizeof *rows);

    if (rows == NULL)
        return false;
    s->peers = rows;
    s->n_peers = 0;
    for (uint32_t at = 0; (t = reconcile_walk(m->reconcile, &at)) != NULL;)
        if (!t->self)
            add_target(m, t, &rows[s->n_peers++]);
    add_untracked(m, rows);
    qsort(rows, s->n_peers, sizeof *rows, by_name);
    return true;
}

static bool fill_sources(struct machine *m)
{
    struct snapshot *s = &m->snap;
    struct source_row *rows = realloc(s->sources, (m->n_sources + 1) * sizeof *rows);

    if (rows == NULL)
        return false;
    s->sources = rows;
    s->n_sources = m->n_sources;
    for (size_t i = 0; i < m->n_sources; i++)
        source_row(m->sources[i], m->wall_offset, &rows[i]);
    return true;
}

static void fill_counters(struct machine *m)
{
    struct snapshot *s = &m->snap;

    s->links_up = m->count.links_up;
    s->links_down = m->count.links_down;
    s->dials = m->count.dials;
    s->rejected = m->count.rejected;
    s->protocol_errors = m->count.protocol_errors;
    s->first_peer_ms = m->count.first_peer_ms;
    s->flaps = reconcile_tally(m->reconcile)->flaps;
    s->settled_ms = wall(m, reconcile_tally(m->reconcile)->settled_ms);
    memcpy(s->dial_failures, m->count.dial_failures, sizeof s->dial_failures);
}

bool snapshot_fill(struct machine *m, uint64_t now_ms)
{
    struct snapshot *s = &m->snap;

    s->version = machine_version(m);
    s->now_ms = now_ms + m->wall_offset;
    s->started_ms = m->started_ms + m->wall_offset;
    text_set(s->node, sizeof s->node, slice_of(m->name));
    s->creation = m->creation;
    s->address = m->address;
    s->epmd_embedded = m->reg.state == REG_SERVING;
    s->epmd = m->settings->epmd == EPMD_NONE
                  ? (struct addr){0}
                  : addr_v4(UINT32_C(0x7f000001), m->settings->epmd_port);
    s->hidden = m->settings->hidden;
    s->ready = m->ready;
    s->draining = m->draining;
    text_set(s->not_ready, sizeof s->not_ready, slice_of(m->not_ready));
    s->cookie = m->settings->show_cookie ? (const char *)m->cookies[m->cookie].bytes : NULL;
    s->n_islands = views_islands(m->views, m->reconcile);
    fill_counters(m);
    return fill_peers(m) && fill_sources(m);
}

void snapshot_free(struct machine *m)
{
    free(m->snap.peers);
    free(m->snap.sources);
}
