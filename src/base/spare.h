/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SPARE_H
#define BASE_SPARE_H

#include <stdlib.h>

#include "base/base.h"

/* Blocks of one size that were freed and will be wanted again soon, so that a steady coming and
 * going allocates nothing. A zeroed spare is empty and valid. */
struct spare {
    void *first; /* each block begins with the pointer to the next */
    uint32_t n;
};

/* Blocks that are kept at most: none where the address sanitizer looks, which knows what was freed
 * but not what lies here. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SPARE_MAX 0
#endif
#endif
#ifndef SPARE_MAX
#define SPARE_MAX 256
#endif

/* spare_get: size zero bytes, NULL when out of memory. All blocks of one spare have one size, not
 * below that of a pointer. */
static inline void *spare_get(struct spare *s, size_t size)
{
    void *block = s->first;

    if (block == NULL)
        return calloc(1, size);
    memcpy(&s->first, block, sizeof s->first);
    s->n--;
    return memset(block, 0, size);
}

static inline void spare_give(struct spare *s, void *block)
{
    if (s->n + 1 > SPARE_MAX) {
        free(block);
        return;
    }
    memcpy(block, &s->first, sizeof s->first);
    s->first = block;
    s->n++;
}

static inline void spare_free(struct spare *s)
{
    while (s->first != NULL) {
        void *block = s->first;

        memcpy(&s->first, block, sizeof s->first);
        free(block);
    }
    s->n = 0;
}

#endif
