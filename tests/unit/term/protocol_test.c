/* SPDX-License-Identifier: Apache-2.0
 *
 * The I/O protocol: what is asked, typed and answered, and what is sent for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "console.h"

/* What is done, in turns: "{..." and atoms ("get..." without braces) are requests, ">..." is
 * typed, "=..." is the answer of the last call, "!" that it raised, "$" the end of the input. */
struct row {
    const char *name, *done[12], *told;
};

static void act(struct console *c, const char *what)
{
    if (what[0] == '>')
        console_type(c, what + 1);
    else if (what[0] == '=')
        console_answer(c, what + 1);
    else if (what[0] == '!')
        console_answer(c, NULL);
    else if (what[0] == '$')
        term_eof(c->term);
    else
        console_ask(c, what);
    console_drain(c);
}

/* Whether it was cut. */
static bool run(const struct row *row, bool interactive)
{
    struct console c;

    assert_true(console_open(&c, &(struct term_options){interactive, 80, 24}));
    for (size_t i = 0; i < COUNT(row->done) && row->done[i] != NULL; i++)
        act(&c, row->done[i]);
    if (strcmp(console_told(&c), row->told) != 0)
        fail_msg("%s:\n%snot\n%s", row->name, console_told(&c), row->told);
    bool cut = term_was_cut(c.term);

    console_close(&c);
    return cut;
}

#define LINE  "{get_line,unicode,\"> \"}"
#define UNTIL "{get_until,unicode,\"> \",erl_scan,tokens,[1]}"
#define SHELL "{get_until,unicode,\"> \",erl_scan,tokens,[{1,1},[text]]}"
#define R     "send {io_reply,99,"

