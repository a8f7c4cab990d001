/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/base.h"

#define BYTES(text) text, sizeof(text) - 1

static const clu_slice atoms[] = {{(const uint8_t *)"ok", 2}};
static const clu_refs refs = {atoms, COUNT(atoms)};

static clu_reader reader(const char *bytes, size_t len)
{
    clu_reader r;

    clu_reader_init(&r, bytes, len);
    r.refs = &refs;
    return r;
}

/* Every get function, as one that takes and gives nothing: what matters here is errors. */

static void get_version(clu_reader *r)
{
    clu_get_version(r);
}

static void get_int(clu_reader *r)
{
    clu_get_int(r);
}

static void get_uint(clu_reader *r)
{
    clu_get_uint(r);
}

static void get_big(clu_reader *r)
{
    uint8_t small[8];
    bool negative;

    clu_get_big(r, &negative, small);
}

static void get_float(clu_reader *r)
{
    clu_get_float(r);
}

static void get_atom(clu_reader *r)
{
    clu_get_atom(r);
}

static void get_tuple(clu_reader *r)
{
    clu_get_tuple(r);
}

static void get_list(clu_reader *r)
{
    clu_get_list(r);
}

static void get_nil(clu_reader *r)
{
    clu_get_nil(r);
}

static void get_string(clu_reader *r)
{
    clu_get_string(r);
}

static void get_map(clu_reader *r)
{
    clu_get_map(r);
}

static void get_binary(clu_reader *r)
{
    clu_get_binary(r);
}

static void get_bits(clu_reader *r)
{
    uint8_t last_bits;

    clu_get_bitstring(r, &last_bits);
}

static void get_pid(clu_reader *r)
{
    clu_get_pid(r);
}

static void get_ref(clu_reader *r)
{
    clu_get_ref(r);
}

static void get_port(clu_reader *r)
{
    clu_get_port(r);
}

static void get_export(clu_reader *r)
{
    clu_slice module, function;
    uint8_t arity;

    clu_get_export(r, &module, &function, &arity);
}

static void get_fun(clu_reader *r)
{
    clu_get_fun(r);
}

static void get_record(clu_reader *r)
{
    clu_slice module, name;
    bool exported;

    clu_get_record(r, &module, &name, &exported);
}

typedef void getter(clu_reader *r);

#define ANY "\xff" /* a byte that is nobody's tag */

