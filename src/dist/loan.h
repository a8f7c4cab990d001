/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIST_LOAN_H
#define DIST_LOAN_H

#include "base/base.h"
#include "base/spare.h"

/* Binaries in large messages that are not copied: they go to the socket from where their owner has
 * them (clu_lend_binary). */

struct loan {
    struct loan *next;
    size_t at; /* where it stands: an offset in the buffer that the message is written into */
    clu_slice bytes;
    clu_release_fn *release; /* NULL: nobody wants to know */
    void *arg;
};

/* Those of one message, in their order. A zeroed one is empty and valid. */
struct loans {
    struct loan *first, *last;
    size_t bytes; /* of all */
};

/* loans_add: false when out of memory. */
CLU_MUST_USE bool loans_add(struct loans *l, struct spare *spare, const struct loan *loan);
/* loans_end_first: the first one is not read any more, and its owner is told so. loans_end: the
 * same of all. */
void loans_end_first(struct loans *l, struct spare *spare);
void loans_end(struct loans *l, struct spare *spare);

/* A place in a message: the offset in its buffer, and how much of the loan that stands there has
 * been passed. */
struct place {
    size_t at, lent;
};

/* place_piece: what stands there in one piece; next is the loan there or behind, own the buffer. */
clu_slice place_piece(const struct place *p, const struct loan *next, clu_slice own);
/* place_pass: n bytes of that piece have been passed. Whether that ended the loan. */
bool place_pass(struct place *p, const struct loan *next, size_t n);

#endif
