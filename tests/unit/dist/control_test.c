/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dump.h"

#define TEXT(text)                                                                                 \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

static const clu_pid peer = {.node = TEXT("p@h"), .id = 1, .serial = 2, .creation = 3};
static const clu_pid us = {.node = TEXT("us@h"), .id = 4, .creation = 5};
static const clu_ref ref = {.node = TEXT("p@h"), .creation = 3, .n = 3, .words = {6, 7, 8}};

/* What PAYLOAD reads as: the atom hi. */
#define HI "77026869"

/* Writes the term that a letter stands for. */
static void put(clu_writer *w, char letter)
{
    static const uint8_t big[] = {0, 0, 0, 0, 0, 0, 0, 0, 1};

    switch (letter) {
    case 'p': clu_put_pid(w, &peer); break;
    case 'u': clu_put_pid(w, &us); break;
    case 'r': clu_put_ref(w, &ref); break;
    case 'n': clu_put_atom_text(w, "name"); break;
    case 'x': clu_put_atom_text(w, "x"); break;
    case 'y': clu_put_atom_text(w, "y"); break;
    case '_': clu_put_atom_text(w, ""); break;
    case '-': clu_put_int(w, -1); break;
    case 'B': clu_put_big(w, (clu_slice){big, sizeof big}, false); break; /* 2^64 */
    case 'U': clu_put_uint(w, UINT64_MAX); break;
    case 'S': clu_put_string(w, slice_of("abc")); break;
    default: clu_put_int(w, letter - '0'); break; /* a digit, and what follows it in ASCII */
    }
}

/* Parses {op, fields...}; the text of what came out, or the reason why not. */
static const char *parse(struct buf *out, const clu_writer *ctl, const clu_writer *payload)
{
    struct control c;
    const char *what = NULL;

    buf_reset(out);
    if (control_parse(&c, (clu_slice){ctl->data, ctl->len},
                      (clu_slice){payload->data, payload->len}, NULL, &what) == CLU_OK)
        dump_control(out, &c);
    else
        buf_put_text(out, what);
    return buf_text(out);
}

