/* SPDX-License-Identifier: Apache-2.0 */
#include "view/verdict.h"

#include "view/text.h"

bool peer_is_linked(const struct snapshot *s, const struct peer_row *p)
{
    (void)s;
    return p->state == PEER_LINKED && p->visible;
}

bool peer_is_self(const struct snapshot *s, const struct peer_row *p)
{
    return strcmp(p->name, s->node) == 0;
}

bool peer_is_listed(const struct snapshot *s, const struct peer_row *p)
{
    return p->listed && !peer_is_self(s, p);
}

bool peer_is_listed_by(const struct peer_row *p, size_t source)
{
    return (p->sources >> source & 1) != 0;
}

bool peer_is_missing(const struct snapshot *s, const struct peer_row *p)
{
    return peer_is_listed(s, p) && !p->terminating && p->state != PEER_LINKED;
}

/* Observers and commands are hidden: nobody expects them in a list. */
bool peer_is_unlisted(const struct snapshot *s, const struct peer_row *p)
{
    return s->n_sources > 0 && peer_is_linked(s, p) && !p->listed;
}

/* Where we are hidden, nodes() of the others lacks us by right. */
bool peer_is_one_way(const struct snapshot *s, const struct peer_row *p)
{
    return !s->hidden && peer_is_linked(s, p) && p->sees_us == TELLS_NOT_US;
}

bool peer_is_not_reading(const struct snapshot *s, const struct peer_row *p)
{
    (void)s;
    return p->state == PEER_LINKED && p->not_reading;
}

void peer_put_name(struct buf *out, const struct peer_row *p)
{
    char text[ADDR_TEXT_MAX];

    text_put_printable(out,
                       slice_of(p->name[0] != '\0' ? p->name : addr_ip_text(&p->address, text)));
}

uint32_t peers_count(const struct snapshot *s, peer_test *test)
{
    uint32_t n = 0;

    for (size_t i = 0; i < s->n_peers; i++)
        n += test(s, &s->peers[i]);
    return n;
}

bool is_ready(const struct snapshot *s)
{
    return s->ready && !s->draining;
}

const char *state_word(const struct snapshot *s)
{
    return s->draining ? "draining" : s->ready ? "ready" : "not ready";
}

static const struct peer_row *first_missing(const struct snapshot *s)
{
    for (size_t i = 0; i < s->n_peers; i++)
        if (peer_is_missing(s, &s->peers[i]))
            return &s->peers[i];
    return NULL;
}

/* A source that says what is wrong with its answer; NULL when none does. */
static const struct source_row *first_in_trouble(const struct snapshot *s)
{
    for (size_t i = 0; i < s->n_sources; i++)
        if (s->sources[i].reason[0] != '\0')
            return &s->sources[i];
    return NULL;
}

/* What nodes() would not list is not counted, though the link is there. */
static void put_hidden(struct buf *out, const struct snapshot *s)
{
    uint32_t n = 0;

    for (size_t i = 0; i < s->n_peers; i++)
        n += s->peers[i].state == PEER_LINKED && !s->peers[i].visible && s->peers[i].listed;
    if (n > 0)
        buf_printf(out, "; %u more linked, but %s", (unsigned)n,
                   s->hidden ? "this node is hidden" : "hidden");
}

/* Where nobody is listed who could be missing: it may be discovery that fails. */
static void put_none_listed(struct buf *out, const struct snapshot *s)
{
    const struct source_row *row = first_in_trouble(s);

    buf_put_text(out,
                 s->n_sources == 0 ? "; no discovery is configured" : "; nobody else is listed");
    if (row == NULL)
        return;
    buf_put_text(out, "; ");
    text_put_printable(out, slice_of(row->spec));
    buf_printf(out, " %s: ", result_kind_text(row->result));
    text_put_printable(out, slice_of(row->reason));
}

static void put_too_few(struct buf *out, const struct snapshot *s, uint32_t n, uint32_t min_peers)
{
    const struct peer_row *p = first_missing(s);

    buf_printf(out, "not ready: %u of %u wanted peers %s linked", (unsigned)n, (unsigned)min_peers,
               n == 1 ? "is" : "are");
    put_hidden(out, s);
    if (p == NULL) {
        put_none_listed(out, s);
        return;
    }
    buf_put_text(out, "; ");
    peer_put_name(out, p);
    buf_put_text(out, " is missing");
    if (p->stage != STAGE_NONE)
        buf_printf(out, ": %s", stage_text(p->stage));
    if (p->reason[0] != '\0') {
        buf_put_text(out, ": ");
        text_put_printable(out, slice_of(p->reason));
    }
}

bool ready_put(struct buf *out, const struct snapshot *s, uint32_t min_peers)
{
    const char *word = state_word(s);
    uint32_t n = peers_count(s, peer_is_linked);

    if (is_ready(s) && n < min_peers) {
        put_too_few(out, s, n, min_peers);
        buf_put_byte(out, '\n');
        return false;
    }
    buf_put_text(out, word);
    if (!is_ready(s) && s->not_ready[0] != '\0' && strcmp(s->not_ready, word) != 0)
        buf_printf(out, ": %s", s->not_ready);
    buf_put_byte(out, '\n');
    return is_ready(s);
}
