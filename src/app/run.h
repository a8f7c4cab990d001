/* SPDX-License-Identifier: Apache-2.0
 *
 * app: `erlclu run`: the parts of a node put together, and its life from start to SIGTERM.
 *   knows: the machine, its loop, the page's server, signals.
 *   must not know: what the parts do inside; the other commands.
 * All of its state is one struct on the stack of run_main.
 */
#ifndef APP_RUN_H
#define APP_RUN_H

#include "conf/conf.h"

/* run_main: be a node until SIGTERM or SIGINT. The exit status. */
int run_main(const struct conf *c);

#endif
