/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys, and what they do to a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "term/chardata.h"
#include "term/editor.h"
#include "term/width.h"

/* ---- keys ---- */

static const struct {
    const char *name, *bytes;
    enum key_name keys[4];
    size_t left; /* bytes that are not a key yet */
} keys[] = {
    {"a letter", "a", {KEY_CHAR}, 0},
    {"letters and enter", "ab\r", {KEY_CHAR, KEY_CHAR, KEY_ENTER}, 0},
    {"a line feed is enter, too", "\n", {KEY_ENTER}, 0},
    {"three bytes", "\xe2\x82\xac", {KEY_CHAR}, 0},
    {"three bytes cut short", "a\xe2\x82", {KEY_CHAR}, 2},
    {"no UTF-8",
     "\xff"
     "a",
     {KEY_UNKNOWN, KEY_CHAR},
     0},
    {"a lead byte without its rest",
     "\xe2"
     "a",
     {KEY_UNKNOWN, KEY_CHAR},
     0},
    {"arrows", "\x1b[A\x1bOB\x1b[C", {KEY_UP, KEY_DOWN, KEY_RIGHT}, 0},
    {"home, end and delete", "\x1b[1~\x1b[F\x1b[3~", {KEY_HOME, KEY_END, KEY_DELETE}, 0},
    {"control and arrows", "\x1b[1;5C\x1b[1;5D", {KEY_WORD_RIGHT, KEY_WORD_LEFT}, 0},
    {"alt and letters",
     "\x1b"
     "b\x1b"
     "f\x1b"
     "d",
     {KEY_WORD_LEFT, KEY_WORD_RIGHT, KEY_KILL_NEXT},
     0},
    {"an escape alone waits", "\x1b", {0}, 1},
    {"a sequence cut short waits", "\x1b[1;", {0}, 4},
    {"an unknown sequence is one key", "\x1b[200~a", {KEY_UNKNOWN, KEY_CHAR}, 0},
    {"a sequence without end", "\x1b[01234567890123456a", {KEY_UNKNOWN, KEY_CHAR}, 0},
    {"control characters", "\x01\x05\x0b", {KEY_HOME, KEY_END, KEY_KILL_END}, 0},
    {"rubout", "\x7f", {KEY_BACKSPACE}, 0},
    {"signals", "\x03\x07\x04", {KEY_INTERRUPT, KEY_MENU, KEY_EOF}, 0},
    {"a control character without a meaning", "\x1d", {KEY_UNKNOWN}, 0},
};

static void reads_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        clu_slice typed = slice_of(keys[i].bytes);
        size_t n = 0;

        for (struct key k; (k = keys_next(&typed)).name != KEY_NONE && n < 4; n++)
            if (k.name != keys[i].keys[n])
                fail_msg("%s: key %zu is %d", keys[i].name, n, (int)k.name);
        if (typed.len != keys[i].left || (n < 4 && keys[i].keys[n] != KEY_NONE))
            fail_msg("%s: %zu keys, %zu bytes left", keys[i].name, n, typed.len);
    }
}

/* ---- lines ---- */

#define UP    "\x1b[A"
#define DOWN  "\x1b[B"
#define RIGHT "\x1b[C"
#define LEFT  "\x1b[D"
#define WLEFT                                                                                      \
    "\x1b"                                                                                         \
    "b"
#define WRIGHT                                                                                     \
    "\x1b"                                                                                         \
    "f"

