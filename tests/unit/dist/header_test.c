/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "message.h"

/* Headers and the two atom caches. */

/* ---- reading ---- */

/* What a node of OTP 25 sent: four atoms, all new. */
#define PID_TAIL "\0\0\x00\x36\0\0\0\0\x6b\x02\xa5\xd5"
#define RECORDED                                                                                   \
    "\x83"                                                                                         \
    "D\x04\x8f\xdc\x00"                                                                            \
    "\x7b\x0b"                                                                                     \
    "a@127.0.0.1"                                                                                  \
    "\x05\x00"                                                                                     \
    "\x57\x03"                                                                                     \
    "rex"                                                                                          \
    "\x41\x10"                                                                                     \
    "features_request"                                                                             \
    "h\x04"                                                                                        \
    "a\x06XR\0" PID_TAIL "R\1R\2"                                                                  \
    "h\x02XR\0" PID_TAIL "R\3"
/* The same a second time: all four are in the cache. */
#define CACHED                                                                                     \
    "\x83"                                                                                         \
    "D\x04\x07\x54\x00"                                                                            \
    "\x7b\x05\x57\x41"                                                                             \
    "h\x04"                                                                                        \
    "a\x06XR\0" PID_TAIL "R\1R\2"                                                                  \
    "h\x02XR\0" PID_TAIL "R\3"

static const char recorded_text[] =
    "{6,<a@127.0.0.1.54.0>,'',rex} {<a@127.0.0.1.54.0>,features_request}\n";

/* All messages of a stream, a line each. */
static void read_all(struct channel *c, clu_slice stream, struct buf *seen)
{
    struct frame f;

    channel_feed(c, stream.data, stream.len, 0);
    while (channel_next(c, &f)) {
        print_term(seen, f.control, f.refs);
        if (f.payload.len > 0) {
            buf_put_byte(seen, ' ');
            print_term(seen, f.payload, f.refs);
        }
        buf_put_byte(seen, '\n');
    }
}

static void what_a_node_sent_is_read(void **state)
{
    static const clu_slice first = BYTES(RECORDED), then = BYTES(CACHED);
    struct buf stream = {0}, seen = {0};
    char want[512];
    struct channel c;

    (void)state;
    open_channel(&c, 0);
    put_frame(&stream, first);
    put_frame(&stream, then);
    read_all(&c, buf_slice(&stream), &seen);
    snprintf(want, sizeof want, "%s%s", recorded_text, recorded_text);
    assert_string_equal(buf_text(&seen), want);
    assert_int_equal(c.err, CLU_OK);
    channel_fini(&c);
    buf_free(&stream);
    buf_free(&seen);
}

/* An odd number of references has the long flag in the last half byte. */
static void odd_counts_are_read(void **state)
{
    static const clu_slice told = BYTES("\x83"
                                        "D\x03\x8f\x04\x7b\x01x\x05\x00\x5e"
                                        "h\x02R\2R\0"),
                           first = BYTES("\x83"
                                         "D\x03\xf8\x08\x7b\x01x\x05\x00\x5e\x03"
                                         "foo"
                                         "h\x02R\2R\0");
    struct buf stream = {0}, seen = {0};
    struct channel c;

    (void)state;
    open_channel(&c, 0);
    put_frame(&stream, first);
    read_all(&c, buf_slice(&stream), &seen);
    assert_string_equal(buf_text(&seen), "{foo,x}\n");
    buf_reset(&stream);
    put_frame(&stream, told); /* the third is not new in segment 4: nothing is there */
    read_all(&c, buf_slice(&stream), &seen);
    assert_int_equal(c.err, CLU_EPROTO);
    channel_fini(&c);
    buf_free(&stream);
    buf_free(&seen);
}

/* A new atom takes the place of the old one of its slot. */
static void slots_are_taken_over(void **state)
{
    static const char *const names[] = {"a", "a longer name than that was", "b", ""};
    struct buf stream = {0}, seen = {0};
    struct channel c;

    (void)state;
    open_channel(&c, 0);
    for (size_t i = 0; i < COUNT(names); i++) {
        struct buf f = {0};

        buf_put(&f,
                "\x83"
                "D\x01\x08\x07",
                5);
        buf_put_byte(&f, (uint8_t)strlen(names[i]));
        buf_put_text(&f, names[i]);
        buf_put(&f, "R\0", 2);
        put_frame(&stream, buf_slice(&f));
        buf_reset(&f);
        buf_put(&f,
                "\x83"
                "D\x01\x00\x07R\0",
                7);
        put_frame(&stream, buf_slice(&f));
        buf_free(&f);
    }
    read_all(&c, buf_slice(&stream), &seen);
    assert_string_equal(buf_text(&seen), "a\na\n'a longer name than that was'\n"
                                         "'a longer name than that was'\nb\nb\n''\n''\n");
    channel_fini(&c);
    buf_free(&stream);
    buf_free(&seen);
}

