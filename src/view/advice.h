/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIEW_ADVICE_H
#define VIEW_ADVICE_H

#include "model/model.h"

/* advice_of: one sentence that says what to do about a peer that fails at this stage. */
const char *advice_of(enum stage stage);

#endif
