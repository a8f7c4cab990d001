/* SPDX-License-Identifier: Apache-2.0 */
#include "pg_lab.h"

/* ---- names ---- */

static void put_text(clu_writer *w, const char *bytes, size_t len)
{
    clu_put_bytes(w, bytes, len);
}

/* Encodings of equal terms, and of terms that are not. */
static void equal_terms_name_one_group(void **state)
{
#define ROW(text, bytes)                                                                           \
    {                                                                                              \
        text, bytes, sizeof(bytes) - 1                                                             \
    }
    static const struct {
        const char *text, *bytes;
        size_t len;
    } rows[] = {
        ROW("room", "w\4room"),
        ROW("room", "v\0\4room"),
        ROW("room", "d\0\4room"),
        ROW("room", "s\4room"),
        ROW("'\\x{e9}'", "s\1\xe9"),
        ROW("'\\x{e9}'", "w\2\xc3\xa9"),
        ROW("7", "a\7"),
        ROW("7", "b\0\0\0\7"),
        ROW("7", "n\3\0\7\0\0"),
        ROW("7", "o\0\0\0\1\0\7"),
        ROW("-7", "n\1\1\7"),
        ROW("0", "n\0\0"),
        ROW("1.5", "F\x3f\xf8\0\0\0\0\0\0"),
        ROW("1.5", "c1.50000000000000000000e+00\0\0\0\0\0"),
        ROW("{a,b}", "h\2w\1aw\1b"),
        ROW("{a,b}", "i\0\0\0\2s\1aw\1b"),
        ROW("[]", "j"),
        ROW("[]", "k\0\0"),
        ROW("\"abc\"", "k\0\3abc"),
        ROW("\"abc\"", "l\0\0\0\3aaabacj"),
        ROW("\"abc\"", "l\0\0\0\1aak\0\2bc"),
        ROW("\"abc\"", "l\0\0\0\2aaabl\0\0\0\1acj"),
        ROW("\"abc\"", "l\0\0\0\3aaaback\0\0"),
        ROW("[$a,[$b]|c]", "l\0\0\0\1aal\0\0\0\1k\0\1bw\1c"),
        ROW("[$a,[$b]|c]", "l\0\0\0\2aal\0\0\0\1abjw\1c"),
        ROW("#{a => 1,b => 2,{c} => 3}", "t\0\0\0\3w\1ba\2h\1w\1ca\3w\1aa\1"),
        ROW("#{a => 1,b => 2,{c} => 3}", "t\0\0\0\3i\0\0\0\1d\0\1ca\3w\1ab\0\0\0\1w\1ba\2"),
        ROW("#{[1,2] => #{}}", "t\0\0\0\1k\0\2\1\2t\0\0\0\0"),
        ROW("<<\"ab\">>", "m\0\0\0\2ab"),
        ROW("<<\"ab\">>", "M\0\0\0\2\10ab"),
        ROW("<<5:3>>", "M\0\0\0\1\3\xa0"),
        ROW("<<5:3>>", "M\0\0\0\1\3\xbf"),
        ROW("'<p@h.7.0>'", "Xw\3p@h\0\0\0\7\0\0\0\0\0\0\0\3"),
        ROW("'<p@h.7.0>'", "gd\0\3p@h\0\0\0\7\0\0\0\0\3"),
        ROW("fun lists:map/2", "qw\5listsw\3mapa\2"),
        ROW("fun lists:map/2", "qd\0\5listsd\0\3mapa\2"),
    };
    struct pair f;

    (void)state;
    open_known(&f);
    lab_join(f.b, "nothing");
    for (size_t i = 0; i < COUNT(rows); i++) {
        clu_writer w;

        clu_writer_init(&w);
        put_text(&w, rows[i].bytes, rows[i].len);
        assert_int_equal(clu_pg_join(f.a, "pubs", (clu_slice){w.data, w.len}), CLU_OK);
        if (strcmp(lab_members(&f.lab, rows[i].text), "A! ") != 0)
            fail_msg("row %zu, %s: another group", i, rows[i].text);
        assert_int_equal(lab_leave(f.a, rows[i].text), CLU_OK);
        assert_int_equal(info_of(&f.lab).groups, 1);
        clu_writer_free(&w);
    }
    lab_fini(&f.lab);
#undef ROW
}

