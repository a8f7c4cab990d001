/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/buf.h"
#include "dist/handshake.h"

#define BYTES(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }
#define PUBLIC_FLAGS (DFLAGS_OFFERED | DFLAG_PUBLISHED)

static const uint8_t seed[SHA256_LEN] = {1};

static int set_up(void **state)
{
    *state = crypto_new(seed);
    return *state == NULL;
}

static int tear_down(void **state)
{
    crypto_free(*state);
    return 0;
}

static struct handshake_options options(struct crypto *crypto, const char *name, const char *cookie)
{
    return (struct handshake_options){
        .name = name,
        .creation = 7,
        .flags = PUBLIC_FLAGS,
        .cookie = slice_of(cookie),
        .crypto = crypto,
        .now_ms = 1000,
        .setup_ms = 7000,
        .length_size = 2,
    };
}

static void expect_failure(const char *row, const struct handshake *hs, enum hs_failure failure,
                           const char *words)
{
    if (hs->state != HS_FAILED || hs->failure != failure || strstr(hs->reason, words) == NULL)
        fail_msg("%s: state %d, failure %d instead of %d: '%s'", row, (int)hs->state,
                 (int)hs->failure, (int)failure, hs->reason);
}

/* ---- two machines talk to each other ---- */

struct story {
    struct handshake dial, accept;
    struct handshake_options dialler, acceptor;
    const char *dialled;
    enum hs_status status; /* the acceptor's answer */
    const char *before;    /* the acceptor's cookie before the present one; NULL: none */
    bool insist;           /* the dialler's, when told "alive" */
    const char *assigned;  /* to a peer without a name */
    size_t chunk;          /* bytes handed over at once */
    struct buf trace;      /* one line a frame */
};

/* One frame's line: who sent it, its tag, and a status' text. */
static void note_frames(struct story *s, const struct handshake *from, clu_slice out)
{
    while (out.len > 0) {
        size_t head = from->length_size;
        size_t len = head == 4 ? get_be32(out.data) : get_be16(out.data);
        const char *text = (const char *)out.data + head;

        buf_printf(&s->trace, "%s %.*s\n", from->initiator ? ">" : "<",
                   text[0] == 's' ? (int)strnlen(text, len) : 1, text);
        out.data += head + len;
        out.len -= head + len;
    }
}

/* Carries what one side has pending to the other; false when there was nothing. */
static bool carry(struct story *s, struct handshake *from, struct handshake *to)
{
    clu_slice out = handshake_pending(from);

    if (out.len == 0)
        return false;
    if (from->out_sent == 0)
        note_frames(s, from, out);
    size_t n = (size_t)min_u64(out.len, s->chunk);
    size_t used = handshake_feed(to, out.data, n);

    assert_true(used <= n);
    handshake_sent(from, used);
    return used > 0;
}

static void answer(struct story *s)
{
    handshake_answer(&s->accept, s->status, s->acceptor.cookie, s->assigned, 99);
    if (s->before != NULL)
        handshake_take_too(&s->accept, slice_of(s->before));
}

static bool decide(struct story *s)
{
    if (s->accept.state == HS_DECIDE)
        answer(s);
    else if (s->dial.state == HS_CONFIRM_ALIVE)
        handshake_confirm(&s->dial, s->insist);
    else if (s->dial.state == HS_CHOOSE_COOKIE)
        handshake_use_cookie(&s->dial, s->dialler.cookie);
    else
        return false;
    return true;
}

static void run(struct story *s)
{
    handshake_dial(&s->dial, &s->dialler, s->dialled);
    handshake_accept(&s->accept, &s->acceptor);
    buf_reset(&s->trace);
    while (decide(s) || carry(s, &s->dial, &s->accept) || carry(s, &s->accept, &s->dial))
        ;
}

/* Runs the story with bytes one by one and all at once; the frames are the same. */
static void expect_trace(struct story *s, const char *trace)
{
    static const size_t chunks[] = {1, 7, 10000};

    for (size_t i = 0; i < COUNT(chunks); i++) {
        s->chunk = chunks[i];
        run(s);
        assert_string_equal(buf_text(&s->trace), trace);
    }
    buf_free(&s->trace);
}

static struct story story(struct crypto *crypto)
{
    struct story s = {
        .dialler = options(crypto, "a@127.0.0.1", "secret"),
        .acceptor = options(crypto, "b@127.0.0.1", "secret"),
        .dialled = "b@127.0.0.1",
    };

