/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include <stdio.h>

/* 2026-11-22T16:57:16.123Z */
#define SAMPLE_NOW_MS 1795366636123u
#define SECOND        1000u
#define MINUTE        (60u * SECOND)
#define HOUR          (60u * MINUTE)

#define OWN_IP(last) (10u << 24 | 42u << 16 | (last))

static void set(char *field, size_t size, const char *text)
{
    snprintf(field, size, "%s", text);
}

#define SET(field, text) set(field, sizeof(field), text)

static struct peer_row *add_peer(struct sample *sample, const char *name, uint32_t ip)
{
    struct snapshot *s = &sample->snapshot;
    struct peer_row *p = &sample->peers[s->n_peers++];

    SET(p->name, name);
    p->address = addr_v4(ip, 9100);
    p->state = PEER_LINKED;
    p->listed = true;
    p->visible = true;
    p->sources = s->n_sources > 0 ? 1 : 0;
    p->listed_ms = p->since_ms = s->now_ms - s->n_peers * 13 * MINUTE;
    p->sees_us = TELLS_US;
    p->sees = (uint32_t)s->n_peers;
    p->seen_by = 4;
    p->creation = 1763820000u + (uint32_t)s->n_peers;
    SET(p->otp_release, "25-27");
    p->bytes_in = 1000 * s->n_peers;
    p->bytes_out = 900 * s->n_peers;
    return p;
}

static struct peer_row *add_missing(struct sample *sample, const char *name, uint32_t ip,
                                    enum stage stage, const char *reason)
{
    struct peer_row *p = add_peer(sample, name, ip);

    p->state = PEER_FAILED;
    p->visible = false;
    p->creation = 0;
    p->sees_us = TELLS_NOTHING;
    p->sees = p->seen_by = 0;
    p->otp_release[0] = '\0';
    p->stage = stage;
    p->attempts = 7;
    SET(p->reason, reason);
    p->next_dial_ms = sample->snapshot.now_ms + 12 * SECOND;
    sample->snapshot.dial_failures[stage] += p->attempts;
    return p;
}

static struct source_row *add_source(struct sample *sample, const char *spec, uint32_t n)
{
    struct snapshot *s = &sample->snapshot;
    struct source_row *row = &sample->sources[s->n_sources++];

    SET(row->spec, spec);
    if (strncmp(spec, "dns:erlclu", 10) == 0)
        snprintf(row->asked, sizeof row->asked, "%s.", spec + 4);
    row->result = RESULT_COMPLETE;
    SET(row->answer, "NOERROR");
    row->sees_us = true;
    row->n_addresses = n;
    row->ttl_s = 5;
    row->last_ms = s->now_ms - 3 * SECOND;
    row->next_ms = s->now_ms + 2 * SECOND;
    row->changed_ms = s->now_ms - 2 * HOUR;
    row->queries = 2311;
    row->failures = 4;
    SET(row->cache, "live");
    row->took_ms = 3;
    row->rounds[RESULT_COMPLETE] = 1150;
    row->rounds[RESULT_FAILED] = 2;
    row->took_total_ms = 4605;
    return row;
}

static void begin(struct sample *sample)
{
    *sample = (struct sample){0};
    struct snapshot *s = &sample->snapshot;

    s->version = 1;
    s->now_ms = SAMPLE_NOW_MS;
    s->started_ms = SAMPLE_NOW_MS - 26 * HOUR;
    SET(s->node, "erlclu@10.42.0.86");
    s->creation = 1763726236u;
    s->address = addr_v4(OWN_IP(86), 9100);
    s->epmd = addr_v4(127u << 24 | 1, 4369);
    s->epmd_embedded = true;
    s->ready = true;
    s->peers = sample->peers;
    s->sources = sample->sources;
    s->dials = 31;
    s->links_up = 9;
    s->links_down = 2;
    s->first_peer_ms = 214;
    s->flaps = 1;
    s->n_islands = 1;
    s->settled_ms = s->now_ms - 13 * MINUTE;
}

static void fill_none(struct sample *sample)
{
    sample->snapshot.first_peer_ms = 0;
}

static void fill_empty(struct sample *sample)
{
    struct source_row *row = add_source(sample, "dns:erlclu-headless.erlclu.svc.cluster.local", 0);

    *row = (struct source_row){.next_ms = sample->snapshot.now_ms};
    SET(row->spec, "dns:erlclu-headless.erlclu.svc.cluster.local");
    sample->snapshot.ready = false;
    SET(sample->snapshot.not_ready, "discovery has not answered yet");
    sample->snapshot.first_peer_ms = 0;
}

static void fill_linked(struct sample *sample)
{
    add_source(sample, "dns:erlclu-headless.erlclu.svc.cluster.local", 6);
    add_peer(sample, "erlclu@10.42.0.87", OWN_IP(87));
    add_peer(sample, "erlclu@10.42.1.93", OWN_IP(256 + 93));
    add_peer(sample, "erlclu@10.42.2.109", OWN_IP(512 + 109));
    SET(add_peer(sample, "erlclu@10.42.2.110", OWN_IP(512 + 110))->otp_release, "29");
    add_peer(sample, "erlclu@10.42.2.111", OWN_IP(512 + 111))->inbound = true;
}

