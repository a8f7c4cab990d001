/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WAIT_H
#define CLI_WAIT_H

#include "conf/conf.h"

/* wait_reachable: wait --reachable. The exit status. */
int wait_reachable(const struct conf *c);

#endif