/* The cursor is shown as |. Two lines are remembered: "first" and, later, "second\nline". */
static const struct {
    const char *name, *typed, *line;
} lines[] = {
    {"nothing", "", "|"},
    {"letters", "abc", "abc|"},
    {"in the middle", "ac" LEFT "b", "ab|c"},
    {"left at the start", LEFT "a", "a|"},
    {"right at the end", "a" RIGHT "b", "ab|"},
    {"home and end",
     "bc\x01"
     "a\x05"
     "d",
     "abcd|"},
    {"backspace", "abc\x7f\x08", "a|"},
    {"backspace at the start", "abc\x01\x7f", "|abc"},
    {"backspace of a wide character", "a\xe4\xbd\xa0\x7f", "a|"},
    {"delete", "abc\x01\x1b[3~\x04", "|c"},
    {"to the end and back", "abc def" WLEFT "\x0b\x01\x19", "def|abc "},
    {"to the start", "abc def" WLEFT "\x15", "|def"},
    {"word by word", "one, two_2 three" WLEFT WLEFT "|", "one, ||two_2 three"},
    {"words to the right", "one, two\x01" WRIGHT WRIGHT, "one, two|"},
    {"a word", "one two  \x17", "one |"},
    {"the next word",
     "one two\x01\x1b"
     "d",
     "| two"},
    {"yank twice", "ab\x15\x19\x19", "abab|"},
    {"yank of nothing", "a\x19", "a|"},
    {"swap at the end", "ab\x14", "ba|"},
    {"swap in the middle", "abc" LEFT "\x14", "acb|"},
    {"swap of one", "a\x14", "a|"},
    {"the latest", UP, "second\nline|"},
    {"the first", UP UP, "first|"},
    {"before the first is nothing", UP UP UP, "first|"},
    {"down to what was typed", "dra" UP UP DOWN DOWN "ft", "draft|"},
    {"down at the end", "a" DOWN, "a|"},
    {"what was recalled is changed", UP UP "!" DOWN UP, "first|"},
    {"search",
     "\x12"
     "ir",
     "first|"},
    {"search goes on",
     "\x12"
     "i\x12",
     "first|"},
    {"search of nothing that is there", "abc\x12xyz", "abc|"},
    {"search, then edit",
     "\x12"
     "fir" LEFT "!",
     "first!|"},
};

static void type(struct editor *e, const char *typed)
{
    clu_slice rest = slice_of(typed);

    for (struct key k; (k = keys_next(&rest)).name != KEY_NONE;)
        (void)editor_key(e, k);
}

static void edits_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct editor *e = calloc(1, sizeof *e);
        struct buf text = {0};

        assert_non_null(e);
        history_add(&e->history, slice_of("first"));
        history_add(&e->history, slice_of("second\nline"));
        editor_start(e, (clu_slice){NULL, 0});
        type(e, lines[i].typed);
        line_put(&e->line, 0, e->line.at, &text);
        buf_put_byte(&text, '|');
        line_put(&e->line, e->line.at, e->line.len, &text);
        if (strcmp(buf_text(&text), lines[i].line) != 0)
            fail_msg("%s: `%s`, not `%s`", lines[i].name, buf_text(&text), lines[i].line);
        buf_free(&text);
        editor_free(e);
        free(e);
    }
}

static const struct {
    const char *typed;
    enum edited last;
} results[] = {
    {"a", EDITED_TYPED},
    {"ab" LEFT "c", EDITED_LINE},
    {"\r", EDITED_ENTERED},
    {"\x04", EDITED_EOF},
    {"a\x01\x04", EDITED_LINE},
    {"a\x04", EDITED_BELL},
    {"\t", EDITED_EXPAND},
    {"\x0c", EDITED_CLEAR},
    {"\x7f", EDITED_BELL},
    {"\x12"
     "a",
     EDITED_BELL},
    {"\x12\r", EDITED_ENTERED},
    {"\x1d", EDITED_BELL},
};

static void says_what_a_key_did(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(results); i++) {
        struct editor *e = calloc(1, sizeof *e);
        clu_slice rest = slice_of(results[i].typed);
        enum edited last = EDITED_BELL;

        assert_non_null(e);
        for (struct key k; (k = keys_next(&rest)).name != KEY_NONE;)
            last = editor_key(e, k);
        if (last != results[i].last)
            fail_msg("row %zu: %d", i, (int)last);
        editor_free(e);
        free(e);
    }
}

static void a_line_has_an_end(void **state)
{
    struct line l = {0};
    size_t n = 0;

    (void)state;
    while (line_insert(&l, 'a'))
        n++;
    assert_int_equal(LINE_MAX_CHARS, n);
    line_erase(&l, 0, 10, true);
    assert_true(line_yank(&l));
    assert_false(line_yank(&l));
    assert_int_equal(LINE_MAX_CHARS, l.len);
    line_free(&l);
}

/* ---- history ---- */

