/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ETF_READER_H
#define TESTS_ETF_READER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/base.h"

/* Terms as bytes, and a reader of them that has a cache of one atom. */

#define BYTES(text) text, sizeof(text) - 1

#define ANY "\xff" /* a byte that is nobody's tag */

static const clu_slice atoms[] = {{(const uint8_t *)"ok", 2}};
static const clu_refs refs = {atoms, COUNT(atoms)};

static inline clu_reader reader(const char *bytes, size_t len)
{
    clu_reader r;

    clu_reader_init(&r, bytes, len);
    r.refs = &refs;
    return r;
}

#endif
