/* SPDX-License-Identifier: Apache-2.0 */
#include "view/terminal.h"

#include <stdlib.h>

#include "view/text.h"

#define COLUMNS 8

/* One line of a table. The cells are made printable when they are added. */
struct row {
    struct buf cells[COLUMNS];
};

struct table {
    struct row *rows;
    size_t n_rows, cap_rows;
    size_t widths[COLUMNS];
    clu_error err;
};

static struct row *add_row(struct table *t)
{
    if (t->n_rows == t->cap_rows) {
        size_t cap = t->cap_rows == 0 ? 32 : t->cap_rows * 2;
        struct row *rows = reallocarray(t->rows, cap, sizeof *rows);

        if (rows == NULL) {
            t->err = CLU_ENOMEM;
            return NULL;
        }
        t->rows = rows;
        t->cap_rows = cap;
    }
    t->rows[t->n_rows] = (struct row){0};
    return &t->rows[t->n_rows++];
}

static void set_cell(struct table *t, struct row *row, size_t column, const char *text)
{
    struct buf *cell = &row->cells[column];

    text_put_printable(cell, slice_of(text == NULL || text[0] == '\0' ? "-" : text));
    t->widths[column] = max_u64(t->widths[column], text_columns(buf_slice(cell)));
    if (cell->err != CLU_OK)
        t->err = cell->err;
}

static void put_row(struct buf *out, const struct table *t, const struct row *row)
{
    size_t pending = 0; /* blanks before the next cell: none at the end of a line */

    for (size_t i = 0; i < COLUMNS; i++) {
        clu_slice cell = buf_slice(&row->cells[i]);

        for (; pending > 0; pending--)
            buf_put_byte(out, ' ');
        buf_put_slice(out, cell);
        pending = t->widths[i] - text_columns(cell) + 2;
    }
    buf_put_byte(out, '\n');
}

static void put_table(struct buf *out, struct table *t)
{
    for (size_t i = 0; i < t->n_rows; i++)
        put_row(out, t, &t->rows[i]);
    if (t->err != CLU_OK)
        out->err = t->err;
    for (size_t i = 0; i < t->n_rows; i++)
        for (size_t k = 0; k < COLUMNS; k++)
            buf_free(&t->rows[i].cells[k]);
    free(t->rows);
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static const char *yes_or_no(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return !json_is_boolean(value) ? NULL : json_is_true(value) ? "yes" : "no";
}

static void add_cells(struct table *t, const char *const cells[COLUMNS])
{
    struct row *row = add_row(t);

    for (size_t i = 0; i < COLUMNS && row != NULL; i++)
        set_cell(t, row, i, cells[i]);
}

static void add_self(struct table *t, const json_t *cluster)
{
    const json_t *hidden = json_object_get(cluster, "hidden");

    add_cells(t, (const char *[COLUMNS]){text_of(cluster, "node"), text_of(cluster, "address"),
                                         "self", json_is_true(hidden) ? "no" : "yes", NULL, NULL,
                                         text_of(cluster, "started"), NULL});
}

static bool is_text(const json_t *object, const char *key, const char *text)
{
    const char *value = text_of(object, key);

    return value != NULL && strcmp(value, text) == 0;
}

static void put_why(struct buf *out, const json_t *peer)
{
    if (text_of(peer, "stage") != NULL)
        buf_printf(out, "%s: ", text_of(peer, "stage"));
    if (text_of(peer, "reason") != NULL)
        buf_put_text(out, text_of(peer, "reason"));
    if (is_text(peer, "sees_us", "no"))
        buf_put_text(out, "does not list this node");
}

static void add_peer(struct table *t, const json_t *peer)
{
    struct buf why = {0};
    bool linked = is_text(peer, "state", "linked");
    bool hinted = json_is_true(json_object_get(peer, "hinted"));

    put_why(&why, peer);
    add_cells(t, (const char *[COLUMNS]){
                     text_of(peer, "name"), text_of(peer, "address"), text_of(peer, "state"),
                     linked ? yes_or_no(peer, "visible") : NULL,
                     hinted ? "by a peer" : yes_or_no(peer, "listed"), text_of(peer, "otp_release"),
                     text_of(peer, "since"), buf_text(&why)});
    if (why.err != CLU_OK)
        t->err = why.err;
    buf_free(&why);
}

void terminal_put_nodes(struct buf *out, const json_t *cluster)
{
    struct table t = {0};
    const json_t *peers = json_object_get(cluster, "peers");

    add_cells(&t, (const char *[COLUMNS]){"NODE", "ADDRESS", "STATE", "VISIBLE", "LISTED", "OTP",
                                          "SINCE", "WHY"});
    add_self(&t, cluster);
    for (size_t i = 0; i < json_array_size(peers); i++)
        add_peer(&t, json_array_get(peers, i));
    put_table(out, &t);
}

static void put_text(struct buf *out, const char *text)
{
    text_put_printable(out, slice_of(text == NULL ? "-" : text));
}

static void put_missing(struct buf *out, const json_t *row)
{
    const char *name = text_of(row, "name");

    buf_put_text(out, "\n");
    put_text(out, name != NULL ? name : text_of(row, "address"));
    buf_put_text(out, " is missing since ");
    put_text(out, text_of(row, "since"));
    if (text_of(row, "stage") != NULL || text_of(row, "reason") != NULL)
        buf_put_text(out, "\n  ");
    if (text_of(row, "stage") != NULL) {
        put_text(out, text_of(row, "stage"));
        buf_put_text(out, ": ");
    }
    if (text_of(row, "reason") != NULL) /* how its link ended, before the first attempt */
        put_text(out, text_of(row, "reason"));
    buf_put_text(out, "\n  ");
    put_text(out, text_of(row, "advice"));
    buf_put_text(out, "\n");
}

/* As the page counts them: without the node itself, which `listed` names as well. */
static size_t count_listed(const json_t *peers)
{
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(peers); i++)
        n += json_is_true(json_object_get(json_array_get(peers, i), "listed"));
    return n;
}

