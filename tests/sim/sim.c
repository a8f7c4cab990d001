/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "sim/sim_impl.h"

/* ---- time ---- */

static uint64_t next_moment(struct sim *s)
{
    uint64_t at = heap_next(&s->things);

    return min_u64(at == NEVER ? NEVER : at >> 24, heap_next(&s->ticks));
}

static void step(struct sim *s)
{
    struct heap_item *item;

    while ((item = heap_pop(&s->things, s->now << 24 | 0xffffff)) != NULL) {
        struct thing *t = CONTAINER_OF(item, struct thing, due);

        sim_arrive(s, t);
        sim_free_thing(t);
    }
    while ((item = heap_pop(&s->ticks, s->now)) != NULL) {
        struct sim_node *n = CONTAINER_OF(item, struct sim_node, tick);

        machine_tick(n->machine, s->now);
        sim_drain(s, (unsigned)(n - s->nodes));
    }
}

void sim_run(struct sim *s, uint64_t until_ms)
{
    uint64_t at, last = UINT64_MAX;
    unsigned same = 0;

    while ((at = next_moment(s)) <= until_ms) {
        s->now = max_u64(s->now, at);
        same = s->now == last ? same + 1 : 0;
        last = s->now;
        assert(same < 10000 && "time stands still: a deadline is due and stays due");
        step(s);
    }
    s->now = max_u64(s->now, until_ms);
}

uint64_t sim_run_until_whole(struct sim *s, uint64_t until_ms)
{
    uint64_t from = s->now;

    while (s->now < until_ms) {
        sim_run(s, s->now + 1);
        if (sim_is_whole(s))
            return max_u64(s->now - from, 1);
    }
    return 0;
}

uint64_t sim_now(const struct sim *s)
{
    return s->now;
}

/* ---- the story's verbs ---- */

struct sim *sim_new(uint64_t seed, unsigned max_latency_ms)
{
    struct sim *s = calloc(1, sizeof *s);

    assert(s != NULL);
    rng_init(&s->rng, seed);
    s->latency = max_latency_ms;
    s->now = 1000;
    sim_spec(s, "dns:mesh.test");
    s->digest = UINT64_C(0xcbf29ce484222325);
    for (unsigned i = 1; i <= SIM_NODES_MAX; i++)
        sim_cookie(s, i, "sim");
    return s;
}

void sim_free(struct sim *s)
{
    struct heap_item *item;

    for (unsigned i = 1; i <= SIM_NODES_MAX; i++) {
        machine_free(s->nodes[i].machine);
        free(s->nodes[i].ends);
    }
    while ((item = heap_pop(&s->things, NEVER - 1)) != NULL)
        sim_free_thing(CONTAINER_OF(item, struct thing, due));
    heap_free(&s->things);
    heap_free(&s->ticks);
    sim_zone_changed(s);
    buf_free(&s->trace);
    free(s);
}

void sim_cookie(struct sim *s, unsigned i, const char *cookie)
{
    text_set(s->nodes[i].cookie, sizeof s->nodes[i].cookie, slice_of(cookie));
}

void sim_spec(struct sim *s, const char *spec)
{
    text_set(s->spec, sizeof s->spec, slice_of(spec));
}

void sim_prune(struct sim *s, uint32_t after_ms)
{
    s->prune_ms = after_ms;
}

void sim_list(struct sim *s, unsigned i, bool listed)
{
    s->nodes[i].listed = listed;
    sim_zone_changed(s);
}

void sim_start(struct sim *s, unsigned i)
{
    struct sim_node *n = &s->nodes[i];
    struct settings *set = &n->settings;
    char why[REASON_SIZE];

    *set = (struct settings){
        .epmd = EPMD_NONE,
        .epmd_port = 4369,
        .dist_port = SIM_DIST_PORT,
        .ticktime_ms = 60000,
        .tick_intensity = 4,
        .setup_ms = 7000,
        .n_specs = 1,
        .prune = s->prune_ms == 0 ? PRUNE_WHEN_DOWN : PRUNE_AFTER,
        .prune_ms = s->prune_ms,
    };
    struct addr at = sim_address(i);
    char ip[ADDR_TEXT_MAX];

    snprintf(set->name, sizeof set->name, "erlclu@%s", addr_ip_text(&at, ip));
    text_set(set->specs[0], sizeof set->specs[0], slice_of(s->spec));
    set->cookie.len = strlen(n->cookie);
    memcpy(set->cookie.bytes, n->cookie, set->cookie.len);

    struct machine_options o = {
        .settings = set,
        .resolv = &n->resolv,
        .hosts = &n->hosts,
        .now_ms = s->now,
        .wall_ms = 1700000000000 + s->now,
    };

    put_be64(o.seed, rng_next(&s->rng));
    clu_error err = machine_new(&n->machine, &o, why);

    assert(err == CLU_OK);
    (void)err;
    n->life++;
    n->listed = true;
    sim_zone_changed(s);
    machine_start(n->machine, s->now);
    sim_drain(s, i);
}

void sim_kill(struct sim *s, unsigned i, bool unlist)
{
    struct sim_node *n = &s->nodes[i];

    for (size_t k = 0; k < n->n_ends; k++)
        if (n->ends[k].used)
            sim_close(s, i, n->ends[k].id);
    machine_free(n->machine);
    n->machine = NULL;
    heap_remove(&s->ticks, &n->tick);
    if (n->n_ends > 0)
        memset(n->ends, 0, n->n_ends * sizeof *n->ends);
    n->listening = false;
    n->life++;
    n->listed = n->listed && !unlist;
    sim_zone_changed(s);
}

void sim_cut(struct sim *s, unsigned a, unsigned b, bool cut)
{
    s->cut[a][b] = s->cut[b][a] = cut;
}

static void break_ends(struct sim *s, unsigned a, unsigned b)
{
    struct sim_node *n = &s->nodes[a];

    for (size_t k = 0; n->machine != NULL && k < n->n_ends; k++) {
        if (!n->ends[k].used || n->ends[k].peer != b)
            continue;
        n->ends[k].used = false;
        machine_closed(n->machine, n->ends[k].id, "connection reset", s->now);
        sim_drain(s, a);
    }
}

void sim_break(struct sim *s, unsigned a, unsigned b)
{
    break_ends(s, a, b);
    break_ends(s, b, a);
}

void sim_dns(struct sim *s, enum sim_dns mode)
{
    s->dns = mode;
    sim_zone_changed(s);
}

struct machine *sim_machine(struct sim *s, unsigned i)
{
    return s->nodes[i].machine;
}

size_t sim_links(struct sim *s, unsigned i)
{
    return machine_links(s->nodes[i].machine);
}

bool sim_is_whole(struct sim *s)
{
    size_t running = 0;

    for (unsigned i = 1; i <= SIM_NODES_MAX; i++)
        running += s->nodes[i].machine != NULL;
    for (unsigned i = 1; i <= SIM_NODES_MAX; i++)
        if (s->nodes[i].machine != NULL && sim_links(s, i) != running - 1)
            return false;
    return true;
}

struct sim_load sim_load(struct sim *s)
{
    struct sim_load load = s->load;

    s->load = (struct sim_load){0};
    s->in_second = 0;
    return load;
}

void sim_quiet(struct sim *s)
{
    s->quiet = true;
    buf_free(&s->trace);
}

const char *sim_trace(struct sim *s)
{
    static char text[1 << 16];

    text_set(text, sizeof text, buf_slice(&s->trace));
    buf_reset(&s->trace);
    return text;
}

uint64_t sim_digest(const struct sim *s)
{
    return s->digest;
}
