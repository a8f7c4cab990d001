/* SPDX-License-Identifier: Apache-2.0
 *
 * What a terminal shows, as a small one of our own understands it: rows and a cursor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "console.h"

#define ROWS 12
#define COLS 20

/* A terminal of xterm's kind: at the right edge the cursor waits, and the next character wraps. */
struct xterm {
    char cell[ROWS][COLS];
    int row, col;
    bool waits;
};

static void scroll(struct xterm *x)
{
    memmove(x->cell[0], x->cell[1], sizeof x->cell - COLS);
    memset(x->cell[ROWS - 1], ' ', COLS);
    x->row = ROWS - 1;
}

static void feed_line(struct xterm *x)
{
    if (++x->row == ROWS)
        scroll(x);
    x->waits = false;
}

static void put(struct xterm *x, char c)
{
    if (x->waits) {
        x->col = 0;
        feed_line(x);
    }
    x->cell[x->row][x->col] = c;
    if (x->col == COLS - 1)
        x->waits = true;
    else
        x->col++;
}

static int at_most(int n, int max)
{
    return n > max ? max : n < 0 ? 0 : n;
}

static void erase_below(struct xterm *x)
{
    memset(&x->cell[x->row][x->col], ' ', (size_t)(COLS - x->col));
    for (int row = x->row + 1; row < ROWS; row++)
        memset(x->cell[row], ' ', COLS);
}

static const char *sequence(struct xterm *x, const char *p)
{
    int n = 0;

    for (; *p >= '0' && *p <= '9'; p++)
        n = n * 10 + *p - '0';
    x->waits = false;
    switch (*p) {
    case 'A': x->row = at_most(x->row - (n == 0 ? 1 : n), ROWS - 1); break;
    case 'B': x->row = at_most(x->row + (n == 0 ? 1 : n), ROWS - 1); break;
    case 'C': x->col = at_most(x->col + (n == 0 ? 1 : n), COLS - 1); break;
    case 'H': x->row = x->col = 0; break;
    case 'J': erase_below(x); break;
    default: fail_msg("a sequence that ends in %c", *p);
    }
    return p + 1;
}

/* As the driver of a terminal does it in cooked output, a line feed begins a line. */
static void show(struct xterm *x, const char *p)
{
    while (*p != '\0') {
        char c = *p++;

        if (c == '\x1b' && *p == '[') {
            p = sequence(x, p + 1);
        } else if (c == '\r') {
            x->col = 0;
            x->waits = false;
        } else if (c == '\n') {
            x->col = 0;
            feed_line(x);
        } else if (c != '\a') {
            put(x, c);
        }
    }
}

/* The rows without the blanks at their ends, down to the last that is not empty, the cursor as |.
 */
static void put_screen(const struct xterm *x, struct buf *out)
{
    int last = x->row;

    for (int row = 0; row < ROWS; row++)
        for (int col = 0; col < COLS; col++)
            if (x->cell[row][col] != ' ' && row > last)
                last = row;
    for (int row = 0; row <= last; row++) {
        int end = COLS;

        while (end > 0 && x->cell[row][end - 1] == ' ' && !(row == x->row && end <= x->col))
            end--;
        for (int col = 0; col <= end; col++) {
            if (row == x->row && col == x->col)
                buf_put_byte(out, '|');
            if (col < end)
                buf_put_byte(out, (uint8_t)x->cell[row][col]);
        }
        buf_put_byte(out, '/');
    }
}

#define LEFT "\x1b[D"
#define ASK  "{get_line,unicode,\"p> \"}"

