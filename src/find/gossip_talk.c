/* SPDX-License-Identifier: Apache-2.0 */
#include "find/gossip_impl.h"

/* What was heard is as it is now for so long: two packets of everybody. */
#define WINDOW_MS (2 * GOSSIP_SEND_MAX_MS)
/* A socket that cannot be had is tried again after this. */
#define REOPEN_MS 5000

static const char *const fault_texts[FAULTS] = {
    [FAULT_OPEN] = "packets come that are not sealed, and are passed over: those nodes have no "
                   "secret, and we have one",
    [FAULT_SEALED] = "packets come that cannot be read: those nodes have a secret, which "
                     "?secret-file=FILE tells us",
    [FAULT_OTHER] = "packets come that cannot be read: another secret?",
    [FAULT_BROKEN] = "packets come that are no heartbeats of libcluster: another program sends to "
                     "this port",
    [FAULT_FULL] = "more than 1024 nodes are heard: the others are passed over",
};

static const char silence[] =
    "0 packets in 10 s: no other node is there, or the network does not carry them (overlay "
    "networks and clouds carry no multicast: try broadcast=1, or dns:), or theirs is another port "
    "or interface";

/* ---- what is to be said ---- */

static bool is_recent(uint64_t at_ms, uint64_t now_ms)
{
    return at_ms != 0 && at_ms + WINDOW_MS > now_ms;
}

static const char *fault_text(const struct gossip_source *g, uint64_t now_ms)
{
    for (size_t i = 0; i < FAULTS; i++)
        if (is_recent(g->fault_ms[i], now_ms))
            return fault_texts[i];
    return "";
}

/* The result, and its reason. */
static enum result_kind verdict(const struct gossip_source *g, uint64_t now_ms, const char **reason)
{
    *reason = g->file_trouble[0] != '\0' ? g->file_trouble : g->udp_trouble;
    if ((*reason)[0] != '\0')
        return RESULT_FAILED;
    *reason = fault_text(g, now_ms);
    if (is_recent(g->heard_ms, now_ms))
        return RESULT_PARTIAL;
    if ((*reason)[0] != '\0')
        return RESULT_FAILED;
    if (now_ms < g->start_ms + WINDOW_MS)
        return RESULT_WAITING;
    *reason = silence;
    return RESULT_NEGATIVE;
}

/* The next moment behind now at which one of these windows ends. */
static uint64_t next_judgement(const struct gossip_source *g, uint64_t now_ms)
{
    uint64_t next_ms = NEVER;
    const uint64_t ends[] = {g->start_ms + GOSSIP_LISTEN_MS, g->start_ms + WINDOW_MS,
                             g->heard_ms == 0 ? 0 : g->heard_ms + WINDOW_MS};

    for (size_t i = 0; i < COUNT(ends); i++)
        if (ends[i] > now_ms)
            next_ms = min_u64(next_ms, ends[i]);
    for (size_t i = 0; i < FAULTS; i++)
        if (is_recent(g->fault_ms[i], now_ms))
            next_ms = min_u64(next_ms, g->fault_ms[i] + WINDOW_MS);
    return next_ms;
}

/* Whether the list or what is said of it has changed. */
static bool judge(struct gossip_source *g, uint64_t now_ms)
{
    struct source_row *row = &g->source.row;
    const char *reason;
    uint64_t silent_ms = gossip_silent(&g->heard, now_ms);
    enum result_kind kind = verdict(g, now_ms, &reason);
    bool asking = kind == RESULT_PARTIAL && now_ms < g->start_ms + GOSSIP_LISTEN_MS;
    bool news = g->heard.changed || kind != row->result || asking != row->asking ||
                strcmp(reason, row->reason) != 0;

    if (g->heard.changed)
        row->changed_ms = now_ms;
    g->heard.changed = false;
    g->source.entries = g->heard.entries;
    g->source.n_entries = g->heard.n;
    row->rounds[kind] += kind != row->result;
    row->result = kind;
    row->asking = asking;
    say(row->reason, "%s", reason);
    g->judge_ms = min_u64(silent_ms, next_judgement(g, now_ms));
    return news;
}

/* ---- packets ---- */

/* FAULT_NONE: e is who sent it. */
static enum fault read_packet(struct gossip_source *g, clu_slice packet, struct entry *e)
{
    uint8_t opened[GOSSIP_PACKET_MAX];
    size_t len;

    if (g->secret_file[0] == '\0') {
        if (!gossip_is_plain(packet))
            return FAULT_SEALED;
        return gossip_get(packet, e) ? FAULT_NONE : FAULT_BROKEN;
    }
    if (gossip_is_plain(packet))
        return FAULT_OPEN;
    if (gossip_open(g->source.place->crypto, g->key, packet, opened, &len) != CLU_OK ||
        !gossip_is_plain((clu_slice){opened, len}))
        return FAULT_OTHER;
    return gossip_get((clu_slice){opened, len}, e) ? FAULT_NONE : FAULT_BROKEN;
}

static void take_packet(struct gossip_source *g, clu_slice packet, uint64_t now_ms)
{
    struct source *s = &g->source;
    struct entry e;

    if (g->secret_file[0] != '\0' && !g->has_key)
        return;
    enum fault fault = read_packet(g, packet, &e);

    if (fault != FAULT_NONE) {
        s->row.failures++;
        g->fault_ms[fault] = now_ms;
    } else if (strcmp(e.name, s->place->own_name) != 0) {
        s->row.last_ms = g->heard_ms = now_ms;
        if (!gossip_add(&g->heard, &e, now_ms))
            g->fault_ms[FAULT_FULL] = now_ms;
    }
}

