/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_TRUST_H
#define FIND_TRUST_H

#include "base/base.h"

/* How far an answer is believed that has lost most of what was listed before. Such answers come
 * from servers that give samples, or that restart and do not know everybody yet; but a real
 * scale-down must not stay pending for ever. */

/* Believed once it came so often, over at least so long. */
#define TRUST_TIMES 5
#define TRUST_MS    60000

/* Zeroed at first. */
struct trust {
    unsigned times; /* that most were gone, in a row; 0: no doubt */
    uint64_t since_ms;
};

/* trust_takes: whether an answer is believed in which `vanished` of the `listed` do not stand: at
 * once when that is half of them at most. `listed` is what was listed when the doubts began. The
 * caller puts together what all the doubtful answers had: they may be samples of one set, which is
 * to be listed in the end. An answer that failed is no answer: it leaves all as it is. */
bool trust_takes(struct trust *t, size_t listed, size_t vanished, uint64_t now_ms);
/* trust_doubts: whether the last answer was not believed. */
bool trust_doubts(const struct trust *t);

#endif
