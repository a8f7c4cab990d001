/* SPDX-License-Identifier: Apache-2.0 */
#include "find/epmd_hosts.h"

#include <stdlib.h>

#include "find/entries.h"
#include "find/words.h"

static struct epmd_hosts *hosts_of(struct source *s)
{
    return (struct epmd_hosts *)s;
}

const char *epmd_host_name(struct epmd_host *h, const char *host)
{
    struct addr literal;
    char ip[ADDR_TEXT_MAX];
    const char *problem = host_name_problem(host);

    if (addr_parse_ip(&literal, slice_of(host)))
        host = addr_ip_text(&literal, ip);
    else if (problem != NULL)
        return problem;
    text_set(h->host, sizeof h->host, slice_of(host));
    text_set(h->suffix, sizeof h->suffix, slice_of(host));
    return NULL;
}

/* ---- what is listed ---- */

/* Our own registration: the names of an epmd have no host part, so ours may look like another's. */
static bool is_ours(const struct source *s, const struct addr *at, const struct epmd_entry *e)
{
    return e->port == s->own.port && (addr_is_loopback(at) || addr_same_ip(at, &s->own));
}

static bool is_wanted(const struct epmd_hosts *p, const struct addr *at, const struct epmd_entry *e)
{
    return (p->hidden || e->type != EPMD_TYPE_HIDDEN) && !is_ours(&p->source, at, e);
}

/* The address is that of the epmd, unless that was asked as "this host". */
static struct addr node_address(const struct epmd_host *h, const struct given *given, uint16_t port)
{
    struct addr a = strcmp(h->host, h->suffix) == 0 ? given->addr : (struct addr){0};

    if (a.family == 0)
        addr_parse_ip(&a, slice_of(h->suffix)); /* else its host part is resolved */
    a.port = port;
    return a;
}

static void take_names(struct epmd_hosts *p, struct epmd_host *h, const struct given *given)
{
    struct entry *entries = calloc(given->n_names + 1, sizeof *entries);
    size_t n = 0;

    if (entries == NULL)
        return; /* then in the next round */
    for (size_t i = 0; i < given->n_names; i++) {
        const struct epmd_entry *e = &given->names[i];

        if (!is_wanted(p, &given->addr, e))
            continue;
        if (node_base_problem(e->name) != NULL ||
            !name_make(entries[n].name, slice_of(e->name), h->suffix))
            say(p->note, "the epmd of %.100s lists \"%.60s\", which is no name of a node", h->host,
                e->name);
        else
            entries[n++].addr = node_address(h, given, e->port);
    }
    p->changed |= !entries_same(h->entries, h->n, entries, n);
    free(h->entries);
    h->entries = entries;
    h->n = n;
}

/* All that the hosts listed last; false when out of memory: then in the next round. */
static bool gather(struct epmd_hosts *p)
{
    struct source *s = &p->source;
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++)
        n += p->hosts[i].n;
    struct entry *entries = realloc(s->entries, (n + 1) * sizeof *entries);

    if (entries == NULL)
        return false;
    s->entries = entries;
    s->n_entries = 0;
    for (size_t i = 0; i < p->n; i++)
        for (size_t k = 0; k < p->hosts[i].n && s->n_entries < SOURCE_ENTRIES_MAX; k++)
            entries[s->n_entries++] = p->hosts[i].entries[k];
    if (n > SOURCE_ENTRIES_MAX)
        say(p->note, "more than %u nodes are listed: the others are left out",
            (unsigned)SOURCE_ENTRIES_MAX);
    return true;
}

/* ---- rounds ---- */

static void begin_round(struct epmd_hosts *p, uint64_t now_ms)
{
    for (size_t i = 0; i < p->n; i++)
        p->hosts[i].state = HOST_DUE;
    p->n_asked = 0;
    p->running = true;
    p->begun_ms = now_ms;
    p->why[0] = p->note[0] = '\0';
    p->unresolved = false;
    schedule_begun(&p->when);
}

static struct epmd_host *next_due(const struct epmd_hosts *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->hosts[i].state == HOST_DUE)
            return &p->hosts[i];
    return NULL;
}

static enum result_kind round_kind(const struct epmd_hosts *p)
{
    size_t n_failed = 0;

    for (size_t i = 0; i < p->n; i++)
        n_failed += p->hosts[i].failed;
    if (n_failed == 0)
        return RESULT_COMPLETE;
    return n_failed == p->n ? RESULT_FAILED : RESULT_PARTIAL;
}

static void list_now(struct epmd_hosts *p, uint64_t now_ms)
{
    if (!p->changed || !gather(p))
        return;
    p->changed = false;
    p->source.row.changed_ms = now_ms;
    schedule_stir(&p->when, now_ms);
}

static bool end_round(struct epmd_hosts *p, uint64_t now_ms)
{
    struct source_row *row = &p->source.row;

    list_now(p, now_ms);
    p->running = false;
    row->asking = false;
    row->result = round_kind(p);
    row->unresolved = row->result == RESULT_FAILED && p->unresolved;
    source_count(&p->source, p->begun_ms, now_ms);
    say(row->reason, "%s", p->why[0] != '\0' ? p->why : p->note);
    schedule_ended(&p->when, row->result, EPMD_HOSTS_POLL_S, true, now_ms);
    return true;
}

