/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/base.h"

#define BYTES(text) text, sizeof(text) - 1

static void expect(const char *name, clu_writer *w, const char *bytes, size_t len)
{
    if (w->err != CLU_OK || w->len != len || memcmp(w->data, bytes, len) != 0)
        fail_msg("%s: %s, %zu bytes", name, clu_strerror(w->err), w->len);
    clu_writer_reset(w);
}

static void expect_error(const char *name, clu_writer *w, clu_error err)
{
    if (w->err != err)
        fail_msg("%s: %s", name, clu_strerror(w->err));
    clu_put_nil(w);
    assert_int_equal(w->err, err); /* it sticks */
    clu_writer_reset(w);
}

static void test_integers(void **state)
{
    static const struct {
        int64_t value;
        const char *bytes;
        size_t len;
    } rows[] = {
        {0, BYTES("a\0")},
        {255, BYTES("a\xff")},
        {256, BYTES("b\0\0\1\0")},
        {-1, BYTES("b\xff\xff\xff\xff")},
        {INT32_MAX, BYTES("b\x7f\xff\xff\xff")},
        {INT32_MIN, BYTES("b\x80\0\0\0")},
        {INT64_C(1) << 31, BYTES("n\4\0\0\0\0\x80")},
        {-(INT64_C(1) << 31) - 1, BYTES("n\4\1\1\0\0\x80")},
        {INT64_C(1) << 32, BYTES("n\5\0\0\0\0\0\1")},
        {INT64_MAX, BYTES("n\x8\0\xff\xff\xff\xff\xff\xff\xff\x7f")},
        {INT64_MIN, BYTES("n\x8\1\0\0\0\0\0\0\0\x80")},
    };
    clu_writer w;

    (void)state;
    clu_writer_init(&w);
    for (size_t i = 0; i < COUNT(rows); i++) {
        clu_put_int(&w, rows[i].value);
        expect("int", &w, rows[i].bytes, rows[i].len);
        if (rows[i].value < 0)
            continue;
        clu_put_uint(&w, (uint64_t)rows[i].value);
        expect("uint", &w, rows[i].bytes, rows[i].len);
    }
    clu_put_uint(&w, UINT64_MAX);
    expect("uint", &w, BYTES("n\x8\0\xff\xff\xff\xff\xff\xff\xff\xff"));
    clu_writer_free(&w);
}

static void test_bigs(void **state)
{
    uint8_t ones[256];
    clu_writer w;

    (void)state;
    memset(ones, 0xff, sizeof ones);
    clu_writer_init(&w);
    clu_put_big(&w, (clu_slice){(const uint8_t *)"\5\0\0\0\0\0", 6}, true);
    expect("a small one", &w, BYTES("b\xff\xff\xff\xfb"));
    clu_put_big(&w, (clu_slice){0}, true);
    expect("zero", &w, BYTES("a\0"));
    clu_put_big(&w, (clu_slice){ones, 255}, false);
    assert_int_equal(w.len, 3 + 255);
    expect("255 bytes", &w, (const char *)w.data, w.len);
    clu_put_big(&w, (clu_slice){ones, 256}, false);
    assert_memory_equal(w.data, "o\0\0\1\0\0\xff", 7);
    assert_int_equal(w.len, 6 + 256);
    clu_writer_free(&w);
}

static void test_floats(void **state)
{
    clu_writer w;

    (void)state;
    clu_writer_init(&w);
    clu_put_float(&w, 1.5);
    expect("1.5", &w, BYTES("F\x3f\xf8\0\0\0\0\0\0"));
    clu_put_float(&w, 1.0 / 0.0);
    expect_error("infinity", &w, CLU_ERANGE);
    clu_writer_free(&w);
}

static void test_atoms(void **state)
{
    uint8_t text[2 * 256];
    clu_writer w;

    (void)state;
    clu_writer_init(&w);
    clu_put_atom_text(&w, "ok");
    expect("ok", &w, BYTES("w\2ok"));
    clu_put_atom(&w, (clu_slice){0});
    expect("none", &w, BYTES("w\0"));
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 2 == 0 ? 0xd0 : 0xb6;
    clu_put_atom(&w, (clu_slice){text, 2 * 255});
    assert_memory_equal(w.data, "v\1\xfe\xd0\xb6", 5);
    assert_int_equal(clu_check(w.data, w.len, NULL, NULL), CLU_OK);
    clu_writer_reset(&w);
    clu_put_atom(&w, (clu_slice){text, 2 * 256});
    expect_error("256 characters", &w, CLU_EATOM);
    clu_put_atom(&w, (clu_slice){text, 1});
    expect_error("half a character", &w, CLU_EATOM);
    clu_writer_free(&w);
}

