/* SPDX-License-Identifier: Apache-2.0 */
#include "reader.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_errors_stick),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
