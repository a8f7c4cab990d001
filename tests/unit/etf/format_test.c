/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <erlclu/erlclu.h>

#include "base/base.h"

#define BYTES(text) ((clu_slice){(const uint8_t *)(text), sizeof(text) - 1})

static const clu_pid pid = {{(const uint8_t *)"a@b", 3}, 1, 2, 3};
static const clu_ref ref = {{(const uint8_t *)"a@b", 3}, 4, 3, {1, 2, 3}};

/* What was formatted, as text; the writer is gone then. */
static void expect_text(clu_writer *w, const char *text, const char *format)
{
    clu_reader r;
    clu_writer out;

    if (w->err != CLU_OK)
        fail_msg("%s: %s", format, clu_strerror(w->err));
    assert_int_equal(clu_check(w->data, w->len, NULL, NULL), CLU_OK);
    clu_reader_init(&r, w->data, w->len);
    clu_writer_init(&out);
    assert_int_equal(clu_print(&r, &out), CLU_OK);
    if (!slice_is((clu_slice){out.data, out.len}, text))
        fail_msg("%s: %.*s, not %s", format, (int)out.len, out.data, text);
    clu_writer_free(&out);
    clu_writer_free(w);
}

/* After a failure the writer holds what it held before. */
static void expect_error(clu_writer *w, clu_error got, clu_error err, const char *format)
{
    if (got != err || w->err != err || w->len != 1)
        fail_msg("%s: %s, %zu bytes", format, clu_strerror(got), w->len);
    clu_writer_free(w);
}

#define FORMATS(text, ...)                                                                         \
    do {                                                                                           \
        clu_writer w;                                                                              \
        clu_writer_init(&w);                                                                       \
        clu_format(&w, __VA_ARGS__);                                                               \
        expect_text(&w, text, CLU_ARGS_FIRST_(__VA_ARGS__, 0));                                    \
    } while (0)

#define REFUSES(err, ...)                                                                          \
    do {                                                                                           \
        clu_writer w;                                                                              \
        clu_writer_init(&w);                                                                       \
        clu_put_nil(&w);                                                                           \
        clu_error got = clu_format(&w, __VA_ARGS__);                                               \
        expect_error(&w, got, err, CLU_ARGS_FIRST_(__VA_ARGS__, 0));                               \
    } while (0)

static void formats_literals(void **state)
{
    (void)state;
    FORMATS("ok", "ok");
    FORMATS("'$gen_call'", " '$gen_call' % the name\n");
    FORMATS("-5", "-5");
    FORMATS("255", "16#ff");
    FORMATS("97", "$a");
    FORMATS("1.5", "1.5");
    FORMATS("\"hello\"", "\"hello\"");
    FORMATS("<<\"hello\">>", "<<\"hello\">>");
    FORMATS("<<1,2>>", "<<1, 2>>");
    FORMATS("{}", "{}");
    FORMATS("[]", "[]");
    FORMATS("#{}", "#{}");
    FORMATS("{a,{b,[c,d,{}]},[]}", "{a,{b,[c,d,{}]},[]}");
    FORMATS("[a,b|c]", "[a,b|c]");
    FORMATS("[a,b,c]", "[a|[b|[c]]]");
    FORMATS("#{a => 1,\"b\" => #{}}", "#{a => 1, \"b\" => #{}}");
}

