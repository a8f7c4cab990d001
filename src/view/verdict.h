/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIEW_VERDICT_H
#define VIEW_VERDICT_H

#include "base/buf.h"
#include "model/snapshot.h"

/* What a snapshot means: page, JSON, metrics and terminal ask here, so that they agree. */

/* peer_is_linked: a link that Erlang's nodes() would list. */
bool peer_is_linked(const struct snapshot *s, const struct peer_row *p);
/* peer_is_listed: a source lists it; not this node itself. */
bool peer_is_listed(const struct snapshot *s, const struct peer_row *p);
/* peer_is_self: this node's own row may stand among those that discovery lists. */
bool peer_is_self(const struct snapshot *s, const struct peer_row *p);
/* peer_is_listed_by: the source at this place of the snapshot lists it. */
bool peer_is_listed_by(const struct peer_row *p, size_t source);
/* peer_is_missing: it should be linked, and is not. Neither this node itself nor one whose pod is
 * going. */
bool peer_is_missing(const struct snapshot *s, const struct peer_row *p);
/* peer_is_unlisted: a visible link to a node that no source lists, where there are sources. */
bool peer_is_unlisted(const struct snapshot *s, const struct peer_row *p);
/* peer_is_one_way: we are linked with it, and its own list of nodes does not have us. */
bool peer_is_one_way(const struct snapshot *s, const struct peer_row *p);
/* peer_is_not_reading: we are linked with it, and it takes nothing of what waits for it. */
bool peer_is_not_reading(const struct snapshot *s, const struct peer_row *p);
/* peer_put_name: its name, or its address while that is all that is known; printable. */
void peer_put_name(struct buf *out, const struct peer_row *p);

typedef bool peer_test(const struct snapshot *s, const struct peer_row *p);

/* peers_count: the rows that pass. */
uint32_t peers_count(const struct snapshot *s, peer_test *test);

/* is_ready: what /readyz says. */
bool is_ready(const struct snapshot *s);
/* state_word: "ready", "not ready" or "draining". */
const char *state_word(const struct snapshot *s);
/* ready_put: state_word and why; with at least min_peers linked visible peers wanted, whether they
 * are there, and who is missing. Returns whether that is a yes. */
bool ready_put(struct buf *out, const struct snapshot *s, uint32_t min_peers);

#endif