/* 255 characters of four bytes each: the long form. */
static void long_atoms_are_read(void **state)
{
    struct buf f = {0}, stream = {0}, seen = {0};
    struct channel c;
    struct frame frame;

    (void)state;
    open_channel(&c, 0);
    buf_put(&f,
            "\x83"
            "D\x01\x18\x07",
            5);
    buf_put_be16(&f, 1020);
    for (size_t i = 0; i < 255; i++)
        buf_put(&f, "\xf0\x9f\x98\x80", 4);
    buf_put(&f, "R\0", 2);
    put_frame(&stream, buf_slice(&f));
    channel_feed(&c, stream.data, stream.len, 0);
    assert_true(channel_next(&c, &frame));
    assert_int_equal(frame.refs->n, 1);
    assert_int_equal(frame.refs->atoms[0].len, 1020);
    channel_fini(&c);
    buf_free(&f);
    buf_free(&stream);
    buf_free(&seen);
}

#define HEAD                                                                                       \
    "\x83"                                                                                         \
    "D"

static const struct {
    const char *name;
    clu_slice in;
    uint64_t without; /* flags that were not agreed on */
    clu_error err;
    const char *words;
} bad[] = {
    {"no count", BYTES(HEAD), 0, CLU_EPROTO, "before its last atom"},
    {"no flags", BYTES(HEAD "\x01"), 0, CLU_EPROTO, "before its last atom"},
    {"flags cut short", BYTES(HEAD "\xff\x88\x88"), 0, CLU_EPROTO, "before its last atom"},
    {"no reference", BYTES(HEAD "\x01\x08"), 0, CLU_EPROTO, "before its last atom"},
    {"no length", BYTES(HEAD "\x01\x08\x07"), 0, CLU_EPROTO, "before its last atom"},
    {"text cut short",
     BYTES(HEAD "\x01\x08\x07\x05"
                "abcd"),
     0, CLU_EPROTO, "before its last atom"},
    {"count beyond the frame",
     BYTES(HEAD "\x02\x88\x00\x07\x01"
                "a"),
     0, CLU_EPROTO, "before its last atom"},
    {"long length cut short", BYTES(HEAD "\x01\x18\x07\x01"), 0, CLU_EPROTO,
     "before its last atom"},
    {"long flag over short lengths",
     BYTES(HEAD "\x01\x18\x07\x01"
                "aR\0"),
     0, CLU_EPROTO, "before its last atom"},
    {"empty place", BYTES(HEAD "\x01\x00\x07R\0"), 0, CLU_EPROTO, "empty place"},
    {"place named twice",
     BYTES(HEAD "\x02\x88\x00\x07\x01"
                "a\x07\x01"
                "bR\0"),
     0, CLU_EPROTO, "twice"},
    {"no UTF-8", BYTES(HEAD "\x01\x08\x07\x01\xe9R\0"), 0, CLU_EPROTO, "that is none"},
    {"reference beyond the header",
     BYTES(HEAD "\x01\x08\x07\x01"
                "aR\1"),
     0, CLU_EATOM, "malformed control"},
    {"reference without a header", BYTES(HEAD "\x00R\0"), 0, CLU_EATOM, "malformed control"},
    {"no control", BYTES(HEAD "\x00"), 0, CLU_ETRUNC, "malformed control"},
    {"version byte within", BYTES(HEAD "\x00\x83h\x00"), 0, CLU_ETAG, "malformed control"},
    {"bytes behind the payload", BYTES(HEAD "\x00h\x00h\x00z"), 0, CLU_EPROTO, "behind a message"},
    {"malformed payload", BYTES(HEAD "\x00h\x00h\x01"), 0, CLU_ETRUNC, "malformed message"},
    {"compressed payload", BYTES(HEAD "\x00h\x00P\0\0\0\0"), 0, CLU_ECOMPRESSED, "compressed"},
    {"no header where one was agreed on", BYTES("p\x83h\x00"), 0, CLU_EPROTO, "without the header"},
    {"unknown kind",
     BYTES("\x83"
           "C\0"),
     0, CLU_EPROTO, "unknown kind"},
    {"fragments without their flag",
     BYTES("\x83"
           "E\0"),
     DFLAG_FRAGMENTS, CLU_EPROTO, "not agreed on"},
};

