/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/base.h"

#define BYTES(text) text, sizeof(text) - 1

static const clu_slice atoms[] = {{(const uint8_t *)"ok", 2}, {(const uint8_t *)"a@h", 3}};
static const clu_refs refs = {atoms, COUNT(atoms)};

#define NODE    "R\1" /* the second of the atoms above */
#define UNIQ    "0123456789abcdef"
#define PID     "X" NODE "\0\0\0\7\0\0\0\0\0\0\0\1"
#define FUN_MID "\0\0\0\2\0\0\0\1"    /* Index, NumFree */
#define FUN_END "R\0a\2b\0\0\1\0" PID /* Module, OldIndex, OldUniq, Pid */

#define INT4    "b\0\0\0\1b\0\0\0\2b\0\0\0\3b\0\0\0\4"
#define TEN     "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* Terms of every tag, and all that is wrong with some. */
static const struct {
    const char *name, *bytes;
    size_t len;
    clu_error err;
} rows[] = {
    {"small integer", BYTES("a\1"), CLU_OK},
    {"integer", BYTES("b\xff\xff\xff\xff"), CLU_OK},
    {"small big", BYTES("n\3\1\1\2\3"), CLU_OK},
    {"small big of no bytes", BYTES("n\0\0"), CLU_OK},
    {"small big, sign 2", BYTES("n\1\2\1"), CLU_ETERM},
    {"large big", BYTES("o\0\0\0\1\0\5"), CLU_OK},
    {"large big, longer than the input", BYTES("o\xff\xff\xff\xff\0\5"), CLU_ETRUNC},
    {"float", BYTES("F\x3f\xf8\0\0\0\0\0\0"), CLU_OK},
    {"float, infinite", BYTES("F\x7f\xf0\0\0\0\0\0\0"), CLU_ETERM},
    {"float, not a number", BYTES("F\xff\xf8\0\0\0\0\0\1"), CLU_ETERM},
    {"float text", BYTES("c1.50000000000000000000e+00\0\0\0\0\0"), CLU_OK},
    {"float text without zeros", BYTES("c1.5000000000000000000000000e+00"), CLU_OK},
    {"float text, no float", BYTES("cinf\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
     CLU_ETERM},
    {"float text, too large", BYTES("c1.0e999\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
     CLU_ETERM},
    {"atom", BYTES("w\2ok"), CLU_OK},
    {"atom of two-byte characters", BYTES("w\4\xc3\xa9\xd0\xb6"), CLU_OK},
    {"atom, no UTF-8", BYTES("w\1\xff"), CLU_EATOM},
    {"atom, cut UTF-8", BYTES("w\1\xc3"), CLU_EATOM},
    {"atom, UTF-8 without its second byte", BYTES("w\2\xc3z"), CLU_EATOM},
    {"atom, overlong UTF-8", BYTES("w\2\xc0\x80"), CLU_EATOM},
    {"atom, a surrogate", BYTES("w\3\xed\xa0\x80"), CLU_EATOM},
    {"atom, behind Unicode", BYTES("w\4\xf4\x90\x80\x80"), CLU_EATOM},
    {"atom, cut short", BYTES("w\3ok"), CLU_ETRUNC},
    {"long atom", BYTES("v\0\2ok"), CLU_OK},
    {"Latin-1 atom", BYTES("s\1\xe9"), CLU_OK},
    {"long Latin-1 atom", BYTES("d\0\1\xe9"), CLU_OK},
    {"cached atom", BYTES("R\1"), CLU_OK},
    {"cached atom, index out of range", BYTES("R\2"), CLU_EATOM},
    {"tuple", BYTES("h\2a\1a\2"), CLU_OK},
    {"tuple of none", BYTES("h\0"), CLU_OK},
    {"tuple cut short", BYTES("h\2a\1"), CLU_ETRUNC},
    {"large tuple", BYTES("i\0\0\0\1a\1"), CLU_OK},
    {"large tuple of none", BYTES("i\0\0\0\0"), CLU_OK},
    {"large tuple of far too many",
     BYTES("i\xff\xff\xff\xff"
           "jjjj"),
     CLU_ETRUNC},
    {"nil", BYTES("j"), CLU_OK},
    {"string", BYTES("k\0\2ab"), CLU_OK},
    {"list", BYTES("l\0\0\0\1a\1j"), CLU_OK},
    {"improper list", BYTES("l\0\0\0\1a\1a\2"), CLU_OK},
    {"list without a tail", BYTES("l\0\0\0\1a\1"), CLU_ETRUNC},
    {"list of none", BYTES("l\0\0\0\0j"), CLU_ETERM},
    {"list of far too many",
     BYTES("l\xff\xff\xff\xff"
           "jjjj"),
     CLU_ETRUNC},
    {"map", BYTES("t\0\0\0\1a\1a\2"), CLU_OK},
    {"map of none", BYTES("t\0\0\0\0"), CLU_OK},
    {"map with a key too many", BYTES("t\0\0\0\1a\1"), CLU_ETRUNC},
    {"map of far too many",
     BYTES("t\xff\xff\xff\xff"
           "jjjj"),
     CLU_ETRUNC},
    {"binary", BYTES("m\0\0\0\2ab"), CLU_OK},
    {"binary longer than the input", BYTES("m\xff\xff\xff\xff"), CLU_ETRUNC},
    {"bit string", BYTES("M\0\0\0\1\3\xa0"), CLU_OK},
    {"bit string of whole bytes", BYTES("M\0\0\0\1\x8\xa0"), CLU_OK},
    {"bit string of 9 bits a byte", BYTES("M\0\0\0\1\x9\xa0"), CLU_ETERM},
    {"bit string of 0 bits a byte", BYTES("M\0\0\0\1\0\xa0"), CLU_ETERM},
    {"bit string of no bytes", BYTES("M\0\0\0\0\0"), CLU_ETERM},
    {"pid", BYTES(PID), CLU_OK},
    {"old pid", BYTES("g" NODE "\0\0\0\7\0\0\0\0\1"), CLU_OK},
    {"pid of a node that is no atom", BYTES("Xa\1\0\0\0\7\0\0\0\0\0\0\0\1"), CLU_ETERM},
    {"port", BYTES("Y" NODE "\0\0\0\7\0\0\0\1"), CLU_OK},
    {"old port", BYTES("f" NODE "\0\0\0\7\1"), CLU_OK},
    {"wide port", BYTES("x" NODE "\0\0\0\0\0\0\0\7\0\0\0\1"), CLU_OK},
    {"reference", BYTES("Z\0\2" NODE "\0\0\0\1\0\0\0\1\0\0\0\2"), CLU_OK},
    {"reference of no words", BYTES("Z\0\0" NODE "\0\0\0\1"), CLU_ETERM},
    {"reference of six words", BYTES("Z\0\6" NODE "\0\0\0\1" UNIQ "01234567"), CLU_ETERM},
    {"older reference", BYTES("r\0\1" NODE "\1\0\0\0\1"), CLU_OK},
    {"oldest reference", BYTES("e" NODE "\0\0\0\1\1"), CLU_OK},
    {"export", BYTES("qw\1mw\1fa\2"), CLU_OK},
    {"export, arity not small", BYTES("qw\1mw\1fb\0\0\0\2"), CLU_ETERM},
    {"export, function no atom", BYTES("qw\1ma\1a\2"), CLU_ETERM},
    {"fun", BYTES("p\0\0\0\x37\1" UNIQ FUN_MID FUN_END "a\7"), CLU_OK},
    {"fun of no variables", BYTES("p\0\0\0\x35\1" UNIQ "\0\0\0\2\0\0\0\0" FUN_END), CLU_OK},
    {"fun, size one too large", BYTES("p\0\0\0\x38\1" UNIQ FUN_MID FUN_END "a\7j"), CLU_ETERM},
    {"fun, size one too small", BYTES("p\0\0\0\x36\1" UNIQ FUN_MID FUN_END "a\7"), CLU_ETERM},
    {"fun, size beyond the input", BYTES("p\0\0\0\x38\1" UNIQ FUN_MID FUN_END "a\7"), CLU_ETRUNC},
    {"fun, variable missing", BYTES("p\0\0\0\x35\1" UNIQ FUN_MID FUN_END), CLU_ETRUNC},
    {"fun, index no integer", BYTES("p\0\0\0\x37\1" UNIQ FUN_MID "R\0R\0b\0\0\1\0" PID "a\7"),
     CLU_ETERM},
    {"fun without a pid", BYTES("p\0\0\0\x29\1" UNIQ FUN_MID "R\0a\2b\0\0\1\0a\1a\7"), CLU_ETERM},
    {"old fun", BYTES("u\0\0\0\1" PID "R\0a\2b\0\0\1\0a\7"), CLU_OK},
    {"old fun without a pid", BYTES("u\0\0\0\1R\0R\0a\2a\1a\7"), CLU_ETERM},
    {"record", BYTES("C\0\0\0\1\1w\1mw\1rw\1fa\1"), CLU_OK},
    {"record of no fields", BYTES("C\0\0\0\0\0w\1mw\1r"), CLU_OK},
    {"record, a flag we do not know", BYTES("C\0\0\0\0\2w\1mw\1r"), CLU_ETERM},
    {"record, field's name no atom", BYTES("C\0\0\0\1\1w\1mw\1ra\1a\1"), CLU_ETERM},
    {"record of far too many fields", BYTES("C\xff\xff\xff\xff\1w\1mw\1rw\1fa\1"), CLU_ETERM},
    {"compressed", BYTES("P\0\0\0\1x"), CLU_ECOMPRESSED},
    {"node-local", BYTES("y\0\0\0\0\0\0\0\0a\1"), CLU_ELOCAL},
    {"unknown tag", BYTES("\xff"), CLU_ETAG},
    {"unknown tag inside", BYTES("h\1\xff"), CLU_ETAG},
    {"version where a term should be",
     BYTES("\x83"
           "a\1"),
     CLU_ETAG},
    {"a row of integers", BYTES("l\0\0\0\x9" INT4 INT4 "b\0\0\0\1j"), CLU_OK},
    {"a row of integers that ends a tuple", BYTES("h\5" INT4 "b\0\0\0\1"), CLU_OK},
    {"a row of integers and others", BYTES("l\0\0\0\7" INT4 "a\1b\0\0\0\1w\2okj"), CLU_OK},
    {"a row of integers, no tag", BYTES("l\0\0\0\7" INT4 "b\0\0\0\1\1b\0\0\0\1j"), CLU_ETAG},
    {"a row of integers, no tail", BYTES("l\0\0\0\4" INT4), CLU_ETRUNC},
    {"a pid of another time", BYTES("Xd\0\3a@h\0\0\0\1\0\0\0\2\0\0\0\3"), CLU_OK},
    {"a pid, its node in UTF-8", BYTES("Xw\3a@h\0\0\0\1\0\0\0\2\0\0\0\3"), CLU_OK},
    {"a pid, its node no UTF-8", BYTES("Xw\3a@\xff\0\0\0\1\0\0\0\2\0\0\0\3"), CLU_EATOM},
    {"a reference of five words",
     BYTES("Z\0\5w\3a@h\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5\0\0\0\6"), CLU_OK},
    {"a reference, its node in Latin-1", BYTES("Z\0\1d\0\1a\0\0\0\1\0\0\0\2"), CLU_OK},
    {"binary of 300 bytes", BYTES("m\0\0\1\x2c" HUNDRED HUNDRED HUNDRED), CLU_OK},
    {"an atom of 20 characters", BYTES("w\x14twenty_characters___"), CLU_OK},
    {"an atom of 9 characters, the last no UTF-8", BYTES("w\x9nine_cha\xe9"), CLU_EATOM},
    {"a byte left over", BYTES("a\1j"), CLU_ETERM},
    {"nothing", BYTES(""), CLU_ETRUNC},
};

/* The bytes in a block of their own size, so that ASan sees a read behind them. */
static uint8_t *own(const char *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);

    assert_non_null(copy);
    memcpy(copy, bytes, len);
    return copy;
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t *data = own(rows[i].bytes, rows[i].len);
        clu_error err = clu_check(data, rows[i].len, &refs, NULL);

        free(data);
        if (err != rows[i].err)
            fail_msg("%s: %s", rows[i].name, clu_strerror(err));
    }
}

