/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DIST_BYTES_H
#define TESTS_DIST_BYTES_H

#include "base/base.h"

/* BYTES: a literal with zeros in it, as the initializer of a slice. */
#define BYTES(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

#endif
