/* SPDX-License-Identifier: Apache-2.0
 *
 * What strangers make us say: who errs, errs every few seconds, and is told once; and however many
 * err at once, the log stays readable.
 */
#include "mesh/internal.h"

static bool has_token(struct news *n, uint64_t now_ms)
{
    uint64_t earned = (now_ms - n->earned_ms) / NEWS_TOKEN_MS;

    if (earned > 0) {
        n->tokens = (uint32_t)min_u64(NEWS_BURST, n->tokens + earned);
        n->earned_ms = now_ms;
    }
    if (n->tokens == 0)
        return false;
    n->tokens--;
    return true;
}

bool news_is_new(struct news *n, const struct addr *from, unsigned kind, uint64_t now_ms)
{
    struct told *oldest = &n->told[0];

    for (size_t i = 0; i < NEWS_MAX; i++) {
        struct told *t = &n->told[i];

        if (t->kind == kind && addr_same_ip(&t->from, from) && now_ms - t->last_ms < NEWS_OLD_MS) {
            t->last_ms = now_ms;
            return false;
        }
        if (t->last_ms < oldest->last_ms)
            oldest = t;
    }
    *oldest = (struct told){.from = *from, .kind = kind, .last_ms = now_ms};
    if (has_token(n, now_ms))
        return true;
    n->n_untold++;
    return false;
}
