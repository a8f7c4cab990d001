/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIEW_ADVICE_H
#define VIEW_ADVICE_H

#include "model/model.h"

/* advice_of: one sentence that says what to do about a peer that fails at this stage. */
const char *advice_of(enum stage stage);
/* advice_on_asked: the same to who has named the node himself, on the command line of ping, call,
 * send or shell: nothing was discovered there. */
const char *advice_on_asked(enum stage stage);

#endif
