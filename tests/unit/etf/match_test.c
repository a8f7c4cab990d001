/* SPDX-License-Identifier: Apache-2.0 */
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

/* A term for the length of one test. */
static clu_reader term_of(const char *text)
{
    static uint8_t memory[1 << 17];
    clu_writer w;
    clu_reader r;

    clu_writer_fixed(&w, memory, sizeof memory);
    if (clu_parse(text, strlen(text), &w, NULL, NULL) != CLU_OK)
        fail_msg("%s is no term", text);
    clu_reader_init(&r, w.data, w.len);
    return r;
}

static void expect_match(const clu_reader *r, clu_error err, const char *text, const char *format)
{
    if (err != CLU_OK || r->err != CLU_OK || r->pos != r->end)
        fail_msg("%s against %s: %s", text, format, clu_strerror(err));
}

#define MATCHES(text, ...)                                                                         \
    do {                                                                                           \
        clu_reader r = term_of(text);                                                              \
        clu_error err = clu_match(&r, __VA_ARGS__);                                                \
        expect_match(&r, err, text, CLU_ARGS_FIRST_(__VA_ARGS__, 0));                              \
    } while (0)

/* A failure leaves all as it was: shown with one argument of each size, and the reader. */
#define DIFFERS(wanted, text, ...)                                                                 \
    do {                                                                                           \
        clu_reader r = term_of(text), before = r;                                                  \
        clu_error err = clu_match(&r, __VA_ARGS__);                                                \
        if (err != (wanted))                                                                       \
            fail_msg("%s against %s: %s", text, CLU_ARGS_FIRST_(__VA_ARGS__, 0),                   \
                     clu_strerror(err));                                                           \
        assert_memory_equal(&r, &before, sizeof r);                                                \
    } while (0)

static void matches_literals(void **state)
{
    (void)state;
    MATCHES("ok", "ok");
    MATCHES("'$gen_call'", "'$gen_call'");
    MATCHES("-5", "-5");
    MATCHES("18446744073709551616", "18446744073709551616");
    MATCHES("1.5", "1.5");
    MATCHES("\"hello\"", "\"hello\"");
    MATCHES("[104,8364]", "\"h\\x{20ac}\"");
    MATCHES("[1,2,300]", "[1,2,300]");
    MATCHES("<<\"hello\">>", "<<\"hello\">>");
    MATCHES("[]", "[]");
    MATCHES("[]", "\"\"");
    MATCHES("{}", "{}");
    MATCHES("#{a => 1, \"b\" => 2, <<\"c\">> => 3, 4 => []}",
            "#{4 := [], <<\"c\">> := 3, \"b\" := 2, a := 1}");
    MATCHES("#{a => 1}", "#{}");
    MATCHES("{a,{b,\"cd\"},[{}|e]}", "{a , {b,[$c|\"d\"]}, [{}|e]}");
    MATCHES("[1,2,3]", "[1|[2|[3]]]");
    MATCHES("[1,2|{}]", "[1|[2|{}]]");
    MATCHES("[1,2,3]", "[1|~_]");
    MATCHES("[1,2|3]", "[1|~_]");
    MATCHES("{a,b}", "~_");
}

