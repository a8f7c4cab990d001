/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bytes.h"
#include "dist/epmd.h"

static const struct epmd_entry self = {"foo", 4711, EPMD_TYPE_VISIBLE, 0, 0};

static void ask(struct epmd_client *c, enum epmd_question question)
{
    if (question == EPMD_ASK_ALIVE2)
        epmd_ask_alive2(c, &self);
    else if (question == EPMD_ASK_PORT)
        epmd_ask_port(c, "foo");
    else
        epmd_ask_names(c);
}

static void asks(void **state)
{
    static const struct {
        enum epmd_question question;
        clu_slice bytes;
    } rows[] = {
        {EPMD_ASK_ALIVE2, BYTES("\0\x10x\x12\x67M\0\0\x06\0\x05\0\x03"
                                "foo\0\0")},
        {EPMD_ASK_PORT, BYTES("\0\x04zfoo")},
        {EPMD_ASK_NAMES, BYTES("\0\x01n")},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct epmd_client c;
        size_t at = 0;

        ask(&c, rows[i].question);
        while (epmd_client_pending(&c).len > 0) { /* a byte at a time */
            assert_int_equal(epmd_client_pending(&c).data[0], rows[i].bytes.data[at++]);
            epmd_client_sent(&c, 1);
        }
        assert_int_equal(at, rows[i].bytes.len);
        assert_int_equal(c.err, CLU_OK);
        epmd_client_fini(&c);
    }
}

static void versions_can_be_given(void **state)
{
    static const clu_slice want = BYTES("\0\x10x\0\x01H\0\0\x05\0\x05\0\x03"
                                        "old\0\0");
    static const struct epmd_entry old = {"old", 1, EPMD_TYPE_HIDDEN, 5, 5};
    struct epmd_client c;

    (void)state;
    epmd_ask_alive2(&c, &old);
    assert_true(slice_equal(epmd_client_pending(&c), want));
    epmd_client_fini(&c);
}

#define NAME_50  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME_255 NAME_50 NAME_50 NAME_50 NAME_50 NAME_50 "12345"

/* Replies, split at every byte, then the end of the connection. */
static const struct {
    const char *name;
    enum epmd_question question;
    clu_slice reply;
    clu_error err;
    bool done, found;
    uint32_t number; /* creation of ALIVE2, port of PORT, epmd's port of NAMES */
} rows[] = {
    {"accepted, 32 bits", EPMD_ASK_ALIVE2, BYTES("v\0\x01\x02\x03\x04"), CLU_OK, true, true,
     0x01020304},
    {"accepted, 16 bits", EPMD_ASK_ALIVE2, BYTES("y\0\0\x02"), CLU_OK, true, true, 0},
    {"refused, 32 bits", EPMD_ASK_ALIVE2, BYTES("v\1\0\0\0\x63"), CLU_OK, true, false, 0},
    {"refused, 16 bits", EPMD_ASK_ALIVE2, BYTES("y\1\0\x63"), CLU_OK, true, false, 0},
    {"cut short", EPMD_ASK_ALIVE2, BYTES("v\0\x01\x02\x03"), CLU_ECLOSED, false, false, 0},
    {"16 bits cut short", EPMD_ASK_ALIVE2, BYTES("y\0\x01"), CLU_ECLOSED, false, false, 0},
    {"not an epmd", EPMD_ASK_ALIVE2, BYTES("HTTP/1.1 400"), CLU_EPROTO, false, false, 0},
    {"no reply", EPMD_ASK_ALIVE2, BYTES(""), CLU_ECLOSED, false, false, 0},
    {"found", EPMD_ASK_PORT,
     BYTES("w\0\x12\x67M\0\0\x06\0\x05\0\x03"
           "foo\0\0"),
     CLU_OK, true, true, 4711},
    {"found, extra data not awaited", EPMD_ASK_PORT,
     BYTES("w\0\x12\x67M\0\0\x06\0\x05\0\x03"
           "foo"),
     CLU_OK, true, true, 4711},
    {"found, name of 255 bytes", EPMD_ASK_PORT, BYTES("w\0\x12\x67M\0\0\x06\0\x05\0\xff" NAME_255),
     CLU_OK, true, true, 4711},
    {"found, name of 256 bytes", EPMD_ASK_PORT,
     BYTES("w\0\x12\x67M\0\0\x06\0\x05\x01\0" NAME_255 "x"), CLU_EPROTO, false, false, 0},
    {"unknown", EPMD_ASK_PORT, BYTES("w\1"), CLU_OK, true, false, 0},
    {"tag alone", EPMD_ASK_PORT, BYTES("w"), CLU_ECLOSED, false, false, 0},
    {"port cut short", EPMD_ASK_PORT, BYTES("w\0\x12\x67M\0\0\x06\0\x05\0"), CLU_ECLOSED, false,
     false, 0},
    {"name cut short", EPMD_ASK_PORT,
     BYTES("w\0\x12\x67M\0\0\x06\0\x05\0\x03"
           "fo"),
     CLU_ECLOSED, false, false, 0},
    {"not an epmd", EPMD_ASK_PORT, BYTES("v\0\0\0\0\0"), CLU_EPROTO, false, false, 0},
    {"names", EPMD_ASK_NAMES, BYTES("\0\0\x11\x11name foo at port 4711\n"), CLU_OK, true, true,
     4369},
    {"no names", EPMD_ASK_NAMES, BYTES("\0\0\x11\x11"), CLU_OK, true, true, 4369},
    {"another server's greeting for names", EPMD_ASK_NAMES, BYTES("SSH-2.0-OpenSSH_9.2\r\n"),
     CLU_EPROTO, false, false, 0},
    {"names cut short", EPMD_ASK_NAMES, BYTES("\0\0\x11"), CLU_ECLOSED, false, false, 0},
    {"names cut in a line", EPMD_ASK_NAMES, BYTES("\0\0\x11\x11name foo at po"), CLU_ECLOSED, false,
     false, 4369},
};

