/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H

#include <erlclu/process.h>

#include "base/base.h"

/* Functions that are run on the peer as erpc:call/4 does it (kernel: erpc.erl). */

/* What became of one. */
struct outcome {
    bool returned;       /* term is the value */
    clu_slice exception; /* else "error", "exit" or "throw", and term what it is of; empty: the
                            function did not run, or its process was killed: term is the reason */
    clu_reader term;
    clu_reader stack; /* of an error; its pos is NULL when there is none */
};

/* remote_call: mfa is [Module, Function, Arguments] with Arguments a list. Its process has our
 * group leader, and is gone with the answer. The reference of signals to come; n is 0 when memory
 * is out. */
clu_ref remote_call(clu_process *self, const char *node, clu_slice mfa);
/* remote_outcome: whether the signal, which has the reference of a call, is its end. Slices are
 * those of the signal. */
bool remote_outcome(const clu_signal *signal, struct outcome *o);

#endif
