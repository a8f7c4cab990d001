/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "bytes.h"
#include "dist/epmd.h"

/* The node "foo" as registered by hand in every row's registry: own, port 4711, hidden, 6 and 5. */
static const struct epmd_entry foo = {"foo", 4711, EPMD_TYPE_HIDDEN, 6, 5};

static struct epmd_registry registry(void)
{
    struct epmd_registry r;
    uint32_t creation;

    epmd_registry_init(&r, 4369, 0x01020304);
    assert_int_equal(epmd_registry_add_own(&r, &foo, &creation), CLU_OK);
    assert_int_equal(creation, 0x01020304);
    return r;
}

static bool holds(clu_slice have, clu_slice want)
{
    return slice_equal(have, want);
}

enum end { OPEN, CLOSES, FAULT }; /* FAULT: closes, and says why */

#define NAME_50  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME_250 NAME_50 NAME_50 NAME_50 NAME_50 NAME_50

/* Requests, split at every byte in turn, and what the server does. Lengths and layouts were
 * compared with the epmd of OTP 25. */
static const struct {
    const char *name;
    bool remote;
    clu_slice request, reply;
    enum end end;
} rows[] = {
    {"register, version 6", false,
     BYTES("\0\x10x\x12\x67M\0\0\x06\0\x05\0\x03"
           "bar\0\0"),
     BYTES("v\0\x01\x02\x03\x05"), OPEN},
    {"register, version 5", false,
     BYTES("\0\x10x\x12\x67M\0\0\x05\0\x05\0\x03"
           "bar\0\0"),
     BYTES("y\0\0\x03"), OPEN},
    {"register with extra data", false,
     BYTES("\0\x12x\x12\x67M\0\0\x06\0\x05\0\x03"
           "bar\0\x02\0z"),
     BYTES("v\0\x01\x02\x03\x05"), OPEN},
    {"bytes behind the extra data", false,
     BYTES("\0\x12x\x12\x67M\0\0\x06\0\x05\0\x03"
           "bar\0\0zz"),
     BYTES("v\0\x01\x02\x03\x05"), OPEN},
    {"one-letter name", false,
     BYTES("\0\x0ex\x12\x67M\0\0\x06\0\x05\0\x01"
           "b\0\0"),
     BYTES("v\0\x01\x02\x03\x05"), OPEN},
    {"unicode name", false, BYTES("\0\x11x\x12\x67H\0\0\x06\0\x05\0\x04\xf0\x9f\x98\x88\0\0"),
     BYTES("v\0\x01\x02\x03\x05"), OPEN},
    {"name of 255 bytes", false,
     BYTES("\x01\x0cx\x12\x67M\0\0\x06\0\x05\0\xff" NAME_250 "12345\0\0"),
     BYTES("v\0\x01\x02\x03\x05"), OPEN},
    {"name of 256 bytes", false,
     BYTES("\x01\x0dx\x12\x67M\0\0\x06\0\x05\x01\0" NAME_250 "123456\0\0"), BYTES("v\1\0\0\0\x63"),
     CLOSES},
    {"duplicate, version 6", false,
     BYTES("\0\x10x\x12\x67M\0\0\x06\0\x05\0\x03"
           "foo\0\0"),
     BYTES("v\1\0\0\0\x63"), CLOSES},
    {"duplicate, version 5", false,
     BYTES("\0\x10x\x12\x67M\0\0\x05\0\x05\0\x03"
           "foo\0\0"),
     BYTES("y\1\0\x63"), CLOSES},
    {"name that is not UTF-8", false, BYTES("\0\x0fx\x12\x67M\0\0\x06\0\x05\0\x02\xff\xfe\0\0"),
     BYTES("v\1\0\0\0\x63"), CLOSES},
    {"name cut inside a character", false,
     BYTES("\0\x0fx\x12\x67M\0\0\x06\0\x05\0\x02"
           "b\xc3\0\0"),
     BYTES("v\1\0\0\0\x63"), CLOSES},
    {"character without its rest", false,
     BYTES("\0\x0fx\x12\x67M\0\0\x06\0\x05\0\x02\xc3"
           "b\0\0"),
     BYTES("v\1\0\0\0\x63"), CLOSES},
    {"name with a line end", false,
     BYTES("\0\x0fx\x12\x67M\0\0\x06\0\x05\0\x02"
           "b\n\0\0"),
     BYTES("v\1\0\0\0\x63"), CLOSES},
    {"name with a zero inside", false,
     BYTES("\0\x10x\x12\x67M\0\0\x06\0\x05\0\x03"
           "b\0r\0\0"),
     BYTES(""), FAULT},
    {"name with a zero at its end", false,
     BYTES("\0\x10x\x12\x67M\0\0\x06\0\x05\0\x03"
           "ba\0\0\0"),
     BYTES(""), FAULT},
    {"empty name", false, BYTES("\0\x0dx\x12\x67M\0\0\x06\0\x05\0\0\0\0"), BYTES(""), FAULT},
    {"no name at all", false, BYTES("\0\x0bx\x12\x67M\0\0\x06\0\x05\0\0"), BYTES(""), FAULT},
    {"name longer than the request", false,
     BYTES("\0\x10x\x12\x67M\0\0\x06\0\x05\0\x04"
           "bar\0\0"),
     BYTES(""), FAULT},
    {"name of 65535", false,
     BYTES("\0\x10x\x12\x67M\0\0\x06\0\x05\xff\xff"
           "bar\0\0"),
     BYTES(""), FAULT},
    {"extra data longer than the request", false,
     BYTES("\0\x10x\x12\x67M\0\0\x06\0\x05\0\x03"
           "bar\0\x01"),
     BYTES(""), FAULT},
    {"register from another host", true,
     BYTES("\0\x10x\x12\x67M\0\0\x06\0\x05\0\x03"
           "bar\0\0"),
     BYTES(""), FAULT},
    {"port of a name", false, BYTES("\0\x04zfoo"),
     BYTES("w\0\x12\x67H\0\0\x06\0\x05\0\x03"
           "foo\0\0"),
     CLOSES},
    {"port, from another host", true, BYTES("\0\x04zfoo"),
     BYTES("w\0\x12\x67H\0\0\x06\0\x05\0\x03"
           "foo\0\0"),
     CLOSES},
    {"port of a name with a zero behind", false, BYTES("\0\x05zfoo\0"),
     BYTES("w\0\x12\x67H\0\0\x06\0\x05\0\x03"
           "foo\0\0"),
     CLOSES},
    {"port of an unknown name", false, BYTES("\0\x04zfop"), BYTES("w\1"), CLOSES},
    {"port of a longer name", false, BYTES("\0\x05zfoop"), BYTES("w\1"), CLOSES},
    {"port of a name with a zero inside", false, BYTES("\0\x04z\0oo"), BYTES(""), FAULT},
    {"port of no name", false, BYTES("\0\x01z"), BYTES(""), FAULT},
    {"port of only a zero", false, BYTES("\0\x02z\0"), BYTES(""), FAULT},
    {"names", false, BYTES("\0\x01n"), BYTES("\0\0\x11\x11name foo at port 4711\n"), CLOSES},
    {"names with a body", true, BYTES("\0\x03nxy"), BYTES("\0\0\x11\x11name foo at port 4711\n"),
     CLOSES},
    {"kill", false, BYTES("\0\x01k"), BYTES("NO"), FAULT},
    {"kill, from another host", true, BYTES("\0\x01k"), BYTES(""), FAULT},
    {"stop", false, BYTES("\0\x04sfoo"), BYTES(""), FAULT},
    {"dump", false,
     BYTES("\0\x01"
           "d"),
     BYTES(""), FAULT},
    {"an unknown request", false, BYTES("\0\x01q"), BYTES(""), FAULT},
    {"a request of no bytes", false, BYTES("\0\0"), BYTES(""), FAULT},
    {"a request of 1025 bytes", false, BYTES("\x04\x01"), BYTES(""), FAULT},
    {"a request of 63000 bytes", false, BYTES("\xf6\x18zzzz"), BYTES(""), FAULT},
    {"nothing yet", false, BYTES(""), BYTES(""), OPEN},
    {"one byte", false, BYTES("\0"), BYTES(""), OPEN},
    {"a length alone", false, BYTES("\0\x03"), BYTES(""), OPEN},
    {"a part of a request", false, BYTES("\0\x64only a few bytes"), BYTES(""), OPEN},
};

