/* SPDX-License-Identifier: Apache-2.0 */
#include "handshaking.h"

/* As initiator, with recorded and made-up peers. */

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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reply_to_a_recorded_challenge),
        cmocka_unit_test(a_recorded_dynamic_name),
        cmocka_unit_test(refuses_bad_acceptors),
        cmocka_unit_test(refuses_to_stay_nameless),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