static const struct row rows[] = {
    /* writing */
    {"put_chars", {"{put_chars,unicode,\"a\"}"}, R "ok}\n"},
    {"put_chars of bytes", {"{put_chars,latin1,<<228>>}"}, R "ok}\n"},
    {"put_chars without an encoding", {"{put_chars,<<228>>}"}, R "ok}\n"},
    {"put_chars of no UTF-8",
     {"{put_chars,unicode,<<228>>}"},
     R "{error,{put_chars,unicode,<<\"\xc3\xa4\">>}}}\n"},
    {"put_chars of an atom", {"{put_chars,unicode,[a]}"}, R "{error,{put_chars,unicode,[a]}}}\n"},
    {"put_chars of a function",
     {"{put_chars,unicode,io_lib,format,[\"~p\",[x]]}", "=\"x\""},
     "call [io_lib,format,[\"~p\",[x]]]\n" R "ok}\n"},
    {"of one that fails", {"{put_chars,unicode,m,f,[]}", "!"}, "call [m,f,[]]\n" R "{error,f}}\n"},
    {"of one that gives no text",
     {"{put_chars,m,f,[]}", "={}"},
     "call [m,f,[]]\n" R "{error,f}}\n"},
    {"a list", {"{requests,[{put_chars,unicode,\"a\"},{put_chars,unicode,\"b\"}]}"}, R "ok}\n"},
    {"a list ends at an error",
     {"{requests,[{put_chars,unicode,x},nosuch,getopts]}"},
     R "{error,{put_chars,unicode,x}}}\n"},
    {"an empty list", {"{requests,[]}"}, R "ok}\n"},
    {"a list that waits for its functions",
     {"{requests,[{put_chars,unicode,m,f,[1]},{put_chars,unicode,m,g,[2]}]}", "=\"x\"", "=\"y\""},
     "call [m,f,[1]]\ncall [m,g,[2]]\n" R "ok}\n"},
    {"a list with a reader in it",
     {"{requests,[{put_chars,unicode,\"a\"}," LINE "]}", ">b\r"},
     R "\"b\\n\"}\n"},
    /* what is none */
    {"an unknown request", {"{nosuch,1}"}, R "{error,request}}\n"},
    {"an unknown atom", {"nosuch"}, R "{error,request}}\n"},
    {"no request at all", {"12"}, R "{error,request}}\n"},
    {"an empty tuple", {"{}"}, R "{error,request}}\n"},
    {"an unknown encoding", {"{put_chars,ebcdic,\"a\"}"}, R "{error,request}}\n"},
    {"get_chars of no number", {"{get_chars,unicode,\"\",x}"}, R "{error,request}}\n"},
    {"a list within a list", {"{requests,[{requests,[]}]}"}, R "{error,request}}\n"},
    /* lines */
    {"get_line", {LINE, ">abc\r"}, R "\"abc\\n\"}\n"},
    {"get_line beyond Latin-1", {"{get_line,unicode,''}", ">\xe2\x82\xac\r"}, R "[8364,10]}\n"},
    {"get_line in Latin-1", {"{get_line,''}", ">\xc3\xa4\r"}, R "\"\xc3\xa4\\n\"}\n"},
    {"get_line in Latin-1 of more than that",
     {"{get_line,''}", ">\xe2\x82\xac\r"},
     R "{error,{no_translation,unicode,latin1}}}\n"},
    {"get_line as a binary", {"{setopts,[binary]}", LINE, ">a\r"}, R "ok}\n" R "<<\"a\\n\">>}\n"},
    {"as a binary in Latin-1",
     {"{setopts,[{binary,true}]}", "{get_line,''}", ">\xc3\xa4\r"},
     R "ok}\n" R "<<\"\xc3\xa4\\n\">>}\n"},
    {"typed ahead", {">one\rtwo\r", LINE, LINE}, R "\"one\\n\"}\n" R "\"two\\n\"}\n"},
    {"get_password", {"{get_password,unicode}", ">abc\r"}, R "\"abc\"}\n"},
    {"get_password without an encoding", {"get_password", ">\r"}, R "[]}\n"},
    {"a prompt that must be formatted",
     {"{get_line,unicode,{format,\"~p\",[1]}}", "=\"1\"", ">x\r"},
     "call [io_lib,format_prompt,[{format,\"~p\",[1]},unicode]]\n" R "\"x\\n\"}\n"},
    {"a prompt that cannot be",
     {"{get_line,unicode,{format,\"~p\",[1]}}", "!", ">x\r"},
     "call [io_lib,format_prompt,[{format,\"~p\",[1]},unicode]]\n" R "\"x\\n\"}\n"},
    {"the latest reader is served first",
     {LINE, "{get_line,unicode,\"q\"}", ">1\r2\r"},
     R "\"1\\n\"}\n" R "\"2\\n\"}\n"},
    /* characters */
    {"get_chars", {"{get_chars,unicode,\"\",2}", ">abc\r", LINE}, R "\"ab\"}\n" R "\"c\\n\"}\n"},
    {"get_chars of two lines",
     {"{get_chars,unicode,\"\",4}", ">a\r", ">bc\r", LINE},
     R "\"a\\nbc\"}\n" R "\"\\n\"}\n"},
    {"get_chars of none", {"{get_chars,unicode,\"\",0}"}, R "[]}\n"},
    {"get_chars by a function",
     {"{get_chars,unicode,\"\",m,f,x}", ">a\r", "={list,st}", ">b\r", "={stop,\"ab\",[]}"},
     "call [m,f,[start,\"a\\n\",unicode,x]]\ncall [m,f,[{list,st},\"b\\n\",unicode,x]]\n" R
     "\"ab\"}\n"},
    /* get_until */
    {"get_until",
     {UNTIL, ">a.\r", "={done,{ok,[a],2},[]}"},
     "call [erl_scan,tokens,[[],\"a.\\n\",1]]\n" R "{ok,[a],2}}\n"},
    {"a continuation is opaque",
     {UNTIL, ">(\r", "={more,{#{a => 1},\"x\"}}", ">).\r", "={done,x,[]}"},
     "call [erl_scan,tokens,[[],\"(\\n\",1]]\n"
     "call [erl_scan,tokens,[{#{a => 1},\"x\"},\").\\n\",1]]\n" R "x}\n"},
    {"what it leaves is for the next",
     {UNTIL, ">a. b\r", "={done,x,\" b\\n\"}", LINE},
     "call [erl_scan,tokens,[[],\"a. b\\n\",1]]\n" R "x}\n" R "\" b\\n\"}\n"},
    {"get_until with other arguments",
     {"{get_until,unicode,\"\",m,f,[{1,1},[text]]}", ">a\r"},
     "call [m,f,[[],\"a\\n\",{1,1},[text]]]\n"},
    {"get_until of a function that fails",
     {UNTIL, ">a\r", "!", LINE, ">b\r"},
     "call [erl_scan,tokens,[[],\"a\\n\",1]]\n" R "{error,tokens}}\n" R "\"b\\n\"}\n"},
    {"of one that answers anything",
     {UNTIL, ">a\r", "={maybe,1}"},
     "call [erl_scan,tokens,[[],\"a\\n\",1]]\n" R "{error,tokens}}\n"},
    {"a text as a binary",
     {"{setopts,[binary]}", UNTIL, ">a\r", "={done,\"text\",[]}"},
     R "ok}\ncall [erl_scan,tokens,[[],\"a\\n\",1]]\n" R "<<\"text\">>}\n"},
    /* options */
    {"setopts", {"{setopts,[{echo,false},{binary,true},list,{encoding,latin1}]}"}, R "ok}\n"},
    {"setopts of what there is not", {"{setopts,[{nosuch,true}]}"}, R "{error,enotsup}}\n"},
    {"setopts of a bad value", {"{setopts,[{echo,1}]}"}, R "{error,enotsup}}\n"},
    {"setopts of no list", {"{setopts,echo}"}, R "{error,enotsup}}\n"},
    {"getopts",
     {"{setopts,[{echo,false},binary]}", "getopts"},
     R "ok}\n" R "[{expand_fun,fun edlin_expand:expand/1},{echo,false},{line_history,true},"
       "{binary,true},{encoding,unicode},{terminal,true},{stdin,true},{stdout,true}]}\n"},
    {"getopts can be set again",
     {"{setopts,[{expand_fun,fun m:f/2}]}", "getopts"},
     R "ok}\n" R "[{expand_fun,fun m:f/2},{echo,true},{line_history,true},"
       "{binary,false},{encoding,unicode},{terminal,true},{stdin,true},{stdout,true}]}\n"},
    {"columns", {"{get_geometry,columns}"}, R "80}\n"},
    {"rows", {"{get_geometry,rows}"}, R "24}\n"},
    {"depth", {"{get_geometry,depth}"}, R "{error,enotsup}}\n"},
    /* completion */
    {"the function that was set",
     {"{setopts,[{expand_fun,fun m:f/1}]}", LINE, ">li\t", "={yes,\"sts\",[]}", ">\r"},
     R "ok}\ncall [erlang,apply,[fun m:f/1,[\"il\"]]]\n" R "\"lists\\n\"}\n"},
    {"one that takes options",
     {"{setopts,[{expand_fun,fun m:f/2}]}", LINE, ">l\t", "={no,[],[]}"},
     R "ok}\ncall [erlang,apply,[fun m:f/2,[\"l\",[]]]]\n"},
    {"matches are formatted there",
     {"{setopts,[{expand_fun,fun m:f/1}]}", LINE, ">l\t", "={no,[],[\"la\",\"lb\"]}",
      "=\"la lb\\n\"", ">x\r"},
     R "ok}\ncall [erlang,apply,[fun m:f/1,[\"l\"]]]\n"
       "call [edlin_expand,format_matches,[[\"la\",\"lb\"]]]\n" R "\"lx\\n\"}\n"},
    {"keys wait for it",
     {"{setopts,[{expand_fun,fun m:f/1}]}", LINE, ">a\tc\r", "={yes,\"b\",[]}"},
     R "ok}\ncall [erlang,apply,[fun m:f/1,[\"a\"]]]\n" R "\"abc\\n\"}\n"},
    {"it fails",
     {"{setopts,[{expand_fun,fun m:f/1}]}", LINE, ">a\t", "!", ">\r"},
     R "ok}\ncall [erlang,apply,[fun m:f/1,[\"a\"]]]\n" R "\"a\\n\"}\n"},
    /* Ctrl-C, Ctrl-D, Ctrl-G */
    {"interrupt of a reader", {LINE, ">abc\x03"}, R "{error,interrupted}}\n"},
    {"of one whose function runs",
     {UNTIL, ">a\r", ">\x03", "={done,x,[]}"},
     "call [erl_scan,tokens,[[],\"a\\n\",1]]\n" R "{error,interrupted}}\n"},
    {"end of file", {LINE, ">\x04"}, R "{error,terminated}}\nleave\n"},
    {"who reads later is told, too",
     {LINE, ">\x04", LINE},
     R "{error,terminated}}\nleave\n" R "{error,terminated}}\n"},
    {"quit in the menu", {LINE, ">\x07q\r"}, R "{error,terminated}}\nleave\n"},
    {"start in the menu", {">\x07s\r"}, "start\n"},
};

