/* SPDX-License-Identifier: Apache-2.0 */
#include "view/metrics.h"

#include "view/verdict.h"
#include "view/text.h"

/* One metric. Either it is the uint64_t at `offset` of the snapshot, or `samples` writes its lines,
 * labels and all. */
struct metric {
    const char *name, *type, *help;
    size_t offset;
    void (*samples)(struct buf *out, const char *name, const struct snapshot *s);
};

/* In a label's value, backslash, quote and newline are escaped, and nothing else. */
static void put_label_value(struct buf *out, const char *value)
{
    struct buf text = {0};

    text_put_utf8(&text, slice_of(value));
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.data[i];

        if (byte == '\\' || byte == '"' || byte == '\n')
            buf_put_byte(out, '\\');
        buf_put_byte(out, byte == '\n' ? 'n' : byte);
    }
    if (text.err != CLU_OK)
        out->err = text.err;
    buf_free(&text);
}

static void put_number(struct buf *out, uint64_t number)
{
    buf_printf(out, " %llu\n", (unsigned long long)number);
}

/* Milliseconds as seconds. */
static void put_seconds(struct buf *out, uint64_t ms)
{
    buf_printf(out, " %llu.%03u\n", (unsigned long long)(ms / 1000), (unsigned)(ms % 1000));
}

static void put_label(struct buf *out, const char *label, const char *value)
{
    buf_printf(out, "%s=\"", label);
    put_label_value(out, value);
    buf_put_byte(out, '"');
}

static void put_labelled(struct buf *out, const char *name, const char *suffix, const char *label,
                         const char *value)
{
    buf_printf(out, "%s%s{", name, suffix);
    put_label(out, label, value);
    buf_put_byte(out, '}');
}

static void put_sample(struct buf *out, const char *name, uint64_t number)
{
    buf_put_text(out, name);
    put_number(out, number);
}

/* length([node() | nodes()]), as the original counts. */
static void connected_node_count(struct buf *out, const char *name, const struct snapshot *s)
{
    put_labelled(out, name, "", "node", s->node);
    put_number(out, 1u + peers_count(s, peer_is_linked));
}

static void build_info(struct buf *out, const char *name, const struct snapshot *s)
{
    (void)s;
    put_labelled(out, name, "", "version", CLU_VERSION);
    put_number(out, 1);
}

static void ready(struct buf *out, const char *name, const struct snapshot *s)
{
    put_sample(out, name, is_ready(s));
}

static void started(struct buf *out, const char *name, const struct snapshot *s)
{
    buf_put_text(out, name);
    put_seconds(out, s->started_ms);
}

/* Absent until the first link: 0 would read as a very quick one. */
static void first_peer(struct buf *out, const char *name, const struct snapshot *s)
{
    if (s->first_peer_ms == 0)
        return;
    buf_put_text(out, name);
    put_seconds(out, s->first_peer_ms);
}

static void peers(struct buf *out, const char *name, const struct snapshot *s)
{
    static const enum peer_state states[] = {
#define X(state, text) state,
        PEER_STATE_MAP(X)
#undef X
    };

    for (size_t k = 0; k < COUNT(states); k++) {
        uint64_t n = 0;

        for (size_t i = 0; i < s->n_peers; i++)
            n += s->peers[i].state == states[k];
        put_labelled(out, name, "", "state", peer_state_text(states[k]));
        put_number(out, n);
    }
}

static void peers_listed(struct buf *out, const char *name, const struct snapshot *s)
{
    put_sample(out, name, peers_count(s, peer_is_listed));
}

static void peers_missing(struct buf *out, const char *name, const struct snapshot *s)
{
    put_sample(out, name, peers_count(s, peer_is_missing));
}

static void peers_unlisted(struct buf *out, const char *name, const struct snapshot *s)
{
    put_sample(out, name, peers_count(s, peer_is_unlisted));
}

static void peers_one_way(struct buf *out, const char *name, const struct snapshot *s)
{
    put_sample(out, name, peers_count(s, peer_is_one_way));
}

static void peers_not_reading(struct buf *out, const char *name, const struct snapshot *s)
{
    put_sample(out, name, peers_count(s, peer_is_not_reading));
}

static void islands(struct buf *out, const char *name, const struct snapshot *s)
{
    put_sample(out, name, s->n_islands);
}

