/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/base.h"

/* A map from names (bytes) to pointers, over uthash. Keys are copied, values stay the caller's. A
 * zeroed map is empty and valid. For names only: what is hot has slots. */
struct map {
    struct map_entry *head;
};

/* map_put: CLU_EEXIST when the key is there already, CLU_ENOMEM. value may not be NULL. */
CLU_MUST_USE clu_error map_put(struct map *m, clu_slice key, void *value);
void *map_get(const struct map *m, clu_slice key);
/* map_remove: what was there, or NULL. */
void *map_remove(struct map *m, clu_slice key);
size_t map_count(const struct map *m);
/* map_next: walks in order of insertion; start with *at = NULL. The entry returned last may be
 * removed before the next call only through map_remove of another key: collect first, then remove.
 */
void *map_next(const struct map *m, const struct map_entry **at, clu_slice *key);
void map_free(struct map *m);

#endif
