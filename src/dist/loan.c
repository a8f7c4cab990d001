/* SPDX-License-Identifier: Apache-2.0 */
#include "dist/loan.h"

bool loans_add(struct loans *l, struct spare *spare, const struct loan *loan)
{
    struct loan *added = spare_get(spare, sizeof *added);

    if (added == NULL)
        return false;
    *added = *loan;
    added->next = NULL;
    if (l->first == NULL)
        l->first = added;
    else
        l->last->next = added;
    l->last = added;
    l->bytes += loan->bytes.len;
    return true;
}

void loans_end_first(struct loans *l, struct spare *spare)
{
    struct loan *loan = l->first;

    l->first = loan->next;
    l->bytes -= loan->bytes.len;
    if (loan->release != NULL)
        loan->release(loan->arg);
    spare_give(spare, loan);
}

void loans_end(struct loans *l, struct spare *spare)
{
    while (l->first != NULL)
        loans_end_first(l, spare);
}

static bool is_lent(const struct place *p, const struct loan *next)
{
    return next != NULL && next->at == p->at;
}

clu_slice place_piece(const struct place *p, const struct loan *next, clu_slice own)
{
    size_t end = next == NULL ? own.len : next->at;

    if (is_lent(p, next))
        return (clu_slice){next->bytes.data + p->lent, next->bytes.len - p->lent};
    return (clu_slice){own.data + p->at, end - p->at};
}

bool place_pass(struct place *p, const struct loan *next, size_t n)
{
    if (!is_lent(p, next)) {
        p->at += n;
        return false;
    }
    p->lent += n;
    if (p->lent < next->bytes.len)
        return false;
    p->lent = 0;
    return true;
}