    s.dialler.creation = 5;
    return s;
}

static void expect_up(const struct handshake *hs, const char *peer, uint32_t creation)
{
    assert_int_equal(hs->state, HS_DONE);
    assert_string_equal(hs->peer, peer);
    assert_int_equal(hs->peer_creation, creation);
    assert_int_equal(handshake_pending(hs).len, 0);
}

#define OPENED(status) "> N\n< s" status "\n< N\n> r\n< a\n"

static void both_come_up(void **state)
{
    struct story s = story(*state);

    expect_trace(&s, OPENED("ok"));
    expect_up(&s.dial, "b@127.0.0.1", 7);
    expect_up(&s.accept, "a@127.0.0.1", 5);
    assert_true(handshake_flags(&s.dial) == PUBLIC_FLAGS);
    assert_true(handshake_flags(&s.accept) == PUBLIC_FLAGS);
}

static void lengths_of_four_bytes_over_tls(void **state)
{
    struct story s = story(*state);

    s.dialler.length_size = s.acceptor.length_size = 4;
    expect_trace(&s, OPENED("ok"));
    expect_up(&s.accept, "a@127.0.0.1", 5);
}

static void one_hidden_side_hides_the_link(void **state)
{
    struct story s = story(*state);

    s.dialler.flags = DFLAGS_OFFERED;
    expect_trace(&s, OPENED("ok"));
    assert_true((handshake_flags(&s.accept) & DFLAG_PUBLISHED) == 0);
    assert_true((handshake_flags(&s.dial) & DFLAG_PUBLISHED) == 0);
}

static void a_name_can_be_learnt(void **state)
{
    struct story s = story(*state);

    s.dialled = NULL;
    expect_trace(&s, OPENED("ok"));
    expect_up(&s.dial, "b@127.0.0.1", 7);
}

static void simultaneous_and_ours_goes_on(void **state)
{
    struct story s = story(*state);

    s.status = HS_STATUS_OK_SIMULTANEOUS;
    expect_trace(&s, OPENED("ok_simultaneous"));
    expect_up(&s.accept, "a@127.0.0.1", 5);
}

static void simultaneous_and_theirs_goes_on(void **state)
{
    struct story s = story(*state);

    s.status = HS_STATUS_NOK;
    expect_trace(&s, "> N\n< snok\n");
    assert_int_equal(s.dial.state, HS_WAIT_INBOUND);
    expect_failure("nok", &s.accept, HS_FAIL_SIMULTANEOUS, "our attempt goes on");
    handshake_closed(&s.dial); /* as expected: no failure */
    handshake_expired(&s.dial);
    assert_int_equal(s.dial.state, HS_WAIT_INBOUND);
}

static void alive_and_insisted(void **state)
{
    struct story s = story(*state);

    s.status = HS_STATUS_ALIVE;
    s.insist = true;
    expect_trace(&s, "> N\n< salive\n> strue\n< N\n> r\n< a\n");
    expect_up(&s.dial, "b@127.0.0.1", 7);
    expect_up(&s.accept, "a@127.0.0.1", 5);
}

static void alive_and_not_insisted(void **state)
{
    struct story s = story(*state);

    s.status = HS_STATUS_ALIVE;
    expect_trace(&s, "> N\n< salive\n> sfalse\n");
    expect_failure("dial", &s.dial, HS_FAIL_ALIVE, "not wanted any more");
    expect_failure("accept", &s.accept, HS_FAIL_ALIVE, "the older link stays");
}

static void not_allowed(void **state)
{
    struct story s = story(*state);

    s.status = HS_STATUS_NOT_ALLOWED;
    expect_trace(&s, "> N\n< snot_allowed\n");
    expect_failure("dial", &s.dial, HS_FAIL_NOT_ALLOWED, "net_kernel:allow/1");
    expect_failure("accept", &s.accept, HS_FAIL_NOT_ALLOWED, "a@127.0.0.1");
}