static void bad_headers_end_the_channel(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct buf stream = {0};
        struct channel c;
        struct frame f;

        open_channel(&c, bad[i].without);
        put_frame(&stream, bad[i].in);
        channel_feed(&c, stream.data, stream.len, 0);
        if (channel_next(&c, &f) || c.err != bad[i].err || strstr(c.what, bad[i].words) == NULL)
            fail_msg("%s: %d, '%s'", bad[i].name, c.err, c.err == CLU_OK ? "" : c.what);
        channel_fini(&c);
        buf_free(&stream);
    }
}

/* An atom of more than 255 characters in the long form. */
static void too_long_an_atom_is_refused(void **state)
{
    struct buf f = {0}, stream = {0};
    struct channel c;
    struct frame frame;

    (void)state;
    open_channel(&c, 0);
    buf_put(&f,
            "\x83"
            "D\x01\x18\x07\x01\x00",
            7);
    for (size_t i = 0; i < 256; i++)
        buf_put_byte(&f, 'a');
    buf_put(&f, "R\0", 2);
    put_frame(&stream, buf_slice(&f));
    channel_feed(&c, stream.data, stream.len, 0);
    assert_false(channel_next(&c, &frame));
    assert_int_equal(c.err, CLU_EPROTO);
    channel_fini(&c);
    buf_free(&f);
    buf_free(&stream);
}

/* ---- writing ---- */

static void atoms_are_told_once(void **state)
{
    struct buf out = {0}, seen = {0};
    struct channel c, peer;

    (void)state;
    open_channel(&c, 0);
    open_channel(&peer, 0);
    assert_int_equal(put_atoms(&c, 0, 2, 3, 'x'), CLU_OK);
    take_all(&c, &out, 0);
    size_t first = out.len;

    assert_int_equal(put_atoms(&c, 0, 2, 3, 'x'), CLU_OK);
    take_all(&c, &out, 0);
    /* neither text of 3 and 16 bytes nor their lengths */
    assert_int_equal(out.len - first, first - 21);
    read_all(&peer, buf_slice(&out), &seen);
    assert_string_equal(buf_text(&seen), "{2,rex} {features_request,<<\"xxx\">>}\n"
                                         "{2,rex} {features_request,<<\"xxx\">>}\n");
    channel_fini(&c);
    channel_fini(&peer);
    buf_free(&out);
    buf_free(&seen);
}

static void the_bytes_of_a_header(void **state)
{
    static const clu_slice plain = BYTES("\0\0\0\x05\x83"
                                         "D\0h\0");
    struct buf out = {0};
    struct channel c;
    clu_writer w;

    (void)state;
    open_channel(&c, DFLAG_DIST_HDR_ATOM_CACHE); /* fragments alone: headers without atoms */
    channel_begin(&c, &w, 0);
    clu_put_tuple(&w, 0);
    assert_int_equal(channel_end(&c, &w), CLU_OK);
    take_all(&c, &out, 0);
    assert_int_equal(out.len, plain.len);
    assert_memory_equal(out.data, plain.data, plain.len);
    buf_reset(&out);
    assert_int_equal(put_atoms(&c, 0, 2, 0, 0), CLU_OK);
    take_all(&c, &out, 0);
    assert_memory_equal(out.data + 4,
                        "\x83"
                        "D\0h\2a\2w\3rex",
                        12);
    channel_fini(&c);
    buf_free(&out);
}

static const char *name_of(char *text, size_t size, size_t i)
{
    snprintf(text, size, "atom number %zu", i);
    return text;
}