static void formats_values(void **state)
{
    bool yes = true;
    char name[] = "changing";
    clu_writer nested;
    clu_reader term;
    clu_atom atom = clu_atom_new("made_once");

    (void)state;
    FORMATS("{1,-2,3,4,-5,6}", "{~i,~i,~i,~i,~i,~i}", (uint8_t)1, (short)-2, 3u, 4L, -5LL, 6ULL);
    FORMATS("{18446744073709551615,-9223372036854775808}", "{~u,~i}", UINT64_MAX, INT64_MIN);
    FORMATS("[97,0]", "[~i,~u]", 'a', 0);
    FORMATS("{0.5,0.25}", "{~f,~f}", 0.5f, 0.25);
    FORMATS("{true,true,false}", "{~o,~o,~o}", yes, 3 > 2, 0);
    FORMATS("{a,changing,'B c',made_once}", "{~a,~a,~a,~a}", "a", name, BYTES("B c"), &atom);
    FORMATS("{<<\"x\">>,<<0,1>>,<<>>}", "{~b,~b,~b}", "x", BYTES("\0\1"), (clu_slice){0});
    FORMATS("{\"x\",[8364,50],[],[233,300]}", "{~s,~s,~s,~s}", "x",
            "\xe2\x82\xac"
            "2",
            "", BYTES("\xc3\xa9\xc4\xac"));
    FORMATS("{<a@b.1.2>,<a@b.1.2>}", "{~p,~p}", pid, &pid);
    FORMATS("[#Ref<a@b.3.2.1>,#Ref<a@b.3.2.1>]", "[~r,~r]", ref, &ref);
    clu_writer_init(&nested);
    clu_format(&nested, "[{~a,~i}]", "n", 1);
    clu_reader_init(&term, nested.data, nested.len);
    FORMATS("{[{n,1}],[{n,1}],[{n,1}],[{n,1}],[1,{n,1}]}", "{~t,~t,~t,~t,[1|~t]}", &nested, term,
            &term, BYTES("l\0\0\0\1h\2w\1na\1j"), term);
    assert_true(term.pos == nested.data);
    FORMATS("[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]",
            "[~i,~i,~i,~i,~i,~i,~i,~i,~i,~i,~i,~i,~i,~i,~i,~i]", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
            12, 13, 14, 15, 16);
    FORMATS("#{a => 1,b => 2}", "#{~a => ~i, b => 2}", "a", 1);
    clu_writer_free(&nested);
    clu_atom_free(&atom);
}

