/* SPDX-License-Identifier: Apache-2.0 */
#include "gossip_packets.h"

#include "base/buf.h"
#include "find/gossip_heard.h"

/* What a source makes of the packets of libcluster's gossip. */

struct sim {
    struct source *source;
    struct rng rng;
    struct source_place place;
    struct crypto *crypto;
    uint64_t now;
    const char *socket; /* why there is none; NULL */
    const char *secret, *no_secret;
    bool deaf; /* our own packets do not come back */
    struct buf trace;
    uint64_t told_ms;
};

static void sim_start(struct sim *s, const char *spec, struct crypto *crypto)
{
    struct addr own = addr_v4(0x0a000001, 9100);
    char why[REASON_SIZE];

    *s = (struct sim){.now = 1000000, .crypto = crypto, .secret = ""};
    rng_init(&s->rng, 42);
    s->place = (struct source_place){.own_name = "me@10.0.0.1", .rng = &s->rng, .crypto = crypto};
    assert_int_equal(source_new(&s->source, spec, &s->place, why), CLU_OK);
    source_start(s->source, &own, s->now);
}

static void sim_stop(struct sim *s)
{
    source_free(s->source);
    buf_free(&s->trace);
}

/* A line whenever the source has something to say: "[  1500] partial a@h -b@h: why". */
static void trace(struct sim *s, bool news)
{
    struct source_row row;
    size_t n;
    const struct entry *e = source_entries(s->source, &n);

    if (!news)
        return;
    source_row(s->source, 0, &row);
    buf_printf(&s->trace, "[%6u] %s%s", (unsigned)(s->now - 1000000), result_kind_text(row.result),
               row.asking ? "..." : "");
    for (size_t i = 0; i < n; i++)
        buf_printf(&s->trace, " %s%s", e[i].terminating ? "-" : "", e[i].name);
    buf_printf(&s->trace, "%s%.40s\n", row.reason[0] == '\0' ? "" : ": ", row.reason);
}

static void give(struct sim *s, const struct given *given)
{
    trace(s, source_given(s->source, given, s->now));
}

static void hear(struct sim *s, clu_slice packet)
{
    give(s, &(struct given){.kind = GIVEN_DATAGRAM, .bytes = packet});
}

static void hear_name(struct sim *s, const char *name)
{
    uint8_t packet[GOSSIP_PACKET_MAX];

    hear(s, (clu_slice){packet, gossip_put(packet, name)});
}

static void meet_datagram(struct sim *s, const struct need *need)
{
    uint8_t copy[GOSSIP_PACKET_MAX];
    clu_slice sent = need->u.datagram.bytes;

    assert_true(sent.len > 0 && sent.len <= sizeof copy);
    memcpy(copy, sent.data, sent.len);
    if (!s->deaf)
        hear(s, (clu_slice){copy, sent.len});
}

static void meet(struct sim *s, const struct need *need)
{
    if (need->kind == NEED_DATAGRAM)
        meet_datagram(s, need);
    else if (need->kind == NEED_UDP)
        give(s, &(struct given){.kind = GIVEN_UDP, .why = s->socket});
    else
        give(s, &(struct given){.kind = GIVEN_FILE,
                                .bytes = slice_of(s->secret),
                                .why = s->no_secret,
                                .path = need->u.file.path});
}

/* So much time passes; every need is met at once. */
static void sim_run(struct sim *s, uint64_t ms)
{
    uint64_t end = s->now + ms;
    struct need need;

    for (uint64_t at; (at = source_deadline(s->source)) <= end;) {
        s->now = max_u64(s->now, at);
        trace(s, source_tick(s->source, s->now));
        while (source_need(s->source, s->now, &need))
            meet(s, &need);
        assert_true(source_deadline(s->source) > s->now); /* or it would turn for ever */
    }
    s->now = end;
}

static void sim_expect(struct sim *s, const char *text)
{
    if (strcmp(buf_text(&s->trace), text) != 0)
        fail_msg("the trace is\n%s", buf_text(&s->trace));
    buf_reset(&s->trace);
}