static void remembers_so_many(void **state)
{
    struct history *h = calloc(1, sizeof *h);
    char text[32];

    (void)state;
    assert_non_null(h);
    for (unsigned i = 0; i < HISTORY_MAX + 10; i++) {
        snprintf(text, sizeof text, "line %u", i);
        history_add(h, slice_of(text));
        history_add(h, slice_of(text)); /* the same again is not kept twice */
    }
    history_add(h, slice_of(""));
    assert_int_equal(HISTORY_MAX, h->n);
    snprintf(text, sizeof text, "line %u", HISTORY_MAX + 9);
    assert_true(slice_is(history_get(h, 1), text));
    assert_true(slice_is(history_get(h, HISTORY_MAX), "line 10"));
    assert_int_equal(0, history_get(h, HISTORY_MAX + 1).len);
    assert_int_equal(1, history_find(h, 1, slice_of("line 10")));  /* line 1009 */
    assert_int_equal(901, history_find(h, 20, slice_of("ne 10"))); /* line 109 */
    assert_int_equal(0, history_find(h, 1, slice_of("line 9x")));
    history_free(h);
    free(h);
}

/* ---- texts ---- */

static const struct {
    const char *term;
    bool latin1;
    const char *text; /* NULL: it is none */
} texts[] = {
    {"\"abc\"", false, "abc"},
    {"[]", false, ""},
    {"<<>>", false, ""},
    {"<<\"\xc3\xa4\"/utf8>>", false, "\xc3\xa4"},
    {"<<228>>", true, "\xc3\xa4"},
    {"<<228>>", false, NULL},
    {"[228,8364]", false, "\xc3\xa4\xe2\x82\xac"},
    {"[\"a\",[[<<\"b\">>]|<<\"c\">>]]", false, "abc"},
    {"[<<195>>,<<164>>]", false, "\xc3\xa4"}, /* one character in two binaries */
    {"[<<195>>,$a]", false, NULL},
    {"[a]", false, NULL},
    {"a", false, NULL},
    {"12", false, "\f"},
    {"-1", false, NULL},
    {"[55296]", false, NULL},
    {"[1114112]", false, NULL},
    {"[$a,{}]", false, NULL},
    {"[1.0]", false, NULL},
    {"<<1:3>>", false, NULL},
};

static void flattens_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct buf out = {0};
        clu_writer w;
        clu_reader r;
        size_t at;

        clu_writer_init(&w);
        assert_int_equal(CLU_OK, clu_parse(texts[i].term, strlen(texts[i].term), &w, &at, NULL));
        clu_reader_init(&r, w.data, w.len);
        buf_put_byte(&out, '>');
        bool ok = chardata_put(&out, &r, texts[i].latin1);

        if (ok != (texts[i].text != NULL) ||
            strcmp(buf_text(&out) + 1, ok ? texts[i].text : "") != 0)
            fail_msg("%s: %d `%s`", texts[i].term, ok, buf_text(&out));
        buf_free(&out);
        clu_writer_free(&w);
    }
}

/* A list in a list in a list ...: deeper than anything may be. */
static void refuses_what_is_too_deep(void **state)
{
    struct buf out = {0};
    clu_writer w;
    clu_reader r;

    (void)state;
    clu_writer_init(&w);
    for (int i = 0; i < 2 * CLU_DEPTH_MAX; i++)
        clu_put_list(&w, 1);
    clu_put_nil(&w);
    for (int i = 0; i < 2 * CLU_DEPTH_MAX; i++)
        clu_put_nil(&w);
    clu_reader_init(&r, w.data, w.len);
    assert_false(chardata_put(&out, &r, false));
    buf_free(&out);
    clu_writer_free(&w);
}

static const struct {
    const char *text;
    size_t width;
} widths[] = {
    {"", 0},
    {"abc", 3},
    {"\xe4\xbd\xa0\xe5\xa5\xbd", 4},
    {"e\xcc\x81", 1},
    {"\x1b[1;31mred\x1b[0m", 3},
    {"\xf0\x9f\x98\x80", 2},
    {"\x1b", 0},
    {"\x1b[1", 0},
    {"\xc3\xa4", 1},
    {"a\x1b"
     "7b",
     2},
};

static void counts_columns(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(widths); i++)
        if (width_text(slice_of(widths[i].text)) != widths[i].width)
            fail_msg("`%s`: %zu", widths[i].text, width_text(slice_of(widths[i].text)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_keys),
        cmocka_unit_test(edits_lines),
        cmocka_unit_test(says_what_a_key_did),
        cmocka_unit_test(a_line_has_an_end),
        cmocka_unit_test(remembers_so_many),
        cmocka_unit_test(flattens_texts),
        cmocka_unit_test(refuses_what_is_too_deep),
        cmocka_unit_test(counts_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
