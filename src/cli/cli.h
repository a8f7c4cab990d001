/* SPDX-License-Identifier: Apache-2.0
 *
 * cli: one file a subcommand.
 *   knows: its words and settings, the machine that answers, how people and programs read it.
 *   must not know: sockets, protocols, the other commands.
 * Data goes to standard output, as text or with --json; what went wrong is one sentence on standard
 * error and an exit status.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "conf/conf.h"

/* Each takes its merged settings and returns the exit status. */
int call_main(const struct conf *c);
int demo_main(const struct conf *c);
int discover_main(const struct conf *c);
int epmd_main(const struct conf *c);
int install_main(const struct conf *c);
int names_main(const struct conf *c);
int nodes_main(const struct conf *c);
int ping_main(const struct conf *c);
int send_main(const struct conf *c);
int shell_main(const struct conf *c);
int status_main(const struct conf *c);
int version_main(const struct conf *c);
int wait_main(const struct conf *c);

#endif