/* Others come, are listed at once, and one falls silent; it is not dialled any more, but nothing is
 * ever complete. */
static void lists_who_speaks(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s, "gossip:", NULL);
    sim_run(&s, 1000);
    hear_name(&s, "me@10.0.0.1");
    hear_name(&s, "a@10.0.0.2");
    hear_name(&s, "a@10.0.0.2");
    sim_run(&s, 1000);
    hear_name(&s, "b@10.0.0.3");
    sim_run(&s, 5000);
    for (int i = 0; i < 12; i++) {
        hear_name(&s, "a@10.0.0.2");
        sim_run(&s, 5000);
    }
    hear_name(&s, "b@10.0.0.3");
    sim_run(&s, 1000);
    sim_expect(&s, "[  1000] partial... a@10.0.0.2\n"
                   "[  2000] partial... a@10.0.0.2 b@10.0.0.3\n"
                   "[  6000] partial a@10.0.0.2 b@10.0.0.3\n"
                   "[ 62000] partial a@10.0.0.2 -b@10.0.0.3\n"
                   "[ 67000] partial a@10.0.0.2 b@10.0.0.3\n");
    sim_stop(&s);
}

/* Our own packets are nobody else's. */
static void tells_silence(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s, "gossip:", NULL);
    sim_run(&s, 30000);
    hear_name(&s, "a@10.0.0.2");
    sim_run(&s, 9999);
    sim_run(&s, 60001);
    sim_expect(&s, "[ 10000] negative: 0 packets in 10 s: no other node is ther\n"
                   "[ 30000] partial a@10.0.0.2\n"
                   "[ 40000] negative a@10.0.0.2: 0 packets in 10 s: no other node is ther\n"
                   "[ 90000] negative -a@10.0.0.2: 0 packets in 10 s: no other node is ther\n");
    sim_stop(&s);
}

/* The first packet at once, then at intervals of 1 to 5000 ms, 2.5 s on the average. */
static void sends_at_its_pace(void **state)
{
    struct sim s;
    struct source_row row;

    (void)state;
    sim_start(&s, "gossip:", NULL);
    sim_run(&s, 0);
    source_row(s.source, 0, &row);
    assert_int_equal(row.queries, 1);
    for (uint64_t last = s.now; s.now < 1000000 + 250000; last = s.now) {
        uint64_t before = row.queries;

        while (row.queries == before) {
            sim_run(&s, 1);
            source_row(s.source, 0, &row);
        }
        assert_in_range(s.now - last, 1, 5000);
    }
    assert_in_range(row.queries, 80, 120);
    sim_stop(&s);
}

/* With a secret that comes late, and is then another one. */
static void keeps_a_secret(void **state)
{
    struct sim s;

    sim_start(&s, "gossip:?secret-file=/s", *state);
    s.no_secret = "No such file or directory";
    sim_run(&s, 20000);
    give(&s, &(struct given){.kind = GIVEN_FILE, .bytes = slice_of("\r\n")});
    give(&s, &(struct given){.kind = GIVEN_FILE, .bytes = slice_of("somepassword\n")});
    sim_run(&s, 1);
    hear(&s, (clu_slice){sealed_packet, sizeof sealed_packet});
    sim_run(&s, 1000);
    hear_name(&s, "b@10.0.0.3"); /* without one: passed over */
    sim_run(&s, 11000);
    give(&s, &(struct given){.kind = GIVEN_FILE, .bytes = slice_of("another")});
    hear(&s, (clu_slice){sealed_packet, sizeof sealed_packet});
    sim_run(&s, 11000);
    sim_expect(&s, "[     0] failed: cannot read the secret in /s: No such fi\n"
                   "[ 20000] failed: cannot read the secret in /s: it is empt\n"
                   "[ 20000] negative: 0 packets in 10 s: no other node is ther\n"
                   "[ 20001] partial app@10.0.0.1\n"
                   "[ 21001] partial app@10.0.0.1: packets come that are not sealed, and ar\n"
                   "[ 30001] failed app@10.0.0.1: packets come that are not sealed, and ar\n"
                   "[ 31001] negative app@10.0.0.1: 0 packets in 10 s: no other node is ther\n"
                   "[ 32001] failed app@10.0.0.1: packets come that cannot be read: anothe\n"
                   "[ 42001] negative app@10.0.0.1: 0 packets in 10 s: no other node is ther\n");
    sim_stop(&s);
}

