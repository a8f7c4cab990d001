/* SPDX-License-Identifier: Apache-2.0 */
#include "etf/big.h"
#include "etf/syntax.h"

#include <stdlib.h>

#define LIMB_BYTES sizeof(uint32_t)
/* Digits that a limb holds in base ten, and the power of ten that has as many zeros. */
#define CHUNK_DIGITS 9
#define CHUNK        UINT32_C(1000000000)
/* Every chunk of nine digits takes 29.9 bits: at most 15 in place of 14 limbs. */
#define LIMBS_MAX  (DECIMAL_BYTES_MAX / LIMB_BYTES)
#define CHUNKS_MAX (LIMBS_MAX * 15 / 14 + 1)

static size_t limbs_from_bytes(uint32_t *limbs, clu_slice bytes)
{
    size_t n = (bytes.len + LIMB_BYTES - 1) / LIMB_BYTES;

    memset(limbs, 0, n * LIMB_BYTES);
    for (size_t i = 0; i < bytes.len; i++)
        limbs[i / LIMB_BYTES] |= (uint32_t)bytes.data[i] << 8 * (i % LIMB_BYTES);
    return n;
}

/* The last n digits of a number, with zeros in front. */
static void put_chunk(clu_writer *out, uint32_t chunk, size_t n)
{
    uint8_t *p = clu_writer_add(out, n);

    for (size_t i = n; p != NULL && i > 0; i--, chunk /= 10)
        p[i - 1] = (uint8_t)('0' + chunk % 10);
}

static size_t count_digits(uint32_t n)
{
    size_t digits = 1;

    while ((n /= 10) > 0)
        digits++;
    return digits;
}

static void print_decimal(clu_writer *out, clu_slice magnitude)
{
    uint32_t limbs[LIMBS_MAX], chunks[CHUNKS_MAX];
    size_t n = limbs_from_bytes(limbs, magnitude), n_chunks = 0;

    while (n > 0) {
        chunks[n_chunks++] = limbs_div(limbs, n, CHUNK);
        while (n > 0 && limbs[n - 1] == 0)
            n--;
    }
    uint32_t first = n_chunks == 0 ? 0 : chunks[n_chunks - 1];

    put_chunk(out, first, count_digits(first));
    for (size_t i = n_chunks; i > 1; i--)
        put_chunk(out, chunks[i - 2], CHUNK_DIGITS);
}

static void print_hex(clu_writer *out, clu_slice magnitude)
{
    static const char digits[] = "0123456789ABCDEF";

    text_put(out, "16#");
    for (size_t i = magnitude.len; i > 0; i--) {
        uint8_t byte = magnitude.data[i - 1];
        const char pair[2] = {digits[byte >> 4], digits[byte & 15]};
        size_t zero = i == magnitude.len && byte < 16;

        clu_put_bytes(out, pair + zero, sizeof pair - zero);
    }
}

void int_print(clu_writer *out, clu_slice magnitude, bool negative)
{
    while (magnitude.len > 0 && magnitude.data[magnitude.len - 1] == 0)
        magnitude.len--;
    if (negative && magnitude.len > 0)
        text_put(out, "-");
    if (magnitude.len > DECIMAL_BYTES_MAX)
        print_hex(out, magnitude);
    else
        print_decimal(out, magnitude);
}

void text_uint(clu_writer *out, uint64_t n)
{
    uint8_t digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (uint8_t)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    clu_put_bytes(out, digits + at, sizeof digits - at);
}

/* A number that grows from its first digit on. */
struct growing {
    uint32_t *limbs;
    size_t n;
};

static void add_digits(struct growing *x, uint32_t mul, uint32_t add)
{
    uint32_t carry = limbs_mul_add(x->limbs, x->n, mul, add);

    if (carry != 0)
        x->limbs[x->n++] = carry;
}

/* Base 2^shift in one go: from the last digit on, every bit has its place. */
static void read_by_bits(struct growing *x, clu_slice digits, uint32_t shift)
{
    uint64_t pending = 0;
    uint32_t bits = 0;

    for (size_t i = digits.len; i > 0; i--) {
        if (digits.data[i - 1] == '_')
            continue;
        pending |= (uint64_t)syntax_digit(digits.data[i - 1]) << bits;
        bits += shift;
        if (bits >= 32) {
            x->limbs[x->n++] = (uint32_t)pending;
            pending >>= 32;
            bits -= 32;
        }
    }
    x->limbs[x->n++] = (uint32_t)pending;
}

/* As many digits at a time as fit a limb. */
static void read_by_digits(struct growing *x, clu_slice digits, uint32_t base)
{
    uint32_t mul = 1, add = 0;

    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] == '_')
            continue;
        add = add * base + syntax_digit(digits.data[i]);
        mul *= base;
        if (mul > UINT32_MAX / base) {
            add_digits(x, mul, add);
            mul = 1;
            add = 0;
        }
    }
    add_digits(x, mul, add);
}

static uint32_t log2_of(uint32_t base)
{
    uint32_t shift = 0;

    while (base >> shift > 1)
        shift++;
    return shift;
}

/* The bytes of the limbs, least first, in place. */
static clu_slice to_bytes(struct growing *x)
{
    uint8_t *bytes = (uint8_t *)x->limbs;

    for (size_t i = 0; i < x->n; i++) {
        uint32_t limb = x->limbs[i];

        for (size_t k = 0; k < LIMB_BYTES; k++)
            bytes[i * LIMB_BYTES + k] = (uint8_t)(limb >> 8 * k);
    }
    return (clu_slice){bytes, x->n * LIMB_BYTES};
}

clu_error int_read(clu_writer *out, clu_slice digits, uint32_t base, bool negative)
{
    uint32_t shift = log2_of(base);
    bool power_of_two = base == UINT32_C(1) << shift;

    if (!power_of_two && digits.len > DECIMAL_DIGITS_MAX)
        return CLU_ESIZE;
    /* A digit takes less than 6 bits, so five of them are less than a limb. */
    struct growing x = {calloc(digits.len / 5 + 2, LIMB_BYTES), 0};

    if (x.limbs == NULL)
        return CLU_ENOMEM;
    if (power_of_two)
        read_by_bits(&x, digits, shift);
    else
        read_by_digits(&x, digits, base);
    clu_put_big(out, to_bytes(&x), negative);
    free(x.limbs);
    return out->err;
}