/* What is done, in turns: a word that begins with "{" is a request, anything else is typed. */
static const struct {
    const char *name, *done[6], *screen;
} rows[] = {
    {"a prompt", {ASK}, "p> |/"},
    {"typing", {ASK, "abc"}, "p> abc|/"},
    {"to the left", {ASK, "abc" LEFT LEFT}, "p> a|bc/"},
    {"in the middle", {ASK, "ac" LEFT "b"}, "p> ab|c/"},
    {"up to the edge", {ASK, "1234567890123456"}, "p> 1234567890123456|/"},
    {"the last column is full", {ASK, "12345678901234567"}, "p> 12345678901234567/|/"},
    {"beyond the edge", {ASK, "12345678901234567ab"}, "p> 12345678901234567/ab|/"},
    {"back over the edge", {ASK, "12345678901234567a\x7f\x7f"}, "p> 1234567890123456|/"},
    {"left over the edge", {ASK, "12345678901234567a" LEFT LEFT}, "p> 1234567890123456|7/a/"},
    {"three rows",
     {ASK, "1234567890123456712345678901234567890abc\x01"},
     "p> |12345678901234567/12345678901234567890/abc/"},
    {"insert before an edge", {ASK, "12345678901234567\x01x"}, "p> x|1234567890123456/7/"},
    {"output comes above", {ASK, "abc", "{put_chars,unicode,\"out\\n\"}"}, "out/p> abc|/"},
    {"output without an end stays before",
     {ASK, "abc", "{put_chars,unicode,\"out\"}"},
     "outp> abc|/"},
    {"more of it",
     {ASK, "a", "{put_chars,unicode,\"one\"}", "{put_chars,unicode,\"two\\n\"}"},
     "onetwo/p> a|/"},
    {"a prompt behind output", {"{put_chars,unicode,\"out: \"}", ASK, "x" LEFT}, "out: p> |x/"},
    {"output of a full row",
     {"{put_chars,unicode,\"12345678901234567890\"}", ASK, "a"},
     "12345678901234567890/p> a|/"},
    {"a long line and output",
     {ASK, "12345678901234567abc", "{put_chars,unicode,\"out\\n\"}"},
     "out/p> 12345678901234567/abc|/"},
    {"enter goes below all of it",
     {ASK, "12345678901234567abc\x01\r"},
     "p> 12345678901234567/abc/|/"},
    {"the next prompt", {ASK, "abc\r", ASK}, "p> abc/p> |/"},
    {"history of two rows",
     {ASK, "12345678901234567abc\r", ASK, "\x1b[A", "\x1b[B"},
     "p> 12345678901234567/abc/p> |/"},
    {"clear", {ASK, "abc\r", ASK, "de\x0c"}, "p> de|/"},
    {"search",
     {ASK, "abc\r", ASK,
      "\x12"
      "b"},
     "p> abc/(search)`b': abc|/"},
    {"a reader between", {ASK, "abc", "{get_line,unicode,\"q? \"}", "y\r"}, "q? y/p> abc|/"},
    {"no echo", {"{setopts,[{echo,false}]}", ASK, "secret"}, "p> |/"},
    {"a password", {"{get_password,unicode}", "secret\r"}, "/|/"},
    {"escape sequences in a prompt take no room",
     {"{get_line,unicode,\"\\e[0Jp> \"}", "12345678901234567a"},
     "p> 12345678901234567/a|/"},
    {"interrupt", {ASK, "abc" LEFT, "\x03", ASK}, "p> abc/p> |/"},
    {"the menu",
     {ASK, "abc", "\x07", "c\r"},
     "/User switch command/(h: help)/ --> c/there is no shell: s/ starts one/ --> |/"},
};

static void shows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct console c;
        struct xterm x = {0};
        struct buf screen = {0};

        memset(x.cell, ' ', sizeof x.cell);
        assert_true(console_open(&c, &(struct term_options){true, COLS, ROWS}));
        for (size_t k = 0; k < COUNT(rows[i].done) && rows[i].done[k] != NULL; k++) {
            if (rows[i].done[k][0] == '{')
                console_ask(&c, rows[i].done[k]);
            else
                console_type(&c, rows[i].done[k]);
            show(&x, console_shown(&c));
            console_forget(&c);
        }
        put_screen(&x, &screen);
        if (strcmp(buf_text(&screen), rows[i].screen) != 0)
            fail_msg("%s:\n%s\nnot\n%s", rows[i].name, buf_text(&screen), rows[i].screen);
        buf_free(&screen);
        console_close(&c);
    }
}

/* Random keys and output: the line that is shown is always the line that is edited. */
static void shows_the_line_after_anything(void **state)
{
    static const char *const keys[] = {"a",    "b ",   "xyz",  LEFT,   "\x1b[C",     "\x7f", "\x01",
                                       "\x05", "\x0b", "\x19", "\x17", "1234567890", "\x14"};
    uint32_t seed = 1;

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct xterm drawn = {0}, anew = {0};
        struct buf a = {0}, b = {0};
        struct console c;

        memset(drawn.cell, ' ', sizeof drawn.cell);
        memset(anew.cell, ' ', sizeof anew.cell);
        assert_true(console_open(&c, &(struct term_options){true, COLS, ROWS}));
        console_ask(&c, ASK);
        for (int k = 0; k < 25; k++) {
            seed = seed * 1664525 + 1013904223;
            console_type(&c, keys[(seed >> 16) % COUNT(keys)]);
        }
        show(&drawn, console_shown(&c));
        console_forget(&c);
        console_type(&c, "\x0c"); /* draws all of it on an empty screen */
        show(&anew, console_shown(&c));
        put_screen(&drawn, &a);
        put_screen(&anew, &b);
        if (strcmp(buf_text(&a), buf_text(&b)) != 0)
            fail_msg("round %d:\n%s\nnot\n%s", round, buf_text(&a), buf_text(&b));
        buf_free(&a);
        buf_free(&b);
        console_close(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows),
        cmocka_unit_test(shows_the_line_after_anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
