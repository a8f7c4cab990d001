/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/base.h"

#define BYTES(text) text, sizeof(text) - 1
/* What a fun says of itself between its size and its terms: Arity, Uniq, Index. */
#define FUN_SELF                                                                                   \
    "\1"                                                                                           \
    "0123456789abcdef"                                                                             \
    "\0\0\0\2"

/* Reference 0 is `ok`, 1 is `a@b`. */
static const clu_slice atoms[] = {{(const uint8_t *)"ok", 2}, {(const uint8_t *)"a@b", 3}};
static const clu_refs refs = {atoms, COUNT(atoms)};

#define OK       "w\2ok"
#define A_B      "w\3a@b"
#define PID_REST "\0\0\0\1\0\0\0\2\0\0\0\3"

static const struct {
    const char *name, *in;
    size_t in_len;
    const char *out;
    size_t out_len;
} rows[] = {
    {"a small integer", BYTES("a\1"), BYTES("a\1")},
    {"a string", BYTES("k\0\2ab"), BYTES("k\0\2ab")},
    {"nil", BYTES("j"), BYTES("j")},
    {"a reference to an atom", BYTES("R\0"), BYTES(OK)},
    {"an atom in Latin-1", BYTES("s\1\xe9"), BYTES("w\2\xc3\xa9")},
    {"in a tuple", BYTES("h\2R\0R\1"), BYTES("h\2" OK A_B)},
    {"in a list", BYTES("l\0\0\0\2R\0a\1j"), BYTES("l\0\0\0\2" OK "a\1j")},
    {"as a tail", BYTES("l\0\0\0\1a\1R\0"), BYTES("l\0\0\0\1a\1" OK)},
    {"in a map", BYTES("t\0\0\0\1R\0R\1"), BYTES("t\0\0\0\1" OK A_B)},
    {"in a pid", BYTES("XR\1" PID_REST), BYTES("X" A_B PID_REST)},
    {"in a reference", BYTES("Z\0\1R\1\0\0\0\1\0\0\0\2"), BYTES("Z\0\1" A_B "\0\0\0\1\0\0\0\2")},
    {"in an export", BYTES("qR\0R\1a\1"), BYTES("q" OK A_B "a\1")},
    {"in an export beside Latin-1", BYTES("qs\1\xe9R\0a\3"), BYTES("qw\2\xc3\xa9" OK "a\3")},
    {"beside Latin-1 in a record", BYTES("C\0\0\0\0\1R\0s\1\xe9"),
     BYTES("C\0\0\0\0\1" OK "w\2\xc3\xa9")},
    {"a record in Latin-1", BYTES("C\0\0\0\0\1s\1\xe8s\1\xe9"),
     BYTES("C\0\0\0\0\1w\2\xc3\xa8w\2\xc3\xa9")},
    {"in a port", BYTES("YR\1\0\0\0\1\0\0\0\2"), BYTES("Y" A_B "\0\0\0\1\0\0\0\2")},
    {"in a wide port", BYTES("xR\1\x10\0\0\1\0\0\0\2\0\0\0\3"),
     BYTES("x" A_B "\x10\0\0\1\0\0\0\2\0\0\0\3")},
    {"in a record", BYTES("C\0\0\0\1\1R\0R\1R\0a\7"), BYTES("C\0\0\0\1\1" OK A_B OK "a\7")},
    {"an old fun", BYTES("u\0\0\0\0X" A_B PID_REST OK "a\1a\2"),
     BYTES("u\0\0\0\0X" A_B PID_REST OK "a\1a\2")},
    {"in an old fun",
     BYTES("h\2u\0\0\0\2XR\1" PID_REST "R\0a\1a\2"
           "R\1l\0\0\0\1R\0jR\0"),
     BYTES("h\2u\0\0\0\2X" A_B PID_REST OK "a\1a\2" A_B "l\0\0\0\1" OK "j" OK)},
    {"an old fun in a fun",
     BYTES("p\0\0\0\x4c" FUN_SELF "\0\0\0\1"
           "R\0a\0a\0"
           "XR\1" PID_REST "u\0\0\0\0XR\1" PID_REST "R\0a\1a\2"),
     BYTES("p\0\0\0\x56" FUN_SELF "\0\0\0\1" OK "a\0a\0"
           "X" A_B PID_REST "u\0\0\0\0X" A_B PID_REST OK "a\1a\2")},
    {"a pid in Latin-1 stays", BYTES("Xs\1\xe9" PID_REST), BYTES("Xs\1\xe9" PID_REST)},
    {"in a fun, whose size is mended",
     BYTES("p\0\0\0\x34" FUN_SELF "\0\0\0\1"
           "R\0a\0a\0"
           "XR\1" PID_REST "R\0"),
     BYTES("p\0\0\0\x3b" FUN_SELF "\0\0\0\1" OK "a\0a\0"
           "X" A_B PID_REST OK)},
    {"in a fun within a fun",
     BYTES("h\2p\0\0\0\x64" FUN_SELF "\0\0\0\1"
           "R\0a\0a\0"
           "XR\1" PID_REST "p\0\0\0\x32" FUN_SELF "\0\0\0\0"
           "R\0a\0a\0"
           "XR\1" PID_REST "R\0"),
     BYTES("h\2p\0\0\0\x6f" FUN_SELF "\0\0\0\1" OK "a\0a\0"
           "X" A_B PID_REST "p\0\0\0\x37" FUN_SELF "\0\0\0\0" OK "a\0a\0"
           "X" A_B PID_REST OK)},
};