static void matches_numbers(void **state)
{
    int64_t i = 0;
    int8_t i8 = 0;
    short i16 = 0;
    int i32 = 0;
    long long ll = 0;
    uint8_t u8 = 0;
    uint16_t u16 = 0;
    uint32_t u32 = 0;
    uint64_t u64 = 0;
    unsigned long long ull = 0;
    double f = 0;
    bool b = false;

    (void)state;
    MATCHES("[-9223372036854775808,-128,-32768,-2147483648,9223372036854775807]",
            "[~i,~i,~i,~i,~i]", &i, &i8, &i16, &i32, &ll);
    assert_true(i == INT64_MIN && i8 == INT8_MIN && i16 == INT16_MIN && i32 == INT32_MIN &&
                ll == INT64_MAX);
    MATCHES("[18446744073709551615,255,65535,4294967295,18446744073709551615]", "[~i,~i,~u,~i,~u]",
            &u64, &u8, &u16, &u32, &ull);
    assert_true(u64 == UINT64_MAX && u8 == 255 && u16 == UINT16_MAX && u32 == UINT32_MAX &&
                ull == UINT64_MAX);
    MATCHES("{1.25,true}", "{~f,~o}", &f, &b);
    assert_true(f == 1.25 && b);
    MATCHES("[false|[7]]", "[~o,~u]", &b, &i32);
    assert_true(!b && i32 == 7);

    i8 = 1, u8 = 2, u64 = 3, f = 4, b = true, i = 5;
    DIFFERS(CLU_ERANGE, "128", "~i", &i8);
    DIFFERS(CLU_ERANGE, "-129", "~i", &i8);
    DIFFERS(CLU_ERANGE, "256", "~i", &u8);
    DIFFERS(CLU_ERANGE, "-1", "~i", &u64);
    DIFFERS(CLU_ERANGE, "-1", "~u", &i8);
    DIFFERS(CLU_ERANGE, "9223372036854775808", "~i", &i);
    DIFFERS(CLU_ETYPE, "1", "~f", &f);
    DIFFERS(CLU_ETYPE, "1.0", "~i", &i);
    DIFFERS(CLU_ETYPE, "maybe", "~o", &b);
    DIFFERS(CLU_ETYPE, "{7,false,8,x}", "{~i,~o,~i,y}", &i8, &b, &i);
    DIFFERS(CLU_EBADARG, "{7,false,8,x}", "{~i,~o,~i,x}", &i8, &b, &f);
    assert_true(i8 == 1 && u8 == 2 && u64 == 3 && f == 4 && b && i == 5);
}

static void matches_bytes(void **state)
{
    clu_slice a, b, c, d;

    (void)state;
    MATCHES("{a,<<\"b\">>,\"c\",<<\"d\">>}", "{~a,~b,~s,~s}", &a, &b, &c, &d);
    assert_true(slice_is(a, "a") && slice_is(b, "b") && slice_is(c, "c") && slice_is(d, "d"));
    MATCHES("{'',<<>>,[]}", "{~a,~b,~s}", &a, &b, &c);
    assert_true(a.len == 0 && b.len == 0 && c.len == 0);
    MATCHES("<<\"\\x{20ac}\"/utf8>>", "~s", &a);
    assert_true(slice_is(a, "\xe2\x82\xac"));
    a = BYTES("before");
    DIFFERS(CLU_ETYPE, "[233]", "~s", &a);
    DIFFERS(CLU_ETYPE, "<<255>>", "~s", &a);
    DIFFERS(CLU_ETYPE, "[300]", "~s", &a);
    DIFFERS(CLU_ETYPE, "\"a\"", "~b", &a);
    DIFFERS(CLU_ETYPE, "<<\"a\">>", "~a", &a);
    assert_true(slice_is(a, "before"));
}

static void matches_names(void **state)
{
    clu_writer w;
    clu_reader r, term;
    clu_pid p;
    clu_ref q;
    int64_t last;

    (void)state;
    clu_writer_init(&w);
    clu_format(&w, "{~p,~r,{x,~p},9}", pid, ref, pid);
    clu_reader_init(&r, w.data, w.len);
    assert_int_equal(clu_match(&r, "{~p,~r,~t,~i}", &p, &q, &term, &last), CLU_OK);
    assert_true(p.id == 1 && p.serial == 2 && p.creation == 3 && slice_is(p.node, "a@b"));
    assert_true(q.n == 3 && q.words[2] == 3 && q.creation == 4 && last == 9);
    assert_int_equal(clu_match(&term, "{x,~p}", &p), CLU_OK);
    assert_true(term.pos == term.end && term.end < r.end);
    clu_writer_free(&w);
}

/* The sum of the numbers that a cursor has left, and how it ends. */
static int64_t sum(clu_list *list, clu_error *end)
{
    int64_t total = 0;

    for (clu_reader *r; (r = clu_list_next(list)) != NULL;)
        total += clu_get_int(r);
    *end = clu_list_end(list);
    return total;
}

