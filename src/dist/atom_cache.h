/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIST_ATOM_CACHE_H
#define DIST_ATOM_CACHE_H

#include "base/base.h"

/* The two atom caches of a link and the header of a message (erl_ext_dist, "Distribution Header"):
 * after the tag and, in a fragment, its numbers
 *
 *   n references; n / 2 + 1 bytes of flags, a half byte a reference; the references
 *
 * The sender chooses the slot of each atom; the receiver does as it is told. */

/* Eight segments of 256. */
#define ATOM_SLOTS 2048
/* References that the one byte of a header can count. */
#define ATOM_REFS_MAX 255

struct atom_in_table;
struct atom_out_table;

/* What the peer has told. A zeroed one is empty and valid. */
struct atoms_in {
    struct atom_in_table *table; /* NULL before the first atom */
};

/* atoms_in_read: takes the header's references off the front of rest. refs is set to its atoms,
 * NULL for none; they are good until the next header is read, and as long as the bytes of rest.
 * CLU_EPROTO, CLU_ENOMEM: *what is a static sentence. */
CLU_MUST_USE clu_error atoms_in_read(struct atoms_in *a, clu_slice *rest, const clu_refs **refs,
                                     const char **what);
void atoms_in_free(struct atoms_in *a);

/* What the peer was told. A zeroed one is empty and valid. */
struct atoms_out {
    clu_atoms atoms; /* for a writer */
    struct atom_out_table *table;
};

/* atoms_out_begin: a new message: its atoms go through what it returns; NULL: no memory, write them
 * as text. */
clu_atoms *atoms_out_begin(struct atoms_out *a);
/* atoms_out_size: bytes of the references of the message's header; atoms_out_put writes them. Of a
 * message without atoms: one byte, the number 0. */
size_t atoms_out_size(const struct atoms_out *a);
void atoms_out_put(const struct atoms_out *a, uint8_t *to);
/* atoms_out_cancel: the message will not be sent: what it would have told is not known. */
void atoms_out_cancel(struct atoms_out *a);
void atoms_out_free(struct atoms_out *a);

#endif
