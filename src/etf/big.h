/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ETF_BIG_H
#define ETF_BIG_H

#include "base/base.h"

/* Natural numbers as limbs of 32 bits, least first: what exact conversions between decimal and
 * binary need, and no more. */

/* limbs_mul_add: x = x * mul + add over n limbs; what does not fit is returned. */
uint32_t limbs_mul_add(uint32_t *x, size_t n, uint32_t mul, uint32_t add);
/* limbs_div: x = x / div over n limbs; the remainder. */
uint32_t limbs_div(uint32_t *x, size_t n, uint32_t div);

/* The largest number that reading a float compares is 2^64 * 10^1131 (float_read.c): 3822 bits. */
#define BIG_LIMBS 128

struct big {
    size_t n; /* limbs in use; the highest is not 0 */
    uint32_t limb[BIG_LIMBS];
};

void big_set(struct big *x, uint64_t value);
/* big_mul_add: x = x * mul + add. */
void big_mul_add(struct big *x, uint32_t mul, uint32_t add);
/* big_mul_pow10: x = x * 10^k. */
void big_mul_pow10(struct big *x, uint32_t k);
/* big_shift: x = x * 2^bits. */
void big_shift(struct big *x, uint32_t bits);
void big_add(struct big *x, const struct big *y);
/* big_sub: x = x - y; y is at most x. */
void big_sub(struct big *x, const struct big *y);
/* big_cmp: below 0, 0, above 0, as x is below y, equal, above. */
int big_cmp(const struct big *x, const struct big *y);
/* big_bits: bits up to the highest that is set. */
uint32_t big_bits(const struct big *x);

#endif
