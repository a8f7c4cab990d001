/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_VIEW_SAMPLE_H
#define TESTS_VIEW_SAMPLE_H

#include "model/snapshot.h"

/* Snapshots to look at:
 *   none      no discovery, no peer
 *   empty     discovery that has not answered yet
 *   linked    five peers, all linked
 *   missing   eight listed, three of them missing, one peer unlisted, one source that fails
 *   split     nobody listed is missing, but: one peer is unlisted, one does not see us, one is
 * going, two are alive on another island draining  linked, and on its way out hostile   names,
 * reasons and cookie full of what HTML, JSON, metrics and terminals mind */
#define SAMPLE_PEERS_MAX   12
#define SAMPLE_SOURCES_MAX 4

struct sample {
    struct snapshot snapshot;
    struct peer_row peers[SAMPLE_PEERS_MAX];
    struct source_row sources[SAMPLE_SOURCES_MAX];
};

/* sample_get: false for a name that is none of these. */
bool sample_get(struct sample *sample, const char *name);
/* sample_bare: a node, its cookie in clear, and linked visible peers, in the order of Erlang's
 * sort, as the original's page shows them. */
void sample_bare(struct sample *sample, const char *node, const char *cookie,
                 const char *const peers[], size_t n_peers);

#endif
