/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_VIEWS_IMPL_H
#define FIND_VIEWS_IMPL_H

#include "base/list.h"
#include "base/map.h"
#include "find/views.h"

/* What views.c (who tells whom) and islands.c (what follows from it) share. */

/* A name that somebody told, or of somebody who told: a vertex of the graph of links. */
struct vertex {
    slot_id id;
    struct list of_changes; /* in views.changes while said is not true yet */
    struct list of_lost;    /* in views.lost while its view is a lost peer's */
    bool telling;           /* it is linked to us, and its view is current */
    bool cut;               /* its view is not all that it told */
    bool said;              /* what views_change said: somebody tells it */
    uint32_t n_tellers;     /* current views that have it */
    uint32_t n_refs;        /* views that have it, lost ones included */
    /* Its own view: ids of vertices, ascending. */
    slot_id *told;
    size_t n_told;
    char name[]; /* zero-terminated */
};

struct views {
    char own_name[NODE_NAME_SIZE];
    struct slots vertices;
    struct map names;
    struct list changes, lost; /* lost: the oldest first */
    size_t n_lost;
    size_t n_links; /* of all views */
    /* What views_add collects. */
    slot_id *heard;
    size_t n_heard, cap_heard;
    bool cut;
    uint64_t version, n_refused;

    /* Islands, as of these versions. */
    bool charted;
    uint64_t charted_version;
    uint32_t n_islands;
    uint32_t *island_of; /* by slot_index of a target */
    size_t n_island_of;
};

struct vertex *views_find(const struct views *v, const char *name);

#endif