static const struct {
    uint8_t op;
    const char *fields; /* letters of put() */
    bool payload;
    const char *want;
} rows[] = {
    {1, "pu", false, "LINK from=p@h.1.2.3 to=us@h.4.0.5"},
    {2, "_u", true, "SEND to=us@h.4.0.5 payload=" HI},
    {3, "pux", false, "EXIT from=p@h.1.2.3 to=us@h.4.0.5 reason=770178"},
    {6, "p_n", true, "REG_SEND from=p@h.1.2.3 to='name' payload=" HI},
    {7, "pu", false, "GROUP_LEADER from=p@h.1.2.3 to=us@h.4.0.5"},
    {8, "pux", false, "EXIT2 from=p@h.1.2.3 to=us@h.4.0.5 reason=770178"},
    {12, "_ux", true, "SEND_TT to=us@h.4.0.5 token=770178 payload=" HI},
    {13, "puxy", false, "EXIT_TT from=p@h.1.2.3 to=us@h.4.0.5 reason=770179 token=770178"},
    {16, "p_nx", true, "REG_SEND_TT from=p@h.1.2.3 to='name' token=770178 payload=" HI},
    {18, "puxy", false, "EXIT2_TT from=p@h.1.2.3 to=us@h.4.0.5 reason=770179 token=770178"},
    {19, "pnr", false, "MONITOR_P from=p@h.1.2.3 to='name' ref=p@h.3.6.7.8"},
    {19, "pur", false, "MONITOR_P from=p@h.1.2.3 to=us@h.4.0.5 ref=p@h.3.6.7.8"},
    {20, "pnr", false, "DEMONITOR_P from=p@h.1.2.3 to='name' ref=p@h.3.6.7.8"},
    {21, "purx", false,
     "MONITOR_P_EXIT from=p@h.1.2.3 to=us@h.4.0.5 ref=p@h.3.6.7.8 reason=770178"},
    {21, "nurx", false, "MONITOR_P_EXIT to=us@h.4.0.5 from='name' ref=p@h.3.6.7.8 reason=770178"},
    {22, "pu", true, "SEND_SENDER from=p@h.1.2.3 to=us@h.4.0.5 payload=" HI},
    {23, "pux", true, "SEND_SENDER_TT from=p@h.1.2.3 to=us@h.4.0.5 token=770178 payload=" HI},
    {24, "pu", true, "PAYLOAD_EXIT from=p@h.1.2.3 to=us@h.4.0.5 payload=" HI},
    {25, "pux", true, "PAYLOAD_EXIT_TT from=p@h.1.2.3 to=us@h.4.0.5 token=770178 payload=" HI},
    {26, "pu", true, "PAYLOAD_EXIT2 from=p@h.1.2.3 to=us@h.4.0.5 payload=" HI},
    {27, "pux", true, "PAYLOAD_EXIT2_TT from=p@h.1.2.3 to=us@h.4.0.5 token=770178 payload=" HI},
    {28, "nur", true,
     "PAYLOAD_MONITOR_P_EXIT to=us@h.4.0.5 from='name' ref=p@h.3.6.7.8 payload=" HI},
    {29, "rpuxy", true,
     "SPAWN_REQUEST from=p@h.1.2.3 to=us@h.4.0.5 ref=p@h.3.6.7.8 raw=770178770179 payload=" HI},
    {30, "rpuxyn", true,
     "SPAWN_REQUEST_TT from=p@h.1.2.3 to=us@h.4.0.5 ref=p@h.3.6.7.8 token=77046e616d65 "
     "raw=770178770179 payload=" HI},
    {31, "ru2p", false, "SPAWN_REPLY from=p@h.1.2.3 to=us@h.4.0.5 ref=p@h.3.6.7.8 flags=2"},
    {31, "ru0n", false, "SPAWN_REPLY to=us@h.4.0.5 from='name' ref=p@h.3.6.7.8"},
    {32, "ru1px", false,
     "SPAWN_REPLY_TT from=p@h.1.2.3 to=us@h.4.0.5 ref=p@h.3.6.7.8 flags=1 token=770178"},
    {33, "pr", true, "ALIAS_SEND from=p@h.1.2.3 ref=p@h.3.6.7.8 payload=" HI},
    {34, "prx", true, "ALIAS_SEND_TT from=p@h.1.2.3 ref=p@h.3.6.7.8 token=770178 payload=" HI},
    {35, "9pu", false, "UNLINK_ID from=p@h.1.2.3 to=us@h.4.0.5 id=9"},
    {35, "Upu", false, "UNLINK_ID from=p@h.1.2.3 to=us@h.4.0.5 id=18446744073709551615"},
    {36, "9pu", false, "UNLINK_ID_ACK from=p@h.1.2.3 to=us@h.4.0.5 id=9"},
    {37, "0pu", true, "ALTACT_SIG_SEND from=p@h.1.2.3 to=us@h.4.0.5 payload=" HI},
    {37, "4pr", true, "ALTACT_SIG_SEND from=p@h.1.2.3 ref=p@h.3.6.7.8 flags=4 payload=" HI},
    {37, "8pn", true, "ALTACT_SIG_SEND from=p@h.1.2.3 to='name' flags=8 payload=" HI},
    {37, "2pux", true, "ALTACT_SIG_SEND from=p@h.1.2.3 to=us@h.4.0.5 flags=2 payload=" HI},
    {37, "Bpuxyx", true, "ALTACT_SIG_SEND from=p@h.1.2.3 to=us@h.4.0.5 payload=" HI},
    /* what cuts a BEAM's link */
    {0, "", false, "the peer sent a control message of an unknown kind"},
    {9, "pu", false, "the peer sent a control message of an unknown kind"},
    {38, "pu", false, "the peer sent a control message of an unknown kind"},
    {99, "", false, "the peer sent a control message of an unknown kind"},
    {4, "pu", false, "the peer sent an obsolete control message (UNLINK or NODE_LINK)"},
    {5, "", false, "the peer sent an obsolete control message (UNLINK or NODE_LINK)"},
    {1, "p", false, "the peer sent a control message with a wrong number of fields"},
    {37, "0p", true, "the peer sent a control message with a wrong number of fields"},
    {2, "_u", false, "the peer sent a control message without its payload"},
    {6, "p_n", false, "the peer sent a control message without its payload"},
    {37, "0pu", false, "the peer sent a control message without its payload"},
    {35, "0pu", false, "the peer sent a control message with a field of a wrong type"},
    {35, "-pu", false, "the peer sent a control message with a field of a wrong type"},
    {35, "Bpu", false, "the peer sent a control message with a field of a wrong type"},
    {1, "nu", false, "the peer sent a control message with a field of a wrong type"},
    {1, "pn", false, "the peer sent a control message with a field of a wrong type"},
    {6, "p_u", true, "the peer sent a control message with a field of a wrong type"},
    {6, "p_S", true, "the peer sent a control message with a field of a wrong type"},
    {19, "psr", false, "the peer sent a control message with a field of a wrong type"},
    {19, "pnp", false, "the peer sent a control message with a field of a wrong type"},
    {31, "runp", false, "the peer sent a control message with a field of a wrong type"},
    {37, "4pu", true, "the peer sent a control message with a field of a wrong type"},
    {37, "8pu", true, "the peer sent a control message with a field of a wrong type"},
};

