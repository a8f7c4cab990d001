/* SPDX-License-Identifier: Apache-2.0
 *
 * A session in which each allocation fails once, and all behind it: nothing crashes or leaks, and
 * the terminal says that it is of no use any more, or has done without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../failing.h"
#include "console.h"

static bool session(void)
{
    const struct term_expander e = {"m", "expand", clu_slice_of("j"), 1, true, false};
    struct console c;
    clu_error err;

    n_allocations = 0;
    if (!console_open(&c, &(struct term_options){true, 40, 10}))
        return false;
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
    return true;
}

static void survives_every_allocation(void **state)
{
    (void)state;
    failing_tell_both(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(survives_every_allocation)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
