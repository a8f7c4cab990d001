/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIEW_API_H
#define VIEW_API_H

#include <jansson.h>

#include "model/snapshot.h"

/* The documents of /api/v1/. Fields are added, never renamed. Each returns a new object, NULL when
 * out of memory. */
json_t *api_cluster(const struct snapshot *s);
json_t *api_peers(const struct snapshot *s);
json_t *api_discovery(const struct snapshot *s);
json_t *api_mesh(const struct snapshot *s);

/* A peer's own row may stand among those that discovery lists: it is neither linked nor missing. */
bool peer_is_missing(const struct snapshot *s, const struct peer_row *p);
/* peer_is_linked: a link that Erlang's nodes() would list. */
bool peer_is_linked(const struct peer_row *p);
/* is_ready: what /readyz says. */
bool is_ready(const struct snapshot *s);
/* state_word: "ready", "not ready" or "draining". */
const char *state_word(const struct snapshot *s);

#endif