/* One row, its request in two pieces. */
static void check_row(size_t i, size_t split)
{
    struct epmd_registry r = registry();
    clu_slice request = rows[i].request;
    struct epmd_conn c;

    epmd_conn_init(&c, &r, !rows[i].remote, 1000);
    epmd_conn_feed(&c, request.data, split, 1000);
    epmd_conn_feed(&c, request.data + split, request.len - split, 1000);
    if (!holds(epmd_conn_pending(&c), rows[i].reply))
        fail_msg("%s, split at %zu: another reply", rows[i].name, split);
    if (c.close != (rows[i].end != OPEN) || (c.what != NULL) != (rows[i].end == FAULT))
        fail_msg("%s, split at %zu: close %d, %s", rows[i].name, split, c.close, c.what);
    if (c.deadline_ms != (c.registered ? NEVER : 1000 + EPMD_IDLE_MS))
        fail_msg("%s: another deadline", rows[i].name);
    epmd_conn_fini(&c);
    assert_int_equal(map_count(&r.conns), 0);
    epmd_registry_fini(&r);
}

static void serves(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t split = 0; split <= rows[i].request.len; split++)
            check_row(i, split);
}

static void feed(struct epmd_conn *c, const char *bytes, size_t len)
{
    epmd_conn_feed(c, (const uint8_t *)bytes, len, 0);
}

