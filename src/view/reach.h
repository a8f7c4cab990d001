/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIEW_REACH_H
#define VIEW_REACH_H

#include "base/buf.h"
#include "model/snapshot.h"

/* What `wait --reachable` makes of a snapshot. own is this pod's address, family 0 outside of one.
 */

/* reach_count: the nodes that answered. */
size_t reach_count(const struct snapshot *s);
/* reach_is_first: all sources have answered in full, they list this pod, and no lower address. Of
 * the pods that start together and see one list, this is true for one. */
bool reach_is_first(const struct snapshot *s, const struct addr *own);
/* reach_put_why: why fewer than `wanted` answered: a sentence without its full stop. */
void reach_put_why(struct buf *out, const struct snapshot *s, const struct addr *own,
                   size_t wanted);
/* reach_put_names: those that answered, with commas between. */
void reach_put_names(struct buf *out, const struct snapshot *s);

#endif
