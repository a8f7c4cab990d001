/* SPDX-License-Identifier: Apache-2.0 */
#include "etf/big.h"

#include <assert.h>

#define LIMB_BITS 32
/* The largest power of ten in a limb. */
#define POW10_LIMB   UINT32_C(1000000000)
#define POW10_DIGITS 9

uint32_t limbs_mul_add(uint32_t *x, size_t n, uint32_t mul, uint32_t add)
{
    uint64_t carry = add;

    for (size_t i = 0; i < n; i++) {
        carry += (uint64_t)x[i] * mul;
        x[i] = (uint32_t)carry;
        carry >>= LIMB_BITS;
    }
    return (uint32_t)carry;
}

uint32_t limbs_div(uint32_t *x, size_t n, uint32_t div)
{
    uint64_t rest = 0;

    for (size_t i = n; i > 0; i--) {
        rest = rest << LIMB_BITS | x[i - 1];
        x[i - 1] = (uint32_t)(rest / div);
        rest %= div;
    }
    return (uint32_t)rest;
}

static void push(struct big *x, uint32_t limb)
{
    if (limb == 0)
        return;
    assert(x->n < BIG_LIMBS);
    x->limb[x->n++] = limb;
}

static void trim(struct big *x)
{
    while (x->n > 0 && x->limb[x->n - 1] == 0)
        x->n--;
}

void big_set(struct big *x, uint64_t value)
{
    x->limb[0] = (uint32_t)value;
    x->limb[1] = (uint32_t)(value >> LIMB_BITS);
    x->n = 2;
    trim(x);
}

void big_mul_add(struct big *x, uint32_t mul, uint32_t add)
{
    push(x, limbs_mul_add(x->limb, x->n, mul, add));
}

void big_mul_pow10(struct big *x, uint32_t k)
{
    for (; k >= POW10_DIGITS; k -= POW10_DIGITS)
        big_mul_add(x, POW10_LIMB, 0);
    for (; k > 0; k--)
        big_mul_add(x, 10, 0);
}

void big_shift(struct big *x, uint32_t bits)
{
    size_t limbs = bits / LIMB_BITS;

    big_mul_add(x, UINT32_C(1) << bits % LIMB_BITS, 0);
    if (limbs == 0 || x->n == 0)
        return;
    assert(x->n + limbs <= BIG_LIMBS);
    memmove(x->limb + limbs, x->limb, x->n * sizeof x->limb[0]);
    memset(x->limb, 0, limbs * sizeof x->limb[0]);
    x->n += limbs;
}

static void widen(struct big *x, size_t n)
{
    while (x->n < n)
        x->limb[x->n++] = 0;
}

void big_add(struct big *x, const struct big *y)
{
    uint64_t carry = 0;

    widen(x, y->n);
    for (size_t i = 0; i < x->n; i++) {
        carry += (uint64_t)x->limb[i] + (i < y->n ? y->limb[i] : 0);
        x->limb[i] = (uint32_t)carry;
        carry >>= LIMB_BITS;
    }
    push(x, (uint32_t)carry);
}

void big_sub(struct big *x, const struct big *y)
{
    uint64_t borrow = 0;

    for (size_t i = 0; i < x->n; i++) {
        uint64_t take = borrow + (i < y->n ? y->limb[i] : 0);

        borrow = x->limb[i] < take;
        x->limb[i] -= (uint32_t)take;
    }
    trim(x);
}

int big_cmp(const struct big *x, const struct big *y)
{
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    for (size_t i = x->n; i > 0; i--)
        if (x->limb[i - 1] != y->limb[i - 1])
            return x->limb[i - 1] < y->limb[i - 1] ? -1 : 1;
    return 0;
}

uint32_t big_bits(const struct big *x)
{
    uint32_t bits = 0;

    if (x->n == 0)
        return 0;
    for (uint32_t top = x->limb[x->n - 1]; top != 0; top >>= 1)
        bits++;
    return bits + (uint32_t)(x->n - 1) * LIMB_BITS;
}