/* One good term for each, and what it makes of bad ones. */
static const struct {
    const char *name;
    getter *get;
    const char *bytes;
    size_t len;
    clu_error err;
} rows[] = {
    {"version", get_version, BYTES("\x83"), CLU_OK},
    {"version, wrong", get_version, BYTES("\x82"), CLU_ETAG},
    {"int", get_int, BYTES("b\0\0\0\1"), CLU_OK},
    {"int, big", get_int, BYTES("n\x8\1\0\0\0\0\0\0\0\x80"), CLU_OK},
    {"int, one too low", get_int, BYTES("n\x8\1\1\0\0\0\0\0\0\x80"), CLU_ERANGE},
    {"int, one too high", get_int, BYTES("n\x8\0\0\0\0\0\0\0\0\x80"), CLU_ERANGE},
    {"int, of nine bytes", get_int, BYTES("n\x9\0\0\0\0\0\0\0\0\0\1"), CLU_ERANGE},
    {"int, large big", get_int, BYTES("o\0\0\0\1\0\1"), CLU_OK},
    {"int, float", get_int, BYTES("F\0\0\0\0\0\0\0\0"), CLU_ETYPE},
    {"int, unknown tag", get_int, BYTES(ANY), CLU_ETAG},
    {"int, compressed", get_int, BYTES("P\0\0\0\0"), CLU_ECOMPRESSED},
    {"int, local", get_int, BYTES("y\0\0\0\0\0\0\0\0"), CLU_ELOCAL},
    {"uint", get_uint, BYTES("n\x8\0\xff\xff\xff\xff\xff\xff\xff\xff"), CLU_OK},
    {"uint, zero with a sign", get_uint, BYTES("n\1\1\0"), CLU_OK},
    {"uint, small", get_uint, BYTES("a\1"), CLU_OK},
    {"uint, negative", get_uint, BYTES("b\xff\xff\xff\xff"), CLU_ERANGE},
    {"uint, atom", get_uint, BYTES("w\1a"), CLU_ETYPE},
    {"big", get_big, BYTES("n\x9\0\0\0\0\0\0\0\0\0\1"), CLU_OK},
    {"big, nil", get_big, BYTES("j"), CLU_ETYPE},
    {"float", get_float, BYTES("F\0\0\0\0\0\0\0\0"), CLU_OK},
    {"float text", get_float, BYTES("c1.5\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
     CLU_OK},
    {"float text, bad", get_float,
     BYTES("cx.5\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), CLU_ETERM},
    {"float, integer", get_float, BYTES("a\1"), CLU_ETYPE},
    {"atom", get_atom, BYTES("w\2ok"), CLU_OK},
    {"atom, long", get_atom, BYTES("v\0\2ok"), CLU_OK},
    {"atom, cached", get_atom, BYTES("R\0"), CLU_OK},
    {"atom, cached, not there", get_atom, BYTES("R\1"), CLU_EATOM},
    {"atom, Latin-1 that is ASCII", get_atom, BYTES("s\2ok"), CLU_OK},
    {"atom, Latin-1", get_atom, BYTES("d\0\1\xe9"), CLU_EATOM},
    {"atom, nil", get_atom, BYTES("j"), CLU_ETYPE},
    {"tuple", get_tuple, BYTES("h\2"), CLU_OK},
    {"tuple, large", get_tuple, BYTES("i\0\0\0\1j"), CLU_OK},
    {"tuple, large, too few", get_tuple, BYTES("i\0\0\0\2j"), CLU_ETRUNC},
    {"tuple, nil", get_tuple, BYTES("j"), CLU_ETYPE},
    {"list", get_list, BYTES("l\0\0\0\1a"), CLU_OK},
    {"list, nil", get_list, BYTES("j"), CLU_OK},
    {"list, none", get_list, BYTES("l\0\0\0\0j"), CLU_ETERM},
    {"list, too few", get_list, BYTES("l\0\0\0\2a"), CLU_ETRUNC},
    {"list, string", get_list, BYTES("k\0\1a"), CLU_ETYPE},
    {"nil", get_nil, BYTES("j"), CLU_OK},
    {"nil, atom", get_nil, BYTES("w\1a"), CLU_ETYPE},
    {"string", get_string, BYTES("k\0\1a"), CLU_OK},
    {"string, list", get_string, BYTES("l\0\0\0\1a\1j"), CLU_ETYPE},
    {"map", get_map, BYTES("t\0\0\0\1ja"), CLU_OK},
    {"map, too few", get_map, BYTES("t\0\0\0\1j"), CLU_ETRUNC},
    {"map, nil", get_map, BYTES("j"), CLU_ETYPE},
    {"binary", get_binary, BYTES("m\0\0\0\1a"), CLU_OK},
    {"binary, whole bits", get_binary,
     BYTES("M\0\0\0\1\x8"
           "a"),
     CLU_OK},
    {"binary, bits", get_binary, BYTES("M\0\0\0\1\3a"), CLU_ETYPE},
    {"binary, string", get_binary, BYTES("k\0\1a"), CLU_ETYPE},
    {"bits", get_bits, BYTES("M\0\0\0\1\3a"), CLU_OK},
    {"bits, too many", get_bits,
     BYTES("M\0\0\0\1\x9"
           "a"),
     CLU_ETERM},
    {"bits, of no byte", get_bits, BYTES("M\0\0\0\0\1"), CLU_ETERM},
    {"pid", get_pid, BYTES("XR\0\0\0\0\1\0\0\0\2\0\0\0\3"), CLU_OK},
    {"pid, old", get_pid, BYTES("gR\0\0\0\0\1\0\0\0\2\3"), CLU_OK},
    {"pid, nil", get_pid, BYTES("j"), CLU_ETYPE},
    {"ref", get_ref, BYTES("Z\0\2R\0\0\0\0\1\0\0\0\1\0\0\0\2"), CLU_OK},
    {"ref, older", get_ref, BYTES("r\0\1R\0\1\0\0\0\1"), CLU_OK},
    {"ref, oldest", get_ref, BYTES("eR\0\0\0\0\1\1"), CLU_OK},
    {"ref, no words", get_ref, BYTES("Z\0\0R\0\0\0\0\1"), CLU_ETERM},
    {"port", get_port, BYTES("YR\0\0\0\0\1\0\0\0\2"), CLU_OK},
    {"port, old", get_port, BYTES("fR\0\0\0\0\1\2"), CLU_OK},
    {"port, wide", get_port, BYTES("xR\0\0\0\0\1\0\0\0\2\0\0\0\3"), CLU_OK},
    {"export", get_export, BYTES("qR\0R\0a\2"), CLU_OK},
    {"export, arity", get_export, BYTES("qR\0R\0b\0\0\0\2"), CLU_ETERM},
    {"fun", get_fun, BYTES("u\0\0\0\0XR\0\0\0\0\1\0\0\0\2\0\0\0\3R\0a\1a\2"), CLU_OK},
    {"fun, export", get_fun, BYTES("qR\0R\0a\2"), CLU_ETYPE},
    {"record", get_record, BYTES("C\0\0\0\1\1R\0R\0ja"), CLU_OK},
    {"record, too few", get_record, BYTES("C\0\0\0\1\1R\0R\0j"), CLU_ETRUNC},
};

static void test_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        clu_reader r = reader(rows[i].bytes, rows[i].len);

        rows[i].get(&r);
        if (r.err != rows[i].err)
            fail_msg("%s: %s", rows[i].name, clu_strerror(r.err));
    }
}

/* Whatever is cut off, no function reads behind the end, and each says that something is missing.
 */
static void test_cut_short(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t len = 0; rows[i].err == CLU_OK && len < rows[i].len; len++) {
            char *copy = malloc(len > 0 ? len : 1);

            assert_non_null(copy);
            memcpy(copy, rows[i].bytes, len);
            clu_reader r = reader(copy, len);

            rows[i].get(&r);
            free(copy);
            /* Whether a BIT_BINARY is a binary stands in its sixth byte. */
            if (r.err != CLU_ETRUNC && !(rows[i].get == get_binary && r.err == CLU_ETYPE))
                fail_msg("%s, %zu bytes: %s", rows[i].name, len, clu_strerror(r.err));
        }
}