/* What begins like a term and ends early is none. */
static void test_every_prefix(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t len = 0; rows[i].err == CLU_OK && len < rows[i].len; len++) {
            uint8_t *data = own(rows[i].bytes, len);
            clu_error err = clu_check(data, len, &refs, NULL);

            free(data);
            if (err != CLU_ETRUNC)
                fail_msg("%s, %zu bytes: %s", rows[i].name, len, clu_strerror(err));
        }
}

/* What stands behind a term does not matter: there is a quick way for terms that have room. */
static void test_with_room(void **state)
{
    char data[512];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t used, with_room;
        clu_error err = clu_check(rows[i].bytes, rows[i].len, &refs, &used);

        memcpy(data, rows[i].bytes, rows[i].len);
        memset(data + rows[i].len, 0xff, 32);
        clu_error other = clu_check(data, rows[i].len + 32, &refs, &with_room);

        if (err != CLU_ETRUNC && (other != err || (err == CLU_OK && used != with_room)))
            fail_msg("%s: %s with room behind it", rows[i].name, clu_strerror(other));
    }
}

static void test_used(void **state)
{
    size_t used = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char bytes[512];

        if (rows[i].err != CLU_OK)
            continue;
        memcpy(bytes, rows[i].bytes, rows[i].len);
        bytes[rows[i].len] = 'j';
        clu_error err = clu_check(bytes, rows[i].len + 1, &refs, &used);

        if (err != CLU_OK || used != rows[i].len)
            fail_msg("%s, and one more: %s, %zu used", rows[i].name, clu_strerror(err), used);
    }
}

