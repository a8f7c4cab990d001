/* SPDX-License-Identifier: Apache-2.0 */
#include "view/reach.h"

#include "view/verdict.h"
#include "view/text.h"

size_t reach_count(const struct snapshot *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_peers; i++)
        n += s->peers[i].state == PEER_REACHABLE;
    return n;
}

static bool is_lower(const struct addr *a, const struct addr *b)
{
    return a->family != b->family ? a->family < b->family : memcmp(a->ip, b->ip, sizeof a->ip) < 0;
}

static bool is_answered(const struct snapshot *s)
{
    for (size_t i = 0; i < s->n_sources; i++)
        if (s->sources[i].result != RESULT_COMPLETE)
            return false;
    return s->n_sources > 0;
}

/* Under our own name we have no row, under another one we have. */
static bool lists_us(const struct snapshot *s, size_t source, const struct addr *own)
{
    bool lists = s->sources[source].sees_us;

    for (size_t i = 0; i < s->n_peers && !lists; i++)
        lists = peer_is_listed_by(&s->peers[i], source) && addr_same_ip(&s->peers[i].address, own);
    return lists;
}

/* The first source that lists this pod; NULL when none does. */
static const struct source_row *source_of_us(const struct snapshot *s, const struct addr *own)
{
    for (size_t i = 0; i < s->n_sources && own->family != 0; i++)
        if (lists_us(s, i, own))
            return &s->sources[i];
    return NULL;
}

bool reach_is_first(const struct snapshot *s, const struct addr *own)
{
    if (own->family == 0 || !is_answered(s) || source_of_us(s, own) == NULL)
        return false;
    /* An address that is not known yet (family 0) may turn out to be lower. */
    for (size_t i = 0; i < s->n_peers; i++)
        if (s->peers[i].listed && !s->peers[i].terminating && is_lower(&s->peers[i].address, own))
            return false;
    return true;
}

/* Somebody whom a source lists and who is not this pod. */
static const struct peer_row *first_other(const struct snapshot *s, const struct addr *own)
{
    for (size_t i = 0; i < s->n_peers; i++) {
        const struct peer_row *p = &s->peers[i];

        if (p->listed && p->state != PEER_REACHABLE && !addr_same_ip(&p->address, own))
            return p;
    }
    return NULL;
}

static void put_silent(struct buf *out, const struct peer_row *p)
{
    peer_put_name(out, p);
    if (p->reason[0] == '\0') {
        buf_put_text(out, " has not answered yet");
        return;
    }
    buf_printf(out, ": %s: ", stage_text(p->stage));
    text_put_printable(out, slice_of(p->reason));
}

static void put_source(struct buf *out, const struct source_row *row)
{
    text_put_printable(out, slice_of(row->spec));
    if (row->reason[0] == '\0') {
        buf_printf(out, " lists nobody (%s)", result_kind_text(row->result));
        return;
    }
    buf_printf(out, "  %s: ", result_kind_text(row->result));
    text_put_printable(out, slice_of(row->reason));
}

void reach_put_why(struct buf *out, const struct snapshot *s, const struct addr *own, size_t wanted)
{
    size_t n = reach_count(s);
    const struct peer_row *other = first_other(s, own);
    const struct source_row *us = source_of_us(s, own);
    char text[ADDR_TEXT_MAX];

    if (n == 0 && other == NULL && us != NULL) {
        text_put_printable(out, slice_of(us->spec));
        buf_printf(out, " lists only this pod (%s): nothing else can be reached; use --or-first",
                   addr_ip_text(own, text));
        return;
    }
    buf_printf(out, "%zu of %zu wanted nodes %s reachable", n, wanted, n == 1 ? "is" : "are");
    if (other != NULL) {
        buf_put_text(out, "; ");
        put_silent(out, other);
    }
    for (size_t i = 0; i < s->n_sources; i++)
        if (s->sources[i].result != RESULT_COMPLETE || s->sources[i].n_addresses == 0) {
            buf_put_text(out, "; ");
            put_source(out, &s->sources[i]);
        }
}

void reach_put_names(struct buf *out, const struct snapshot *s)
{
    const char *comma = "";

    for (size_t i = 0; i < s->n_peers; i++)
        if (s->peers[i].state == PEER_REACHABLE) {
            buf_put_text(out, comma);
            peer_put_name(out, &s->peers[i]);
            comma = ", ";
        }
}