static void serves_a_person(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        run(&rows[i], true);
}

static const struct row scripts[] = {
    {"lines", {">one\ntwo\n", LINE, LINE}, R "\"one\\n\"}\n" R "\"two\\n\"}\n"},
    {"the last line needs no end", {">one", "$", LINE, LINE}, R "\"one\"}\n" R "eof}\n"},
    {"Latin-1 is understood", {">\xe4\xc3\xa4\n", LINE}, R "\"\xc3\xa4\xc3\xa4\\n\"}\n"},
    {"control characters are data", {">a\x03\x04\t\n", LINE}, R "[97,3,4,9,10]}\n"},
    {"the shell's own reader hears no end of file",
     {">a.\n", "$", SHELL, "={done,a,[]}", SHELL},
     "call [erl_scan,tokens,[[],\"a.\\n\",{1,1},[text]]]\n" R "a}\n" R
     "{error,terminated}}\nleave\n"},
    {"its last line has an end",
     {">a.", "$", SHELL},
     "call [erl_scan,tokens,[[],\"a.\\n\",{1,1},[text]]]\n"},
    {"io:read does", {"$", UNTIL}, "call [erl_scan,tokens,[[],eof,1]]\n"},
    {"another does",
     {"$", "{get_until,unicode,\"\",m,f,[]}", "={done,eof,[]}"},
     "call [m,f,[[],eof]]\n" R "eof}\n"},
    {"who wants more than all",
     {"$", "{get_until,unicode,\"\",m,f,[]}", "={more,x}"},
     "call [m,f,[[],eof]]\n" R "{error,f}}\n"},
    {"characters at the end",
     {">ab", "$", "{get_chars,unicode,\"\",9}", "{get_chars,unicode,\"\",9}"},
     R "\"ab\"}\n" R "eof}\n"},
    {"a terminal it is not",
     {"{get_geometry,columns}", "getopts"},
     R "80}\n" R "[{expand_fun,fun edlin_expand:expand/1},{echo,true},{line_history,true},"
       "{binary,false},{encoding,unicode},{terminal,false},{stdin,false},{stdout,false}]}\n"},
};