static void tells_foreign_packets(void **state)
{
    struct sim s;
    struct source_row row;

    (void)state;
    sim_start(&s, "gossip:", NULL);
    sim_run(&s, 100);
    hear(&s, (clu_slice){sealed_packet, sizeof sealed_packet});
    hear(&s, (clu_slice){sealed_packet, sizeof sealed_packet});
    sim_run(&s, 10000);
    hear(&s, slice_of(HEART "x"));
    source_row(s.source, 0, &row);
    assert_int_equal(row.failures, 3);
    sim_expect(&s, "[   100] failed: packets come that cannot be read: those \n"
                   "[ 10100] negative: 0 packets in 10 s: no other node is ther\n"
                   "[ 10100] failed: packets come that are no heartbeats of l\n");
    sim_stop(&s);
}

/* No socket: tried again. A packet that cannot be sent: said until one can. */
static void tells_what_the_system_says(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s, "gossip:", NULL);
    s.socket = "No such device";
    sim_run(&s, 6000);
    s.socket = NULL;
    sim_run(&s, 7000);
    s.deaf = true;
    give(&s, &(struct given){.kind = GIVEN_UDP, .why = "Network is unreachable"});
    sim_run(&s, 5001);
    sim_expect(&s, "[     0] failed: cannot listen for 233.252.1.32:45892: No\n"
                   "[ 10000] negative: 0 packets in 10 s: no other node is ther\n"
                   "[ 13000] failed: cannot send to 233.252.1.32:45892: Netwo\n"
                   "[ 16566] negative: 0 packets in 10 s: no other node is ther\n");
    sim_stop(&s);
}

/* ---- limits ---- */

static void entry_at(struct entry *e, size_t i)
{
    *e = (struct entry){0};
    snprintf(e->name, sizeof e->name, "n%zu@h", i);
}

static void bounds_names(void **state)
{
    struct gossip_heard h = {0};
    struct entry e;
    uint64_t now = 1000;

    (void)state;
    for (size_t i = 0; i < 2 * GOSSIP_NEW_BURST; i++) {
        entry_at(&e, i);
        assert_true(gossip_add(&h, &e, now));
    }
    assert_int_equal(h.n, GOSSIP_NEW_BURST);
    for (size_t i = GOSSIP_NEW_BURST; h.n < GOSSIP_NAMES_MAX; i++, now += GOSSIP_NEW_MS) {
        entry_at(&e, i);
        assert_true(gossip_add(&h, &e, now));
    }
    entry_at(&e, 9999);
    now += GOSSIP_NEW_BURST * GOSSIP_NEW_MS; /* what was paid ahead is used up */
    for (size_t i = 1; i < h.n; i++)
        assert_true(gossip_add(&h, &h.entries[i], now));
    assert_false(gossip_add(&h, &e, now)); /* the oldest is not silent yet, as far as is known */
    assert_true(gossip_silent(&h, now) == now + GOSSIP_SILENT_MS);
    assert_true(h.entries[0].terminating);
    assert_true(gossip_add(&h, &e, now));
    assert_string_equal(h.entries[0].name, "n9999@h");
    assert_false(h.entries[0].terminating);
    assert_int_equal(h.n, GOSSIP_NAMES_MAX);
    free(h.entries);
    free(h.last_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_who_speaks),      cmocka_unit_test(tells_silence),
        cmocka_unit_test(sends_at_its_pace),     cmocka_unit_test(keeps_a_secret),
        cmocka_unit_test(tells_foreign_packets), cmocka_unit_test(tells_what_the_system_says),
        cmocka_unit_test(bounds_names),
    };

    return cmocka_run_group_tests(tests, open_crypto, close_crypto);
}
