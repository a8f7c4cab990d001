/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESH_NEWS_H
#define MESH_NEWS_H

#include "base/addr.h"

/* What is told of refused peers: the same of the same address once, until it was quiet for
 * NEWS_OLD_MS; a burst of NEWS_BURST lines, then one in NEWS_TOKEN_MS. */
#define NEWS_MAX      256
#define NEWS_OLD_MS   60000
#define NEWS_BURST    32
#define NEWS_TOKEN_MS 1000

struct told {
    struct addr from;
    unsigned kind;
    uint64_t last_ms;
};

struct news {
    struct told told[NEWS_MAX];
    uint32_t tokens;
    uint64_t earned_ms; /* when tokens were counted last */
    uint64_t n_untold;  /* that found no token */
};

/* news_is_new: whether to tell it. */
bool news_is_new(struct news *n, const struct addr *from, unsigned kind, uint64_t now_ms);

#endif