static void serves_a_script(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(scripts); i++)
        run(&scripts[i], false);
}

#define SHELL_CALL(text) "call [erl_scan,tokens,[[],\"" text "\\n\",{1,1},[text]]]\n"
#define IEX(prompt)      "{get_line,unicode,<<\"" prompt "\">>}"

/* Scripts that end, and whether it is within an expression. */
static const struct {
    struct row row;
    bool cut;
} ends[] = {
    {{"nothing", {"$", SHELL}, R "{error,terminated}}\nleave\n"}, false},
    {{"no dot",
      {">x = 1", "$", SHELL, "={more,c}"},
      SHELL_CALL("x = 1") R "{error,terminated}}\nleave\n"},
     true},
    {{"a remark",
      {">% x\n", "$", SHELL, "={more,c}"},
      SHELL_CALL("% x") R "{error,terminated}}\nleave\n"},
     false},
    {{"a blank line",
      {"> \n", "$", SHELL, "={more,c}"},
      SHELL_CALL(" ") R "{error,terminated}}\nleave\n"},
     false},
    {{"code before a remark",
      {">x % .\n", "$", SHELL, "={more,c}"},
      SHELL_CALL("x % .") R "{error,terminated}}\nleave\n"},
     true},
    {{"the next expression is another",
      {">x.\n", "$", SHELL, "={done,x,[]}", SHELL},
      SHELL_CALL("x.") R "x}\n" R "{error,terminated}}\nleave\n"},
     false},
    {{"what one leaves is begun, too",
      {">x. y\n", "$", SHELL, "={done,x,\" y\\n\"}", SHELL, "={more,c}"},
      SHELL_CALL("x. y") R "x}\n" SHELL_CALL(" y") R "{error,terminated}}\nleave\n"},
     true},
    {{"io:read", {"$", UNTIL}, "call [erl_scan,tokens,[[],eof,1]]\n"}, false},
    {{"IEx at its prompt", {"$", IEX("iex(a@b)1> ")}, R "eof}\n"}, false},
    {{"IEx within", {"$", IEX("...(a@b)1> ")}, R "eof}\n"}, true},
};

static void tells_where_a_script_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ends); i++)
        if (run(&ends[i].row, false) != ends[i].cut)
            fail_msg("%s: it is%s cut", ends[i].row.name, ends[i].cut ? "" : " not");
}

/* Interrupt and kill go to a shell that is there. */
static void signals_the_shell(void **state)
{
    struct console c;

    (void)state;
    assert_true(console_open(&c, &(struct term_options){true, 80, 24}));
    console_type(&c, "\x03");
    assert_string_equal("", console_told(&c));
    term_shell(c.term, true);
    console_type(&c, "\x03\x07i\rk\r");
    assert_string_equal("interrupt\ninterrupt\nkill\n", console_told(&c));
    console_forget(&c);
    term_shell(c.term, false); /* the menu is open: it may start another */
    console_type(&c, "s\r");
    assert_string_equal("start\n", console_told(&c));
    console_forget(&c);
    term_shell(c.term, true);
    console_ask(&c, LINE);
    console_type(&c, "\x07k\r");
    assert_string_equal("send {io_reply,99,{error,terminated}}\nkill\n", console_told(&c));
    console_forget(&c);
    console_type(&c, "c\r");
    term_leave(c.term);
    console_drain(&c);
    assert_string_equal("interrupt\nleave\n", console_told(&c)); /* so that it reads, and hears */
    console_close(&c);
}