/* Skip and raw stop where check does, and fail with its words. */
static void test_skip_agrees(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        clu_reader r;
        bool whole = rows[i].err == CLU_OK;

        clu_reader_init(&r, rows[i].bytes, rows[i].len);
        r.refs = &refs;
        clu_slice raw = clu_get_raw(&r);

        if (raw.len != (r.err == CLU_OK ? (size_t)(r.pos - (const uint8_t *)rows[i].bytes) : 0))
            fail_msg("%s: %zu raw bytes", rows[i].name, raw.len);
        if (whole && (r.err != CLU_OK || r.pos != r.end))
            fail_msg("%s: %s", rows[i].name, clu_strerror(r.err));
    }
}

/* Atoms of 255 characters, and of one more. */
static void test_atom_length(void **state)
{
    static const struct {
        const char *name, *head;
        size_t head_len, chars, bytes_per_char;
        clu_error err;
    } lengths[] = {
        {"255 of one byte", BYTES("w\xff"), 255, 1, CLU_OK},
        {"255 of two bytes", BYTES("v\1\xfe"), 255, 2, CLU_OK},
        {"256 of one byte", BYTES("v\1\0"), 256, 1, CLU_EATOM},
        {"256 of two bytes", BYTES("v\2\0"), 256, 2, CLU_EATOM},
        {"256 in Latin-1", BYTES("d\1\0"), 256, 1, CLU_EATOM},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        clu_writer w;

        clu_writer_init(&w);
        clu_put_bytes(&w, lengths[i].head, lengths[i].head_len);
        for (size_t n = 0; n < lengths[i].chars; n++)
            clu_put_bytes(&w, lengths[i].bytes_per_char == 1 ? "x" : "\xd0\xb6",
                          lengths[i].bytes_per_char);
        clu_error err = clu_check(w.data, w.len, NULL, NULL);

        clu_writer_free(&w);
        if (err != lengths[i].err)
            fail_msg("%s: %s", lengths[i].name, clu_strerror(err));
    }
}