static void test_copy(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        clu_writer w;
        clu_reader r;
        size_t used;

        clu_reader_init(&r, rows[i].in, rows[i].in_len);
        r.refs = &refs;
        clu_writer_init(&w);
        clu_put_term(&w, &r);
        if (r.err != CLU_OK || r.pos != r.end || w.len != rows[i].out_len ||
            memcmp(w.data, rows[i].out, w.len) != 0)
            fail_msg("%s: %s, %zu bytes", rows[i].name, clu_strerror(r.err), w.len);
        if (clu_check(w.data, w.len, NULL, &used) != CLU_OK || used != w.len)
            fail_msg("%s: the copy is no term", rows[i].name);
        clu_writer_free(&w);
    }
}

/* What goes wrong leaves the writer as it was, wherever the input ends. */
static void test_cut_short(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t len = 0; len < rows[i].in_len; len++) {
            clu_writer w;
            clu_reader r;

            clu_reader_init(&r, rows[i].in, len);
            r.refs = &refs;
            clu_writer_init(&w);
            clu_put_int(&w, 1);
            clu_put_term(&w, &r);
            if (r.err == CLU_OK || w.len != 2)
                fail_msg("%s, %zu bytes: taken", rows[i].name, len);
            clu_writer_free(&w);
        }
}

static void test_unknown_reference(void **state)
{
    clu_writer w;
    clu_reader r;

    (void)state;
    clu_reader_init(&r, "h\1R\2", 4);
    r.refs = &refs;
    clu_writer_init(&w);
    clu_put_term(&w, &r);
    assert_int_equal(r.err, CLU_EATOM);
    assert_int_equal(w.len, 0);
    clu_writer_free(&w);
}

/* A fun around the term that follows; its size is not looked at. */
static void put_fun(clu_writer *w)
{
    clu_put_bytes(w, BYTES("p\0\0\0\0" FUN_SELF "\0\0\0\1"));
    clu_put_bytes(w, BYTES("R\0a\0a\0"
                           "XR\1" PID_REST));
}

/* Funs within funs, each of which is longer by what its atoms are. */
static void test_deep_funs(void **state)
{
    enum { DEEP = 100000 };
    clu_writer in, w;
    clu_reader r;

    (void)state;
    clu_writer_init(&in);
    clu_writer_init(&w);
    for (int i = 0; i < DEEP; i++)
        put_fun(&in);
    clu_put_nil(&in);
    clu_reader_init(&r, in.data, in.len);
    r.refs = &refs;
    clu_put_term(&w, &r);
    assert_int_equal(r.err, CLU_OK);
    assert_int_equal(w.len, in.len + DEEP * (sizeof OK A_B - sizeof "R\0R\1"));
    assert_int_equal(clu_check(w.data, w.len, NULL, NULL), CLU_OK);
    clu_writer_free(&in);
    clu_writer_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_unknown_reference),
        cmocka_unit_test(test_deep_funs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
