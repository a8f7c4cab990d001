/* SPDX-License-Identifier: Apache-2.0 */
#include "etf/funs.h"

static bool grow(struct funs *f)
{
    size_t cap = 4 * f->cap;
    bool first = f->all == f->few;
    struct open_fun *all = realloc(first ? NULL : f->all, cap * sizeof *all);

    if (all == NULL)
        return false;
    if (first)
        memcpy(all, f->few, sizeof f->few);
    f->all = all;
    f->cap = cap;
    return true;
}

bool funs_push(struct funs *f, uint64_t left, size_t at)
{
    if (f->n == f->cap && !grow(f))
        return false;
    f->all[f->n++] = (struct open_fun){left, at};
    return true;
}
