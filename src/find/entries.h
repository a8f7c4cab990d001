/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_ENTRIES_H
#define FIND_ENTRIES_H

#include "find/source.h"

/* Entries of sources: as people and other programs write them, and compared. */

/* entry_parse: of NAME@HOST[:PORT]; an address among the hosts is spelled as inet_ntop does, which
 * is how nodes are named. CLU_EBADARG with words in why, to go behind where it stands:
 * "\"a@\": the host is empty". */
CLU_MUST_USE clu_error entry_parse(struct entry *e, const char *item, char why[REASON_SIZE]);
/* entry_named: of the name as the node itself tells it; false when no node can have that. */
bool entry_named(struct entry *e, clu_slice name);
/* entries_same: the same names at the same addresses, in the same order. */
bool entries_same(const struct entry *a, size_t n_a, const struct entry *b, size_t n_b);

#endif
