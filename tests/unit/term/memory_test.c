/* SPDX-License-Identifier: Apache-2.0
 *
 * A session in which each allocation fails once, and all behind it: nothing crashes or leaks, and
 * the terminal says that it is of no use any more, or has done without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "console.h"

static size_t allocations, failing = SIZE_MAX;
static bool only_one;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static bool fails(void)
{
    size_t n = allocations++;

    return only_one ? n == failing : n >= failing;
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

static void session(void)
{
    const struct term_expander e = {"m", "expand", clu_slice_of("j"), 1, true, false};
    struct console c;
    clu_error err;

    if (!console_open(&c, &(struct term_options){true, 40, 10}))
        return;
    err = term_set_expander(c.term, &e);
    (void)err;
    term_shell(c.term, true);
    console_ask(&c, "{requests,[{put_chars,unicode,\"hello\\n\"},{put_chars,unicode,m,f,[1]}]}");
    console_answer(&c, "\"a text of a function\"");
    console_ask(&c, "getopts");
    console_ask(&c, "{get_until,unicode,{format,\"~p\",[1]},erl_scan,tokens,[1]}");
    console_answer(&c, "\"1> \"");
    console_type(&c, "lists:rev\t");
    console_answer(&c, "{no,[],[\"one\",\"two\"]}");
    console_answer(&c, "\"one two\\n\"");
    console_type(&c, "foo bar\x17\x19\r");
    console_answer(&c, "{more,{some,state}}");
    console_type(&c, "more.\r");
    console_answer(&c, "{done,{ok,[]},\"rest\\n\"}");
    console_ask(&c, "{get_line,unicode,\"> \"}");
    console_ask(&c, "{setopts,[{expand_fun,fun m:f/2},{binary,true}]}");
    console_ask(&c, "{get_chars,unicode,\"> \",3}");
    console_type(&c, "\x1b[A\x1b[A\x1b[B\x12li\r");
    term_resize(c.term, 20, 5);
    console_ask(&c, "{get_line,unicode,\"> \"}");
    console_type(&c, "abc\x03\x07h\rj\rc\r");
    console_ask(&c, "{put_chars,latin1,<<228>>}");
    console_ask(&c, "{get_password,unicode}");
    console_type(&c, "\x04");
    console_close(&c);
}

static void survives_every_allocation(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) {
        only_one = round == 1;
        failing = SIZE_MAX;
        allocations = 0;
        session();
        size_t all = allocations;

        assert_in_range(all, 100, 100000);
        for (size_t i = 0; i < all; i++) {
            failing = i;
            allocations = 0;
            session();
        }
        failing = SIZE_MAX;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(survives_every_allocation)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