static void a_name_is_given(void **state)
{
    struct story s = story(*state);

    s.dialler.name = HANDSHAKE_DYNAMIC_HOST;
    s.dialler.dynamic = true;
    s.assigned = "x1@" HANDSHAKE_DYNAMIC_HOST;
    /* the text of "named:" ends at its binary length */
    expect_trace(&s, OPENED("named:"));
    expect_up(&s.dial, "b@127.0.0.1", 7);
    expect_up(&s.accept, s.assigned, 99);
    assert_string_equal(s.dial.name, s.assigned);
    assert_int_equal(s.dial.creation, 99);
    assert_true((handshake_flags(&s.accept) & DFLAG_PUBLISHED) == 0);
    assert_true((handshake_flags(&s.dial) & DFLAG_NAME_ME) != 0);
}

static void another_name_is_there(void **state)
{
    struct story s = story(*state);

    s.dialled = "c@127.0.0.1";
    expect_trace(&s, "> N\n< sok\n< N\n");
    expect_failure("dial", &s.dial, HS_FAIL_NAME_MISMATCH,
                   "dialled c@127.0.0.1, the node there calls itself b@127.0.0.1");
    handshake_closed(&s.accept);
    expect_failure("accept", &s.accept, HS_FAIL_CLOSED, "it dialled another name than ours");
}