static void different_terms_name_different_groups(void **state)
{
    static const char *const names[] = {
        "1",     "1.0",     "-1",      "a",         "\"a\"",     "<<\"a\">>", "{a}", "[a]",
        "[[a]]", "[a|b]",   "[a,b]",   "#{a => b}", "#{b => a}", "#{}",       "{}",  "[]",
        "<<>>",  "<<1:1>>", "<<1:2>>", "\"\\0\"",   "[0|0]",     "256",       "''",  "'1'",
    };
    struct pair f;

    (void)state;
    open_known(&f);
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_string_equal(lab_members(&f.lab, names[i]), "");
        lab_join(f.a, names[i]);
    }
    assert_int_equal(info_of(&f.lab).groups, COUNT(names));
    lab_fini(&f.lab);
}

/* What comes through a link's cache of atoms has only their numbers. */
static void atoms_of_a_cache_are_names(void **state)
{
    const clu_slice atoms[] = {slice_of("join"), slice_of("p@h"), slice_of("room")};
    const clu_refs refs = {.atoms = atoms, .n = COUNT(atoms)};
    static const char message[] = "h\4R\0XR\1\0\0\0\7\0\0\0\0\0\0\0\3h\2R\2R\1"
                                  "XR\1\0\0\0\x14\0\0\0\0\0\0\0\3";
    struct pair f;

    (void)state;
    open_known(&f);
    lab_control(&f.lab, &f.lab.p, "{6,'<p@h.7.0>','',pubs}",
                (clu_slice){(const uint8_t *)message, sizeof message - 1}, &refs);
    assert_string_equal(lab_members(&f.lab, "{room,p@h}"), "<p@h.20.0> ");
    lab_join(f.a, "{room,p@h}");
    assert_string_equal(lab_seen(&f.lab, &f.lab.p), "{join,Scope,{room,p@h},A}\n");
    lab_fini(&f.lab);
}

static void nested_names_have_an_end(void **state)
{
    struct pair f;
    clu_writer w;

    (void)state;
    open_known(&f);
    clu_writer_init(&w);
    for (int i = 0; i < 100; i++)
        clu_put_tuple(&w, 1);
    clu_put_nil(&w);
    assert_int_equal(clu_pg_join(f.a, "pubs", (clu_slice){w.data, w.len}), CLU_OK);
    clu_writer_reset(&w);
    for (int i = 0; i < CLU_DEPTH_MAX + 10; i++)
        clu_put_tuple(&w, 1);
    clu_put_nil(&w);
    assert_int_equal(clu_pg_join(f.a, "pubs", (clu_slice){w.data, w.len}), CLU_EDEPTH);
    clu_writer_free(&w);
    lab_fini(&f.lab);
}

static bool note_group(clu_slice group, size_t members, size_t local, void *arg)
{
    struct lab *lab = arg;
    char counts[64];

    lab_print(lab, &lab->told, (clu_reader){.pos = group.data, .end = group.data + group.len});
    int len = snprintf(counts, sizeof counts, " %zu %zu\n", members, local);

    buf_put(&lab->told, counts, (size_t)len);
    return true;
}

static void groups_are_listed(void **state)
{
    struct pair f;

    (void)state;
    open_known(&f);
    assert_int_equal(clu_pg_groups(&f.lab.node, "elsewhere", NULL, NULL), 0);
    lab_join(f.a, "[room,1]");
    lab_hear(&f.lab, &f.lab.p, "{join,'<p@h.7.0>',[room,1],['<p@h.20.0>']}");
    lab_hear(&f.lab, &f.lab.p, "{join,'<p@h.7.0>',hall,['<p@h.20.0>']}");
    assert_int_equal(clu_pg_groups(&f.lab.node, "pubs", NULL, NULL), 2);
    buf_reset(&f.lab.told);
    assert_int_equal(clu_pg_groups(&f.lab.node, "pubs", note_group, &f.lab), 2);
    assert_string_equal(buf_text(&f.lab.told), "[room,1] 2 1\nhall 1 0\n");
    lab_fini(&f.lab);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_terms_name_one_group),
        cmocka_unit_test(different_terms_name_different_groups),
        cmocka_unit_test(atoms_of_a_cache_are_names),
        cmocka_unit_test(nested_names_have_an_end),
        cmocka_unit_test(groups_are_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
