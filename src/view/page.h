/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIEW_PAGE_H
#define VIEW_PAGE_H

#include <jansson.h>

#include "model/snapshot.h"

/* What stands where the cookie would, unless --show-cookie. */
#define COOKIE_HIDDEN "hidden (--show-cookie shows it)"

/* page_template: the built-in page (page.html). */
clu_slice page_template(void);

/* page_context: what templates may name. /api/v1/cluster's fields (so `node` and `nodes` are the
 * original's), `cookie`, /api/v1/discovery's `sources` but for their entries, and for the built-in
 * page: `summary` and `health` (ok, warn, idle), `is_ready`, `has_missing has_unlisted has_one_way
 * has_not_reading has_islands has_peers has_sources`, `n_nodes n_listed n_linked n_missing`, and
 * beside every time X of a row X_text, shorter. A new object; NULL when out of memory. */
json_t *page_context(const struct snapshot *s);

#endif