#define FEED(c, bytes) feed(c, bytes, sizeof(bytes) - 1)

#define REGISTER_BAR                                                                               \
    "\0\x15x\x12\x67M\0\0\x06\0\x05\0\x03"                                                         \
    "bar\0\x05"                                                                                    \
    "ABC\0\0"

static void registration_ends_with_its_connection(void **state)
{
    struct epmd_registry r = registry();
    struct epmd_conn first, again;

    (void)state;
    epmd_conn_init(&first, &r, true, 0);
    FEED(&first, REGISTER_BAR);
    assert_true(first.registered);
    assert_int_equal(epmd_registry_find(&r, slice_of("bar"))->port, 4711);
    epmd_conn_init(&again, &r, true, 0);
    FEED(&again, REGISTER_BAR);
    assert_false(again.registered);
    epmd_conn_fini(&again); /* does not end the registration of the first */
    assert_non_null(epmd_registry_find(&r, slice_of("bar")));

    epmd_conn_fini(&first); /* reset before the reply was read: no zombie */
    assert_null(epmd_registry_find(&r, slice_of("bar")));
    epmd_conn_init(&again, &r, true, 0);
    FEED(&again, REGISTER_BAR);
    assert_true(again.registered);
    assert_memory_equal(epmd_conn_pending(&again).data, "v\0\x01\x02\x03\x06", 6);
    epmd_conn_fini(&again);
    epmd_registry_fini(&r);
}

static void extra_data_are_told(void **state)
{
    static const clu_slice want = BYTES("w\0\x12\x67M\0\0\x06\0\x05\0\x03"
                                        "bar\0\x05"
                                        "ABC\0\0");
    struct epmd_registry r = registry();
    struct epmd_conn holder, asker;

    (void)state;
    epmd_conn_init(&holder, &r, true, 0);
    FEED(&holder, REGISTER_BAR);
    epmd_conn_init(&asker, &r, false, 0);
    FEED(&asker, "\0\x04zbar");
    assert_true(holds(epmd_conn_pending(&asker), want));
    epmd_conn_fini(&asker);
    epmd_conn_fini(&holder);
    epmd_registry_fini(&r);
}

/* Lengths of extra data up to their limit, as large as a request holds, and beyond. */
static void extra_data_have_a_limit(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 1000; len++) {
        struct epmd_registry r = registry();
        struct epmd_conn c;
        uint8_t request[1100] = "\0\0x\x12\x67M\0\0\x06\0\x05\0\x03"
                                "bar";

        put_be16(request, (uint16_t)(16 + len));
        put_be16(request + 16, (uint16_t)len);
        memset(request + 18, 'e', len);
        epmd_conn_init(&c, &r, true, 0);
        epmd_conn_feed(&c, request, 18 + len, 0);
        assert_int_equal(c.registered, len <= EPMD_EXTRA_MAX);
        assert_int_equal(epmd_conn_pending(&c).data[1], len <= EPMD_EXTRA_MAX ? 0 : 1);
        epmd_conn_fini(&c);
        epmd_registry_fini(&r);
    }
}

static void bytes_behind_a_request_close(void **state)
{
    static const struct {
        const char *name;
        clu_slice bytes;
        bool answered;
    } behind[] = {
        {"two requests at once", BYTES("\0\x01n\0\x01n"), false},
        {"registration and one byte", BYTES(REGISTER_BAR "z"), false},
    };
    struct epmd_conn c;

    (void)state;
    for (size_t i = 0; i < COUNT(behind); i++) {
        struct epmd_registry r = registry();

        epmd_conn_init(&c, &r, true, 0);
        epmd_conn_feed(&c, behind[i].bytes.data, behind[i].bytes.len, 0);
        if (!c.close || c.what == NULL || (epmd_conn_pending(&c).len > 0) != behind[i].answered)
            fail_msg("%s", behind[i].name);
        epmd_conn_fini(&c);
        epmd_registry_fini(&r);
    }
    struct epmd_registry r = registry();

    epmd_conn_init(&c, &r, true, 0);
    FEED(&c, REGISTER_BAR);
    FEED(&c, "z");
    assert_true(c.close);
    assert_string_equal(c.what, "bytes behind a registration");
    FEED(&c, "zz"); /* after the end: ignored */
    epmd_conn_fini(&c);
    assert_null(epmd_registry_find(&r, slice_of("bar")));
    epmd_registry_fini(&r);
}