static size_t count_linked(const json_t *peers)
{
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(peers); i++)
        n += is_text(json_array_get(peers, i), "state", "linked");
    return n;
}

/* "one-way  1: a@h" */
static void put_names(struct buf *out, const char *label, const json_t *names)
{
    size_t n = json_array_size(names);

    if (n == 0)
        return;
    buf_printf(out, "%-9s%zu", label, n);
    for (size_t i = 0; i < n; i++) {
        buf_put_text(out, i == 0 ? ": " : ", ");
        put_text(out, json_string_value(json_array_get(names, i)));
    }
    buf_put_byte(out, '\n');
}

/* How many, and one line each, when there is more than ours. */
static void put_islands(struct buf *out, const json_t *islands)
{
    size_t n = json_array_size(islands);

    if (n < 2)
        return;
    buf_printf(out, "islands  %zu\n", n);
    for (size_t i = 0; i < n; i++)
        put_names(out, "  of", json_array_get(islands, i));
}

static void put_source(struct buf *out, const json_t *source)
{
    buf_put_text(out, "source   ");
    put_text(out, text_of(source, "spec"));
    buf_put_text(out, "  ");
    put_text(out, text_of(source, "result"));
    buf_printf(out, ", %lld listed",
               (long long)json_integer_value(json_object_get(source, "addresses")));
    if (json_is_true(json_object_get(source, "sees_us")))
        buf_put_text(out, ", this node among them");
    if (text_of(source, "reason") != NULL) {
        buf_put_text(out, ": ");
        put_text(out, text_of(source, "reason"));
    }
    buf_put_byte(out, '\n');
}

void terminal_put_status(struct buf *out, const json_t *cluster)
{
    const json_t *missing = json_object_get(cluster, "missing");
    const json_t *sources = json_object_get(cluster, "sources");

    buf_put_text(out, "node     ");
    put_text(out, text_of(cluster, "node"));
    buf_put_text(out, "\nstate    ");
    put_text(out, text_of(cluster, "state"));
    if (text_of(cluster, "reason") != NULL) {
        buf_put_text(out, ": ");
        put_text(out, text_of(cluster, "reason"));
    }
    buf_printf(out, "\nnodes    %zu\nlisted   %zu\nlinked   %zu\nmissing  %zu\n",
               json_array_size(json_object_get(cluster, "nodes")),
               count_listed(json_object_get(cluster, "peers")),
               count_linked(json_object_get(cluster, "peers")), json_array_size(missing));
    put_names(out, "unlisted", json_object_get(cluster, "unlisted"));
    put_names(out, "one-way", json_object_get(cluster, "one_way"));
    put_names(out, "unread", json_object_get(cluster, "not_reading"));
    put_islands(out, json_object_get(cluster, "islands"));
    for (size_t i = 0; i < json_array_size(sources); i++)
        put_source(out, json_array_get(sources, i));
    for (size_t i = 0; i < json_array_size(missing); i++)
        put_missing(out, json_array_get(missing, i));
}