/* A command only listens: it has no port to be dialled at. */
static bool may_send(const struct gossip_source *g)
{
    const struct source *s = &g->source;

    return g->is_open && s->own.port != 0 && s->place->own_name[0] != '\0' &&
           (g->secret_file[0] == '\0' || g->has_key);
}

static bool draw_iv(struct crypto *c, uint8_t iv[AES_IV_LEN])
{
    uint64_t high, low;

    if (crypto_random(c, &high) != CLU_OK || crypto_random(c, &low) != CLU_OK)
        return false;
    put_be64(iv, high);
    put_be64(iv + 8, low);
    return true;
}

/* Our packet, sealed where there is a secret; empty when that fails. */
static clu_slice make_packet(struct gossip_source *g)
{
    struct crypto *c = g->source.place->crypto;
    uint8_t plain[GOSSIP_PACKET_MAX], iv[AES_IV_LEN];
    size_t len = gossip_put(g->packet, g->source.place->own_name);

    if (g->secret_file[0] == '\0')
        return (clu_slice){g->packet, len};
    memcpy(plain, g->packet, len);
    if (!draw_iv(c, iv) ||
        gossip_seal(c, g->key, iv, (clu_slice){plain, len}, g->packet, &len) != CLU_OK)
        return (clu_slice){0};
    return (clu_slice){g->packet, len};
}

/* ---- needs ---- */

static bool need_file(struct gossip_source *g, struct need *need)
{
    if (g->secret_file[0] == '\0' || g->file_asked)
        return false;
    g->file_asked = true;
    need->kind = NEED_FILE;
    need->u.file.watch = true;
    memcpy(need->u.file.path, g->secret_file, sizeof g->secret_file);
    return true;
}

static bool need_socket(struct gossip_source *g, uint64_t now_ms, struct need *need)
{
    if (g->open_ms > now_ms)
        return false;
    g->open_ms = NEVER;
    need->kind = NEED_UDP;
    memset(&need->u.udp, 0, sizeof need->u.udp);
    need->u.udp.bind = addr_v4(0, g->to.port);
    need->u.udp.interface = g->interface;
    need->u.udp.ttl = g->ttl;
    if (!g->broadcast)
        need->u.udp.group = g->to;
    return true;
}

static bool need_packet(struct gossip_source *g, uint64_t now_ms, struct need *need)
{
    if (!may_send(g) || g->send_ms > now_ms)
        return false;
    g->send_ms = now_ms + rng_range(g->source.place->rng, 1, GOSSIP_SEND_MAX_MS);
    if (g->udp_trouble[0] != '\0') { /* it is said again when this one fails, too */
        g->udp_trouble[0] = '\0';
        g->judge_ms = now_ms + 1;
    }
    need->kind = NEED_DATAGRAM;
    need->u.datagram.to = g->to;
    need->u.datagram.bytes = make_packet(g);
    g->source.row.queries++;
    return need->u.datagram.bytes.len > 0;
}

bool gossip_need(struct source *s, uint64_t now_ms, struct need *need)
{
    struct gossip_source *g = gossip_of(s);

    return need_file(g, need) || need_socket(g, now_ms, need) || need_packet(g, now_ms, need);
}

uint64_t gossip_deadline(const struct source *s)
{
    const struct gossip_source *g = (const struct gossip_source *)s;

    if (g->secret_file[0] != '\0' && !g->file_asked)
        return 0;
    return min_u64(min_u64(g->open_ms, g->judge_ms), may_send(g) ? g->send_ms : NEVER);
}

bool gossip_tick(struct source *s, uint64_t now_ms)
{
    return gossip_of(s)->judge_ms <= now_ms && judge(gossip_of(s), now_ms);
}

/* ---- what comes of them ---- */

/* Line ends behind the secret are no part of it: editors and `echo` add them. */
static clu_slice trim(clu_slice text)
{
    while (text.len > 0 && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
        text.len--;
    return text;
}

/* A secret that cannot be read any more stays: its file is being replaced, as a rule. */
static void take_secret(struct gossip_source *g, const struct given *given)
{
    clu_slice secret = trim(given->bytes);
    const char *why = given->why;

    if (why == NULL && secret.len == 0)
        why = "it is empty";
    if (why == NULL && gossip_key(g->source.place->crypto, secret, g->key) != CLU_OK)
        why = "its digest cannot be made";
    g->has_key = g->has_key || why == NULL;
    g->file_trouble[0] = '\0';
    if (why != NULL)
        say(g->file_trouble, "cannot read the secret in %.120s: %.200s", g->secret_file, why);
}

/* The answer to a need of a socket, or a packet that could not be sent. */
static void take_socket(struct gossip_source *g, const char *why, uint64_t now_ms)
{
    char to[ADDR_TEXT_MAX];

    addr_text(&g->to, to);
    if (why == NULL) {
        g->is_open = true;
        g->udp_trouble[0] = '\0';
        g->send_ms = now_ms;
    } else if (g->is_open) {
        say(g->udp_trouble, "cannot send to %s: %.200s", to, why);
    } else {
        g->open_ms = now_ms + REOPEN_MS;
        say(g->udp_trouble,
            "cannot listen for %s: %.200s: does this host have an interface for it "
            "(?interface=IP names one)?",
            to, why);
    }
}

bool gossip_given(struct source *s, const struct given *given, uint64_t now_ms)
{
    struct gossip_source *g = gossip_of(s);

    switch (given->kind) {
    case GIVEN_FILE: take_secret(g, given); break;
    case GIVEN_UDP: take_socket(g, given->why, now_ms); break;
    case GIVEN_DATAGRAM: take_packet(g, given->bytes, now_ms); break;
    default: return false;
    }
    return judge(g, now_ms);
}
