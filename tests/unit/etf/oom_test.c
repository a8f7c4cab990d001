/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <erlclu/format.h>

#include "../failing.h"
#include "base/base.h"

/* One allocation fails, and all that come after it. */

/* A text that takes every way of parse to memory: its terms are longer than the first block of a
 * writer, in every place. */
static const char text[] =
    "[#{a => [1,2|\"a string that is longer than the block\"],\"another string, a key\" => {b,c}},"
    "123456789012345678901234567890123456789012345678901234567890,16#"
    "ffffffffffffffffffffffffffffffff,"
    "<<\"a text of two bytes a character \xd0\xb6\xd0\xb6\xd0\xb6\xd0\xb6\"/utf8,1.5/float,1:99,"
    "123456789012345678901234567890/float>>,'an atom that has to be quoted',"
    "\"\xd0\xb6\xd0\xb6\xd0\xb6\xd0\xb6 with numbers that are larger than bytes\",fun lists:map/2,"
    "[a|\"tail of bytes which become elements of the one list that this makes\"],1.5]";

static clu_error parse(clu_writer *out)
{
    size_t at;

    return clu_parse(text, sizeof text - 1, out, &at, NULL);
}

static clu_writer term; /* what the text says */

static clu_error print(clu_writer *out)
{
    clu_reader r;

    clu_reader_init(&r, term.data, term.len);
    return clu_print(&r, out);
}

static clu_error put(clu_writer *out)
{
    static const uint8_t bytes[100];

    for (size_t i = 0; i < 50; i++) {
        clu_put_tuple(out, 6);
        clu_put_int(out, INT64_MIN);
        clu_put_big(out, (clu_slice){bytes, sizeof bytes}, true);
        clu_put_atom_text(out, "an atom");
        clu_put_string(out, (clu_slice){bytes, sizeof bytes});
        clu_put_bitstring(out, bytes, sizeof bytes, 3);
        clu_put_pid(out, &(clu_pid){slice_of("a@127.0.0.1"), 1, 2, 3});
    }
    return out->err;
}

/* Every way of clu_format to memory. */
static clu_error format(clu_writer *out)
{
    clu_reader r;
    clu_atom atom = clu_atom_new("made_once");
    clu_pid pid = {slice_of("a@127.0.0.1"), 1, 2, 3};

    clu_reader_init(&r, term.data, term.len);
    clu_error err =
        clu_format(out,
                   "{~a,~p,[~i,1267650600228229401496703205376|~s],#{~b => ~t},"
                   "<<\"a binary that is made of bytes\",1:7>>,'quoted',\"text\"}",
                   &atom, pid, INT64_MIN, "a string that is longer than the block", "key", r);

    clu_atom_free(&atom);
    return err;
}

/* A term away from its header: atoms are written anew. */
static clu_error copy(clu_writer *out)
{
    static const clu_slice atoms[] = {{(const uint8_t *)"an_atom_of_the_header", 21}};
    static const clu_refs refs = {atoms, 1};
    clu_reader r;

    for (size_t i = 0; i < 20; i++) {
        clu_reader_init(&r, "h\3R\0m\0\0\0\3abcXR\0\0\0\0\1\0\0\0\2\0\0\0\3", 27);
        r.refs = &refs;
        clu_put_term(out, &r);
        assert_int_equal(r.err, CLU_OK);
    }
    return out->err;
}

/* Funs within each other. */
static clu_writer funs;

static void nest_funs(void)
{
    static const char fun[] = "p\0\0\0\0\1"
                              "0123456789abcdef\0\0\0\2\0\0\0\1R\0a\1a\2"
                              "XR\0\0\0\0\1\0\0\0\2\0\0\0\3";
    enum { DEEP = 100, SIZE = sizeof fun - 1 };

    clu_writer_init(&funs);
    for (int i = 0; i < DEEP; i++)
        clu_put_bytes(&funs, fun, SIZE);
    clu_put_nil(&funs);
    assert_int_equal(funs.err, CLU_OK);
    for (int i = 0; i < DEEP; i++)
        put_be32(funs.data + i * SIZE + 1, (uint32_t)((DEEP - i) * SIZE));
}