static uint32_t number_of(const struct epmd_client *c)
{
    if (c->question == EPMD_ASK_ALIVE2)
        return c->creation;
    return c->question == EPMD_ASK_PORT ? c->entry.port : c->epmd_port;
}

static void check_row(size_t i, size_t split)
{
    clu_slice reply = rows[i].reply;
    struct epmd_client c;

    ask(&c, rows[i].question);
    epmd_client_feed(&c, reply.data, split);
    epmd_client_feed(&c, reply.data + split, reply.len - split);
    epmd_client_closed(&c);
    if (c.err != rows[i].err || c.done != rows[i].done || c.found != rows[i].found)
        fail_msg("%s, split at %zu: %s", rows[i].name, split, clu_strerror(c.err));
    if ((c.err != CLU_OK) != (c.what != NULL) || number_of(&c) != rows[i].number)
        fail_msg("%s: what %s, number %u", rows[i].name, c.what, (unsigned)number_of(&c));
    epmd_client_feed(&c, reply.data, reply.len); /* nothing changes after the end */
    epmd_client_closed(&c);
    assert_int_equal(c.err, rows[i].err);
    epmd_client_fini(&c);
}

static void reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t split = 0; split <= rows[i].reply.len; split++)
            check_row(i, split);
}

/* The lines of NAMES: those that are not of the known form are passed over. */
static void reads_names(void **state)
{
    static const struct {
        const char *lines, *seen;
    } names[] = {
        {"name foo at port 4711\n", "foo:4711 "},
        {"name a at port 1\nname b at port 65535\n", "a:1 b:65535 "},
        {"name at port 5 at port 6\n", "at port 5:6 "},
        {"name a at port \nname b at port 65536\nname c at port 1x\n", ""},
        {"name d at port 99999999999999999999\nname e at port 7\n", "e:7 "},
        {"active name <a> at port 1\n\n\nname b at port 2\n", "b:2 "},
        {"name  at port 5\nname f at port", ""},
        {"name a at port 1\nname b at port 2", "a:1 "},
        {"name \xf0\x9f\x98\x88 at port 3\n", "\xf0\x9f\x98\x88:3 "},
        {"name " NAME_255 "6 at port 3\nname g at port 4\n", "g:4 "},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct epmd_client c;
        struct epmd_entry entry;
        struct buf seen = {0};
        size_t at = 0;

        epmd_ask_names(&c);
        epmd_client_feed(&c, (const uint8_t *)"\0\0\x11\x11", 4);
        epmd_client_feed(&c, (const uint8_t *)names[i].lines, strlen(names[i].lines));
        epmd_client_closed(&c);
        while (epmd_names_next(&c, &at, &entry))
            buf_printf(&seen, "%s:%u ", entry.name, (unsigned)entry.port);
        assert_string_equal(buf_text(&seen), names[i].seen);
        buf_free(&seen);
        epmd_client_fini(&c);
    }
}

static void an_endless_reply_ends(void **state)
{
    static uint8_t junk[1 << 16];
    struct epmd_client c;

    (void)state;
    epmd_ask_names(&c);
    for (size_t i = 0; i < 17; i++)
        epmd_client_feed(&c, junk, sizeof junk);
    assert_int_equal(c.err, CLU_ESIZE);
    assert_int_equal(c.in.len, EPMD_REPLY_MAX);
    epmd_client_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks),
        cmocka_unit_test(versions_can_be_given),
        cmocka_unit_test(reads),
        cmocka_unit_test(reads_names),
        cmocka_unit_test(an_endless_reply_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