static void put_row(clu_writer *ctl, size_t row)
{
    clu_put_tuple(ctl, 1 + strlen(rows[row].fields));
    clu_put_int(ctl, rows[row].op);
    for (const char *letter = rows[row].fields; *letter != '\0'; letter++)
        put(ctl, *letter);
}

static void every_message_is_read(void **state)
{
    struct buf out = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        clu_writer ctl, payload;

        clu_writer_init(&ctl);
        clu_writer_init(&payload);
        put_row(&ctl, i);
        if (rows[i].payload)
            clu_put_atom_text(&payload, "hi");
        if (strcmp(parse(&out, &ctl, &payload), rows[i].want) != 0)
            fail_msg("{%u, %s}: %s", rows[i].op, rows[i].fields, buf_text(&out));
        clu_writer_free(&ctl);
        clu_writer_free(&payload);
    }
    buf_free(&out);
}

/* A payload that does not belong there is passed over, as a BEAM does. */
static void a_payload_too_many_is_ignored(void **state)
{
    struct buf out = {0};
    clu_writer ctl, payload;

    (void)state;
    clu_writer_init(&ctl);
    clu_writer_init(&payload);
    put_row(&ctl, 0);
    clu_put_nil(&payload);
    assert_string_equal(parse(&out, &ctl, &payload), rows[0].want);
    clu_writer_free(&ctl);
    clu_writer_free(&payload);
    buf_free(&out);
}

/* Every cut of every good message fails, whoever checked it before. */
static void cut_messages_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        clu_writer ctl;
        struct control c;
        const char *what;

        if (rows[i].want[0] == 't') /* an error */
            continue;
        clu_writer_init(&ctl);
        put_row(&ctl, i);
        for (size_t len = 0; len < ctl.len; len++) {
            clu_slice cut = {ctl.data, len};

            /* of the last elements of a tuple that may grow, nothing is read */
            if (strchr(rows[i].fields, 'x') == NULL || rows[i].op != 37)
                assert_int_equal(control_parse(&c, cut, cut, NULL, &what), CLU_EPROTO);
        }
        clu_writer_free(&ctl);
    }
}

static void only_tuples_with_a_number_first(void **state)
{
    static const clu_slice bad[] = {TEXT("j"), TEXT("h\0"), TEXT("h\1w\1x"), TEXT("a\1")};
    struct control c;
    const char *what = "";

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(control_parse(&c, bad[i], (clu_slice){NULL, 0}, NULL, &what), CLU_EPROTO);
        assert_string_equal(what,
                            "the peer sent a control message that is no tuple with a number first");
    }
}

/* ---- what we write reads as it should ---- */

static const clu_slice name = TEXT("name");

static void write_reg_send(clu_writer *w)
{
    control_put_reg_send(w, &us, "rex");
}

static void write_send(clu_writer *w)
{
    control_put_send(w, &peer);
}

static void write_exit(clu_writer *w)
{
    control_put_exit(w, &us, &peer, "x");
}

static void write_payload_exit(clu_writer *w)
{
    control_put_payload_exit(w, &us, &peer);
}

static void write_monitor_exit(clu_writer *w)
{
    control_put_monitor_exit(w, NULL, &name, &peer, &ref, "x");
}

static void write_monitor_exit_of_pid(clu_writer *w)
{
    control_put_monitor_exit(w, &us, NULL, &peer, &ref, "x");
}