/* The answers that are there need not wait for a host that does not answer. */
static bool list_early(struct epmd_hosts *p, uint64_t now_ms)
{
    struct source_row *row = &p->source.row;

    if (!p->changed)
        return false;
    list_now(p, now_ms);
    row->result = RESULT_PARTIAL;
    row->asking = true;
    row->reason[0] = '\0';
    return true;
}

uint64_t epmd_hosts_deadline(const struct source *s)
{
    const struct epmd_hosts *p = (const struct epmd_hosts *)s;

    if (!p->running)
        return schedule_deadline(&p->when);
    return p->n_asked < EPMD_HOSTS_AT_ONCE && next_due(p) != NULL ? 0 : NEVER;
}

bool epmd_hosts_need(struct source *s, uint64_t now_ms, struct need *need)
{
    struct epmd_hosts *p = hosts_of(s);

    if (!p->running && schedule_deadline(&p->when) <= now_ms)
        begin_round(p, now_ms);
    struct epmd_host *h = p->n_asked < EPMD_HOSTS_AT_ONCE ? next_due(p) : NULL;

    if (!p->running || h == NULL)
        return false;
    h->state = HOST_ASKED;
    p->n_asked++;
    s->row.queries++;
    need->kind = NEED_NAMES;
    need->u.names.types = !p->hidden;
    memcpy(need->u.names.host, h->host, sizeof h->host);
    return true;
}

static struct epmd_host *find_asked(const struct epmd_hosts *p, const char *host)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->hosts[i].state == HOST_ASKED && strcmp(p->hosts[i].host, host) == 0)
            return &p->hosts[i];
    return NULL;
}

static void take_failure(struct epmd_hosts *p, const struct epmd_host *h, const struct given *given)
{
    struct addr literal;

    p->source.row.failures++;
    if (p->why[0] != '\0')
        return;
    p->unresolved = given->unresolved; /* which the why begins with */
    if (p->unresolved || addr_parse_ip(&literal, slice_of(h->host)))
        say(p->why, "%s", given->why);
    else
        say(p->why, "%.100s: %.250s", h->host, given->why);
}

bool epmd_hosts_given(struct source *s, const struct given *given, uint64_t now_ms)
{
    struct epmd_hosts *p = hosts_of(s);
    struct epmd_host *h = given->kind == GIVEN_NAMES ? find_asked(p, given->host) : NULL;

    if (h == NULL)
        return false;
    h->state = HOST_IDLE;
    p->n_asked--;
    h->failed = given->why != NULL;
    if (h->failed) {
        take_failure(p, h, given);
    } else {
        s->row.last_ms = now_ms;
        take_names(p, h, given);
    }
    if (p->n_asked > 0 || next_due(p) != NULL)
        return list_early(p, now_ms);
    return end_round(p, now_ms);
}

/* ---- life ---- */

static void free_hosts(struct epmd_host *hosts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(hosts[i].entries);
    free(hosts);
}

/* The entries of a host that stays pass to its new row. */
static void inherit(struct epmd_host *h, struct epmd_hosts *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct epmd_host *old = &p->hosts[i];

        if (strcmp(old->host, h->host) != 0)
            continue;
        h->entries = old->entries;
        h->n = old->n;
        old->entries = NULL;
        old->n = 0;
        return;
    }
}

void epmd_hosts_set(struct epmd_hosts *p, struct epmd_host *hosts, size_t n, uint64_t now_ms)
{
    for (size_t i = 0; i < n; i++)
        inherit(&hosts[i], p);
    free_hosts(p->hosts, p->n);
    p->hosts = hosts;
    p->n = n;
    p->changed = true;
    p->running = false; /* answers of the old round find nobody who waits for them */
    p->n_asked = 0;
    p->when.next_ms = p->when.poke_ms = NEVER;
    if (n > 0)
        schedule_start(&p->when, p->source.place->rng, now_ms);
}

void epmd_hosts_init(struct source *s)
{
    struct epmd_hosts *p = hosts_of(s);

    p->when.next_ms = p->when.poke_ms = NEVER;
}

void epmd_hosts_close(struct source *s)
{
    free_hosts(hosts_of(s)->hosts, hosts_of(s)->n);
}

void epmd_hosts_start(struct source *s, uint64_t now_ms)
{
    schedule_start(&hosts_of(s)->when, s->place->rng, now_ms);
}

void epmd_hosts_poke(struct source *s, uint64_t now_ms)
{
    schedule_poke(&hosts_of(s)->when, now_ms);
}

void epmd_hosts_calm(struct source *s, uint64_t since_ms)
{
    hosts_of(s)->when.calm_ms = since_ms;
}

clu_error epmd_hosts_set_hidden(struct source *s, const char *value, char why[REASON_SIZE])
{
    return source_set_flag(s, &hosts_of(s)->hidden, "hidden", value, why);
}