/* One message with so many atoms; the text of what the peer reads. */
static void send_many(struct channel *c, struct channel *peer, size_t from, size_t n)
{
    struct buf out = {0}, seen = {0}, want = {0};
    char name[32];
    clu_writer w;

    channel_begin(c, &w, 0);
    clu_put_list(&w, n);
    for (size_t i = 0; i < n; i++) {
        clu_put_atom_text(&w, name_of(name, sizeof name, from + i));
        buf_printf(&want, "%s'%s'", i == 0 ? "[" : ",", name);
    }
    clu_put_nil(&w);
    buf_put_text(&want, "]\n");
    assert_int_equal(channel_end(c, &w), CLU_OK);
    take_all(c, &out, 0);
    read_all(peer, buf_slice(&out), &seen);
    assert_int_equal(peer->err, CLU_OK);
    assert_string_equal(buf_text(&seen), buf_text(&want));
    buf_free(&out);
    buf_free(&seen);
    buf_free(&want);
}

/* More atoms than a header names, and than a cache holds. */
static void many_atoms_arrive(void **state)
{
    struct channel c, peer;

    (void)state;
    open_channel(&c, 0);
    open_channel(&peer, 0);
    for (size_t round = 0; round < 2; round++)
        for (size_t from = 0; from < 5000; from += 500)
            send_many(&c, &peer, from, 500);
    for (size_t n = 1; n <= 260; n++)
        send_many(&c, &peer, 7 * n, n);
    channel_fini(&c);
    channel_fini(&peer);
}

/* What was not sent the peer does not know. */
static void a_cancelled_message_tells_nothing(void **state)
{
    struct buf out = {0}, seen = {0};
    struct channel c, peer;
    clu_writer w;

    (void)state;
    open_channel(&c, 0);
    open_channel(&peer, 0);
    assert_int_equal(put_atoms(&c, 0, 2, 0, 0), CLU_OK);
    channel_begin(&c, &w, 0);
    clu_put_atom_text(&w, "rex");
    clu_put_atom_text(&w, "features_request");
    channel_cancel(&c, &w);
    channel_begin(&c, &w, 0);
    clu_put_atom_text(&w, "features_request");
    clu_writer_fail(&w, CLU_ERANGE);
    assert_int_equal(channel_end(&c, &w), CLU_ERANGE);
    assert_int_equal(put_atoms(&c, 0, 2, 1, 'x'), CLU_OK);
    take_all(&c, &out, 0);
    read_all(&peer, buf_slice(&out), &seen);
    assert_int_equal(peer.err, CLU_OK);
    assert_string_equal(buf_text(&seen), "{2,rex}\n{2,rex} {features_request,<<\"x\">>}\n");
    channel_fini(&c);
    channel_fini(&peer);
    buf_free(&out);
    buf_free(&seen);
}

/* Atoms that no header takes are text, and what is none is refused as everywhere. */
static void atoms_beyond_a_header(void **state)
{
    struct buf out = {0};
    uint8_t wide[4 * 255];
    struct channel c, peer;
    struct frame f;
    clu_writer w;

    (void)state;
    open_channel(&c, 0);
    open_channel(&peer, 0);
    for (size_t i = 0; i < sizeof wide; i += 4)
        memcpy(wide + i, "\xf0\x9f\x98\x80", 4);
    channel_begin(&c, &w, 0);
    clu_put_atom(&w, (clu_slice){wide, sizeof wide});
    assert_int_equal(channel_end(&c, &w), CLU_OK);
    take_all(&c, &out, 0);
    channel_feed(&peer, out.data, out.len, 0);
    assert_true(channel_next(&peer, &f));
    assert_null(f.refs);
    assert_int_equal(f.control.len, 3 + sizeof wide);
    channel_begin(&c, &w, 0);
    clu_put_atom_text(&w, "\xff");
    assert_int_equal(channel_end(&c, &w), CLU_EATOM);
    channel_fini(&c);
    channel_fini(&peer);
    buf_free(&out);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_node_sent_is_read),
        cmocka_unit_test(odd_counts_are_read),
        cmocka_unit_test(slots_are_taken_over),
        cmocka_unit_test(long_atoms_are_read),
        cmocka_unit_test(bad_headers_end_the_channel),
        cmocka_unit_test(too_long_an_atom_is_refused),
        cmocka_unit_test(atoms_are_told_once),
        cmocka_unit_test(the_bytes_of_a_header),
        cmocka_unit_test(many_atoms_arrive),
        cmocka_unit_test(a_cancelled_message_tells_nothing),
        cmocka_unit_test(atoms_beyond_a_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
