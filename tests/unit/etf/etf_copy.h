/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ETF_COPY_H
#define TESTS_ETF_COPY_H

#include <erlclu/etf.h>

/* etf_copy: copies the term at the reader's place, every value by its get function and its put
 * function: what a program does that reads and writes all there is. */
void etf_copy(clu_reader *r, clu_writer *w);

#endif