static void fill_missing(struct sample *sample)
{
    fill_linked(sample);
    struct peer_row *observer = add_peer(sample, "observer@10.42.0.12", OWN_IP(12));

    observer->listed = false;
    observer->sources = 0;
    observer->visible = false;
    observer->sees_us = TELLS_NOTHING;
    SET(observer->otp_release, "28");
    sample->sources[0].n_addresses = 9;
    add_missing(sample, "erlclu@10.42.3.17", OWN_IP(768 + 17), STAGE_COOKIE,
                "erlclu@10.42.3.17 answered our challenge with the digest of another cookie");
    add_missing(sample, "erlclu@10.42.3.18", OWN_IP(768 + 18), STAGE_TCP_TIMEOUT,
                "no answer from 10.42.3.18:9100 within 7 s");
    add_missing(sample, "", OWN_IP(768 + 19), STAGE_EPMD_UNKNOWN,
                "epmd at 10.42.3.19:4369 has no node called erlclu; it lists rabbit and worker");
    struct source_row *row = add_source(sample, "dns:legacy.default.svc.cluster.local", 0);

    row->result = RESULT_FAILED;
    row->sees_us = false;
    row->ttl_s = 0;
    row->last_ms = 0;
    row->failures = row->queries;
    row->rounds[RESULT_COMPLETE] = 0;
    row->rounds[RESULT_FAILED] = 1155;
    row->cache[0] = '\0';
    SET(row->answer, "SERVFAIL");
    SET(row->reason, "10.43.0.10 answered SERVFAIL; what it listed before stays");
}

static void fill_draining(struct sample *sample)
{
    fill_linked(sample);
    sample->snapshot.draining = true;
    SET(sample->snapshot.not_ready, "links stay until the end");
}

/* Two pieces: we know of the other one by a peer that has seen both. */
static void fill_split(struct sample *sample)
{
    add_source(sample, "srv:_dist._tcp.erlclu-headless.erlclu.svc.cluster.local", 3);
    add_source(sample, "gossip:", 1)->result = RESULT_PARTIAL;
    sample->sources[1].sees_us = false;
    sample->sources[1].cache[0] = '\0';
    sample->sources[1].answer[0] = '\0';
    SET(sample->sources[1].reason, "gossip never lists everybody");
    add_peer(sample, "erlclu@10.42.0.87", OWN_IP(87));
    add_peer(sample, "erlclu@10.42.1.93", OWN_IP(256 + 93))->sees_us = TELLS_NOT_US;
    sample->peers[sample->snapshot.n_peers - 1].not_reading = true;
    struct peer_row *going = add_missing(sample, "erlclu@10.42.2.1", OWN_IP(512 + 1),
                                         STAGE_TCP_REFUSED, "nothing listens at 10.42.2.1:9100");
    struct peer_row *unlisted = add_peer(sample, "erlclu@10.42.2.9", OWN_IP(512 + 9));
    struct peer_row *far =
        add_missing(sample, "erlclu@10.42.9.1", OWN_IP(9 * 256 + 1), STAGE_TCP_TIMEOUT,
                    "no answer from 10.42.9.1:9100 within 7 s");
    struct peer_row *farther =
        add_missing(sample, "erlclu@10.42.9.2", OWN_IP(9 * 256 + 2), STAGE_TCP_TIMEOUT,
                    "no answer from 10.42.9.2:9100 within 7 s");

    sample->peers[0].sources = 3;
    going->state = PEER_LEAVING;
    going->terminating = true;
    unlisted->listed = far->listed = farther->listed = false;
    unlisted->sources = far->sources = farther->sources = 0;
    far->hinted = farther->hinted = true;
    far->island = farther->island = 1;
    far->seen_by = 1;
    sample->snapshot.n_islands = 2;
}

static void fill_hostile(struct sample *sample)
{
    add_source(sample, "dns:<b>\"'&.\\.\n", 3);
    add_source(sample, "dns:<b>\"'&.\\.\n", 3);
    add_peer(sample, "<script>alert(1)</script>@\"'&", OWN_IP(1));
    add_peer(sample, "new\nline\\quote\"@\x1b[2Jh", OWN_IP(2));
    add_peer(sample, "latin\xe9@host\xff", OWN_IP(3));
    add_peer(sample, "\xc3\xbcml\xe2\x98\xba@h", OWN_IP(4));
    add_missing(sample, "{{node}}@{{#l}}", OWN_IP(5), STAGE_COOKIE, "</p><script>x()</script>\r\n");
    sample->snapshot.cookie = "a&<>\"'b</pre>{{node}}";
}

static const struct {
    const char *name;
    void (*fill)(struct sample *);
} samples[] = {
    {"none", fill_none},       {"empty", fill_empty}, {"linked", fill_linked},
    {"missing", fill_missing}, {"split", fill_split}, {"draining", fill_draining},
    {"hostile", fill_hostile},
};

bool sample_get(struct sample *sample, const char *name)
{
    begin(sample);
    for (size_t i = 0; i < COUNT(samples); i++)
        if (strcmp(samples[i].name, name) == 0) {
            samples[i].fill(sample);
            return true;
        }
    return false;
}

void sample_bare(struct sample *sample, const char *node, const char *cookie,
                 const char *const peers[], size_t n_peers)
{
    begin(sample);
    SET(sample->snapshot.node, node);
    sample->snapshot.cookie = cookie;
    for (size_t i = 0; i < n_peers && i < SAMPLE_PEERS_MAX; i++)
        add_peer(sample, peers[i], OWN_IP((uint32_t)i + 1));
}
