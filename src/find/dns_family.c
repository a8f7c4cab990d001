/* SPDX-License-Identifier: Apache-2.0 */
#include "find/dns_family.h"

/* A family that came back empty this often in a row is asked only now and then: single-stack
 * clusters need half the queries. */
#define EMPTY_ROW      3
#define EMPTY_PROBE_MS 60000

void dns_family_begin(struct dns_family *f, bool asked)
{
    f->due = asked;
    f->answer.outcome = NOT_ASKED;
    if (!trust_doubts(&f->trust))
        f->n_before = f->listed.n;
    addr_set_clear(&f->found);
}

/* Adds what fits; false when memory ended, and *news when something was new. */
static bool add_all(struct addr_set *to, const struct addr *items, size_t n, bool *news)
{
    for (size_t i = 0; i < n && to->n < SOURCE_ENTRIES_MAX; i++) {
        clu_error err = addr_set_add(to, &items[i]);

        if (err == CLU_ENOMEM)
            return false;
        *news |= err == CLU_OK;
    }
    return true;
}

void dns_family_answer(struct dns_family *f, const char *name, enum dns_status status,
                       clu_slice msg)
{
    struct source_query query = {.type = f->type};
    struct dns_reply reply;
    bool news = false;

    f->waiting = false;
    text_set(query.name, sizeof query.name, slice_of(name));
    dns_answer_read(&f->answer, &reply, &query, status, msg);
    if (!add_all(&f->found, reply.addrs, reply.n_addrs, &news))
        dns_answer_drop(&f->answer);
    dns_reply_free(&reply);
}

bool dns_family_add(struct dns_family *f)
{
    bool news = false;

    add_all(&f->listed, f->found.items, f->found.n, &news);
    return news;
}

static size_t count_gone(const struct dns_family *f)
{
    size_t n = 0;

    for (size_t i = 0; i < f->n_before; i++)
        n += !addr_set_has(&f->found, &f->listed.items[i]);
    return n;
}

/* Exchanges the two sets where they differ; true then. */
static bool exchange(struct addr_set *listed, struct addr_set *by)
{
    struct addr_set before = *listed;

    if (addr_set_same(listed, by))
        return false;
    *listed = *by;
    *by = before;
    return true;
}

/* Without doubts before it, an answer that is believed stands alone. Behind them it does not, even
 * when it has most: it may be one more sample. */
bool dns_family_replace(struct dns_family *f, uint64_t now_ms)
{
    bool news = false;

    if (!trust_doubts(&f->trust))
        addr_set_clear(&f->doubtful);
    if (!add_all(&f->doubtful, f->found.items, f->found.n, &news))
        return dns_family_add(f);
    f->n_gone = count_gone(f);
    if (!trust_takes(&f->trust, f->n_before, f->n_gone, now_ms))
        return dns_family_add(f);
    return exchange(&f->listed, &f->doubtful);
}

void dns_family_end(struct dns_family *f, uint64_t now_ms)
{
    enum outcome outcome = f->answer.outcome;

    if (outcome == NOT_ASKED)
        return;
    f->empties = outcome == EMPTY || outcome == NO_NAME ? f->empties + 1 : 0;
    f->probe_ms = now_ms + EMPTY_PROBE_MS;
}

/* While it lists something each answer counts: the end of a family must not take for ever. */
bool dns_family_is_quiet(const struct dns_family *f, uint64_t now_ms)
{
    return f->empties >= EMPTY_ROW && now_ms < f->probe_ms && f->listed.n == 0;
}

void dns_family_free(struct dns_family *f)
{
    addr_set_free(&f->found);
    addr_set_free(&f->listed);
    addr_set_free(&f->doubtful);
}
