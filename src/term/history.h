/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERM_HISTORY_H
#define TERM_HISTORY_H

#include "base/buf.h"

/* Entries that are remembered, and how long one may be: what is longer was pasted. */
#define HISTORY_MAX       1000
#define HISTORY_ENTRY_MAX 65536

/* What was entered, kept in memory only: a file would keep what should not be on a disk of a pod. A
 * zeroed history is empty and valid. */
struct history {
    struct buf entries[HISTORY_MAX]; /* a ring */
    size_t n, first;
};

void history_free(struct history *h);
/* history_add: unless it is empty, too long, or what came last. */
void history_add(struct history *h, clu_slice text);
/* history_get: the one so many entries back: 1 is the latest; an empty slice when there is none. */
clu_slice history_get(const struct history *h, size_t back);
/* history_find: from `back` on, the nearest entry that holds the text; 0 when there is none. */
size_t history_find(const struct history *h, size_t back, clu_slice text);

#endif