/* After an error nothing is read, and the error stays. */
static void test_errors_stick(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        clu_reader r = reader(rows[i].bytes, rows[i].len);
        const uint8_t *pos = r.pos;

        clu_reader_fail(&r, CLU_EDEPTH);
        rows[i].get(&r);
        if (r.err != CLU_EDEPTH || r.pos != pos)
            fail_msg("%s: %s", rows[i].name, clu_strerror(r.err));
    }
}

static void test_integers(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        int64_t value;
    } integers[] = {
        {BYTES("a\0"), 0},
        {BYTES("a\xff"), 255},
        {BYTES("b\xff\xff\xff\xff"), -1},
        {BYTES("b\x7f\xff\xff\xff"), INT32_MAX},
        {BYTES("b\x80\0\0\0"), INT32_MIN},
        {BYTES("n\4\0\0\0\0\x80"), INT64_C(1) << 31},
        {BYTES("n\5\1\1\0\0\0\1"), -(INT64_C(1) << 32) - 1},
        {BYTES("n\x8\0\xff\xff\xff\xff\xff\xff\xff\x7f"), INT64_MAX},
        {BYTES("n\x8\1\0\0\0\0\0\0\0\x80"), INT64_MIN},
        {BYTES("n\xa\1\1\0\0\0\0\0\0\0\0\0"), -1},
        {BYTES("o\0\0\0\2\1\0\1"), -256},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(integers); i++) {
        clu_reader r = reader(integers[i].bytes, integers[i].len);
        int64_t value = clu_get_int(&r);

        if (r.err != CLU_OK || value != integers[i].value || r.pos != r.end)
            fail_msg("%lld: %lld, %s", (long long)integers[i].value, (long long)value,
                     clu_strerror(r.err));
    }
}

/* A number that does not fit stays where it is, for the function that it fits. */
static void test_too_large_stays(void **state)
{
    uint8_t small[8];
    bool negative;
    clu_reader r = reader(BYTES("n\x9\1\0\0\0\0\0\0\0\0\1"));
    clu_reader start = r;

    (void)state;
    clu_get_int(&r);
    assert_int_equal(r.err, CLU_ERANGE);
    assert_ptr_equal(r.pos, start.pos);
    assert_ptr_equal(r.end, r.pos);
    r = start;
    clu_slice magnitude = clu_get_big(&r, &negative, small);

    assert_true(negative);
    assert_int_equal(magnitude.len, 9);
    assert_ptr_equal(r.pos, r.end);
}

