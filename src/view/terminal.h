/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIEW_TERMINAL_H
#define VIEW_TERMINAL_H

#include <jansson.h>

#include "base/buf.h"

/* What /api/v1/cluster tells, for a terminal. A field that the document lacks (an older or newer
 * node) shows as "-". */

/* terminal_put_nodes: a table with a row a node: itself, peers by name, those that are missing with
 * the reason. */
void terminal_put_nodes(struct buf *out, const json_t *cluster);
/* terminal_put_status: state, figures, sources, what is odd about links, and for each missing peer
 * what to do. */
void terminal_put_status(struct buf *out, const json_t *cluster);

#endif
