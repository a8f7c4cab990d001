/* SPDX-License-Identifier: Apache-2.0
 *
 * Which cookie holds for a peer, and what happens when it is rolled: two are good for a while.
 */
#include "mesh/internal.h"

static const struct cookie *own_cookie_of(const struct machine *m, const char *peer)
{
    const struct settings *s = m->settings;

    for (size_t i = 0; i < s->n_peer_cookies; i++)
        if (strcmp(s->peer_cookies[i].node, peer) == 0)
            return &s->peer_cookies[i].cookie;
    return NULL;
}

static const struct cookie *cookie_of(const struct machine *m, const char *peer)
{
    const struct cookie *c = own_cookie_of(m, peer);

    return c != NULL ? c : &m->cookies[m->cookie];
}

clu_slice cookie_for(const struct machine *m, const char *peer)
{
    const struct cookie *c = cookie_of(m, peer);

    return (clu_slice){c->bytes, c->len};
}

const char *cookie_source(const struct machine *m, const char *peer)
{
    return cookie_of(m, peer)->source;
}

clu_slice cookie_before(const struct machine *m, const char *peer)
{
    const struct cookie *c = &m->cookies[1 - m->cookie];

    if (m->now_ms >= m->overlap_ms || own_cookie_of(m, peer) != NULL)
        return (clu_slice){NULL, 0};
    return (clu_slice){c->bytes, c->len};
}

void machine_cookie(struct machine *m, const struct cookie *cookie, uint64_t now_ms)
{
    const struct cookie *present = &m->cookies[m->cookie];

    m->now_ms = now_ms;
    if (cookie->len == present->len && memcmp(cookie->bytes, present->bytes, present->len) == 0)
        return;
    m->cookie = 1 - m->cookie;
    m->cookies[m->cookie] = *cookie;
    m->overlap_ms = now_ms + m->settings->cookie_overlap_ms;
    struct event *e = machine_event(m, EVENT_COOKIE);

    text_set(e->what, sizeof e->what, slice_of(cookie->source));
    e->number = m->settings->cookie_overlap_ms / 1000;
    reconcile_poke(m->reconcile, now_ms); /* whom the old one kept out is tried at once */
    machine_changed(m);
}