static void test_small_as_big(void **state)
{
    uint8_t small[8];
    bool negative;
    clu_reader r = reader(BYTES("b\xff\xff\xfe\xff"
                                "a\0"));
    clu_slice magnitude = clu_get_big(&r, &negative, small);

    (void)state;
    assert_true(negative);
    assert_int_equal(magnitude.len, 2);
    assert_memory_equal(magnitude.data, "\1\1", 2);
    magnitude = clu_get_big(&r, &negative, small);
    assert_false(negative);
    assert_int_equal(magnitude.len, 0);
}

static void test_latin1(void **state)
{
    uint8_t utf8[CLU_ATOM_BYTES_MAX];
    clu_reader r = reader(BYTES("s\3\xe9"
                                "a\xff"));
    clu_slice text = clu_get_atom_utf8(&r, utf8);

    (void)state;
    assert_true(slice_is(text, "\xc3\xa9"
                               "a\xc3\xbf"));
    assert_ptr_equal(r.pos, r.end);
}

static void test_identifiers(void **state)
{
    clu_reader r = reader(BYTES("gR\0\0\0\0\1\0\0\0\2\3"
                                "Z\0\2R\0\0\0\0\1\0\0\0\1\0\0\0\2"
                                "xR\0\0\0\0\1\0\0\0\2\0\0\0\3"));
    clu_pid pid = clu_get_pid(&r);
    clu_ref ref = clu_get_ref(&r);
    clu_port port = clu_get_port(&r);

    (void)state;
    assert_true(slice_is(pid.node, "ok") && pid.id == 1 && pid.serial == 2 && pid.creation == 3);
    assert_true(ref.n == 2 && ref.creation == 1 && ref.words[0] == 1 && ref.words[1] == 2);
    assert_true(port.id == ((UINT64_C(1) << 32) | 2) && port.creation == 3);
    assert_int_equal(r.err, CLU_OK);
    assert_ptr_equal(r.pos, r.end);
}

static void test_peek(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        clu_type type;
    } types[] = {
        {BYTES(""), CLU_TYPE_NONE},       {BYTES(ANY), CLU_TYPE_NONE},
        {BYTES("a"), CLU_TYPE_INTEGER},   {BYTES("o"), CLU_TYPE_INTEGER},
        {BYTES("c"), CLU_TYPE_FLOAT},     {BYTES("R"), CLU_TYPE_ATOM},
        {BYTES("h"), CLU_TYPE_TUPLE},     {BYTES("k"), CLU_TYPE_LIST},
        {BYTES("t"), CLU_TYPE_MAP},       {BYTES("m"), CLU_TYPE_BINARY},
        {BYTES("M"), CLU_TYPE_BITSTRING}, {BYTES("M\0\0\0\1\x8"), CLU_TYPE_BINARY},
        {BYTES("X"), CLU_TYPE_PID},       {BYTES("x"), CLU_TYPE_PORT},
        {BYTES("Z"), CLU_TYPE_REF},       {BYTES("p"), CLU_TYPE_FUN},
        {BYTES("q"), CLU_TYPE_EXPORT},    {BYTES("C"), CLU_TYPE_RECORD},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(types); i++) {
        clu_reader r = reader(types[i].bytes, types[i].len);

        assert_int_equal(clu_peek_type(&r), types[i].type);
        clu_reader_fail(&r, CLU_ETYPE);
        assert_int_equal(clu_peek_type(&r), CLU_TYPE_NONE);
    }
}

/* Whatever stands there: each tag by itself, and with others behind it, since the inline half wants
 * some bytes of room. */
