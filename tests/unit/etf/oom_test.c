/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/base.h"

/* The linker's --wrap sends the library's allocations here: the one of this number fails, and all
 * that come after it. */
static size_t allocations, failing = SIZE_MAX;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static bool fails(void)
{
    return allocations++ >= failing;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return fails() ? NULL : __real_realloc(p, size);
}

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

/* Runs it with the first, the second, ... allocation failing, until none does. */
static void fail_each(clu_error (*run)(clu_writer *out))
{
    clu_error err;
    size_t n = 0;

    do {
        clu_writer out;

        clu_writer_init(&out);
        allocations = 0;
        failing = n++;
        err = run(&out);
        bool failed = allocations > failing;

        failing = SIZE_MAX;
        if (err != (failed ? CLU_ENOMEM : CLU_OK))
            fail_msg("allocation %zu: %s", n, clu_strerror(err));
        clu_writer_free(&out);
    } while (err != CLU_OK);
    assert_true(n > 3); /* the linker did what this rests on */
}

static void test_parse(void **state)
{
    (void)state;
    fail_each(parse);
}

static void test_print(void **state)
{
    (void)state;
    clu_writer_init(&term);
    assert_int_equal(parse(&term), CLU_OK);
    fail_each(print);
    clu_writer_free(&term);
}

static void test_put(void **state)
{
    (void)state;
    fail_each(put);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_put),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