static void walks_lists(void **state)
{
    static const struct {
        const char *format, *term;
        int64_t sum;
        clu_error end;
    } rows[] = {
        {"~l", "[]", 0, CLU_OK},
        {"~l", "[1,2,3]", 6, CLU_OK},
        {"~l", "[1,2,300]", 303, CLU_OK},
        {"~l", "[1,2|3]", 3, CLU_ETYPE},
        {"~l", "[1,a]", 1, CLU_ETYPE},
        {"[1|~l]", "[1,2,3]", 5, CLU_OK},
        {"[1|~l]", "[1,2,300]", 302, CLU_OK},
        {"[1|~l]", "[1]", 0, CLU_OK},
        {"[300|~l]", "[300]", 0, CLU_OK},
        {"[1|[2|~l]]", "[1,2,3,4]", 7, CLU_OK},
        {"[1|~l]", "[1|2]", 0, CLU_ETYPE},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        clu_list list;
        clu_error end;

        MATCHES(rows[i].term, rows[i].format, &list);
        if (sum(&list, &end) != rows[i].sum || end != rows[i].end)
            fail_msg("%s: %s", rows[i].term, clu_strerror(end));
    }
}

/* Lists as nobody but clu_format writes them: tails that are lists, and a string as tail. */
static void walks_lists_of_parts(void **state)
{
    clu_reader r;
    clu_list list;
    clu_error end;
    clu_slice parts = BYTES("l\0\0\0\1a\1l\0\0\0\2b\0\0\1\0a\2k\0\2\3\4");

    (void)state;
    clu_reader_init(&r, parts.data, parts.len);
    assert_int_equal(clu_match(&r, "[1,256,2,3,4]"), CLU_OK);
    clu_reader_init(&r, parts.data, parts.len);
    assert_int_equal(clu_match(&r, "[1,256|~l]", &list), CLU_OK);
    assert_true(r.pos == r.end);
    assert_int_equal(sum(&list, &end), 9);
    assert_int_equal(end, CLU_OK);
    clu_reader_init(&r, "a\1", 2);
    list = clu_get_elements(&r);
    assert_int_equal(r.err, CLU_ETYPE);
    assert_null(clu_list_next(&list));
    assert_int_equal(clu_list_end(&list), CLU_ETYPE);
}