static const clu_slice fun_atoms[] = {{(const uint8_t *)"m", 1}};
static const clu_refs fun_refs = {fun_atoms, 1};

static clu_error check_funs(clu_writer *out)
{
    (void)out;
    return clu_check(funs.data, funs.len, &fun_refs, NULL);
}

/* That there was no memory is the writer's error: the term is well-formed. */
static clu_error copy_funs(clu_writer *out)
{
    clu_reader r;

    clu_reader_init(&r, funs.data, funs.len);
    r.refs = &fun_refs;
    clu_put_term(out, &r);
    assert_int_equal(r.err, CLU_OK);
    return out->err;
}

/* A match needs memory for a binary in its text, and for nothing else. */
static clu_error match(clu_writer *out)
{
    clu_reader r;
    int64_t n = 0;

    (void)out;
    clu_reader_init(&r, "h\2m\0\0\0\4textb\0\0\1\0", 16);
    const clu_reader start = r;
    clu_error err = clu_match(&r, "{<<\"text\">>,~i}", &n);

    assert_true(err == CLU_OK ? n == 256 : n == 0 && r.pos == start.pos && r.err == CLU_OK);
    return err;
}

static clu_error match_without(clu_writer *out)
{
    clu_reader r;
    clu_slice a, b;
    clu_list l;

    (void)out;
    clu_reader_init(&r, "l\0\0\0\3w\1am\0\0\0\1bk\0\1cj", 20);
    return clu_match(&r, "[~a,~b,\"c\"|~l]", &a, &b, &l);
}

/* Runs it with the first, the second, ... allocation failing, until none does; there are so many at
 * least. */
static void fail_each(clu_error (*run)(clu_writer *out), size_t least)
{
    clu_error err;
    size_t n = 0;

    do {
        clu_writer out;

        clu_writer_init(&out);
        n_allocations = 0;
        failing = ++n;
        err = run(&out);
        bool failed = failing_happened();

        failing = 0;
        if (err != (failed ? CLU_ENOMEM : CLU_OK))
            fail_msg("allocation %zu: %s", n, clu_strerror(err));
        clu_writer_free(&out);
    } while (err != CLU_OK);
    assert_true(n > least); /* the linker did what this rests on */
}

static void test_parse(void **state)
{
    (void)state;
    fail_each(parse, 3);
}

static void test_print(void **state)
{
    (void)state;
    clu_writer_init(&term);
    assert_int_equal(parse(&term), CLU_OK);
    fail_each(print, 3);
    clu_writer_free(&term);
}

static void test_put(void **state)
{
    (void)state;
    fail_each(put, 3);
}

static void test_format(void **state)
{
    (void)state;
    clu_writer_init(&term);
    assert_int_equal(parse(&term), CLU_OK);
    fail_each(format, 5);
    clu_writer_free(&term);
}

static void test_copy(void **state)
{
    (void)state;
    fail_each(copy, 3);
}

static void test_funs(void **state)
{
    (void)state;
    n_allocations = failing = 0;
    nest_funs();
    fail_each(check_funs, 2);
    fail_each(copy_funs, 3);
    clu_writer_free(&funs);
}

static void test_match(void **state)
{
    clu_writer none;

    (void)state;
    fail_each(match, 1);
    clu_writer_init(&none);
    n_allocations = 0;
    assert_int_equal(match_without(&none), CLU_OK);
    assert_int_equal(n_allocations, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),  cmocka_unit_test(test_print), cmocka_unit_test(test_put),
        cmocka_unit_test(test_format), cmocka_unit_test(test_copy),  cmocka_unit_test(test_funs),
        cmocka_unit_test(test_match),
    };

    failing_for_good = true;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