/* By the words of the stages, some of which share one. */
static uint64_t failures_at(const struct snapshot *s, enum stage stage)
{
    uint64_t n = 0;

    for (size_t i = 0; i < STAGES; i++)
        if (strcmp(stage_text((enum stage)i), stage_text(stage)) == 0)
            n += s->dial_failures[i];
    return n;
}

static void dial_failures(struct buf *out, const char *name, const struct snapshot *s)
{
    static const enum stage stages[] = {
#define X(stage, text) stage,
        STAGE_MAP(X)
#undef X
    };

    for (size_t i = 0; i < COUNT(stages); i++) {
        if (stages[i] == STAGE_NONE)
            continue;
        put_labelled(out, name, "", "stage", stage_text(stages[i]));
        put_number(out, failures_at(s, stages[i]));
    }
}

static void link_bytes(struct buf *out, const char *name, const struct snapshot *s, size_t offset)
{
    for (size_t i = 0; i < s->n_peers; i++) {
        const struct peer_row *p = &s->peers[i];

        if (p->state != PEER_LINKED)
            continue;
        put_labelled(out, name, "", "peer", p->name);
        put_number(out, *(const uint64_t *)((const uint8_t *)p + offset));
    }
}

static void link_received(struct buf *out, const char *name, const struct snapshot *s)
{
    link_bytes(out, name, s, offsetof(struct peer_row, bytes_in));
}

static void link_sent(struct buf *out, const char *name, const struct snapshot *s)
{
    link_bytes(out, name, s, offsetof(struct peer_row, bytes_out));
}

static void link_queued(struct buf *out, const char *name, const struct snapshot *s)
{
    link_bytes(out, name, s, offsetof(struct peer_row, queued));
}

/* The same SPEC given twice is one series: a repeated one would spoil the whole scrape. */
static bool is_repeated(const struct snapshot *s, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(s->sources[k].spec, s->sources[i].spec) == 0)
            return true;
    return false;
}

static void per_source(struct buf *out, const char *name, const struct snapshot *s,
                       uint64_t (*value)(const struct source_row *))
{
    for (size_t i = 0; i < s->n_sources; i++) {
        if (is_repeated(s, i))
            continue;
        put_labelled(out, name, "", "source", s->sources[i].spec);
        put_number(out, value(&s->sources[i]));
    }
}

static uint64_t n_addresses(const struct source_row *row)
{
    return row->n_addresses;
}

static uint64_t is_seeing_us(const struct source_row *row)
{
    return row->sees_us;
}

static uint64_t n_queries(const struct source_row *row)
{
    return row->queries;
}

static uint64_t n_failures(const struct source_row *row)
{
    return row->failures;
}

static uint64_t last_answer(const struct source_row *row)
{
    return row->last_ms / 1000;
}

static void set_size(struct buf *out, const char *name, const struct snapshot *s)
{
    per_source(out, name, s, n_addresses);
}

static void see_us(struct buf *out, const char *name, const struct snapshot *s)
{
    per_source(out, name, s, is_seeing_us);
}

static void put_rounds(struct buf *out, const char *name, const struct source_row *row)
{
    for (size_t kind = RESULT_COMPLETE; kind <= RESULT_FAILED; kind++) {
        buf_printf(out, "%s{", name);
        put_label(out, "source", row->spec);
        buf_put_byte(out, ',');
        put_label(out, "result", result_kind_text((enum result_kind)kind));
        buf_put_byte(out, '}');
        put_number(out, row->rounds[kind]);
    }
}

static void lookups(struct buf *out, const char *name, const struct snapshot *s)
{
    for (size_t i = 0; i < s->n_sources; i++)
        if (!is_repeated(s, i))
            put_rounds(out, name, &s->sources[i]);
}

/* A summary without quantiles: what it took, and how often. */
static void lookup_seconds(struct buf *out, const char *name, const struct snapshot *s)
{
    for (size_t i = 0; i < s->n_sources; i++) {
        const struct source_row *row = &s->sources[i];
        uint64_t n = 0;

        if (is_repeated(s, i))
            continue;
        for (size_t kind = RESULT_COMPLETE; kind <= RESULT_FAILED; kind++)
            n += row->rounds[kind];
        put_labelled(out, name, "_sum", "source", row->spec);
        put_seconds(out, row->took_total_ms);
        put_labelled(out, name, "_count", "source", row->spec);
        put_number(out, n);
    }
}

