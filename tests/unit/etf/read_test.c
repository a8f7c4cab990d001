/* SPDX-License-Identifier: Apache-2.0 */
#include "reader.h"

/* What the get functions give. */

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
        cmocka_unit_test(test_integers),     cmocka_unit_test(test_too_large_stays),
        cmocka_unit_test(test_small_as_big), cmocka_unit_test(test_latin1),
        cmocka_unit_test(test_identifiers),  cmocka_unit_test(test_peek),
        cmocka_unit_test(test_any),          cmocka_unit_test(test_slices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