static void refuses_to_format(void **state)
{
    const clu_atom *no_atom = NULL;
    const char *no_text = NULL;
    clu_writer broken;
    clu_reader cut;
    clu_arg out = CLU_OUT_(&(int64_t){0});

    (void)state;
    clu_writer_init(&broken);
    clu_writer_fail(&broken, CLU_ENOMEM);
    clu_reader_init(&cut, "h\2", 2);
    REFUSES(CLU_EBADARG, "");
    REFUSES(CLU_EBADARG, "{a");
    REFUSES(CLU_EBADARG, "{a,}");
    REFUSES(CLU_EBADARG, "a b");
    REFUSES(CLU_EBADARG, "[a|b,c]");
    REFUSES(CLU_EBADARG, "[|a]");
    REFUSES(CLU_EBADARG, "#{a := 1}");
    REFUSES(CLU_EBADARG, "#{a}");
    REFUSES(CLU_EBADARG, "#");
    REFUSES(CLU_EBADARG, "'a");
    REFUSES(CLU_EBADARG, "Variable");
    REFUSES(CLU_EBADARG, "case");
    REFUSES(CLU_EBADARG, "1.0e400");
    REFUSES(CLU_EBADARG, "<<1:99999999>>");
    REFUSES(CLU_EBADARG, "~");
    REFUSES(CLU_EBADARG, "~z", 1);
    REFUSES(CLU_EBADARG, "~_");
    REFUSES(CLU_EBADARG, "~i");
    REFUSES(CLU_EBADARG, "{~i}", 1, 2);
    REFUSES(CLU_EBADARG, "{~i,~i}", 1);
    REFUSES(CLU_EBADARG, "~i", "1");
    REFUSES(CLU_EBADARG, "~i", 1.0);
    REFUSES(CLU_EBADARG, "~f", 1);
    REFUSES(CLU_EBADARG, "~a", 1);
    REFUSES(CLU_EBADARG, "~b", pid);
    REFUSES(CLU_EBADARG, "~p", ref);
    REFUSES(CLU_EBADARG, "~r", pid);
    REFUSES(CLU_EBADARG, "~t", "text is no term");
    REFUSES(CLU_EBADARG, "~t", (clu_slice){0});
    REFUSES(CLU_EBADARG, "~t", &broken);
    REFUSES(CLU_EBADARG, "~a", no_text);
    REFUSES(CLU_EBADARG, "~a", no_atom);
    REFUSES(CLU_EBADARG, "~s", "\xff");
    REFUSES(CLU_EATOM, "~a", "\xff");
    REFUSES(CLU_ERANGE, "~u", -1);
    REFUSES(CLU_ERANGE, "~f", (double)INFINITY);
    REFUSES(CLU_ETRUNC, "{~t}", cut);
    REFUSES(CLU_EBADARG, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");

    clu_writer w;

    clu_writer_init(&w);
    assert_int_equal(clu_format_args(&w, "~i", &out, 1), CLU_EBADARG);
    clu_writer_reset(&w);
    assert_int_equal(clu_format_args(&w, NULL, NULL, 0), CLU_EBADARG);
    clu_writer_reset(&w);
    assert_int_equal(clu_format_args(&w, "a", NULL, CLU_ARGS_MAX + 1), CLU_EBADARG);
    clu_writer_free(&w);
    assert_int_equal(clu_format(&broken, "a"), CLU_ENOMEM);
}

/* Every length at which a fixed writer is full: an error, and nothing written. */
static void is_full_anywhere(void **state)
{
    uint8_t memory[64];
    clu_error err = CLU_ESIZE;

    (void)state;
    for (size_t cap = 0; cap < sizeof memory; cap++) {
        clu_writer w;

        clu_writer_fixed(&w, memory, cap);
        err = clu_format(&w, "{a,[~i,\"text\"|~s],#{b => ~f}}", 1, "c", 1.0);
        assert_true(err == CLU_OK || (err == CLU_ESIZE && w.len == 0));
    }
    assert_int_equal(err, CLU_OK);
}

static void makes_atoms_once(void **state)
{
    char longest[CLU_ATOM_CHARS_MAX + 2];
    clu_writer w;
    clu_atom ok = clu_atom_new("ok"), bad = clu_atom_new("\xff"), wide;

    (void)state;
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = 0;
    assert_int_equal(clu_atom_new(longest).err, CLU_EATOM);
    assert_true(clu_atom_is(&ok, clu_slice_of("ok")) && !clu_atom_is(&ok, clu_slice_of("on")));
    assert_true(slice_is(clu_atom_text(&ok), "ok") && clu_atom_text(&bad).len == 0);
    assert_true(!clu_atom_is(&bad, (clu_slice){0}));
    assert_int_equal(ok.hash, clu_atom_hash(clu_slice_of("ok")));
    clu_writer_init(&w);
    clu_put_atom_of(&w, &ok);
    assert_memory_equal(w.data, "w\2ok", 4);
    clu_put_atom_of(&w, &bad);
    assert_int_equal(w.err, CLU_EATOM);
    clu_writer_reset(&w);
    /* 128 characters of two bytes take a length of two bytes */
    for (size_t i = 0; i < 256; i += 2)
        memcpy(longest + i, "\xc3\xa9", 2);
    longest[256] = 0;
    wide = clu_atom_new(longest);
    assert_int_equal(wide.err, CLU_OK);
    assert_true(clu_atom_is(&wide, clu_slice_of(longest)));
    clu_put_atom_of(&w, &wide);
    assert_int_equal(clu_check(w.data, w.len, NULL, NULL), CLU_OK);
    clu_writer_free(&w);
    clu_atom_free(&wide);
    clu_atom_free(&bad);
    clu_atom_free(&ok);
    clu_atom_free(&ok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_literals),  cmocka_unit_test(formats_values),
        cmocka_unit_test(refuses_to_format), cmocka_unit_test(is_full_anywhere),
        cmocka_unit_test(makes_atoms_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
