/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/base.h"

#define BYTES(text) text, sizeof(text) - 1

/* What thousands of texts mean is compared with the VM (tests/erl/etf/); here stands which bytes we
 * make of each kind of term. */
static const struct {
    const char *text, *bytes;
    size_t len;
} rows[] = {
    {"1", BYTES("a\1")},
    {"1.", BYTES("a\1")},
    {" % a comment\n -1 . ", BYTES("b\xff\xff\xff\xff")},
    {"1_000", BYTES("b\0\0\3\xe8")},
    {"16#fF", BYTES("a\xff")},
    {"2#1_0", BYTES("a\2")},
    {"18446744073709551616", BYTES("n\x9\0\0\0\0\0\0\0\0\0\1")},
    {"-16#1_0000_0000_0000_0000", BYTES("n\x9\1\0\0\0\0\0\0\0\0\1")},
    {"36#zzzzzzzzzzzzz", BYTES("n\x9\0\xff\xff\xff\xa3\xff\x09\x4c\x3f\x09")},
    {"0.1", BYTES("F\x3f\xb9\x99\x99\x99\x99\x99\x9a")},
    {"-1_0.5e-0_1", BYTES("F\xbf\xf0\xcc\xcc\xcc\xcc\xcc\xcd")},
    {"$a", BYTES("a\x61")},
    {"-$\\n", BYTES("b\xff\xff\xff\xf6")},
    {"$\\x{436}", BYTES("b\0\0\4\x36")},
    {"((1))", BYTES("a\1")},
    {"-((1))", BYTES("b\xff\xff\xff\xff")},
    {"ok", BYTES("w\2ok")},
    {"'o k'", BYTES("w\3o k")},
    {"'\\101\\x42\\x{43}\\^D\\s\\e\\d\\q\\^?'", BYTES("w\x9"
                                                      "ABC\4 \x1b\x7fq\x7f")},
    {"\xc3\xa9", BYTES("w\2\xc3\xa9")},
    {"maybe", BYTES("w\5maybe")},
    {"{}", BYTES("h\0")},
    {"{1,{a}}", BYTES("h\2a\1h\1w\1a")},
    {"[]", BYTES("j")},
    {"[1,a]", BYTES("l\0\0\0\2a\1w\1aj")},
    {"[1,2]", BYTES("k\0\2\1\2")},
    {"[a|b]", BYTES("l\0\0\0\1w\1aw\1b")},
    {"[1|[]]", BYTES("k\0\1\1")},
    {"[1|[2]]", BYTES("k\0\2\1\2")},
    {"[a|[b|[c]]]", BYTES("l\0\0\0\3w\1aw\1bw\1cj")},
    {"[a|\"bcde\"]", BYTES("l\0\0\0\5w\1aa\x62"
                           "a\x63"
                           "a\x64"
                           "a\x65j")},
    {"[a|[b|c]]", BYTES("l\0\0\0\2w\1aw\1bw\1c")},
    {"\"\"", BYTES("j")},
    {"\"ab\" \"c\"", BYTES("k\0\3abc")},
    {"\"\xd0\xb6\"", BYTES("l\0\0\0\1b\0\0\4\x36j")},
    {"#{}", BYTES("t\0\0\0\0")},
    {"#{b => 1,a => 2,b => 3}", BYTES("t\0\0\0\2w\1aa\2w\1ba\3")},
    {"<<>>", BYTES("m\0\0\0\0")},
    {"<<\"ab\",1>>", BYTES("m\0\0\0\3ab\1")},
    {"<<5:3>>", BYTES("M\0\0\0\1\3\xa0")},
    {"<<1:4,-1:4>>", BYTES("m\0\0\0\1\x1f")},
    {"<<16#12345:20/little>>", BYTES("M\0\0\0\3\4\x45\x23\x10")},
    {"<<-256:20/little>>", BYTES("M\0\0\0\3\4\0\xff\xf0")},
    {"<<1.5:32/float,1/float-little>>", BYTES("m\0\0\0\xc\x3f\xc0\0\0\0\0\0\0\0\0\xf0\x3f")},
    {"<<\"\xd0\xb6\"/utf8,16#1f600/utf16,$a/utf16-little,$a/utf32>>",
     BYTES("m\0\0\0\xc\xd0\xb6\xd8\x3d\xde\0a\0\0\0\0a")},
    {"<<1:2/unit:4,1:(8)/big-signed-integer>>", BYTES("m\0\0\0\2\1\1")},
    {"fun m:'F'/2", BYTES("qw\1mw\1Fa\2")},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        clu_writer w;
        size_t at;

        clu_writer_init(&w);
        clu_error err = clu_parse(rows[i].text, strlen(rows[i].text), &w, &at, NULL);

        if (err != CLU_OK || w.len != rows[i].len || memcmp(w.data, rows[i].bytes, w.len) != 0)
            fail_msg("%s: %s at %zu, %zu bytes", rows[i].text, clu_strerror(err), at, w.len);
        clu_writer_free(&w);
    }
}

