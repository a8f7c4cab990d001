/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "handshaking.h"

/* As acceptor, with made-up peers. */

#define NAME_50  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME_255 NAME_50 NAME_50 NAME_50 NAME_50 NAME_50 "@1234"

static const struct {
    const char *name;
    clu_slice in;
    enum hs_failure failure;
    const char *words;
    bool told; /* "not_allowed" is pending */
} bad_initiators[] = {
    {"TLS", BYTES("\x16\x03\x01\x02"), HS_FAIL_PROTOCOL,
     "-proto_dist inet_tls, which erlclu does not speak", false},
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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bad_initiators),
        cmocka_unit_test(takes_good_initiators),
        cmocka_unit_test(the_old_opening_is_completed),
        cmocka_unit_test(the_old_opening_needs_its_complement),
        cmocka_unit_test(bad_answers_to_alive),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