/* What holds one term, and what stands in front of and behind that. */
static const struct nest {
    const char *name, *before;
    size_t before_len;
    const char *after;
    size_t after_len;
} nests[] = {
    {"tuples", BYTES("h\1"), BYTES("")},
    {"second elements of tuples", BYTES("h\2b\0\0\1\0"), BYTES("")},
    {"first elements of tuples", BYTES("h\2"), BYTES("b\0\0\1\0")},
    {"lists", BYTES("l\0\0\0\1"), BYTES("j")},
    {"tails", BYTES("l\0\0\0\1a\1"), BYTES("")},
    {"keys", BYTES("t\0\0\0\1"), BYTES("a\1")},
    {"values", BYTES("t\0\0\0\1a\1"), BYTES("")},
    {"records", BYTES("C\0\0\0\1\1R\0R\1R\0"), BYTES("")},
    {"old funs", BYTES("u\0\0\0\1" PID "R\0a\1a\2"), BYTES("")},
    {"funs", BYTES("p\0\0\0\0\1" UNIQ FUN_MID FUN_END), BYTES("")},
    {"first variables of funs", BYTES("p\0\0\0\0\1" UNIQ "\0\0\0\2\0\0\0\2" FUN_END),
     BYTES("b\0\0\1\0")},
};

/* So many of them around an atom; the sizes of funs are as they have to be, but for one of them. */
static void nest(clu_writer *w, const struct nest *n, size_t depth, size_t wrong)
{
    size_t both = n->before_len + n->after_len, len = 2;

    clu_writer_reset(w);
    for (size_t i = 0; i < depth; i++)
        clu_put_bytes(w, n->before, n->before_len);
    clu_put_bytes(w, "R\0", 2);
    for (size_t i = 0; i < depth; i++)
        clu_put_bytes(w, n->after, n->after_len);
    assert_int_equal(w->err, CLU_OK);
    for (size_t i = depth; i-- > 0 && *n->before == 'p';) {
        len += both;
        put_be32(w->data + i * n->before_len + 1, (uint32_t)(len - 1 - (i == wrong)));
    }
}

