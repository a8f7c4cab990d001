/* SPDX-License-Identifier: Apache-2.0 */
#include "handshaking.h"

/* The peer closes, or is silent, in every state. */

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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stall_has_its_words),
        cmocka_unit_test(decisions_out_of_turn_do_nothing),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
