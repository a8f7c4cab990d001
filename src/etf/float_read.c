/* SPDX-License-Identifier: Apache-2.0 */
#include "etf/big.h"
#include "etf/float.h"

/* More digits than these cannot decide how a double rounds (767 can), except by being there: they
 * become one more digit. */
#define DIGITS_MAX 800
/* 0.DIGITS * 10^POINT is too large from here on, and 0 below there. */
#define POINT_MAX 310
#define POINT_MIN (-330)
/* An exponent beyond this is beyond the limits above, whatever the digits. */
#define EXPONENT_MAX 1000000

/* The formats of IEEE 754: all bits, those of the fraction, and the exponent of the last bit of the
 * smallest numbers. */
struct format {
    uint32_t bits, fraction_bits;
    int32_t exponent_min;
};

static const struct format binary64 = {64, 52, -1074};
static const struct format narrow_formats[] = {{16, 10, -24}, {32, 23, -149}, {64, 52, -1074}};

/* 0.DIGITS times 10^point; the first digit is not 0. */
struct decimal {
    uint8_t digits[DIGITS_MAX + 1];
    size_t n;
    bool rest; /* digits were left out, and one was not 0 */
    bool negative;
    int64_t point;
};

struct cursor {
    const uint8_t *pos, *end;
};

static bool at_digit(const struct cursor *c)
{
    return c->pos < c->end && *c->pos >= '0' && *c->pos <= '9';
}

static bool take(struct cursor *c, char wanted)
{
    if (c->pos == c->end || *c->pos != (uint8_t)wanted)
        return false;
    c->pos++;
    return true;
}

static void add_digit(struct decimal *d, uint8_t digit)
{
    if (d->n < DIGITS_MAX)
        d->digits[d->n++] = digit;
    else
        d->rest = d->rest || digit != 0;
}

/* Digits before (step 1) or behind (step 0) the point; false when there is none. */
static bool take_digits(struct cursor *c, struct decimal *d, int64_t step)
{
    if (!at_digit(c))
        return false;
    for (; at_digit(c); c->pos++) {
        uint8_t digit = (uint8_t)(*c->pos - '0');

        if (digit == 0 && d->n == 0)
            d->point -= 1 - step; /* zeros in front only move the point */
        else {
            add_digit(d, digit);
            d->point += step;
        }
    }
    return true;
}

static bool take_exponent(struct cursor *c, struct decimal *d)
{
    int64_t exponent = 0;
    bool negative = take(c, '-');

    if (!negative)
        take(c, '+');
    if (!at_digit(c))
        return false;
    for (; at_digit(c); c->pos++)
        if (exponent < EXPONENT_MAX)
            exponent = exponent * 10 + (*c->pos - '0');
    d->point += negative ? -exponent : exponent;
    return true;
}

static bool scan(struct cursor *c, struct decimal *d)
{
    d->negative = take(c, '-');
    if (!d->negative)
        take(c, '+');
    if (!take_digits(c, d, 1) || !take(c, '.') || !take_digits(c, d, 0))
        return false;
    if ((take(c, 'e') || take(c, 'E')) && !take_exponent(c, d))
        return false;
    return c->pos == c->end;
}

/* Up to 15 digits and a power of ten of at most 10^22 are doubles without rounding, so that the one
 * operation on them rounds once, which is right. */
static bool read_exact(const struct decimal *d, double *value)
{
    int64_t exponent = d->point - (int64_t)d->n;
    uint64_t m = 0;

    if (d->n > FLOAT_EXACT_DIGITS || exponent > FLOAT_EXACT_POW10 || exponent < -FLOAT_EXACT_POW10)
        return false;
    for (size_t i = 0; i < d->n; i++)
        m = m * 10 + d->digits[i];
    *value = exponent < 0 ? (double)m / float_pow10[-exponent] : (double)m * float_pow10[exponent];
    return true;
}

/* The value as num / den. */
static void set_ratio(const struct decimal *d, struct big *num, struct big *den)
{
    int64_t exponent = d->point - (int64_t)d->n;

    big_set(num, 0);
    big_set(den, 1);
    for (size_t i = 0; i < d->n; i++)
        big_mul_add(num, 10, d->digits[i]);
    if (exponent >= 0)
        big_mul_pow10(num, (uint32_t)exponent);
    else
        big_mul_pow10(den, (uint32_t)-exponent);
}

