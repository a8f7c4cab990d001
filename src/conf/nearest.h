/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_NEAREST_H
#define CONF_NEAREST_H

#include "base/base.h"

/* Which of many words was meant by one that is not among them. Start with only word set. */
struct nearest {
    clu_slice word;
    const char *best; /* of those that were tried; NULL: none is near */
    size_t distance;
};

/* nearest_try: at most two letters are added, left out, exchanged or swapped with the next, and no
 * more than every second one. Keeps the text. */
void nearest_try(struct nearest *n, const char *text);

#endif
