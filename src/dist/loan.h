/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIST_LOAN_H
#define DIST_LOAN_H

#include "base/base.h"
#include "base/spare.h"

/* Binaries in large messages that are not copied: they go to the socket from where their owner has
 * them (clu_lend_binary). */

struct loan {
    struct loan *next;
    size_t at; /* where it stands in the message: behind so many of the message's own bytes */
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
/* loans_end_first: it is not read any more: its owner is told. loans_end: none is. */
void loans_end_first(struct loans *l, struct spare *spare);
void loans_end(struct loans *l, struct spare *spare);

/* A place in a message: of its own bytes so many have been passed, and of the first loan. */
struct place {
    size_t at, lent;
};

/* place_piece: what stands there in one piece, up to end of the message's own bytes. */
clu_slice place_piece(const struct place *p, const struct loan *next, clu_slice own);
/* place_pass: n bytes of that piece have been passed. Whether that ended the loan. */
bool place_pass(struct place *p, const struct loan *next, size_t n);

#endif