static void expect_nested(const clu_writer *w, const struct nest *n, size_t depth, clu_error want)
{
    clu_reader r;
    size_t used = 0;
    clu_error err = clu_check(w->data, w->len, &refs, &used);

    if (err != want || (err == CLU_OK && used != w->len))
        fail_msg("%zu %s: %s, %zu of %zu bytes", depth, n->name, clu_strerror(err), used, w->len);
    clu_reader_init(&r, w->data, w->len);
    r.refs = &refs;
    clu_skip_term(&r);
    if (r.err != CLU_OK || r.pos != r.end)
        fail_msg("%zu %s are not skipped: %s", depth, n->name, clu_strerror(r.err));
}

/* Terms may lie as deep as the bytes suffice for; what lacks its last byte is found to. */
static void test_any_depth(void **state)
{
    static const size_t depths[] = {1, 15, 16, 17, CLU_DEPTH_MAX, CLU_DEPTH_MAX + 1, 300000};
    clu_writer w;

    (void)state;
    clu_writer_init(&w);
    for (size_t i = 0; i < COUNT(nests); i++)
        for (size_t k = 0; k < COUNT(depths); k++) {
            nest(&w, &nests[i], depths[k], SIZE_MAX);
            expect_nested(&w, &nests[i], depths[k], CLU_OK);
            assert_int_equal(clu_check(w.data, w.len - 1, &refs, &(size_t){0}), CLU_ETRUNC);
        }
    clu_writer_free(&w);
}

/* A fun that ends elsewhere than it says, however deep. */
static void test_wrong_size_deep(void **state)
{
    static const size_t wrong[] = {0, 1, 15, 16, 17, 1500, 2999};
    clu_writer w;

    (void)state;
    clu_writer_init(&w);
    for (size_t i = 0; i < COUNT(nests); i++)
        for (size_t k = 0; k < COUNT(wrong) && *nests[i].before == 'p'; k++) {
            nest(&w, &nests[i], 3000, wrong[k]);
            expect_nested(&w, &nests[i], 3000, CLU_ETERM);
        }
    clu_writer_free(&w);
}

static void put_nested(clu_writer *w, size_t levels)
{
    for (size_t i = 0; i < levels; i++)
        clu_put_tuple(w, 1);
    clu_put_nil(w);
}

/* A fun says where it ends, also in a row of others. */
static void test_funs_among_others(void **state)
{
    static const char fun[] = "p\0\0\0\x37\1" UNIQ FUN_MID FUN_END "a\7";
    clu_writer w;

    (void)state;
    for (size_t off = 0; off < 2; off++) {
        clu_writer_init(&w);
        clu_put_list(&w, 300);
        for (size_t n = 0; n < 299; n++)
            put_nested(&w, 1);
        clu_put_bytes(&w, fun, sizeof fun - 1);
        w.data[w.len - sizeof fun + 1 + 4] += (uint8_t)off;
        clu_put_nil(&w);
        assert_int_equal(clu_check(w.data, w.len, &refs, NULL), off == 0 ? CLU_OK : CLU_ETERM);
        clu_writer_free(&w);
    }
}

/* Rows of binaries that are alike, but for one. */
static void test_rows_of_binaries(void **state)
{
    (void)state;
    for (size_t odd = 0; odd < 40; odd++)
        for (size_t len = 0; len < 300; len += 23) {
            clu_writer w;
            static const uint8_t bytes[300];

            clu_writer_init(&w);
            clu_put_map(&w, 20);
            for (size_t n = 0; n < 40; n++)
                clu_put_binary(&w, bytes, n == odd ? len : 5 + n % 2);
            assert_int_equal(clu_check(w.data, w.len, NULL, NULL), CLU_OK);
            for (size_t cut = 1; cut < 40; cut++)
                assert_int_equal(clu_check(w.data, w.len - cut, NULL, NULL), CLU_ETRUNC);
            clu_writer_free(&w);
        }
}

static void test_no_header(void **state)
{
    (void)state;
    assert_int_equal(clu_check("R\0", 2, NULL, NULL), CLU_EATOM);
    assert_int_equal(clu_check(NULL, 0, NULL, NULL), CLU_ETRUNC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_with_room),
        cmocka_unit_test(test_used),
        cmocka_unit_test(test_skip_agrees),
        cmocka_unit_test(test_atom_length),
        cmocka_unit_test(test_any_depth),
        cmocka_unit_test(test_wrong_size_deep),
        cmocka_unit_test(test_funs_among_others),
        cmocka_unit_test(test_rows_of_binaries),
        cmocka_unit_test(test_no_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
