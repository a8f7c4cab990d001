/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ETF_FLOAT_H
#define ETF_FLOAT_H

#include "base/base.h"

/* Floats as text, exact to the last bit and free of the locale. */

/* Bytes of the longest text of float_print: -1.2345678901234567e-308. */
#define FLOAT_PRINT_MAX 24
/* 10^0 to 10^22 are doubles without rounding, and so are all integers of so many digits. */
#define FLOAT_EXACT_POW10  22
#define FLOAT_EXACT_DIGITS 15

extern const double float_pow10[FLOAT_EXACT_POW10 + 1];

/* float_print: the shortest text that reads back as the same value, in the notation that Erlang
 * chooses (1.0, 0.001, 1.0e-5); its length, no zero behind it. value is finite. */
size_t float_print(char out[FLOAT_PRINT_MAX], double value);
/* float_read: [+-]DIGITS.DIGITS[e[+-]DIGITS], rounded to the nearest, ties to even; what is too
 * small for a float is 0.0. CLU_ESYNTAX; CLU_ERANGE when it is too large. */
CLU_MUST_USE clu_error float_read(clu_slice text, double *value);
/* float_narrow: the bits of the value as an IEEE 754 float of 16, 32 or 64 bits; infinity when it
 * is too large for it, as the VM has it. */
uint64_t float_narrow(double value, size_t bits);

#endif