/* While a new cookie is rolled out, the one before is taken and proved as well. */
static void the_cookie_before_is_taken(void **state)
{
    static const struct {
        const char *dials, *accepts, *before;
        bool links;
    } rows[] = {
        {"new", "new", "old", true}, {"old", "new", "old", true}, {"older", "new", "old", false},
        {"old", "new", "", false},   {"", "new", "", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct story s = story(*state);

        s.dialler.cookie = slice_of(rows[i].dials);
        s.acceptor.cookie = slice_of(rows[i].accepts);
        s.before = rows[i].before;
        expect_trace(&s, rows[i].links ? "> N\n< sok\n< N\n> r\n< a\n" : "> N\n< sok\n< N\n> r\n");
        assert_true((s.dial.state == HS_DONE && s.accept.state == HS_DONE) == rows[i].links);
    }
}

static void cookies_differ(void **state)
{
    static const struct {
        const char *name, *dials, *accepts, *words;
    } rows[] = {
        {"another", "secret", "public", "its cookie differs from ours"},
        {"empty", "secret", "", "its cookie differs from ours"},
        {"newline there", "secret\n", "secret", "with a newline at the end: trim the one there"},
        {"newline here", "secret", "secret\n", "without the newline at the end: trim the one here"},
        {"newline alone", "", "\n", "without the newline at the end"},
        {"two newlines", "secret\n\n", "secret", "its cookie differs from ours"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct story s = story(*state);

        s.dialler.cookie = slice_of(rows[i].dials);
        s.acceptor.cookie = slice_of(rows[i].accepts);
        expect_trace(&s, "> N\n< sok\n< N\n> r\n");
        expect_failure(rows[i].name, &s.accept, HS_FAIL_COOKIE, rows[i].words);
        handshake_closed(&s.dial);
        expect_failure(rows[i].name, &s.dial, HS_FAIL_COOKIE, "when it saw our digest");
    }
}

/* ---- as initiator, with recorded and made-up peers ---- */

#define STATUS_OK "\0\x03sok"
/* what OTP 25.2.3 sends */
#define CHALLENGE                                                                                  \
    "\0\x1eN"                                                                                      \
    "\0\0\0\x0d\x07\xdf\x7f\xbd\x5b\xc4\x02\x76\x6b\x02\xa7\x49\0\x0b"                             \
    "a@127.0.0.1"

static void reply_to_a_recorded_challenge(void **state)
{
    /* MD5 of "secret1539572342" */
    static const uint8_t digest[] = {0xda, 0x06, 0xa0, 0x2a, 0x91, 0xcd, 0x8d, 0xe6,
                                     0x45, 0x21, 0x61, 0x8b, 0xca, 0x8b, 0xdb, 0x98};
    static const clu_slice in = BYTES(STATUS_OK CHALLENGE "\0\x11");
    struct handshake_options o = options(*state, "us@h", "secret");
    struct handshake hs;

    handshake_dial(&hs, &o, "a@127.0.0.1");
    handshake_sent(&hs, handshake_pending(&hs).len);
    assert_int_equal(handshake_feed(&hs, in.data, in.len), in.len);
    assert_int_equal(hs.state, HS_RECV_ACK);
    assert_int_equal(hs.peer_creation, 0x6b02a749);
    assert_true(hs.peer_flags == UINT64_C(0xd07df7fbd));
    clu_slice out = handshake_pending(&hs);

    assert_int_equal(out.len, 23);
    assert_memory_equal(out.data, "\0\x15r", 3);
    assert_memory_equal(out.data + 7, digest, MD5_LEN);
}

static void a_recorded_dynamic_name(void **state)
{
    static const clu_slice in = BYTES("\0\x24snamed:\0\x17"
                                      "2H7BVHCQWNSBP@127.0.0.1\x87\xc4\x2d\x08" CHALLENGE);
    struct handshake_options o = options(*state, "127.0.0.1", "secret");
    struct handshake hs;

    o.dynamic = true;
    handshake_dial(&hs, &o, NULL);
    clu_slice out = handshake_pending(&hs);

    assert_int_equal(get_be32(out.data + 11), 0); /* creation: the peer gives it */
    assert_true((get_be64(out.data + 3) & (DFLAG_NAME_ME | DFLAG_PUBLISHED)) == DFLAG_NAME_ME);
    assert_int_equal(handshake_feed(&hs, in.data, in.len), in.len);
    assert_int_equal(hs.state, HS_CHOOSE_COOKIE); /* the peer's name was not known before */
    handshake_use_cookie(&hs, slice_of("secret"));
    assert_int_equal(hs.state, HS_RECV_ACK);
    assert_string_equal(hs.name, "2H7BVHCQWNSBP@127.0.0.1");
    assert_int_equal(hs.creation, 0x87c42d08);
    assert_string_equal(hs.peer, "a@127.0.0.1");
}

#define NAME_50  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME_255 NAME_50 NAME_50 NAME_50 NAME_50 NAME_50 "@1234"

static const struct {
    const char *name;
    clu_slice in;
    enum hs_failure failure;
    const char *words;
} bad_acceptors[] = {
    {"no status", BYTES("\0\x01s"), HS_FAIL_PROTOCOL, "none of ok"},
    {"unknown status", BYTES("\0\x06sokay!"), HS_FAIL_PROTOCOL, "none of ok"},
    {"a name nobody asked for", BYTES("\0\x0fsnamed:\0\x02x@\0\0\0\x01"), HS_FAIL_PROTOCOL,
     "wrong shape"},
    {"not allowed", BYTES("\0\x0csnot_allowed"), HS_FAIL_NOT_ALLOWED, "not_allowed"},
    {"challenge first", BYTES(CHALLENGE), HS_FAIL_PROTOCOL, "frame of type 78"},
    {"empty frame", BYTES("\0\0"), HS_FAIL_PROTOCOL, "0 bytes"},
    {"long frame", BYTES("\x08\x01"), HS_FAIL_PROTOCOL, "2049 bytes"},
    {"TLS alert", BYTES("\x15\x03\x03\0\x02"), HS_FAIL_PROTOCOL, "TLS"},
    {"HTTP server", BYTES("HTTP/1.1 400"), HS_FAIL_PROTOCOL, "HTTP"},
    {"SSH server", BYTES("SSH-2.0-x"), HS_FAIL_PROTOCOL, "SSH"},
    {"not allowed late", BYTES(STATUS_OK "\0\x0csnot_allowed"), HS_FAIL_FLAGS, "demands flags"},
    {"not allowed behind our digest", BYTES(STATUS_OK CHALLENGE "\0\x0csnot_allowed"),
     HS_FAIL_FLAGS, "demands flags"},
    {"another late status", BYTES(STATUS_OK "\0\x03sok"), HS_FAIL_PROTOCOL, "wrong shape"},
    {"challenge of OTP 22",
     BYTES(STATUS_OK "\0\x16n\0\x05\0\x07\x7f\xbd\0\0\0\x01"
                     "a@127.0.0.1"),
     HS_FAIL_FLAGS, "OTP 22"},
    {"challenge cut short", BYTES(STATUS_OK "\0\x04N\0\0\0"), HS_FAIL_PROTOCOL, "wrong shape"},
    {"name longer than its frame",
     BYTES(STATUS_OK "\0\x14N\0\0\0\x0d\x07\xdf\x7f\xbd"
                     "1234abcd\0\x09z"),
     HS_FAIL_PROTOCOL, "wrong shape"},
    {"name without host",
     BYTES(STATUS_OK "\0\x14N\0\0\0\x0d\x07\xdf\x7f\xbd"
                     "1234abcd\0\x01z"),
     HS_FAIL_PROTOCOL, "wrong shape"},
    {"another name",
     BYTES(STATUS_OK "\0\x16N\0\0\0\x0d\x07\xdf\x7f\xbd"
                     "1234abcd\0\x03z@y"),
     HS_FAIL_NAME_MISMATCH, "dialled a@127.0.0.1, the node there calls itself z@y"},
    {"flags",
     BYTES(STATUS_OK "\0\x1eN\0\0\0\x0d\x03\xdd\x7f\xbd"
                     "1234abcd\0\x0b"
                     "a@127.0.0.1"),
     HS_FAIL_FLAGS, "MAP_TAG"},
    {"ack cut short",
     BYTES(STATUS_OK CHALLENGE "\0\x02"
                               "aa"),
     HS_FAIL_PROTOCOL, "wrong shape"},
    {"another cookie",
     BYTES(STATUS_OK CHALLENGE "\0\x11"
                               "a0123456789abcdef"),
     HS_FAIL_COOKIE, "its cookie differs"},
    {"reply for ack", BYTES(STATUS_OK CHALLENGE "\0\x01r"), HS_FAIL_PROTOCOL, "frame of type 114"},
};

static void refuses_bad_acceptors(void **state)
{
    struct handshake_options o = options(*state, "us@h", "secret");

    for (size_t i = 0; i < COUNT(bad_acceptors); i++) {
        struct handshake hs;

        handshake_dial(&hs, &o, "a@127.0.0.1");
        handshake_feed(&hs, bad_acceptors[i].in.data, bad_acceptors[i].in.len);
        expect_failure(bad_acceptors[i].name, &hs, bad_acceptors[i].failure,
                       bad_acceptors[i].words);
        assert_int_equal(handshake_feed(&hs, seed, 1), 0); /* takes no more */
    }
}

static void refuses_to_stay_nameless(void **state)
{
    static const clu_slice ok = BYTES(STATUS_OK), bad = BYTES("\0\x0fsnamed:\0\x02x@\0\0\0\x01");
    struct handshake_options o = options(*state, "erlclu", "secret");
    struct handshake hs;

    o.dynamic = true;
    handshake_dial(&hs, &o, NULL);
    handshake_feed(&hs, ok.data, ok.len);
    expect_failure("ok", &hs, HS_FAIL_PROTOCOL, "gave none");
    handshake_dial(&hs, &o, NULL);
    handshake_feed(&hs, bad.data, bad.len);
    expect_failure("bad name", &hs, HS_FAIL_PROTOCOL, "wrong shape");
}

/* ---- as acceptor, with made-up peers ---- */

/* flags of OTP 25, creation 5 */
#define NAME_HEAD "N\0\0\0\x0d\x07\xdf\x7f\xbd\0\0\0\x05"

static const struct {
    const char *name;
    clu_slice in;
    enum hs_failure failure;
    const char *words;
    bool told; /* "not_allowed" is pending */
} bad_initiators[] = {
    {"TLS", BYTES("\x16\x03\x01\x02"), HS_FAIL_PROTOCOL, "-proto_dist inet_tls", false},
    {"HTTP", BYTES("GET / HTTP/1.1"), HS_FAIL_PROTOCOL, "HTTP client", false},
    {"4 GB", BYTES("\xff\xff\xff\xff"), HS_FAIL_PROTOCOL, "65535 bytes", false},
    {"another frame", BYTES("\0\x01r"), HS_FAIL_PROTOCOL, "frame of type 114", false},
    {"cut short", BYTES("\0\x03N\0\0"), HS_FAIL_PROTOCOL, "wrong shape", false},
    {"name longer than its frame", BYTES("\0\x12" NAME_HEAD "\0\x04x@y"), HS_FAIL_PROTOCOL,
     "wrong shape", false},
    {"no name", BYTES("\0\x0f" NAME_HEAD "\0\0"), HS_FAIL_PROTOCOL, "NAME@HOST", true},
    {"no host", BYTES("\0\x11" NAME_HEAD "\0\x02x@"), HS_FAIL_PROTOCOL, "NAME@HOST", true},
    {"two @", BYTES("\0\x14" NAME_HEAD "\0\x05x@y@z"), HS_FAIL_PROTOCOL, "NAME@HOST", true},
    {"NUL in it", BYTES("\0\x12" NAME_HEAD "\0\x03x@\0"), HS_FAIL_PROTOCOL, "NAME@HOST", true},
    {"newline in it", BYTES("\0\x13" NAME_HEAD "\0\x04x@\ny"), HS_FAIL_PROTOCOL, "NAME@HOST", true},
    {"too long", BYTES("\x01\x0f" NAME_HEAD "\x01\0a" NAME_255), HS_FAIL_PROTOCOL, "NAME@HOST",
     true},
    {"flags", BYTES("\0\x12N\0\0\0\x0d\x02\xdf\x7f\xbd\0\0\0\x05\0\x03x@y"), HS_FAIL_FLAGS,
     "HANDSHAKE_23", true},
    {"name with a wish for one", BYTES("\0\x12N\0\0\0\x0f\x07\xdf\x7f\xbd\0\0\0\x05\0\x03x@y"),
     HS_FAIL_PROTOCOL, "NAME@HOST", true},
    {"old without HANDSHAKE_23", BYTES("\0\x0an\0\x05\x02\xdf\x7f\xbdx@y"), HS_FAIL_FLAGS,
     "HANDSHAKE_23", true},
    {"old cut short", BYTES("\0\x03n\0\x05"), HS_FAIL_PROTOCOL, "wrong shape", false},
};

static void refuses_bad_initiators(void **state)
{
    struct handshake_options o = options(*state, "us@h", "secret");

    for (size_t i = 0; i < COUNT(bad_initiators); i++) {
        static const clu_slice not_allowed_frame = BYTES("\0\x0csnot_allowed");
        struct handshake hs;

        handshake_accept(&hs, &o);
        handshake_feed(&hs, bad_initiators[i].in.data, bad_initiators[i].in.len);
        expect_failure(bad_initiators[i].name, &hs, bad_initiators[i].failure,
                       bad_initiators[i].words);
        if (bad_initiators[i].told)
            assert_true(slice_equal(handshake_pending(&hs), not_allowed_frame));
        else
            assert_int_equal(handshake_pending(&hs).len, 0);
    }
}

static void takes_good_initiators(void **state)
{
    static const struct {
        const char *name;
        clu_slice in;
        const char *peer;
        uint64_t flags;
    } rows[] = {
        {"plain", BYTES("\0\x12" NAME_HEAD "\0\x03x@y"), "x@y", UINT64_C(0xd07df7fbd)},
        {"bytes behind the name", BYTES("\0\x15" NAME_HEAD "\0\x03x@y???"), "x@y",
         UINT64_C(0xd07df7fbd)},
        {"255 bytes", BYTES("\x01\x0e" NAME_HEAD "\0\xff" NAME_255), NAME_255,
         UINT64_C(0xd07df7fbd)},
        {"one bit for many", BYTES("\0\x12N\0\0\0\0\x04\0\0\0\0\0\0\x05\0\x03x@y"), "x@y",
         DFLAG_MANDATORY_25_DIGEST | DFLAGS_MANDATORY_25},
        {"no name yet", BYTES("\0\x10N\0\0\0\x0f\x07\xdf\x7f\xbd\0\0\0\0\0\x01h"), "h",
         UINT64_C(0xf07df7fbd)},
        {"old", BYTES("\0\x0an\0\x05\x07\xdf\x7f\xbdx@y"), "x@y", UINT64_C(0x7df7fbd)},
        {"old, another version", BYTES("\0\x0an\x06\x05\x07\xdf\x7f\xbdx@y"), "x@y",
         UINT64_C(0x7df7fbd)},
    };
    struct handshake_options o = options(*state, "us@h", "secret");

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct handshake hs;

        handshake_accept(&hs, &o);
        assert_int_equal(handshake_feed(&hs, rows[i].in.data, rows[i].in.len), rows[i].in.len);
        if (hs.state != HS_DECIDE || strcmp(hs.peer, rows[i].peer) != 0 ||
            hs.peer_flags != rows[i].flags)
            fail_msg("%s: state %d, peer '%s', flags %llx: %s", rows[i].name, (int)hs.state,
                     hs.peer, (unsigned long long)hs.peer_flags, hs.reason);
        assert_int_equal(handshake_feed(&hs, rows[i].in.data, 1), 0); /* waits for the decision */
    }
}

/* An acceptor that said ok to an old opening. */
static void open_old(struct handshake *hs, const struct handshake_options *o)
{
    static const clu_slice name = BYTES("\0\x0an\0\x05\x07\xdf\x7f\xbdx@y");

    handshake_accept(hs, o);
    handshake_feed(hs, name.data, name.len);
    handshake_answer(hs, HS_STATUS_OK, o->cookie, NULL, 0);
    handshake_sent(hs, handshake_pending(hs).len);
}

static void the_old_opening_is_completed(void **state)
{
    static const clu_slice complement = BYTES("\0\x09"
                                              "c\0\0\0\x0d\x01\x02\x03\x04");
    struct handshake_options o = options(*state, "us@h", "secret");
    struct handshake hs;
    char decimal[12];
    uint8_t reply[23] = "\0\x15r\0\0\0\x01";

    open_old(&hs, &o);
    assert_int_equal(hs.state, HS_RECV_COMPLEMENT);
    handshake_feed(&hs, complement.data, complement.len);
    assert_int_equal(hs.state, HS_RECV_REPLY);
    assert_int_equal(hs.peer_creation, 0x01020304);
    assert_true(hs.peer_flags == UINT64_C(0xd07df7fbd));

    snprintf(decimal, sizeof decimal, "%lu", (unsigned long)hs.challenge);
    clu_slice parts[] = {slice_of("secret"), slice_of(decimal)};

    assert_int_equal(crypto_md5(*state, parts, COUNT(parts), reply + 7), CLU_OK);
    handshake_feed(&hs, reply, sizeof reply);
    assert_int_equal(hs.state, HS_DONE);
    assert_int_equal(handshake_pending(&hs).len, 19);
}

static void the_old_opening_needs_its_complement(void **state)
{
    static const clu_slice cut = BYTES("\0\x05"
                                       "c\0\0\0\x0d"),
                           skipped = BYTES("\0\x01r");
    struct handshake_options o = options(*state, "us@h", "secret");
    struct handshake hs;

    open_old(&hs, &o);
    handshake_feed(&hs, cut.data, cut.len);
    expect_failure("cut short", &hs, HS_FAIL_PROTOCOL, "wrong shape");
    open_old(&hs, &o);
    handshake_feed(&hs, skipped.data, skipped.len);
    expect_failure("skipped", &hs, HS_FAIL_PROTOCOL, "the complement");
}

static void bad_answers_to_alive(void **state)
{
    static const clu_slice name = BYTES("\0\x12" NAME_HEAD "\0\x03x@y"),
                           maybe = BYTES("\0\x06smaybe");
    struct handshake_options o = options(*state, "us@h", "secret");
    struct handshake hs;

    handshake_accept(&hs, &o);
    handshake_feed(&hs, name.data, name.len);
    handshake_answer(&hs, HS_STATUS_ALIVE, o.cookie, NULL, 0);
    handshake_feed(&hs, maybe.data, maybe.len);
    expect_failure("maybe", &hs, HS_FAIL_PROTOCOL, "wrong shape");
}

/* ---- the peer closes, or is silent, in every state ---- */

static const struct {
    enum hs_state state;
    bool initiator;
    enum hs_status status; /* the acceptor's answer, when the bytes go so far */
    clu_slice in;
    enum hs_failure closed;
    const char *closed_words, *expired_words;
} stalls[] = {
    {HS_RECV_NAME, false, HS_STATUS_OK, BYTES("\0"), HS_FAIL_CLOSED, "before it said its name",
     "its name"},
    {HS_RECV_ALIVE, false, HS_STATUS_ALIVE, BYTES("\0\x12" NAME_HEAD "\0\x03x@y"), HS_FAIL_CLOSED,
     "an older link", "insists"},
    {HS_RECV_REPLY, false, HS_STATUS_OK, BYTES("\0\x12" NAME_HEAD "\0\x03x@y"), HS_FAIL_CLOSED,
     "our challenge", "its digest"},
    {HS_RECV_COMPLEMENT, false, HS_STATUS_OK, BYTES("\0\x0an\0\x05\x07\xdf\x7f\xbdx@y"),
     HS_FAIL_CLOSED, "our challenge", "complement"},
    {HS_RECV_STATUS, true, HS_STATUS_OK, BYTES("\0"), HS_FAIL_CLOSED, "without a status",
     "the status"},
    {HS_CONFIRM_ALIVE, true, HS_STATUS_OK, BYTES("\0\x06salive"), HS_FAIL_CLOSED,
     "before we insisted", "our own decision"},
    {HS_RECV_CHALLENGE, true, HS_STATUS_OK, BYTES(STATUS_OK), HS_FAIL_CLOSED,
     "before its challenge", "its challenge"},
    {HS_RECV_ACK, true, HS_STATUS_OK, BYTES(STATUS_OK CHALLENGE), HS_FAIL_COOKIE,
     "its cookie differs", "answer to our digest"},
};

static void stall(struct handshake *hs, const struct handshake_options *o, size_t row)
{
    if (stalls[row].initiator)
        handshake_dial(hs, o, "a@127.0.0.1");
    else
        handshake_accept(hs, o);
    handshake_feed(hs, stalls[row].in.data, stalls[row].in.len);
    if (hs->state == HS_DECIDE)
        handshake_answer(hs, stalls[row].status, o->cookie, NULL, 0);
    assert_int_equal(hs->state, stalls[row].state);
    assert_int_equal(hs->deadline_ms, 8000);
}

static void every_stall_has_its_words(void **state)
{
    struct handshake_options o = options(*state, "us@h", "secret");
    struct handshake hs;

    for (size_t i = 0; i < COUNT(stalls); i++) {
        stall(&hs, &o, i);
        handshake_closed(&hs);
        expect_failure(stalls[i].closed_words, &hs, stalls[i].closed, stalls[i].closed_words);
        stall(&hs, &o, i);
        handshake_expired(&hs);
        expect_failure(stalls[i].expired_words, &hs, HS_FAIL_TIMEOUT, stalls[i].expired_words);
        handshake_closed(&hs); /* the first failure stays */
        expect_failure(stalls[i].expired_words, &hs, HS_FAIL_TIMEOUT, stalls[i].expired_words);
    }
}

static void decisions_out_of_turn_do_nothing(void **state)
{
    struct handshake_options o = options(*state, "us@h", "secret");
    struct handshake hs;

    handshake_accept(&hs, &o);
    handshake_answer(&hs, HS_STATUS_OK, o.cookie, NULL, 0);
    handshake_confirm(&hs, true);
    handshake_use_cookie(&hs, o.cookie);
    assert_int_equal(hs.state, HS_RECV_NAME);
    assert_int_equal(handshake_pending(&hs).len, 0);
}

static void flags_have_names(void **state)
{
    char text[64], small[10];

    (void)state;
    assert_string_equal(dflags_text(0, text, sizeof text), "");
    assert_string_equal(
        dflags_text(DFLAG_PUBLISHED | DFLAG_V4_NC | UINT64_C(1) << 63, text, sizeof text),
        "PUBLISHED V4_NC 0x8000000000000000");
    assert_string_equal(dflags_text(DFLAG_PUBLISHED | DFLAG_V4_NC, small, sizeof small),
                        "PUBLISHED");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_come_up),
        cmocka_unit_test(lengths_of_four_bytes_over_tls),
        cmocka_unit_test(one_hidden_side_hides_the_link),
        cmocka_unit_test(a_name_can_be_learnt),
        cmocka_unit_test(simultaneous_and_ours_goes_on),
        cmocka_unit_test(simultaneous_and_theirs_goes_on),
        cmocka_unit_test(alive_and_insisted),
        cmocka_unit_test(alive_and_not_insisted),
        cmocka_unit_test(not_allowed),
        cmocka_unit_test(a_name_is_given),
        cmocka_unit_test(another_name_is_there),
        cmocka_unit_test(the_cookie_before_is_taken),
        cmocka_unit_test(cookies_differ),
        cmocka_unit_test(reply_to_a_recorded_challenge),
        cmocka_unit_test(a_recorded_dynamic_name),
        cmocka_unit_test(refuses_bad_acceptors),
        cmocka_unit_test(refuses_to_stay_nameless),
        cmocka_unit_test(refuses_bad_initiators),
        cmocka_unit_test(takes_good_initiators),
        cmocka_unit_test(the_old_opening_is_completed),
        cmocka_unit_test(the_old_opening_needs_its_complement),
        cmocka_unit_test(bad_answers_to_alive),
        cmocka_unit_test(every_stall_has_its_words),
        cmocka_unit_test(decisions_out_of_turn_do_nothing),
        cmocka_unit_test(flags_have_names),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
