/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bad.h"

long good(void);

static const char *const texts[] = {"constant", "tables", "are", "fine"};

long good(void)
{
    return bad_now(texts[bad_now("") & 3]);
}