static const struct {
    const char *text;
    size_t at;
    clu_error err;
} bad[] = {
    {"", 0, CLU_ESYNTAX},
    {".", 0, CLU_ESYNTAX},
    {"A", 0, CLU_ESYNTAX},
    {"a b", 2, CLU_ESYNTAX},
    {"a. b", 3, CLU_ESYNTAX},
    {"{a,}", 3, CLU_ESYNTAX},
    {"{a", 2, CLU_ESYNTAX},
    {"[a}", 2, CLU_ESYNTAX},
    {"[a|b,c]", 4, CLU_ESYNTAX},
    {"(a,b)", 2, CLU_ESYNTAX},
    {"#{a}", 3, CLU_ESYNTAX},
    {"#a{}", 1, CLU_ESYNTAX},
    {"if", 0, CLU_ESYNTAX},
    {"fun a/1", 5, CLU_ESYNTAX},
    {"fun 1:a/1", 4, CLU_ESYNTAX},
    {"fun a:b/c", 8, CLU_ESYNTAX},
    {"fun a:b/256", 11, CLU_ESYNTAX},
    {"'abc", 0, CLU_ESYNTAX},
    {"'\\x{}'", 0, CLU_ESYNTAX},
    {"'\\x{110000}'", 0, CLU_ESYNTAX},
    {"'\\x{d800}'", 0, CLU_ESYNTAX},
    {"'\\xg0'", 0, CLU_ESYNTAX},
    {"'\\x4'", 0, CLU_ESYNTAX},
    {"\"\\^\xff\"", 0, CLU_ESYNTAX},
    {"\"\\\xff\"", 0, CLU_ESYNTAX},
    {"$", 0, CLU_ESYNTAX},
    {"$\\", 0, CLU_ESYNTAX},
    {"$\\^", 0, CLU_ESYNTAX},
    {"[\xff]", 1, CLU_ESYNTAX},
    {"'\xff'", 0, CLU_ESYNTAX},
    {"\"a\xff\"", 0, CLU_ESYNTAX},
    {"37#1", 0, CLU_ESYNTAX},
    {"16#g", 0, CLU_ESYNTAX},
    {"1.5e", 0, CLU_ESYNTAX},
    {"1.0e999", 0, CLU_ERANGE},
    {"- -1", 2, CLU_ESYNTAX},
    {"-(1", 3, CLU_ESYNTAX},
    {"-a", 1, CLU_ESYNTAX},
    {"--1", 0, CLU_ESYNTAX},
    {"<<1", 3, CLU_ESYNTAX},
    {"<<a>>", 2, CLU_ESYNTAX},
    {"<<1.5>>", 5, CLU_ESYNTAX},
    {"<<1/foo>>", 7, CLU_ESYNTAX},
    {"<<1/1>>", 4, CLU_ESYNTAX},
    {"<<1/little-big>>", 14, CLU_ESYNTAX},
    {"<<1/unit:8>>", 10, CLU_ESYNTAX},
    {"<<1:8/unit:257>>", 14, CLU_ESYNTAX},
    {"<<1:8/unit:a>>", 11, CLU_ESYNTAX},
    {"<<1:8/unit:16#11111111111111111>>", 31, CLU_ESIZE},
    {"<<1:-8>>", 4, CLU_ESYNTAX},
    {"<<1:1.0>>", 7, CLU_ESYNTAX},
    {"<<1:a>>", 4, CLU_ESYNTAX},
    {"<<1.0:17/float>>", 14, CLU_ESYNTAX},
    {"<<-1/utf8>>", 9, CLU_ESYNTAX},
    {"<<1:8/utf8>>", 10, CLU_ESYNTAX},
    {"<<\"\\xg\">>", 7, CLU_ESYNTAX},
    {"<<1:99999999999>>", 15, CLU_ESIZE},
    {"[<<1:8000000>>,<<1:8000000>>]", 26, CLU_ESIZE},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        clu_writer w;
        size_t at = 99;

        clu_writer_init(&w);
        clu_put_nil(&w);
        clu_error err = clu_parse(bad[i].text, strlen(bad[i].text), &w, &at, NULL);

        if (err != bad[i].err || at != bad[i].at)
            fail_msg("%s: %s at %zu", bad[i].text, clu_strerror(err), at);
        assert_int_equal(w.len, 1); /* what stood there before stands there still */
        clu_writer_free(&w);
    }
}