static void write_payload_monitor_exit(clu_writer *w)
{
    control_put_payload_monitor_exit(w, &us, NULL, &peer, &ref);
}

static void write_monitor(clu_writer *w)
{
    control_put_monitor(w, &us, "net_kernel", &ref);
}

static void write_demonitor(clu_writer *w)
{
    control_put_demonitor(w, &us, "net_kernel", &ref);
}

static void write_unlink_ack(clu_writer *w)
{
    control_put_unlink_ack(w, UINT64_MAX, &us, &peer);
}

static void write_alias_send(clu_writer *w)
{
    control_put_alias_send(w, &us, &ref);
}

static void write_spawn_error(clu_writer *w)
{
    control_put_spawn_error(w, &ref, &peer, "notsup");
}

static void what_is_written_is_read(void **state)
{
    static const struct {
        void (*write)(clu_writer *w);
        const char *want;
    } writers[] = {
        {write_reg_send, "REG_SEND from=us@h.4.0.5 to='rex' payload=" HI},
        {write_send, "SEND to=p@h.1.2.3 payload=" HI},
        {write_exit, "EXIT from=us@h.4.0.5 to=p@h.1.2.3 reason=770178"},
        {write_payload_exit, "PAYLOAD_EXIT from=us@h.4.0.5 to=p@h.1.2.3 payload=" HI},
        {write_monitor_exit,
         "MONITOR_P_EXIT to=p@h.1.2.3 from='name' ref=p@h.3.6.7.8 reason=770178"},
        {write_monitor_exit_of_pid,
         "MONITOR_P_EXIT from=us@h.4.0.5 to=p@h.1.2.3 ref=p@h.3.6.7.8 reason=770178"},
        {write_payload_monitor_exit,
         "PAYLOAD_MONITOR_P_EXIT from=us@h.4.0.5 to=p@h.1.2.3 ref=p@h.3.6.7.8 payload=" HI},
        {write_monitor, "MONITOR_P from=us@h.4.0.5 to='net_kernel' ref=p@h.3.6.7.8"},
        {write_demonitor, "DEMONITOR_P from=us@h.4.0.5 to='net_kernel' ref=p@h.3.6.7.8"},
        {write_unlink_ack, "UNLINK_ID_ACK from=us@h.4.0.5 to=p@h.1.2.3 id=18446744073709551615"},
        {write_alias_send, "ALIAS_SEND from=us@h.4.0.5 ref=p@h.3.6.7.8 payload=" HI},
        {write_spawn_error, "SPAWN_REPLY to=p@h.1.2.3 from='notsup' ref=p@h.3.6.7.8"},
    };
    struct buf out = {0};
    clu_writer payload;

    (void)state;
    clu_writer_init(&payload);
    clu_put_atom_text(&payload, "hi");
    for (size_t i = 0; i < COUNT(writers); i++) {
        clu_writer w;
        size_t used = 0;

        clu_writer_init(&w);
        writers[i].write(&w);
        assert_int_equal(w.err, CLU_OK);
        assert_int_equal(clu_check(w.data, w.len, NULL, &used), CLU_OK);
        assert_int_equal(used, w.len);
        assert_string_equal(parse(&out, &w, &payload), writers[i].want);
        clu_writer_free(&w);
    }
    clu_writer_free(&payload);
    buf_free(&out);
}

/* The bytes that a BEAM took as an answer to a monitor of a name. */
static void a_known_vector(void **state)
{
    static const uint8_t want[] = "h\x05"
                                  "a\x15"
                                  "w\x04name"
                                  "Xw\x03p@h\0\0\0\1\0\0\0\2\0\0\0\3"
                                  "Z\0\3w\x03p@h\0\0\0\3\0\0\0\6\0\0\0\7\0\0\0\x08"
                                  "w\x06noproc";
    clu_writer w;

    (void)state;
    clu_writer_init(&w);
    control_put_monitor_exit(&w, NULL, &name, &peer, &ref, "noproc");
    assert_int_equal(w.len, sizeof want - 1);
    assert_memory_equal(w.data, want, w.len);
    clu_writer_free(&w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_is_read),
        cmocka_unit_test(a_payload_too_many_is_ignored),
        cmocka_unit_test(cut_messages_fail),
        cmocka_unit_test(only_tuples_with_a_number_first),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_known_vector),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