/* A script's banner is no answer, and prompts are nobody's. */
static void keeps_answers_apart(void **state)
{
    struct console c;

    (void)state;
    assert_true(console_open(&c, &(struct term_options){0}));
    console_ask(&c, "{put_chars,unicode,\"Eshell\\n\"}");
    console_ask(&c, LINE);
    console_ask(&c, "{put_chars,unicode,\"1\\n\"}");
    assert_string_equal("1\n", console_shown(&c));
    assert_string_equal("Eshell\n", buf_text(term_banner(c.term)));
    console_close(&c);
}

/* A peer that asks and asks: what is over the limit is refused, and no memory grows. */
static void refuses_too_many_readers(void **state)
{
    struct console c;
    size_t refused = 0;

    (void)state;
    assert_true(console_open(&c, &(struct term_options){true, 80, 24}));
    for (int i = 0; i < 1000; i++)
        console_ask(&c, LINE);
    for (const char *p = console_told(&c); (p = strstr(p, "{error,enomem}")) != NULL; p++)
        refused++;
    assert_in_range(refused, 700, 999);
    console_close(&c);
}

/* {requests, ...} of very many: no recursion. */
static void serves_long_lists(void **state)
{
    struct buf text = {0};
    struct console c;

    (void)state;
    buf_put_text(&text, "{requests,[getopts");
    for (int i = 0; i < 100000; i++)
        buf_put_text(&text, ",getopts");
    buf_put_text(&text, ",{put_chars,unicode,\"x\"}]}");
    assert_true(console_open(&c, &(struct term_options){true, 80, 24}));
    console_ask(&c, buf_text(&text));
    assert_string_equal(R "ok}\n", console_told(&c));
    buf_free(&text);
    console_close(&c);
}

/* Who has gone gets nothing that is typed: what waited before it does. */
static void forgets_who_has_gone(void **state)
{
    struct console c;

    (void)state;
    assert_true(console_open(&c, &(struct term_options){true, 80, 24}));
    console_ask(&c, "{get_line,unicode,\"first> \"}");
    uint32_t first = c.watch;

    console_ask(&c, "{get_chars,unicode,\"second> \",3}");
    uint32_t second = c.watch;

    assert_true(first != 0 && second != 0 && first != second);
    console_type(&c, "lost");
    term_gone(c.term, second);
    term_gone(c.term, second);
    console_type(&c, "one\r");
    assert_string_equal(R "\"one\\n\"}\n", console_told(&c));
    assert_int_equal(0, c.watch); /* it has what it asked for */
    term_gone(c.term, first);
    console_ask(&c, UNTIL);
    console_type(&c, "a\r");
    term_gone(c.term, c.watch); /* while its function runs */
    console_forget(&c);
    console_answer(&c, "{done,x,[]}");
    assert_string_equal("", console_told(&c));
    console_close(&c);
}

/* What is no request at all is passed over. */
static void passes_over_other_messages(void **state)
{
    static const char *const messages[] = {
        "hello", "{io_request,1}", "{io_request,a,b,c}", "{io_reply,1,2,3}", "[]", "{}"};
    struct console c;

    (void)state;
    assert_true(console_open(&c, &(struct term_options){true, 80, 24}));
    for (size_t i = 0; i < COUNT(messages); i++) {
        clu_writer w;
        clu_reader r;
        size_t at;

        clu_writer_init(&w);
        assert_int_equal(CLU_OK, clu_parse(messages[i], strlen(messages[i]), &w, &at, NULL));
        clu_reader_init(&r, w.data, w.len);
        term_message(c.term, r);
        console_drain(&c);
        clu_writer_free(&w);
    }
    assert_string_equal("", console_told(&c));
    term_answer(c.term, 12345, NULL);
    console_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_a_person),
        cmocka_unit_test(serves_a_script),
        cmocka_unit_test(tells_where_a_script_ends),
        cmocka_unit_test(signals_the_shell),
        cmocka_unit_test(keeps_answers_apart),
        cmocka_unit_test(refuses_too_many_readers),
        cmocka_unit_test(serves_long_lists),
        cmocka_unit_test(forgets_who_has_gone),
        cmocka_unit_test(passes_over_other_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
