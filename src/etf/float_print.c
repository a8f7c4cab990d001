/* SPDX-License-Identifier: Apache-2.0 */
#include "etf/big.h"
#include "etf/float.h"

/* Digits that tell any double from its neighbours. */
#define DIGITS_MAX 17

#define FRACTION_BITS 52
#define EXPONENT_MASK 0x7ff
#define EXPONENT_BIAS 1075 /* of the value as an integer times a power of two */

const double float_pow10[FLOAT_EXACT_POW10 + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

/* 0.DIGITS times 10^point. */
struct decimal {
    char digits[DIGITS_MAX + 1];
    size_t n;
    int32_t point;
};

/* The digits of m, which stands for m / 10^k; zeros at its end are dropped. */
static void set_digits(struct decimal *d, uint64_t m, int32_t k)
{
    char reversed[DIGITS_MAX + 1];
    size_t n = 0;

    for (; m > 0 && m % 10 == 0; k--)
        m /= 10;
    for (; m > 0; m /= 10)
        reversed[n++] = (char)('0' + m % 10);
    for (size_t i = 0; i < n; i++)
        d->digits[i] = reversed[n - 1 - i];
    d->n = n;
    d->point = (int32_t)n - k;
}

/* Most floats that people write have few digits: m / 10^k for an m of at most 15 digits, and no
 * other decimal of at most 15 digits is the same double. Division and product are exact enough to
 * be sure: both sides are doubles without rounding. */
static bool find_few_digits(struct decimal *d, double value)
{
    const double limit = float_pow10[FLOAT_EXACT_DIGITS];

    for (int32_t k = 0; k <= FLOAT_EXACT_POW10; k++) {
        double scaled = value * float_pow10[k];

        if (scaled >= limit)
            return false;
        uint64_t m = (uint64_t)(scaled + 0.5);

        if (m > 0 && (double)m / float_pow10[k] == value) {
            set_digits(d, m, k);
            return true;
        }
    }
    return false;
}

/* The state of Burger's and Dybvig's free-format algorithm: the value is r / s, and every number
 * strictly between (r - low) / s and (r + high) / s reads back as it. */
struct interval {
    struct big r, s, low, high;
    bool closed; /* the ends read back too: the fraction is even */
};

static void interval_init(struct interval *v, uint64_t bits)
{
    uint64_t fraction = bits & ((UINT64_C(1) << FRACTION_BITS) - 1);
    int32_t exponent = (int32_t)(bits >> FRACTION_BITS & EXPONENT_MASK);
    /* Below a power of two the neighbours lie half as far away. */
    uint32_t narrow = fraction == 0 && exponent > 1;

    if (exponent > 0)
        fraction |= UINT64_C(1) << FRACTION_BITS;
    else
        exponent = 1;
    exponent -= EXPONENT_BIAS;
    uint32_t up = exponent > 0 ? (uint32_t)exponent : 0;
    uint32_t down = exponent < 0 ? (uint32_t)-exponent : 0;

    v->closed = fraction % 2 == 0;
    big_set(&v->r, fraction);
    big_shift(&v->r, up + 1 + narrow);
    big_set(&v->s, 1);
    big_shift(&v->s, down + 1 + narrow);
    big_set(&v->low, 1);
    big_shift(&v->low, up);
    big_set(&v->high, 1);
    big_shift(&v->high, up + narrow);
}

/* Whether (r + high) / s reaches 1. */
static bool reaches_one(const struct interval *v)
{
    struct big sum = v->r;

    big_add(&sum, &v->high);
    int cmp = big_cmp(&sum, &v->s);

    return v->closed ? cmp >= 0 : cmp > 0;
}

static void times_ten(struct interval *v)
{
    big_mul_add(&v->r, 10, 0);
    big_mul_add(&v->low, 10, 0);
    big_mul_add(&v->high, 10, 0);
}

/* Scales the interval below 1 and returns the power of ten that was taken out. */
static int32_t scale(struct interval *v)
{
    /* log10(2) is 0.30103: at most one too small, which is mended below. */
    int32_t log2 = (int32_t)big_bits(&v->r) - (int32_t)big_bits(&v->s);
    int32_t point = (log2 - 1) * 30103 / 100000 - (log2 < 1 ? 1 : 0);

    if (point >= 0) {
        big_mul_pow10(&v->s, (uint32_t)point);
    } else {
        big_mul_pow10(&v->r, (uint32_t)-point);
        big_mul_pow10(&v->low, (uint32_t)-point);
        big_mul_pow10(&v->high, (uint32_t)-point);
    }
    while (reaches_one(v)) {
        big_mul_add(&v->s, 10, 0);
        point++;
    }
    return point;
}

/* The digit in front of the point; r keeps what is behind it. */
static uint32_t take_digit(struct interval *v)
{
    uint32_t digit = 0;

    for (; big_cmp(&v->r, &v->s) >= 0; digit++)
        big_sub(&v->r, &v->s);
    return digit;
}

static void find_digits(struct decimal *d, uint64_t bits)
{
    struct interval v;
    bool low, high;

    interval_init(&v, bits);
    d->point = scale(&v);
    d->n = 0;
    do {
        times_ten(&v);
        uint32_t digit = take_digit(&v);
        int cmp = big_cmp(&v.r, &v.low);

        low = v.closed ? cmp <= 0 : cmp < 0;
        high = reaches_one(&v);
        if (low && high) {
            /* Both this digit and the next would do: the nearer one, the even one of two. */
            big_mul_add(&v.r, 2, 0);
            cmp = big_cmp(&v.r, &v.s);
            high = cmp > 0 || (cmp == 0 && digit % 2 == 1);
        }
        d->digits[d->n++] = (char)('0' + digit + high);
    } while (!low && !high && d->n < sizeof d->digits);
}

static size_t put(char *out, const char *text, size_t n)
{
    memcpy(out, text, n);
    return n;
}

static size_t put_zeros(char *out, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        out[i] = '0';
    return n > 0 ? (size_t)n : 0;
}

static size_t print_plain(char *out, const struct decimal *d)
{
    size_t whole = d->point <= 0 ? 0 : min_u64((uint64_t)d->point, d->n);
    size_t len = put(out, d->digits, whole);

    len += put_zeros(out + len, d->point <= 0 ? 1 : d->point - (int32_t)d->n);
    out[len++] = '.';
    if (d->point < 0)
        len += put_zeros(out + len, -d->point);
    if (whole == d->n)
        out[len++] = '0';
    return len + put(out + len, d->digits + whole, d->n - whole);
}

static size_t print_exponent(char *out, int32_t exponent)
{
    size_t len = 0;
    uint32_t e = exponent < 0 ? (uint32_t)-exponent : (uint32_t)exponent;

    out[len++] = 'e';
    if (exponent < 0)
        out[len++] = '-';
    if (e >= 100)
        out[len++] = (char)('0' + e / 100);
    if (e >= 10)
        out[len++] = (char)('0' + e / 10 % 10);
    out[len++] = (char)('0' + e % 10);
    return len;
}

static size_t print_scientific(char *out, const struct decimal *d)
{
    size_t len = 0;

    out[len++] = d->digits[0];
    out[len++] = '.';
    if (d->n == 1)
        out[len++] = '0';
    len += put(out + len, d->digits + 1, d->n - 1);
    return len + print_exponent(out + len, d->point - 1);
}

static int32_t plain_len(const struct decimal *d)
{
    int32_t n = (int32_t)d->n;

    if (d->point <= 0)
        return 2 - d->point + n;
    return d->point < n ? n + 1 : d->point + 2;
}

/* Erlang takes the shorter notation, the plain one where both are as long; from 2^53 on the
 * scientific one always, because digits before the point would claim to be exact. */
static size_t print_digits(char *out, const struct decimal *d, bool large)
{
    char scientific[FLOAT_PRINT_MAX];
    size_t len = print_scientific(scientific, d);

    if (large || (size_t)plain_len(d) > len)
        return put(out, scientific, len);
    return print_plain(out, d);
}

size_t float_print(char out[FLOAT_PRINT_MAX], double value)
{
    const double plain_limit = 9007199254740992.0; /* 2^53 */
    struct decimal d;
    uint64_t bits;
    size_t len = 0;

    memcpy(&bits, &value, sizeof bits);
    if (bits >> 63 != 0) {
        out[len++] = '-';
        bits &= UINT64_MAX >> 1;
        value = -value;
    }
    if (bits == 0)
        return len + put(out + len, "0.0", 3);
    if (!find_few_digits(&d, value))
        find_digits(&d, bits);
    return len + print_digits(out + len, &d, value >= plain_limit);
}
