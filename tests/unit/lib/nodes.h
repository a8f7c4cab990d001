/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_LIB_NODES_H
#define TESTS_UNIT_LIB_NODES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <erlclu/erlclu.h>

/* Nodes on loopback addresses of this machine, without epmd: each has an address of its own, so all
 * have one port. */

/* free_port: one that nobody listens at now, at 127.0.0.2. */
uint16_t free_port(void);
/* local_node: test@127.0.0.N, which knows the nodes of the list (NULL: none). */
clu_node *local_node(unsigned n, uint16_t port, const char *discover);
/* run_until: steps both nodes (two may be NULL) until the condition holds, at most ten seconds. */
void run_until(clu_node *one, clu_node *two, bool (*done)(void *arg), void *arg);

#endif
