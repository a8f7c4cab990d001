/* SPDX-License-Identifier: Apache-2.0
 *
 * What the machine tells: its events, whether it is ready, and what lies behind the page.
 */
#include <stdarg.h>
#include <stdio.h>

#include "mesh/internal.h"

/* ---- events ---- */

struct event *machine_event(struct machine *m, enum event_id id)
{
    /* The last place is kept for why the program ends. */
    size_t max = id == EVENT_FATAL ? MACHINE_EVENTS_MAX : MACHINE_EVENTS_MAX - 1;

    if (m->n_events >= max) {
        m->lost_events++;
        m->lost_event = (struct event){.id = id};
        return &m->lost_event;
    }
    size_t i = (m->first_event + m->n_events++) % MACHINE_EVENTS_MAX;

    m->events[i] = (struct event){.id = id};
    return &m->events[i];
}

void machine_changed(struct machine *m)
{
    m->version++;
}

void machine_fatal(struct machine *m, const char *format, ...)
{
    struct event *e = machine_event(m, EVENT_FATAL);
    va_list args;

    va_start(args, format);
    vsnprintf(e->reason, sizeof e->reason, format, args);
    va_end(args);
    m->exit_wanted = true;
}

/* ---- whether it is ready ---- */

static bool is_ready(struct machine *m)
{
    if (m->draining)
        text_set(m->not_ready, sizeof m->not_ready, slice_of("links stay until the end"));
    else if (m->reg.duplicate)
        snprintf(m->not_ready, sizeof m->not_ready,
                 "another node is registered as %.200s at the epmd of this host", m->name);
    else if (m->address.port == 0)
        text_set(m->not_ready, sizeof m->not_ready, slice_of("not listening yet"));
    else if (m->settings->epmd != EPMD_NONE && m->reg.state != REG_HELD &&
             m->reg.state != REG_SERVING)
        snprintf(m->not_ready, sizeof m->not_ready, "not registered with epmd%s%.200s",
                 m->reg.trouble[0] == '\0' ? "" : ": ", m->reg.trouble);
    else
        m->not_ready[0] = '\0';
    return m->not_ready[0] == '\0';
}

void machine_readiness(struct machine *m)
{
    bool was = m->ready;

    if (m->settings->no_listen)
        return;
    m->ready = is_ready(m);
    if (was == m->ready)
        return;
    machine_changed(m);
    if (m->draining)
        return; /* told by whoever drains or stops */
    struct event *e = machine_event(m, m->ready ? EVENT_READY : EVENT_NOT_READY);

    text_set(e->reason, sizeof e->reason, slice_of(m->not_ready));
}

/* ---- what may be asked ---- */

struct clu_node *machine_node(struct machine *m)
{
    return &m->node;
}

size_t machine_links(const struct machine *m)
{
    return map_count(&m->links);
}

uint64_t machine_handed(const struct machine *m)
{
    return m->node.n_handed;
}

uint64_t machine_version(const struct machine *m)
{
    return m->version + reconcile_version(m->reconcile) + views_version(m->views);
}

/* A clock that was set, or a machine that slept: what lies behind is as long ago as it was. What
 * only drifts is left as it is, so that times which are shown do not tremble. */
void machine_wall(struct machine *m, uint64_t wall_ms, uint64_t now_ms)
{
    uint64_t ahead = wall_ms - (now_ms + m->wall_offset), behind = 0 - ahead;

    if (min_u64(ahead, behind) < WALL_STEP_MS)
        return;
    m->wall_offset = wall_ms - now_ms;
    machine_changed(m);
}

const struct snapshot *machine_snapshot(struct machine *m, uint64_t now_ms)
{
    return snapshot_fill(m, now_ms) ? &m->snap : NULL;
}
