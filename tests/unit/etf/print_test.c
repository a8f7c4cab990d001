/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/base.h"

#define BYTES(text) text, sizeof(text) - 1

static const clu_slice atoms[] = {{(const uint8_t *)"a@10.0.0.1", 10}, {(const uint8_t *)"m", 1}};
static const clu_refs refs = {atoms, COUNT(atoms)};

#define PID "XR\0\0\0\0\x9\0\0\0\1\0\0\0\1"

static const struct {
    const char *bytes;
    size_t len;
    const char *text;
} rows[] = {
    {BYTES("a\7"), "7"},
    {BYTES("b\xff\xff\xff\xff"), "-1"},
    {BYTES("n\x9\1\0\0\0\0\0\0\0\0\1"), "-18446744073709551616"},
    {BYTES("n\1\1\0"), "0"},
    {BYTES("F\x3f\xb9\x99\x99\x99\x99\x99\x9a"), "0.1"},
    {BYTES("w\2ok"), "ok"},
    {BYTES("w\0"), "''"},
    {BYTES("w\2Ok"), "'Ok'"},
    {BYTES("w\3o k"), "'o k'"},
    {BYTES("w\2if"), "'if'"},
    {BYTES("w\5maybe"), "'maybe'"},
    {BYTES("w\4o@_1"), "o@_1"},
    {BYTES("w\3a'\\"), "'a\\'\\\\'"},
    {BYTES("w\7\x8\x9\xa\xb\xc\xd\x1b"), "'\\b\\t\\n\\v\\f\\r\\e'"},
    {BYTES("w\5\x7f\1\xc2\x80"
           "a"),
     "'\\d\\001\\200a'"},
    {BYTES("w\2\xc3\xa9"), "\xc3\xa9"},
    {BYTES("w\2\xd0\xb6"), "'\xd0\xb6'"},
    {BYTES("s\1\xe9"), "\xc3\xa9"},
    {BYTES("R\0"), "'a@10.0.0.1'"},
    {BYTES("h\0"), "{}"},
    {BYTES("h\2a\1h\1w\1a"), "{1,{a}}"},
    {BYTES("j"), "[]"},
    {BYTES("l\0\0\0\2a\1w\1aj"), "[1,a]"},
    {BYTES("l\0\0\0\1w\1aw\1b"), "[a|b]"},
    {BYTES("l\0\0\0\1jl\0\0\0\1jj"), "[[],[]]"}, /* a list as the tail */
    {BYTES("l\0\0\0\1jk\0\2ab"), "[[],97,98]"},  /* a string as the tail */
    {BYTES("l\0\0\0\1a\x61k\0\1b"), "\"ab\""},
    {BYTES("l\0\0\0\1a\x61"
           "b\0\0\0\x62"),
     "[97|98]"},
    {BYTES("l\0\0\0\2a\x61w\1bj"), "[97,b]"},
    {BYTES("l\0\0\0\1b\0\0\0\x61j"), "\"a\""},
    {BYTES("k\0\3a\"\n"), "\"a\\\"\\n\""},
    {BYTES("k\0\2a\xe9"), "\"a\xc3\xa9\""},
    {BYTES("k\0\2a\0"), "[97,0]"},
    {BYTES("l\0\0\0\1b\0\0\4\x36j"), "[1078]"},
    {BYTES("t\0\0\0\0"), "#{}"},
    {BYTES("t\0\0\0\2w\1ba\1w\1at\0\0\0\0"), "#{b => 1,a => #{}}"},
    {BYTES("m\0\0\0\0"), "<<>>"},
    {BYTES("m\0\0\0\2a\""), "<<\"a\\\"\">>"},
    {BYTES("m\0\0\0\2a\1"), "<<97,1>>"},
    {BYTES("m\0\0\0\2\xc3\xa9"), "<<\"\xc3\xa9\"/utf8>>"},
    {BYTES("m\0\0\0\2\xd0\xb6"), "<<208,182>>"},
    {BYTES("m\0\0\0\1\xe9"), "<<\"\xc3\xa9\">>"},
    {BYTES("m\0\0\0\1\x80"), "<<128>>"},
    {BYTES("M\0\0\0\1\3\xa0"), "<<5:3>>"},
    {BYTES("M\0\0\0\2\1a\x80"), "<<97,1:1>>"},
    {BYTES("M\0\0\0\1\x8"
           "a"),
     "<<\"a\">>"},
    {BYTES(PID), "<a@10.0.0.1.9.1>"},
    {BYTES("YR\0\0\0\0\x9\0\0\0\1"), "#Port<a@10.0.0.1.9>"},
    {BYTES("Z\0\2R\0\0\0\0\1\0\0\0\x9\0\0\0\7"), "#Ref<a@10.0.0.1.7.9>"},
    {BYTES("Ys\4a\n@\xe9\0\0\0\x9\0\0\0\1"), "#Port<a\\n@\xc3\xa9.9>"},
    {BYTES("qR\1w\1Fa\2"), "fun m:'F'/2"},
    {BYTES("p\0\0\0\x37\1"
           "0123456789abcdef\0\0\0\2\0\0\0\1R\1a\2b\0\0\1\0" PID "a\7"),
     "#Fun<m.2.256>"},
    {BYTES("u\0\0\0\1" PID "R\1a\2b\0\0\1\0a\7"), "#Fun<m.2.256>"},
    {BYTES("C\0\0\0\2\1R\1w\3a rw\1aw\1Ba\1C\0\0\0\0\0R\1w\1s"), "#m:'a r'{a = 1,'B' = #m:s{}}"},
    {BYTES("h\2C\0\0\0\1\1R\1R\1w\1aja\1"), "{#m:m{a = []},1}"},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        clu_reader r;
        clu_writer w;

        clu_reader_init(&r, rows[i].bytes, rows[i].len);
        r.refs = &refs;
        clu_writer_init(&w);
        clu_error err = clu_print(&r, &w);

        if (err != CLU_OK || r.pos != r.end || !slice_is((clu_slice){w.data, w.len}, rows[i].text))
            fail_msg("%s: %s, %.*s", rows[i].text, clu_strerror(err), (int)w.len, (char *)w.data);
        clu_writer_free(&w);
    }
}