static void queries(struct buf *out, const char *name, const struct snapshot *s)
{
    per_source(out, name, s, n_queries);
}

static void lookup_failures(struct buf *out, const char *name, const struct snapshot *s)
{
    per_source(out, name, s, n_failures);
}

static void answered_at(struct buf *out, const char *name, const struct snapshot *s)
{
    per_source(out, name, s, last_answer);
}

#define COUNTER(member) offsetof(struct snapshot, member), NULL

static const struct metric metrics[] = {
    {"connected_node_count", "gauge", "Nodes of the cluster as this one sees it, itself included.",
     0, connected_node_count},
    {"erlclu_build_info", "gauge", "Always 1; the version is in the label.", 0, build_info},
    {"erlclu_ready", "gauge", "1 while /readyz answers 200.", 0, ready},
    {"erlclu_start_time_seconds", "gauge", "Start of the node, in seconds since 1970.", 0, started},
    {"erlclu_time_to_first_peer_seconds", "gauge", "From the start to the first link with a peer.",
     0, first_peer},
    {"erlclu_peers", "gauge", "Peers by state.", 0, peers},
    {"erlclu_peers_listed", "gauge", "Peers that discovery lists now.", 0, peers_listed},
    {"erlclu_peers_missing", "gauge",
     "Peers that discovery lists and that are not linked, those that are leaving excepted.", 0,
     peers_missing},
    {"erlclu_peers_unlisted", "gauge", "Peers that are linked and that no source lists.", 0,
     peers_unlisted},
    {"erlclu_peers_one_way", "gauge", "Linked peers whose own list of nodes lacks this one.", 0,
     peers_one_way},
    {"erlclu_peers_not_reading", "gauge",
     "Linked peers that take nothing of what waits to be sent to them.", 0, peers_not_reading},
    {"erlclu_islands", "gauge",
     "Groups of living nodes without a known link between; 1: all are connected.", 0, islands},
    {"erlclu_dials_total", "counter", "Attempts to link with a peer.", COUNTER(dials)},
    {"erlclu_dial_failures_total", "counter", "Failed attempts, by the stage that failed.", 0,
     dial_failures},
    {"erlclu_links_up_total", "counter", "Links that came up.", COUNTER(links_up)},
    {"erlclu_links_down_total", "counter", "Links that went down.", COUNTER(links_down)},
    {"erlclu_link_flaps_total", "counter",
     "Links that went down and came back, the node being the same.", COUNTER(flaps)},
    {"erlclu_rejected_total", "counter", "Peers that this node refused.", COUNTER(rejected)},
    {"erlclu_protocol_errors_total", "counter", "Links closed because the peer broke the protocol.",
     COUNTER(protocol_errors)},
    {"erlclu_link_received_bytes_total", "counter", "Bytes received over the present link.", 0,
     link_received},
    {"erlclu_link_sent_bytes_total", "counter", "Bytes sent over the present link.", 0, link_sent},
    {"erlclu_link_queued_bytes", "gauge", "Bytes waiting to be sent over the link.", 0,
     link_queued},
    {"erlclu_discovery_set_size", "gauge", "Addresses that the source lists.", 0, set_size},
    {"erlclu_discovery_sees_us", "gauge", "1 while the source lists this node.", 0, see_us},
    {"erlclu_discovery_lookups_total", "counter", "Look-ups of the source, by how they ended.", 0,
     lookups},
    {"erlclu_discovery_seconds", "summary", "How long the source's look-ups took.", 0,
     lookup_seconds},
    {"erlclu_discovery_queries_total", "counter", "Single questions that the source asked.", 0,
     queries},
    {"erlclu_discovery_failures_total", "counter", "Single questions that brought no answer.", 0,
     lookup_failures},
    {"erlclu_discovery_last_answer_seconds", "gauge",
     "When the source answered last, in seconds since 1970; 0 for never.", 0, answered_at},
};

void metrics_put(struct buf *out, const struct snapshot *s)
{
    for (size_t i = 0; i < COUNT(metrics); i++) {
        const struct metric *m = &metrics[i];

        buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, m->type);
        if (m->samples != NULL)
            m->samples(out, m->name, s);
        else
            put_sample(out, m->name, *(const uint64_t *)((const uint8_t *)s + m->offset));
    }
}
