/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/vm_args.h"

#include <stdlib.h>

#include "base/buf.h"

struct lexer {
    struct vm_args *out;
    clu_slice text;
    size_t at;
    uint32_t line;
    bool fresh; /* only blanks since the line began */
    struct buf word;
    char unset[VM_VARIABLE_SIZE];
    const char *(*env)(void *arg, const char *name);
    void *arg;
    clu_error err;
};

static bool at_end(const struct lexer *lx)
{
    return lx->at == lx->text.len || lx->err != CLU_OK;
}

static uint8_t peek(const struct lexer *lx)
{
    return lx->text.data[lx->at];
}

static uint8_t take(struct lexer *lx)
{
    uint8_t c = lx->text.data[lx->at++];

    lx->fresh = c == '\n';
    lx->line += c == '\n';
    return c;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static clu_slice rest_of_line(const struct lexer *lx)
{
    const uint8_t *from = lx->text.data + lx->at;
    size_t room = lx->text.len - lx->at;
    const uint8_t *end = memchr(from, '\n', room);

    return (clu_slice){from, end == NULL ? room : (size_t)(end - from)};
}

/* Room for one more in an array that doubles. */
static void *grow(struct lexer *lx, void *array, size_t n, size_t size)
{
    if ((n & (n - 1)) != 0)
        return array;
    void *larger = reallocarray(array, n == 0 ? 1 : 2 * n, size);

    if (larger == NULL)
        lx->err = CLU_ENOMEM;
    return larger == NULL ? array : larger;
}

static void pass_line(struct lexer *lx)
{
    struct vm_args *v = lx->out;
    clu_slice line = rest_of_line(lx);

    v->passed = grow(lx, v->passed, v->n_passed, sizeof *v->passed);
    if (lx->err != CLU_OK)
        return;
    v->passed[v->n_passed++] = (struct vm_passed){lx->line, line};
    lx->at += line.len;
}

/* To the start of the next word; false at the end of the text. */
static bool skip_to_word(struct lexer *lx)
{
    while (!at_end(lx)) {
        bool fresh = lx->fresh;

        if (is_space(peek(lx))) {
            take(lx);
            lx->fresh |= fresh;
        } else if (peek(lx) == '#')
            lx->at += rest_of_line(lx).len;
        else if (peek(lx) == '%' && fresh)
            pass_line(lx);
        else
            return true;
    }
    return false;
}

/* VAR or VAR:-default */
static void put_variable(struct lexer *lx, clu_slice inside)
{
    const uint8_t *colon = memmem(inside.data, inside.len, ":-", 2);
    clu_slice name = {inside.data, colon == NULL ? inside.len : (size_t)(colon - inside.data)};
    char copy[VM_VARIABLE_SIZE];
    bool fits = text_set(copy, sizeof copy, name);
    const char *value = fits ? lx->env(lx->arg, copy) : NULL;

    if (value != NULL && value[0] != '\0')
        buf_put_text(&lx->word, value);
    else if (colon != NULL)
        buf_put(&lx->word, colon + 2, inside.len - name.len - 2);
    else if (value == NULL && lx->unset[0] == '\0')
        text_set(lx->unset, sizeof lx->unset, name);
}

/* "${...}" in one line; false when it is no variable. */
static bool take_variable(struct lexer *lx)
{
    clu_slice line = rest_of_line(lx);

    if (line.len < 2 || line.data[0] != '$' || line.data[1] != '{')
        return false;
    const uint8_t *close = memchr(line.data, '}', line.len);

    if (close == NULL || close == line.data + 2)
        return false;
    put_variable(lx, (clu_slice){line.data + 2, (size_t)(close - line.data) - 2});
    lx->at += (size_t)(close - line.data) + 1;
    lx->fresh = false;
    return true;
}

static void put_char(struct lexer *lx)
{
    if (!take_variable(lx))
        buf_put_byte(&lx->word, take(lx));
}

/* A backslash means nothing between quotes; a quote that is never closed reaches to the end. */
static void take_quoted(struct lexer *lx)
{
    uint8_t quote = take(lx);

    while (!at_end(lx) && peek(lx) != quote)
        put_char(lx);
    if (!at_end(lx))
        take(lx);
}

static void take_escaped(struct lexer *lx)
{
    take(lx);
    if (!at_end(lx))
        buf_put_byte(&lx->word, take(lx));
}

static void take_piece(struct lexer *lx)
{
    uint8_t c = peek(lx);

    if (c == '\'' || c == '"')
        take_quoted(lx);
    else if (c == '\\')
        take_escaped(lx);
    else
        put_char(lx);
}

static void keep_word(struct lexer *lx, uint32_t line)
{
    struct vm_args *v = lx->out;
    char *text = strdup(buf_text(&lx->word));

    v->words = grow(lx, v->words, v->n_words, sizeof *v->words);
    if (text == NULL || lx->word.err != CLU_OK)
        lx->err = CLU_ENOMEM;
    if (lx->err != CLU_OK) {
        free(text);
        return;
    }
    v->words[v->n_words] = (struct vm_word){.text = text, .line = line};
    memcpy(v->words[v->n_words++].unset, lx->unset, sizeof lx->unset);
}

static void take_word(struct lexer *lx)
{
    uint32_t line = lx->line;

    buf_reset(&lx->word);
    lx->unset[0] = '\0';
    while (!at_end(lx) && !is_space(peek(lx)) && peek(lx) != '#')
        take_piece(lx);
    keep_word(lx, line);
}

clu_error vm_args_parse(struct vm_args *v, clu_slice text,
                        const char *(*env)(void *arg, const char *name), void *arg)
{
    struct lexer lx = {.out = v, .text = text, .line = 1, .fresh = true, .env = env, .arg = arg};

    *v = (struct vm_args){0};
    while (skip_to_word(&lx))
        take_word(&lx);
    buf_free(&lx.word);
    return lx.err;
}

void vm_args_fini(struct vm_args *v)
{
    for (size_t i = 0; i < v->n_words; i++)
        free(v->words[i].text);
    free(v->words);
    free(v->passed);
    *v = (struct vm_args){0};
}

/* Quoted or not: by the time erl looks, quotes are gone. */
static bool is_flag(const struct vm_word *w)
{
    return (w->text[0] == '-' || w->text[0] == '+') && w->text[1] != '\0';
}

bool vm_args_next(const struct vm_args *v, size_t *at, struct vm_flag *flag)
{
    if (*at == v->n_words)
        return false;
    const struct vm_word *first = &v->words[*at];
    size_t from = *at + (is_flag(first) ? 1 : 0), to = from;

    while (to < v->n_words && !is_flag(&v->words[to]))
        to++;
    *flag = (struct vm_flag){is_flag(first) ? first : NULL, v->words + from, to - from};
    *at = to;
    return true;
}