static void test_any(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        clu_type type;
        int64_t number; /* or bytes, or terms */
        bool stays;
    } first[] = {
        {BYTES("a\7"), CLU_TYPE_INTEGER, 7, false},
        {BYTES("b\377\377\377\376"), CLU_TYPE_INTEGER, -2, false},
        {BYTES("n\1\0\7"), CLU_TYPE_INTEGER, 7, false},
        {BYTES("n\x9\1\0\0\0\0\0\0\0\0\1"), CLU_TYPE_BIG, 0, true},
        {BYTES("F\x40\x08\0\0\0\0\0\0"), CLU_TYPE_FLOAT, 3, false},
        {BYTES("w\2ok"), CLU_TYPE_ATOM, 2, false},
        {BYTES("d\0\2ok"), CLU_TYPE_ATOM, 2, false},
        {BYTES("R\0"), CLU_TYPE_ATOM, 2, false},
        {BYTES("m\0\0\0\3abc"), CLU_TYPE_BINARY, 3, false},
        {BYTES("k\0\2ab"), CLU_TYPE_STRING, 2, false},
        {BYTES("j"), CLU_TYPE_LIST, 0, false},
        {BYTES("l\0\0\0\1jj"), CLU_TYPE_LIST, 1, false},
        {BYTES("h\2jj"), CLU_TYPE_TUPLE, 2, false},
        {BYTES("t\0\0\0\1jj"), CLU_TYPE_MAP, 1, false},
        {BYTES("M\0\0\0\1\3\340"), CLU_TYPE_BITSTRING, 0, true},
        {BYTES("Xw\1a\0\0\0\1\0\0\0\2\0\0\0\3"), CLU_TYPE_PID, 0, true},
        {BYTES("Z\0\1w\1a\0\0\0\1\0\0\0\2"), CLU_TYPE_REF, 0, true},
        {BYTES("qw\1aw\1ba\1"), CLU_TYPE_EXPORT, 0, true},
        {BYTES("m\0\0\0\3ab"), CLU_TYPE_NONE, CLU_ETRUNC, false},
        {BYTES("w\2o"), CLU_TYPE_NONE, CLU_ETRUNC, false},
        {BYTES("F\x40\x08\0\0\0\0"), CLU_TYPE_NONE, CLU_ETRUNC, false},
        {BYTES("l\0\0\0\0j"), CLU_TYPE_NONE, CLU_ETERM, false},
        {BYTES("R\1"), CLU_TYPE_NONE, CLU_EATOM, false},
        {BYTES("d\0\1\351"), CLU_TYPE_NONE, CLU_EATOM, false},
        {BYTES("y"), CLU_TYPE_NONE, CLU_ELOCAL, false},
        {BYTES(""), CLU_TYPE_NONE, CLU_ETRUNC, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(first); i++)
        for (size_t more = 0; more <= 16; more += 8) {
            char bytes[64] = {0};
            clu_value v = {.as.n = 0};
            bool ends = first[i].number == CLU_ETRUNC;

            memcpy(bytes, first[i].bytes, first[i].len);
            clu_reader r = reader(bytes, first[i].len + (ends ? 0 : more));
            clu_reader start = r;
            clu_type type = clu_get_any(&r, &v);
            int64_t number =
                type == CLU_TYPE_NONE      ? r.err
                : type == CLU_TYPE_INTEGER ? v.as.integer
                : type == CLU_TYPE_FLOAT   ? (int64_t)v.as.real
                : type == CLU_TYPE_TUPLE || type == CLU_TYPE_LIST || type == CLU_TYPE_MAP
                    ? (int64_t)v.as.n
                : first[i].stays ? 0
                                 : (int64_t)v.as.bytes.len;

            if (type != first[i].type || v.type != type || number != first[i].number ||
                (first[i].stays && r.pos != start.pos))
                fail_msg("row %zu: type %d, %lld", i, (int)type, (long long)number);
            clu_reader skipped = start;

            clu_skip_term(&skipped);
            if (number > 0 && type < CLU_TYPE_TUPLE)
                assert_ptr_equal(r.pos, skipped.pos);
        }
}

static void test_slices(void **state)
{
    clu_reader r;

    (void)state;
    assert_true(clu_slice_is(clu_slice_of("abc"), "abc"));
    assert_false(clu_slice_is(clu_slice_of("abc"), "abd"));
    assert_true(clu_slice_equal(clu_slice_of(""), (clu_slice){0}));
    assert_false(clu_slice_equal(clu_slice_of("a"), clu_slice_of("ab")));
    clu_reader_init(&r, NULL, 0);
    assert_non_null(clu_reader_take(&r, 0));
    assert_null(clu_reader_take(&r, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_errors_stick),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_too_large_stays),
        cmocka_unit_test(test_small_as_big),
        cmocka_unit_test(test_latin1),
        cmocka_unit_test(test_identifiers),
        cmocka_unit_test(test_peek),
        cmocka_unit_test(test_any),
        cmocka_unit_test(test_slices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