/* The quotient, which has at most 64 bits; num becomes a multiple of the remainder. */
static uint64_t divide(struct big *num, struct big *den)
{
    uint64_t quotient = 0;

    big_shift(den, 63);
    for (uint32_t i = 0; i < 64; i++) {
        quotient <<= 1;
        if (big_cmp(num, den) >= 0) {
            big_sub(num, den);
            quotient |= 1;
        }
        big_shift(num, 1);
    }
    return quotient;
}

static int32_t top_bit(uint64_t x)
{
    int32_t bit = -1;

    for (; x != 0; x >>= 1)
        bit++;
    return bit;
}

/* The bits of infinity, without a sign: those of the exponent are ones. */
static uint64_t infinite(const struct format *f)
{
    uint64_t ones = (UINT64_C(1) << (f->bits - 1 - f->fraction_bits)) - 1;

    return ones << f->fraction_bits;
}

/* Rounds (q + a bit more, if rest) * 2^exponent to the bits of a format, which are those of
 * infinity or more when it is too large. q has more bits than the format's fraction, or its value
 * is below all numbers of it. */
static uint64_t assemble(const struct format *f, uint64_t q, int32_t exponent, bool rest)
{
    int32_t drop = top_bit(q) - (int32_t)f->fraction_bits;

    if (exponent + drop < f->exponent_min)
        drop = f->exponent_min - exponent;
    if (drop > 64)
        return 0;
    uint64_t m = drop == 64 ? 0 : q >> drop;
    uint64_t lost = drop == 64 ? q : q & ((UINT64_C(1) << drop) - 1);
    uint64_t half = UINT64_C(1) << (drop - 1);

    if (lost > half || (lost == half && (rest || m % 2 == 1)))
        m++;
    /* The highest bit of m is not stored: it adds one to the exponent's field, as it should, and so
     * does a carry out of the rounding. */
    return ((uint64_t)(exponent + drop - f->exponent_min) << f->fraction_bits) + m;
}

static uint64_t read_bits(struct decimal *d)
{
    struct big num, den;

    if (d->rest)
        d->digits[d->n++] = 1;
    set_ratio(d, &num, &den);
    /* A quotient of 63 or 64 bits: some more than a double holds. */
    int32_t shift = 63 - ((int32_t)big_bits(&num) - (int32_t)big_bits(&den));

    if (shift >= 0)
        big_shift(&num, (uint32_t)shift);
    else
        big_shift(&den, (uint32_t)-shift);
    uint64_t quotient = divide(&num, &den);

    return assemble(&binary64, quotient, -shift, num.n != 0);
}

static double from_bits(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

clu_error float_read(clu_slice text, double *value)
{
    struct decimal d = {.n = 0};
    struct cursor c = {text.data, text.data + text.len};

    if (!scan(&c, &d))
        return CLU_ESYNTAX;
    *value = 0;
    if (d.n > 0 && d.point > POINT_MAX)
        return CLU_ERANGE;
    if (d.n > 0 && d.point >= POINT_MIN && !read_exact(&d, value)) {
        uint64_t bits = read_bits(&d);

        if (bits >= infinite(&binary64))
            return CLU_ERANGE;
        *value = from_bits(bits);
    }
    if (d.negative)
        *value = -*value;
    return CLU_OK;
}

uint64_t float_narrow(double value, size_t bits)
{
    const struct format *f = narrow_formats;
    uint64_t wide;

    memcpy(&wide, &value, sizeof wide);
    while (f->bits < bits)
        f++;
    if (f->bits == binary64.bits)
        return wide;

    uint64_t fraction = wide & ((UINT64_C(1) << binary64.fraction_bits) - 1);
    int32_t exponent = (int32_t)(wide >> binary64.fraction_bits & 0x7ff);

    if (exponent > 0) {
        fraction |= UINT64_C(1) << binary64.fraction_bits;
        exponent--;
    }
    uint64_t narrow = assemble(f, fraction, exponent + binary64.exponent_min, false);

    return min_u64(narrow, infinite(f)) | wide >> 63 << (f->bits - 1);
}
