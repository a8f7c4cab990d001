/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_DEMO_PLACE_H
#define CLI_DEMO_PLACE_H

#include "base/addr.h"

/* What the demo needs of this machine: ports that are free, and a directory with the files of its
 * children. */
#define DEMO_NODES     4
#define DEMO_DIR_SIZE  192
#define DEMO_PATH_SIZE (DEMO_DIR_SIZE + 32)
#define DEMO_SERVICE   "erlclu-headless.erlclu.svc.cluster.local"

struct demo_place {
    uint16_t dns_port, dist_port, http_port;
    int claim;                   /* a socket: the page has its usual port; 0: none */
    char dir[DEMO_DIR_SIZE];     /* "" until made */
    char hosts[DEMO_PATH_SIZE];  /* the DNS server's records */
    char cookie[DEMO_PATH_SIZE]; /* as erl looks for it: .erlang.cookie in HOME */
    char inetrc[DEMO_PATH_SIZE]; /* where erl asks DNS */
};

/* demo_address: 127.0.0.1 for node 0, and so on. */
struct addr demo_address(size_t node, uint16_t port);
/* demo_place_open: chooses ports and writes the files; false with words in why. */
bool demo_place_open(struct demo_place *p, char why[256]);
/* demo_place_close: removes the files; also of a place half-made. */
void demo_place_close(struct demo_place *p);

#endif
