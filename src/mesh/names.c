/* SPDX-License-Identifier: Apache-2.0
 *
 * NEED_NAMES: all that the epmd of a host lists, for the sources epmd: and hosts:. The host is
 * resolved as the host parts of node names are; then the epmd is asked for its names and, where
 * that is wanted, for the type of each.
 */
#include <stdlib.h>

#include "mesh/internal.h"

/* The whole of it. An epmd with a thousand names takes a second. */
#define NAMES_MS 15000
_Static_assert(NAMES_MS == 15000, "a sentence below says it");

struct names {
    slot_id id;
    unsigned source;
    bool types;
    uint64_t deadline_ms;
    struct hostlook look;
    struct epmd_entry *entries; /* what it lists */
    size_t n, at;               /* at: whose type is asked for */
};

/* The one answer to the need; why: what failed, or NULL. */
static void end(struct machine *m, struct names *n, const char *why, uint64_t now_ms)
{
    const struct given given = {.kind = GIVEN_NAMES,
                                .why = why,
                                .unresolved = why != NULL && n->look.addr.family == 0,
                                .host = n->look.host,
                                .addr = n->look.addr,
                                .names = n->entries,
                                .n_names = n->n};

    slots_remove(&m->names, n->id);
    machine_given(m, n->source, &given, now_ms);
    free(n->entries);
    free(n);
}

/* false when there is no room for one more connection. */
static bool ask(struct machine *m, struct names *n, const char *name, uint64_t now_ms)
{
    struct addr at = n->look.addr;

    at.port = m->settings->epmd_port;
    struct epmd_query *q = epmd_query_new(m, &at, now_ms);

    if (q == NULL)
        return false;
    q->names = n->id;
    if (name == NULL)
        epmd_ask_names(&q->client);
    else
        epmd_ask_port(&q->client, name);
    return true;
}

static void look_step(struct machine *m, struct names *n, uint64_t now_ms)
{
    struct source_query sq;

    if (!n->look.done && hostlook_query(&n->look, &sq)) {
        if (lookup_new(m, LOOKUP_NAMES, n->id, &sq) == 0)
            end(m, n, "too many DNS queries at once", now_ms);
    } else if (n->look.addr.family == 0) {
        end(m, n, n->look.reason, now_ms);
    } else if (!ask(m, n, NULL, now_ms)) {
        end(m, n, "too many connections at once", now_ms);
    }
}

void names_need(struct machine *m, unsigned source, const struct need *need, uint64_t now_ms)
{
    struct names *n = calloc(1, sizeof *n);

    if (n != NULL)
        n->id = slots_add(&m->names, n);
    if (n == NULL || n->id == 0) {
        free(n);
        machine_given(m, source,
                      &(struct given){.kind = GIVEN_NAMES,
                                      .host = need->u.names.host,
                                      .why = clu_strerror(CLU_ENOMEM)},
                      now_ms);
        return;
    }
    n->source = source;
    n->types = need->u.names.types;
    n->deadline_ms = now_ms + NAMES_MS;
    hostlook_start(&n->look, need->u.names.host, m->address.family, m->resolv, m->hosts);
    look_step(m, n, now_ms);
}

void names_resolved(struct machine *m, slot_id id, enum dns_status status, clu_slice msg,
                    uint64_t now_ms)
{
    struct names *n = slots_get(&m->names, id);

    if (n == NULL)
        return;
    hostlook_answer(&n->look, status, msg);
    look_step(m, n, now_ms);
}

static size_t count(const struct epmd_client *c)
{
    struct epmd_entry e;
    size_t at = 0, n = 0;

    while (epmd_names_next(c, &at, &e))
        n++;
    return n;
}

static bool collect(struct names *n, const struct epmd_client *c)
{
    size_t at = 0, max = count(c);

    n->entries = calloc(max + 1, sizeof *n->entries);
    if (n->entries == NULL)
        return false;
    while (n->n < max && epmd_names_next(c, &at, &n->entries[n->n]))
        n->n++;
    return true;
}

static void next_type(struct machine *m, struct names *n, uint64_t now_ms)
{
    while (n->types && n->at < n->n)
        if (ask(m, n, n->entries[n->at].name, now_ms))
            return;
        else
            n->at++; /* its type is not known, then */
    end(m, n, NULL, now_ms);
}

void names_epmd_answered(struct machine *m, struct epmd_query *q, enum stage stage,
                         const char *reason, uint64_t now_ms)
{
    struct names *n = slots_get(&m->names, q->names);

    if (n == NULL)
        return;
    if (n->entries != NULL) { /* of a type: a name that is gone meanwhile has none */
        if (stage == STAGE_NONE && q->client.found)
            n->entries[n->at].type = q->client.entry.type;
        n->at++;
        next_type(m, n, now_ms);
    } else if (stage != STAGE_NONE) {
        end(m, n, reason, now_ms);
    } else if (!collect(n, &q->client)) {
        end(m, n, clu_strerror(CLU_ENOMEM), now_ms);
    } else {
        next_type(m, n, now_ms);
    }
}

uint64_t names_deadline(const struct machine *m)
{
    uint64_t at_ms = NEVER;
    uint32_t at = 0;

    for (const struct names *n; (n = slots_next(&m->names, &at)) != NULL;)
        at_ms = min_u64(at_ms, n->deadline_ms);
    return at_ms;
}

void names_due(struct machine *m, uint64_t now_ms)
{
    uint32_t at = 0;

    for (struct names *n; (n = slots_next(&m->names, &at)) != NULL;)
        if (n->deadline_ms <= now_ms)
            end(m, n, n->entries == NULL ? "its epmd gave no answer within 15 s" : NULL, now_ms);
}

void names_free_all(struct machine *m)
{
    uint32_t at = 0;

    for (struct names *n; (n = slots_next(&m->names, &at)) != NULL;) {
        free(n->entries);
        free(n);
    }
    slots_free(&m->names);
}
