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
/* api_sources: the sources of api_discovery without what they list. */
json_t *api_sources(const struct snapshot *s);

#endif
