/* SPDX-License-Identifier: Apache-2.0 */
#include "find/views.h"

#include <stdlib.h>

#include "find/views_impl.h"

#define FIRST_HEARD 64
/* However many names are told, those who tell have room. */
#define VERTICES_MAX (VIEWS_NAMES_MAX + TARGETS_MAX)
/* Links in all views together: that of a thousand nodes that all know each other. 4 bytes each. */
#define LINKS_MAX (UINT32_C(1) << 20)

struct views *views_new(void)
{
    struct views *v = calloc(1, sizeof *v);

    if (v == NULL)
        return NULL;
    v->vertices.max = VERTICES_MAX;
    v->n_islands = 1;
    list_init(&v->changes);
    list_init(&v->lost);
    return v;
}

void views_free(struct views *v)
{
    uint32_t at = 0;

    if (v == NULL)
        return;
    for (struct vertex *n; (n = slots_next(&v->vertices, &at)) != NULL;) {
        free(n->told);
        free(n);
    }
    slots_free(&v->vertices);
    map_free(&v->names);
    free(v->heard);
    free(v->island_of);
    free(v);
}

void views_own(struct views *v, const char *own_name)
{
    text_set(v->own_name, sizeof v->own_name, slice_of(own_name));
    v->version++;
}

/* ---- vertices ---- */

struct vertex *views_find(const struct views *v, const char *name)
{
    return map_get(&v->names, slice_of(name));
}

static struct vertex *get(const struct views *v, slot_id id)
{
    return slots_get(&v->vertices, id);
}

static struct vertex *vertex_new(struct views *v, clu_slice name)
{
    struct vertex *n = calloc(1, sizeof *n + name.len + 1);

    if (n == NULL)
        return NULL;
    n->id = slots_add(&v->vertices, n);
    if (n->id == 0 || map_put(&v->names, name, n) != CLU_OK) {
        slots_remove(&v->vertices, n->id);
        free(n);
        return NULL;
    }
    memcpy(n->name, name.data, name.len);
    list_init(&n->of_changes);
    list_init(&n->of_lost);
    return n;
}

/* Ends it when nothing needs its name any more. */
static void release(struct views *v, struct vertex *n)
{
    if (n->n_refs > 0 || n->told != NULL || n->telling || n->said)
        return;
    map_remove(&v->names, slice_of(n->name));
    slots_remove(&v->vertices, n->id);
    list_remove(&n->of_changes);
    free(n);
}

static void unref(struct views *v, slot_id id)
{
    struct vertex *n = get(v, id);

    n->n_refs--;
    release(v, n);
}

/* One teller more, or one less. */
static void count_teller(struct views *v, slot_id id, bool more)
{
    struct vertex *n = get(v, id);

    if (more)
        n->n_tellers++;
    else
        n->n_tellers--;
    list_remove(&n->of_changes);
    if ((n->n_tellers > 0) != n->said)
        list_append(&v->changes, &n->of_changes);
}

/* ---- views ---- */

/* Ends what the node told: its links are known no more. */
static void forget_view(struct views *v, struct vertex *n)
{
    slot_id *told = n->told;
    size_t n_told = n->n_told;

    v->n_lost -= !list_empty(&n->of_lost);
    list_remove(&n->of_lost);
    v->n_links -= n_told;
    n->told = NULL;
    n->n_told = 0;
    for (size_t i = 0; i < n_told; i++)
        unref(v, told[i]);
    free(told);
}

static bool forget_oldest_lost(struct views *v)
{
    if (list_empty(&v->lost))
        return false;
    struct vertex *n = CONTAINER_OF(v->lost.next, struct vertex, of_lost);

    forget_view(v, n);
    release(v, n);
    return true;
}

static struct vertex *find_or_add(struct views *v, clu_slice name, uint32_t max)
{
    struct vertex *n = map_get(&v->names, name);

    while (n == NULL && v->vertices.n_used >= max && forget_oldest_lost(v))
        continue;
    return n != NULL || v->vertices.n_used >= max ? n : vertex_new(v, name);
}

void views_drop(struct views *v, const char *peer)
{
    struct vertex *n = views_find(v, peer);

    if (n == NULL || !n->telling)
        return;
    v->version++;
    n->telling = false;
    for (size_t i = 0; i < n->n_told; i++)
        count_teller(v, n->told[i], false);
    if (n->n_told > 0) {
        list_append(&v->lost, &n->of_lost);
        v->n_lost++;
    }
    release(v, n);
    while (v->n_lost > VIEWS_LOST_MAX)
        forget_oldest_lost(v);
}

/* ---- a view comes in ---- */

static bool grow_heard(struct views *v)
{
    size_t cap = v->cap_heard == 0 ? FIRST_HEARD : v->cap_heard * 2;

    if (v->n_heard < v->cap_heard)
        return true;
    slot_id *heard = realloc(v->heard, cap * sizeof *heard);

    if (heard == NULL)
        return false;
    v->heard = heard;
    v->cap_heard = cap;
    return true;
}

