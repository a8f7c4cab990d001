/* SPDX-License-Identifier: Apache-2.0 */
#include "find/trust.h"

bool trust_takes(struct trust *t, size_t listed, size_t vanished, uint64_t now_ms)
{
    if (vanished <= listed / 2) {
        t->times = 0;
        return true;
    }
    if (t->times++ == 0)
        t->since_ms = now_ms;
    if (t->times < TRUST_TIMES || now_ms - t->since_ms < TRUST_MS)
        return false;
    t->times = 0;
    return true;
}

bool trust_doubts(const struct trust *t)
{
    return t->times > 0;
}
