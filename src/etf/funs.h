/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ETF_FUNS_H
#define ETF_FUNS_H

#include <stdlib.h>

#include "etf/etf.h"

/* Who walks a term counts the terms to come, all containers together: so it does not matter how
 * deep they lie. Only funs say twice where they end, by the number of their terms and by their
 * size: they are kept in mind while they are walked. */

/* Funs within each other for which no memory is needed: more are rare. */
#define FUNS_FEW 16

struct open_fun {
    uint64_t left; /* terms that are still to come behind it */
    size_t at;     /* where it has to end, or where its size is to be written */
};

/* Those around a place, each within the one before. Each has some 50 bytes in the input, so memory
 * for them is bounded by it. */
struct funs {
    size_t n, cap;
    struct open_fun *all; /* few, while they suffice */
    struct open_fun few[FUNS_FEW];
};

/* funs_init: few is not cleared: most terms have no fun. */
static inline void funs_init(struct funs *f)
{
    f->n = 0;
    f->cap = FUNS_FEW;
    f->all = f->few;
}

static inline void funs_free(struct funs *f)
{
    if (f->all != f->few)
        free(f->all);
}

/* funs_push: one more around what follows; false: no memory for it. */
CLU_MUST_USE bool funs_push(struct funs *f, uint64_t left, size_t at);

/* funs_last: the innermost; NULL: none. */
static inline struct open_fun *funs_last(struct funs *f)
{
    return f->n == 0 ? NULL : &f->all[f->n - 1];
}

#endif