void views_add(struct views *v, clu_slice name)
{
    struct vertex *n = NULL;

    if (name_is_of_node(name) && v->n_heard < VIEW_SIZE_MAX && grow_heard(v))
        n = find_or_add(v, name, VIEWS_NAMES_MAX);
    if (n == NULL) {
        v->n_refused++;
        v->cut = true;
        return;
    }
    n->n_refs++;
    v->heard[v->n_heard++] = n->id;
}

static int by_id(const void *a, const void *b)
{
    slot_id x = *(const slot_id *)a, y = *(const slot_id *)b;

    return (x > y) - (x < y);
}

/* Sorted, each once, and not the teller itself. */
static void tidy_heard(struct views *v, slot_id teller)
{
    size_t n = 0;

    if (v->n_heard > 0)
        qsort(v->heard, v->n_heard, sizeof *v->heard, by_id);
    for (size_t i = 0; i < v->n_heard; i++) {
        slot_id id = v->heard[i];

        if (id == teller || (n > 0 && v->heard[n - 1] == id))
            unref(v, id);
        else
            v->heard[n++] = id;
    }
    v->n_heard = n;
}

static void clear_heard(struct views *v)
{
    for (size_t i = 0; i < v->n_heard; i++)
        unref(v, v->heard[i]);
    v->n_heard = 0;
    v->cut = false;
}

static bool says_the_same(const struct views *v, const struct vertex *n)
{
    return n->telling && n->cut == v->cut && n->n_told == v->n_heard &&
           (v->n_heard == 0 || memcmp(n->told, v->heard, v->n_heard * sizeof *v->heard) == 0);
}

/* What was heard, as a block of its own; NULL when it is empty, or there is no room: false then. */
static bool copy_heard(struct views *v, const struct vertex *n, slot_id **told)
{
    *told = NULL;
    while (v->n_links - n->n_told + v->n_heard > LINKS_MAX && forget_oldest_lost(v))
        continue;
    if (v->n_links - n->n_told + v->n_heard > LINKS_MAX)
        return false;
    if (v->n_heard == 0)
        return true;
    *told = malloc(v->n_heard * sizeof **told);
    if (*told == NULL)
        return false;
    memcpy(*told, v->heard, v->n_heard * sizeof **told);
    return true;
}

/* The references of what was heard become those of the view. */
static void set_view(struct views *v, struct vertex *n, slot_id *told)
{
    size_t n_told = v->n_heard;

    for (size_t i = 0; i < n_told; i++)
        count_teller(v, told[i], true);
    for (size_t i = 0; n->telling && i < n->n_told; i++)
        count_teller(v, n->told[i], false);
    forget_view(v, n);
    n->told = told;
    n->n_told = n_told;
    n->cut = v->cut;
    n->telling = true;
    v->n_links += n_told;
    v->n_heard = 0;
    v->version++;
}

bool views_end(struct views *v, const char *peer)
{
    struct vertex *n = find_or_add(v, slice_of(peer), VERTICES_MAX);
    slot_id *told;
    bool news = false;

    if (n != NULL) {
        n->n_refs++; /* it stays, whatever makes room */
        tidy_heard(v, n->id);
        news = !says_the_same(v, n);
        if (news && copy_heard(v, n, &told)) {
            set_view(v, n, told);
        } else if (news) {
            v->n_refused += v->n_heard;
            news = false;
        }
        unref(v, n->id);
    }
    clear_heard(v);
    return news;
}

/* ---- what follows ---- */

bool views_change(struct views *v, char name[NODE_NAME_SIZE], bool *told)
{
    if (list_empty(&v->changes))
        return false;
    struct vertex *n = CONTAINER_OF(v->changes.next, struct vertex, of_changes);

    *told = n->said = n->n_tellers > 0;
    text_set(name, NODE_NAME_SIZE, slice_of(n->name));
    list_remove(&n->of_changes);
    release(v, n);
    return true;
}

static const struct vertex *find_telling(const struct views *v, const char *peer)
{
    const struct vertex *n = views_find(v, peer);

    return n != NULL && n->telling ? n : NULL;
}

enum tells views_sees_us(const struct views *v, const char *peer)
{
    const struct vertex *n = find_telling(v, peer), *us = views_find(v, v->own_name);

    if (n == NULL || v->own_name[0] == '\0')
        return TELLS_NOTHING;
    if (us != NULL && n->n_told > 0 &&
        bsearch(&us->id, n->told, n->n_told, sizeof us->id, by_id) != NULL)
        return TELLS_US;
    return n->cut ? TELLS_NOTHING : TELLS_NOT_US;
}

uint32_t views_sees(const struct views *v, const char *peer)
{
    const struct vertex *n = find_telling(v, peer);

    return n == NULL ? 0 : (uint32_t)n->n_told;
}

uint32_t views_seen_by(const struct views *v, const char *name)
{
    const struct vertex *n = views_find(v, name);

    return n == NULL ? 0 : n->n_tellers;
}

uint64_t views_version(const struct views *v)
{
    return v->version;
}

uint64_t views_refused(const struct views *v)
{
    return v->n_refused;
}
