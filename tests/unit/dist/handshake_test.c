/* SPDX-License-Identifier: Apache-2.0 */
#include "handshaking.h"

/* Two machines talk to each other. */

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
        cmocka_unit_test(flags_have_names),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
