/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <stdlib.h>

#include "base/hash.h"

/* uthash's own takes four times as long for a name. */
#define HASH_FUNCTION(key, len, hash)                                                              \
    (hash = (unsigned)(hash_text((clu_slice){(const uint8_t *)(key), len}) >> 32))

/* Out of memory is an answer here, not the end of the process: uthash then leaves the entry out and
 * sets its hh.tbl to NULL. */
#define HASH_NONFATAL_OOM 1

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wimplicit-fallthrough"
#pragma GCC diagnostic ignored "-Wshadow"
#endif
#include <uthash.h>

struct map_entry {
    UT_hash_handle hh;
    void *value;
    size_t len;
    uint8_t key[];
};

static struct map_entry *find(const struct map *m, clu_slice key)
{
    struct map_entry *e = NULL;

    if (m->head != NULL)
        HASH_FIND(hh, m->head, key.data, key.len, e);
    return e;
}

clu_error map_put(struct map *m, clu_slice key, void *value)
{
    if (find(m, key) != NULL)
        return CLU_EEXIST;
    struct map_entry *e = calloc(1, sizeof *e + key.len);

    if (e == NULL)
        return CLU_ENOMEM;
    e->value = value;
    e->len = key.len;
    if (key.len > 0)
        memcpy(e->key, key.data, key.len);
    HASH_ADD(hh, m->head, key, e->len, e);
    if (e->hh.tbl == NULL) {
        free(e);
        return CLU_ENOMEM;
    }
    return CLU_OK;
}

void *map_get(const struct map *m, clu_slice key)
{
    struct map_entry *e = find(m, key);

    return e == NULL ? NULL : e->value;
}

void *map_remove(struct map *m, clu_slice key)
{
    struct map_entry *e = find(m, key);

    if (e == NULL)
        return NULL;
    void *value = e->value;

    HASH_DEL(m->head, e);
    free(e);
    return value;
}

size_t map_count(const struct map *m)
{
    return m->head == NULL ? 0 : HASH_COUNT(m->head);
}

void *map_next(const struct map *m, const struct map_entry **at, clu_slice *key)
{
    const struct map_entry *e = *at == NULL ? m->head : (*at)->hh.next;

    *at = e;
    if (e == NULL)
        return NULL;
    if (key != NULL)
        *key = (clu_slice){e->key, e->len};
    return e->value;
}

void map_free(struct map *m)
{
    struct map_entry *e, *next;

    HASH_ITER(hh, m->head, e, next)
    {
        HASH_DEL(m->head, e);
        free(e);
    }
}
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