static const struct {
    const char *name, *bytes;
    size_t len;
    clu_error err;
} bad[] = {
    {"nothing", BYTES(""), CLU_ETRUNC},
    {"unknown tag", BYTES("h\1\xff"), CLU_ETAG},
    {"compressed", BYTES("P"), CLU_ECOMPRESSED},
    {"tuple cut short", BYTES("h\2a\1"), CLU_ETRUNC},
    {"infinite", BYTES("F\x7f\xf0\0\0\0\0\0\0"), CLU_ETERM},
    {"atom, no UTF-8", BYTES("w\1\xff"), CLU_EATOM},
    {"fun cut short", BYTES("p\0\0\0\x37\1"), CLU_ETRUNC},
    {"record cut short", BYTES("C\0\0\0\2\1R\1R\1R\1"), CLU_ETRUNC},
    {"record's head cut short", BYTES("C\0\0\0\2"), CLU_ETRUNC},
    {"list of none", BYTES("l\0\0\0\0j"), CLU_ETERM},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        clu_reader r;
        clu_writer w;

        clu_reader_init(&r, bad[i].bytes, bad[i].len);
        r.refs = &refs;
        clu_writer_init(&w);
        clu_error err = clu_print(&r, &w);

        clu_writer_free(&w);
        if (err != bad[i].err)
            fail_msg("%s: %s", bad[i].name, clu_strerror(err));
    }
}

/* From this size on an integer is printed in base 16, in a time that grows with its length. */
static void test_large_integers(void **state)
{
    uint8_t bytes[5000] = {'o', 0, 0, 0x10, 0, 0};
    clu_reader r;
    clu_writer w;

    (void)state;
    memset(bytes + 6, 0xff, sizeof bytes - 6);
    clu_writer_init(&w);
    clu_reader_init(&r, bytes, 6 + 0x1000);
    assert_int_equal(clu_print(&r, &w), CLU_OK);
    assert_int_equal(w.len, 9865); /* the digits of 2^32768 - 1 */
    assert_memory_equal(w.data, "1415461031044954789", 19);
    clu_writer_reset(&w);
    bytes[4] = 1;
    bytes[5] = 1;
    bytes[6 + 0x1000] = 0x0f;
    clu_reader_init(&r, bytes, 6 + 0x1001);
    assert_int_equal(clu_print(&r, &w), CLU_OK);
    assert_int_equal(w.len, 4 + 1 + 2 * 0x1000);
    assert_memory_equal(w.data, "-16#FFF", 7);
    clu_writer_free(&w);
}

static void test_depth(void **state)
{
    uint8_t nested[2 * (CLU_DEPTH_MAX + 1) + 1];
    clu_reader r;
    clu_writer w;

    (void)state;
    for (size_t i = 0; i <= CLU_DEPTH_MAX; i++)
        memcpy(nested + 2 * i, "h\1", 2);
    nested[sizeof nested - 1] = 'j';
    clu_writer_init(&w);
    clu_reader_init(&r, nested + 2, sizeof nested - 2);
    assert_int_equal(clu_print(&r, &w), CLU_OK);
    assert_int_equal(w.len, 2 * CLU_DEPTH_MAX + 2);
    clu_reader_init(&r, nested, sizeof nested);
    assert_int_equal(clu_print(&r, &w), CLU_EDEPTH);
    clu_writer_free(&w);
}

static void test_no_room(void **state)
{
    char text[4];
    clu_reader r;
    clu_writer w;

    (void)state;
    clu_writer_fixed(&w, text, sizeof text);
    clu_reader_init(&r, "k\0\3abc", 6);
    assert_int_equal(clu_print(&r, &w), CLU_ESIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),           cmocka_unit_test(test_bad),
        cmocka_unit_test(test_large_integers), cmocka_unit_test(test_depth),
        cmocka_unit_test(test_no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