static void oversized_in_one_piece(void **state)
{
    struct epmd_registry r = registry();
    struct epmd_conn c;
    static const uint8_t large[65536] = {0xf6, 0x18};

    (void)state;
    epmd_conn_init(&c, &r, true, 0);
    epmd_conn_feed(&c, large, sizeof large, 0);
    assert_true(c.close);
    assert_string_equal(c.what, "a request of more than 1024 bytes");
    epmd_conn_fini(&c);
    epmd_registry_fini(&r);
}

enum { THOUSANDS = 5000 };

static void register_number(struct epmd_conn *c, struct epmd_registry *r, size_t i)
{
    uint8_t request[32] = "\0\x12x\0\0M\0\0\x06\0\x05\0\x05";

    snprintf((char *)request + 13, 6, "n%04zu", i);
    put_be16(request + 3, (uint16_t)(i + 1));
    epmd_conn_init(c, r, true, 0);
    epmd_conn_feed(c, request, 20, 0);
    assert_true(c->registered);
}

static size_t count_names(struct epmd_registry *r)
{
    struct epmd_conn c;
    struct epmd_client client;
    struct epmd_entry entry;
    size_t at = 0, n = 0;

    epmd_conn_init(&c, r, false, 0);
    FEED(&c, "\0\x01n");
    epmd_ask_names(&client);
    while (epmd_conn_pending(&c).len > 0) { /* the socket takes a little at a time */
        clu_slice out = epmd_conn_pending(&c);
        size_t len = out.len < 1000 ? out.len : 1000;

        epmd_client_feed(&client, out.data, len);
        epmd_conn_sent(&c, len);
    }
    epmd_client_closed(&client);
    assert_true(client.done);
    assert_int_equal(client.epmd_port, 4369);
    while (epmd_names_next(&client, &at, &entry))
        n += strcmp(entry.name, "foo") == 0 || entry.port == strtoul(entry.name + 1, NULL, 10) + 1;
    epmd_client_fini(&client);
    epmd_conn_fini(&c);
    return n;
}

static void thousands_of_names(void **state)
{
    struct epmd_registry r = registry();
    struct epmd_conn *conns = calloc(THOUSANDS, sizeof *conns);

    (void)state;
    assert_non_null(conns);
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < THOUSANDS; i++)
            register_number(&conns[i], &r, i);
        for (size_t again = 0; again < 3; again++)
            assert_int_equal(count_names(&r), THOUSANDS + 1);
        for (size_t i = 0; i < THOUSANDS; i++)
            epmd_conn_fini(&conns[round == 0 ? i : THOUSANDS - 1 - i]);
        assert_int_equal(count_names(&r), 1);
    }
    free(conns);
    epmd_registry_fini(&r);
}

static void own_registration(void **state)
{
    struct epmd_registry r = registry();
    struct epmd_entry bar = {"bar", 5, EPMD_TYPE_VISIBLE, 6, 5};
    uint32_t creation = 0;
    struct epmd_conn c;

    (void)state;
    assert_int_equal(epmd_registry_add_own(&r, &foo, &creation), CLU_EEXIST);
    epmd_conn_init(&c, &r, true, 0);
    FEED(&c, REGISTER_BAR);
    assert_int_equal(epmd_registry_add_own(&r, &bar, &creation), CLU_EEXIST);
    assert_int_equal(creation, 0);
    epmd_registry_remove_own(&r, "bar"); /* not ours: stays */
    assert_non_null(epmd_registry_find(&r, slice_of("bar")));
    epmd_conn_fini(&c);
    assert_int_equal(epmd_registry_add_own(&r, &bar, &creation), CLU_OK);
    epmd_registry_remove_own(&r, "foo");
    assert_null(epmd_registry_find(&r, slice_of("foo")));
    epmd_registry_fini(&r);
}

static void creations_are_never_small(void **state)
{
    static const uint32_t firsts[] = {0, 1, 3, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < COUNT(firsts); i++) {
        struct epmd_registry r;
        uint32_t one = 0, two = 0;

        epmd_registry_init(&r, 1, firsts[i]);
        assert_int_equal(epmd_registry_add_own(&r, &foo, &one), CLU_OK);
        epmd_registry_remove_own(&r, "foo");
        assert_int_equal(epmd_registry_add_own(&r, &foo, &two), CLU_OK);
        assert_true(one >= 4 && two >= 4 && one != two);
        epmd_registry_fini(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves),
        cmocka_unit_test(registration_ends_with_its_connection),
        cmocka_unit_test(extra_data_are_told),
        cmocka_unit_test(extra_data_have_a_limit),
        cmocka_unit_test(bytes_behind_a_request_close),
        cmocka_unit_test(oversized_in_one_piece),
        cmocka_unit_test(thousands_of_names),
        cmocka_unit_test(own_registration),
        cmocka_unit_test(creations_are_never_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