/* Terms one behind the other: a full stop belongs to its term, what follows does not. */
static void test_used(void **state)
{
    static const struct {
        const char *text;
        size_t used;
    } texts[] = {
        {"a. b", 2}, {" {b} c", 4}, {"{b}.c", 3}, {"c % d", 1}, {"\"a\" \"b\" ", 7}, {"1 .%", 3},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        clu_writer w;
        size_t at, used;

        clu_writer_init(&w);
        clu_error err = clu_parse(texts[i].text, strlen(texts[i].text), &w, &at, &used);

        clu_writer_free(&w);
        if (err != CLU_OK || used != texts[i].used)
            fail_msg("%s: %s, %zu used", texts[i].text, clu_strerror(err), used);
    }
}

static void expect_long(const char *name, size_t n, char fill, const char *head, const char *tail,
                        clu_error expected)
{
    size_t len = strlen(head) + n + strlen(tail), at;
    char *text = malloc(len + 1);
    clu_writer w;

    assert_non_null(text);
    memcpy(text, head, strlen(head));
    memset(text + strlen(head), fill, n);
    memcpy(text + strlen(head) + n, tail, strlen(tail) + 1);
    clu_writer_init(&w);
    clu_error err = clu_parse(text, len, &w, &at, NULL);

    if (err != expected || (err == CLU_OK && clu_check(w.data, w.len, NULL, NULL) != CLU_OK))
        fail_msg("%s: %s", name, clu_strerror(err));
    clu_writer_free(&w);
    free(text);
}

static void test_limits(void **state)
{
    (void)state;
    expect_long("atom of 255", 255, 'a', "", "", CLU_OK);
    expect_long("atom of 256", 256, 'a', "", "", CLU_EATOM);
    expect_long("quoted atom of 255", 255, 'a', "'", "'", CLU_OK);
    expect_long("quoted atom of 256", 256, 'a', "'", "'", CLU_EATOM);
    expect_long("quoted atom of far more", 5000, 'a', "'", "'", CLU_EATOM);
    expect_long("9865 digits", 9865, '7', "", "", CLU_OK);
    expect_long("9866 digits", 9866, '7', "", "", CLU_ESIZE);
    expect_long("more digits in base 16", 50000, '7', "16#", "", CLU_OK);
    expect_long("float of 1000 digits", 1000, '0', "1.", "1", CLU_OK);
    expect_long("float of 2000 digits", 2000, '0', "1.", "1", CLU_ESIZE);
    expect_long("string of 65535", 65535, 'x', "\"", "\"", CLU_OK);
    expect_long("string of 65536", 65536, 'x', "\"", "\"", CLU_OK);
    expect_long("string of 65535 as a tail", 65535, 'x', "[$x|\"", "\"]", CLU_OK);
    expect_long("parentheses", CLU_DEPTH_MAX, '(', "", "", CLU_ESYNTAX);
    expect_long("too many parentheses", CLU_DEPTH_MAX + 1, '(', "", "", CLU_EDEPTH);
    expect_long("parentheses of a number", 5000, '(', "-", "1", CLU_ESYNTAX);
}

/* The arity and the tag change at 256. */
static void test_wide_tuple(void **state)
{
    (void)state;
    for (size_t n = 255; n <= 256; n++) {
        char text[2 * 256 + 2] = "{";
        clu_writer w;
        size_t at;

        for (size_t i = 0; i < n; i++)
            memcpy(text + 1 + 2 * i, "a,", 2);
        text[2 * n] = '}';
        clu_writer_init(&w);
        assert_int_equal(clu_parse(text, 2 * n + 1, &w, &at, NULL), CLU_OK);
        assert_int_equal(w.data[0], n == 255 ? ETF_SMALL_TUPLE : ETF_LARGE_TUPLE);
        assert_int_equal(clu_check(w.data, w.len, NULL, NULL), CLU_OK);
        clu_writer_free(&w);
    }
}

static void test_no_room(void **state)
{
    uint8_t room[4];
    size_t at;
    clu_writer w;

    (void)state;
    clu_writer_fixed(&w, room, sizeof room);
    assert_int_equal(clu_parse("{a,b}", 5, &w, &at, NULL), CLU_ESIZE);
    assert_int_equal(clu_parse("a", 1, &w, &at, NULL), CLU_ESIZE); /* the writer's error sticks */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),       cmocka_unit_test(test_bad),
        cmocka_unit_test(test_used),       cmocka_unit_test(test_limits),
        cmocka_unit_test(test_wide_tuple), cmocka_unit_test(test_no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
