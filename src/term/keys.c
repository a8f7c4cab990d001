/* SPDX-License-Identifier: Apache-2.0 */
#include "term/keys.h"

#include "etf/utf8.h"

#define ESCAPE 0x1b
/* Longer parameters of an escape sequence are no key's. */
#define PARAMETERS_MAX 16

#define CTRL(letter) ((letter) - '@')

static const uint8_t control[' '] = {
    [CTRL('A')] = KEY_HOME,      [CTRL('B')] = KEY_LEFT,      [CTRL('C')] = KEY_INTERRUPT,
    [CTRL('D')] = KEY_EOF,       [CTRL('E')] = KEY_END,       [CTRL('F')] = KEY_RIGHT,
    [CTRL('G')] = KEY_MENU,      [CTRL('H')] = KEY_BACKSPACE, [CTRL('I')] = KEY_TAB,
    [CTRL('J')] = KEY_ENTER,     [CTRL('K')] = KEY_KILL_END,  [CTRL('L')] = KEY_CLEAR,
    [CTRL('M')] = KEY_ENTER,     [CTRL('N')] = KEY_DOWN,      [CTRL('P')] = KEY_UP,
    [CTRL('R')] = KEY_SEARCH,    [CTRL('T')] = KEY_SWAP,      [CTRL('U')] = KEY_KILL_START,
    [CTRL('W')] = KEY_KILL_WORD, [CTRL('Y')] = KEY_YANK,
};

/* Behind escape and "[" or "O": what xterm, VT220 and the console of Linux send. */
static const struct {
    const char *text;
    enum key_name name;
} sequences[] = {
    {"A", KEY_UP},
    {"B", KEY_DOWN},
    {"C", KEY_RIGHT},
    {"D", KEY_LEFT},
    {"H", KEY_HOME},
    {"F", KEY_END},
    {"1~", KEY_HOME},
    {"7~", KEY_HOME},
    {"4~", KEY_END},
    {"8~", KEY_END},
    {"3~", KEY_DELETE},
    {"1;5C", KEY_WORD_RIGHT},
    {"1;3C", KEY_WORD_RIGHT},
    {"5C", KEY_WORD_RIGHT},
    {"1;5D", KEY_WORD_LEFT},
    {"1;3D", KEY_WORD_LEFT},
    {"5D", KEY_WORD_LEFT},
    {"c", KEY_WORD_RIGHT},
    {"d", KEY_WORD_LEFT},
};

/* Behind an escape: a letter with Alt. */
static const struct {
    uint8_t byte;
    enum key_name name;
} alt[] = {
    {'b', KEY_WORD_LEFT},  {'f', KEY_WORD_RIGHT},      {'d', KEY_KILL_NEXT},
    {0x7f, KEY_KILL_WORD}, {CTRL('H'), KEY_KILL_WORD},
};

enum key_name keys_of_byte(uint8_t byte)
{
    if (byte == 0x7f)
        return KEY_BACKSPACE;
    if (byte >= ' ')
        return KEY_CHAR;
    return control[byte] == KEY_NONE ? KEY_UNKNOWN : (enum key_name)control[byte];
}

static void take(clu_slice *typed, size_t n)
{
    typed->data += n;
    typed->len -= n;
}

static enum key_name name_of_sequence(clu_slice text)
{
    for (size_t i = 0; i < COUNT(sequences); i++)
        if (slice_is(text, sequences[i].text))
            return sequences[i].name;
    return KEY_UNKNOWN;
}

/* Escape, "[" or "O", parameters, a final character (ECMA-48: 5.4). */
static enum key_name take_sequence(clu_slice *typed)
{
    size_t at = 2;

    while (at < typed->len && at < 2 + PARAMETERS_MAX &&
           (typed->data[at] < 0x40 || typed->data[at] > 0x7e))
        at++;
    if (at == typed->len && at < 2 + PARAMETERS_MAX)
        return KEY_NONE;
    size_t n = at < typed->len ? at + 1 : at;
    enum key_name name = name_of_sequence((clu_slice){typed->data + 2, n - 2});

    take(typed, n);
    return name;
}

static enum key_name take_escape(clu_slice *typed)
{
    if (typed->len < 2)
        return KEY_NONE;
    uint8_t next = typed->data[1];

    if (next == '[' || next == 'O')
        return take_sequence(typed);
    take(typed, next == ESCAPE ? 1 : 2);
    for (size_t i = 0; i < COUNT(alt); i++)
        if (alt[i].byte == next)
            return alt[i].name;
    return KEY_UNKNOWN;
}

static struct key take_char(clu_slice *typed)
{
    const uint8_t *pos = typed->data, *end = typed->data + typed->len;
    uint8_t lead = *pos;
    size_t len = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    size_t n = 1;

    /* cut short only if what is there may still become a character */
    while (n < len && n < typed->len && (typed->data[n] & 0xc0) == 0x80)
        n++;
    if (n < len && n == typed->len)
        return (struct key){.name = KEY_NONE};
    uint32_t c = utf8_get(&pos, end);

    take(typed, (size_t)(pos - typed->data));
    return c == UTF8_BAD ? (struct key){.name = KEY_UNKNOWN}
                         : (struct key){.name = KEY_CHAR, .c = c};
}

struct key keys_next(clu_slice *typed)
{
    if (typed->len == 0)
        return (struct key){.name = KEY_NONE};
    uint8_t byte = *typed->data;

    if (byte == ESCAPE)
        return (struct key){.name = take_escape(typed)};
    if (byte >= ' ' && byte != 0x7f)
        return take_char(typed);
    take(typed, 1);
    return (struct key){.name = keys_of_byte(byte)};
}