static void test_containers(void **state)
{
    clu_writer w;

    (void)state;
    clu_writer_init(&w);
    clu_put_version(&w);
    clu_put_tuple(&w, 255);
    expect("tuple", &w, BYTES("\x83h\xff"));
    clu_put_tuple(&w, 256);
    expect("large tuple", &w, BYTES("i\0\0\1\0"));
    clu_put_list(&w, 1);
    clu_put_nil(&w);
    expect("list", &w, BYTES("l\0\0\0\1j"));
    clu_put_list(&w, 0);
    clu_put_nil(&w);
    expect("empty list", &w, BYTES("j"));
    clu_put_map(&w, 2);
    expect("map", &w, BYTES("t\0\0\0\2"));
    clu_put_record(&w, slice_of("m"), slice_of("r"), true, 3);
    expect("record", &w, BYTES("C\0\0\0\3\1w\1mw\1r"));
    clu_put_list(&w, (size_t)UINT32_MAX + 1);
    expect_error("too long a list", &w, CLU_ESIZE);
    clu_writer_free(&w);
}

static void test_bytes(void **state)
{
    clu_writer w;
    uint8_t *zeros = calloc(1, UINT16_MAX + 1);

    (void)state;
    assert_non_null(zeros);
    clu_writer_init(&w);
    clu_put_string(&w, slice_of(""));
    expect("empty string", &w, BYTES("j"));
    clu_put_string(&w, slice_of("ab"));
    expect("string", &w, BYTES("k\0\2ab"));
    clu_put_string(&w, (clu_slice){zeros, UINT16_MAX});
    assert_int_equal(w.len, 3 + UINT16_MAX);
    clu_writer_reset(&w);
    clu_put_string(&w, (clu_slice){zeros, UINT16_MAX + 1});
    assert_memory_equal(w.data, "l\0\1\0\0a\0a\0", 9);
    assert_int_equal(w.len, 5 + 2 * (UINT16_MAX + 1) + 1);
    clu_writer_reset(&w);
    clu_put_binary(&w, "ab", 2);
    expect("binary", &w, BYTES("m\0\0\0\2ab"));
    clu_put_binary(&w, NULL, 0);
    expect("empty binary", &w, BYTES("m\0\0\0\0"));
    clu_put_bitstring(&w, "a\xff", 2, 3);
    expect("bits", &w, BYTES("M\0\0\0\2\3a\xe0"));
    clu_put_bitstring(&w, "a", 1, 8);
    expect("whole bits", &w, BYTES("m\0\0\0\1a"));
    clu_put_bitstring(&w, "a", 1, 9);
    expect_error("nine bits", &w, CLU_EBADARG);
    clu_put_raw(&w, slice_of("a\1"));
    expect("raw", &w, BYTES("a\1"));
    clu_writer_free(&w);
    free(zeros);
}

static void test_identifiers(void **state)
{
    clu_writer w;
    clu_pid pid = {slice_of("a@h"), 1, 2, 3};
    clu_port port = {slice_of("a@h"), 1, 3}, wide = {slice_of("a@h"), UINT64_C(1) << 28, 3};
    clu_ref ref = {slice_of("a@h"), 3, 2, {1, 2}}, none = {.n = 0}, six = {.n = 6};

    (void)state;
    clu_writer_init(&w);
    clu_put_pid(&w, &pid);
    expect("pid", &w, BYTES("Xw\3a@h\0\0\0\1\0\0\0\2\0\0\0\3"));
    clu_put_port(&w, &port);
    expect("port", &w, BYTES("Yw\3a@h\0\0\0\1\0\0\0\3"));
    clu_put_port(&w, &wide);
    expect("wide port", &w, BYTES("xw\3a@h\0\0\0\0\x10\0\0\0\0\0\0\3"));
    clu_put_ref(&w, &ref);
    expect("ref", &w, BYTES("Z\0\2w\3a@h\0\0\0\3\0\0\0\1\0\0\0\2"));
    clu_put_ref(&w, &none);
    expect_error("ref of no words", &w, CLU_EBADARG);
    clu_put_ref(&w, &six);
    expect_error("ref of six words", &w, CLU_EBADARG);
    clu_put_export(&w, slice_of("m"), slice_of("f"), 2);
    expect("export", &w, BYTES("qw\1mw\1fa\2"));
    clu_writer_free(&w);
}

static void test_fixed(void **state)
{
    uint8_t memory[4];
    clu_writer w;

    (void)state;
    clu_writer_fixed(&w, memory, sizeof memory);
    clu_put_int(&w, 1);
    clu_put_int(&w, 2);
    expect("it fits", &w, BYTES("a\1a\2"));
    clu_put_int(&w, 256);
    assert_int_equal(w.len, 0);
    expect_error("it does not", &w, CLU_ESIZE);
    clu_writer_free(&w);
    assert_null(w.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),    cmocka_unit_test(test_bigs),
        cmocka_unit_test(test_floats),      cmocka_unit_test(test_atoms),
        cmocka_unit_test(test_containers),  cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_identifiers), cmocka_unit_test(test_fixed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