static void differs(void **state)
{
    int64_t i = 5;
    clu_reader t = {0};
    clu_list l = {0};

    (void)state;
    DIFFERS(CLU_ETYPE, "no", "ok");
    DIFFERS(CLU_ETYPE, "no", "'ok'");
    DIFFERS(CLU_ETYPE, "1", "ok");
    DIFFERS(CLU_ETYPE, "1", "2");
    DIFFERS(CLU_ETYPE, "-1", "1");
    DIFFERS(CLU_ETYPE, "1.0", "1");
    DIFFERS(CLU_ETYPE, "1.0", "2.0");
    DIFFERS(CLU_ETYPE, "\"abc\"", "\"ab\"");
    DIFFERS(CLU_ETYPE, "\"ab\"", "\"abc\"");
    DIFFERS(CLU_ETYPE, "\"ab\"", "<<\"ab\">>");
    DIFFERS(CLU_ETYPE, "<<\"a\">>", "<<\"b\">>");
    DIFFERS(CLU_ETYPE, "{1}", "{}");
    DIFFERS(CLU_ETYPE, "{}", "{~i}", &i);
    DIFFERS(CLU_ETYPE, "{1,2}", "{~i}", &i);
    DIFFERS(CLU_ETYPE, "[1,2]", "{~i,2}", &i);
    DIFFERS(CLU_ETYPE, "[1]", "[]");
    DIFFERS(CLU_ETYPE, "[1,2]", "[~i]", &i);
    DIFFERS(CLU_ETYPE, "[1]", "[~i,2]", &i);
    DIFFERS(CLU_ETYPE, "[1|2]", "[~i]", &i);
    DIFFERS(CLU_EBADARG, "[1,2]", "[1|~i]", &i);
    DIFFERS(CLU_EBADARG, "[300|2]", "[300|~i]", &i);
    DIFFERS(CLU_ETYPE, "[1,2,3]", "[1|\"\\2\"]");
    DIFFERS(CLU_ETYPE, "#{a => 1}", "#{b := ~i}", &i);
    DIFFERS(CLU_ETYPE, "#{a => b}", "#{a := ~i}", &i);
    DIFFERS(CLU_ETYPE, "a", "#{}");
    DIFFERS(CLU_ETYPE, "a", "[]");
    DIFFERS(CLU_EBADARG, "{a}", "{a");
    DIFFERS(CLU_EBADARG, "a", "a b");
    DIFFERS(CLU_EBADARG, "a", "");
    DIFFERS(CLU_EBADARG, "a", "~");
    DIFFERS(CLU_EBADARG, "a", "~z", &i);
    DIFFERS(CLU_EBADARG, "1", "~i");
    DIFFERS(CLU_EBADARG, "1", "1", &i);
    DIFFERS(CLU_EBADARG, "1", "~i", (int64_t *)NULL);
    DIFFERS(CLU_EBADARG, "[1,2]", "[1|~t]", &t);
    DIFFERS(CLU_EBADARG, "#{a => 1}", "#{a => ~i}", &i);
    DIFFERS(CLU_EBADARG, "#{a => 1}", "#{~a := 1}", &(clu_slice){0});
    DIFFERS(CLU_EBADARG, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
            "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
    assert_true(i == 5 && t.pos == NULL && l.at.pos == NULL);
}

/* Arguments as an FFI could fill them in wrongly. */
static void distrusts_arrays(void **state)
{
    int64_t i = 5;
    clu_slice s;
    clu_arg args[] = {
        {.kind = CLU_ARG_INT, .size = 3, .as.out = &i},
        {.kind = CLU_ARG_INT, .size = 0, .as.out = &i},
        {.kind = CLU_ARG_SLICE, .size = 8, .as.out = &s},
        {.kind = 99, .size = 8, .as.out = &i},
        {.kind = CLU_ARG_NONE, .size = 8, .as.out = &i},
        {.kind = CLU_ARG_TEXT, .size = 0, .as.out = &s},
    };

    (void)state;
    for (size_t n = 0; n < COUNT(args); n++) {
        clu_reader r = term_of("1"), a = term_of("a");

        assert_int_equal(clu_match_args(&r, "~i", &args[n], 1), CLU_EBADARG);
        assert_int_equal(clu_match_args(&a, "~a", &args[n], 1), CLU_EBADARG);
    }
    clu_reader r = term_of("1");

    assert_int_equal(clu_match_args(&r, NULL, NULL, 0), CLU_EBADARG);
    assert_int_equal(clu_match_args(&r, "1", NULL, CLU_ARGS_MAX + 1), CLU_EBADARG);
    clu_reader_fail(&r, CLU_ETRUNC);
    assert_int_equal(clu_match(&r, "1"), CLU_ETRUNC);
}

/* Wherever the input ends: an error, and nothing changed. */
static void is_cut_anywhere(void **state)
{
    clu_reader whole = term_of("{ok,[1,2|\"ab\"],#{k => [x,{1.5,<<\"bin\">>}]},123456789012345}");
    size_t len = (size_t)(whole.end - whole.pos);

    (void)state;
    for (size_t n = 0; n <= len; n++) {
        uint8_t *copy = malloc(n > 0 ? n : 1);
        clu_reader r;
        int64_t i = 0;
        double f = 0;
        clu_slice b = {0};

        memcpy(copy, whole.pos, n);
        clu_reader_init(&r, copy, n);
        clu_error err = clu_match(&r, "{ok,[1,2|\"ab\"],#{k := [x,{~f,~b}]},~i}", &f, &b, &i);
        bool untouched = r.pos == copy && i == 0 && f == 0 && b.len == 0;

        if (n < len)
            assert_true(err != CLU_OK && untouched);
        else
            assert_int_equal(err, CLU_OK);
        free(copy);
    }
}

/* Atoms that are references to a header. */
static void matches_cached_atoms(void **state)
{
    static const clu_slice atoms[] = {{(const uint8_t *)"ok", 2}};
    static const clu_refs refs = {atoms, 1};
    clu_reader r, term;
    clu_slice a;
    clu_writer w;

    (void)state;
    clu_reader_init(&r, "h\3R\0R\0h\1R\0", 10);
    r.refs = &refs;
    assert_int_equal(clu_match(&r, "{ok,~a,~t}", &a, &term), CLU_OK);
    assert_true(slice_is(a, "ok"));
    clu_writer_init(&w);
    clu_format(&w, "[~t]", term);
    assert_memory_equal(w.data, "l\0\0\0\1h\1w\2okj", 12);
    clu_writer_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_literals), cmocka_unit_test(matches_numbers),
        cmocka_unit_test(matches_bytes),    cmocka_unit_test(matches_names),
        cmocka_unit_test(walks_lists),      cmocka_unit_test(walks_lists_of_parts),
        cmocka_unit_test(differs),          cmocka_unit_test(distrusts_arrays),
        cmocka_unit_test(is_cut_anywhere),  cmocka_unit_test(matches_cached_atoms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
