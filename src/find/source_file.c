/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/scan.h"
#include "find/entries.h"
#include "find/source_impl.h"
#include "find/words.h"

/* file:FILE: one NAME@HOST[:PORT] a line, with comments behind #; read again when it changes, so
 * that anything that can write a file is a source. */

struct file_source {
    struct source source;
    char path[NEED_PATH_SIZE];
    bool asked;
};

static struct file_source *file_of(struct source *s)
{
    return (struct file_source *)s;
}

/* What is collected of a text before it takes the place of the old list. */
struct reading {
    struct entry *entries;
    size_t n, cap;
    clu_error err;
    char problem[REASON_SIZE]; /* of the first line that makes no sense */
};

static struct entry *add_entry(struct reading *r)
{
    if (r->n == r->cap) {
        size_t cap = r->cap == 0 ? 16 : 2 * r->cap;
        struct entry *entries = realloc(r->entries, cap * sizeof *entries);

        if (entries == NULL) {
            r->err = CLU_ENOMEM;
            return NULL;
        }
        r->entries = entries;
        r->cap = cap;
    }
    return &r->entries[r->n];
}

static void complain(struct reading *r, unsigned line, const char *problem)
{
    if (r->problem[0] == '\0')
        say(r->problem, "line %u is left out: %s", line, problem);
}

static void read_line(struct reading *r, clu_slice line, unsigned number)
{
    char item[NODE_NAME_SIZE + HOST_NAME_SIZE], why[REASON_SIZE];
    clu_slice word, more;

    if (!scan_word(&line, &word) || word.data[0] == '#')
        return;
    struct entry *e = add_entry(r);

    if (e == NULL)
        return;
    if (scan_word(&line, &more) && more.data[0] != '#')
        complain(r, number, "one entry a line: NAME@HOST or NAME@HOST:PORT");
    else if (memchr(word.data, '\0', word.len) != NULL || !text_set(item, sizeof item, word))
        complain(r, number, "it is longer than a node name can be, or no text");
    else if (entry_parse(e, item, why) != CLU_OK)
        complain(r, number, why);
    else if (r->n == SOURCE_ENTRIES_MAX)
        complain(r, number, "a source lists 8192 nodes at most");
    else
        r->n++;
}

static void read_text(struct reading *r, clu_slice text)
{
    clu_slice line;

    for (unsigned number = 1; r->err == CLU_OK && scan_line(&text, &line); number++)
        read_line(r, line, number);
}

/* A removed or unreadable file says nothing about nodes: the list stays. An empty one does. */
static void fail(struct source *s, const char *why)
{
    s->row.result = RESULT_FAILED;
    s->row.failures++;
    s->row.rounds[RESULT_FAILED]++;
    say(s->row.reason, "cannot read %.120s: %.200s", file_of(s)->path, why);
}

static bool file_given(struct source *s, const struct given *given, uint64_t now_ms)
{
    struct reading r = {0};

    if (given->kind != GIVEN_FILE)
        return false;
    if (given->why == NULL)
        read_text(&r, given->bytes);
    if (given->why != NULL || r.err != CLU_OK) {
        free(r.entries);
        fail(s, given->why != NULL ? given->why : clu_strerror(r.err));
        return true;
    }
    if (!entries_same(s->entries, s->n_entries, r.entries, r.n))
        s->row.changed_ms = now_ms;
    free(s->entries);
    s->entries = r.entries;
    s->n_entries = r.n;
    s->row.result = RESULT_COMPLETE;
    s->row.sees_us = source_lists_us(s);
    s->row.rounds[RESULT_COMPLETE]++;
    s->row.last_ms = now_ms;
    say(s->row.reason, "%s", r.problem);
    return true;
}

static void file_start(struct source *s, uint64_t now_ms)
{
    (void)now_ms;
    file_of(s)->asked = false;
}

static uint64_t file_deadline(const struct source *s)
{
    return ((const struct file_source *)s)->asked ? NEVER : 0;
}

/* Watched from the first need on: there is no second one. */
static bool file_need(struct source *s, uint64_t now_ms, struct need *need)
{
    struct file_source *f = file_of(s);

    (void)now_ms;
    if (f->asked)
        return false;
    f->asked = true;
    s->row.queries++;
    need->kind = NEED_FILE;
    need->u.file.watch = true;
    memcpy(need->u.file.path, f->path, sizeof f->path);
    return true;
}

static clu_error file_open(struct source *s, const char *body, char why[REASON_SIZE])
{
    if (body[0] == '\0') {
        say(why, "file: names no file: write file:/etc/erlclu/peers");
        return CLU_EBADARG;
    }
    text_set(file_of(s)->path, NEED_PATH_SIZE, slice_of(body)); /* a SPEC is shorter */
    return CLU_OK;
}

const struct scheme scheme_file = {
    .name = "file",
    .stands = true,
    .size = sizeof(struct file_source),
    .open = file_open,
    .start = file_start,
    .deadline = file_deadline,
    .need = file_need,
    .given = file_given,
};
