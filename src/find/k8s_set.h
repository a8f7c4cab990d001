/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_K8S_SET_H
#define FIND_K8S_SET_H

#include "base/map.h"
#include "find/k8s_read.h"

/* The union of all objects' endpoints. One endpoint may stand in two slices for a moment; while it
 * moves from one to another it may stand in none, so what vanishes is held for a while. */

/* How long an endpoint is held that no object has any more. */
#define K8S_HOLD_MS 1000
/* Most objects that are kept: pods of as many entries as a source may list. */
#define K8S_OBJECTS_MAX 8192
/* Most endpoints in all of them: a dual-stack Service of as many entries, and as many held. */
#define K8S_TOTAL_MAX 32768

struct k8s_listed {
    struct k8s_endpoint endpoint;
    uint64_t until_ms; /* no object has it: listed until then; NEVER: one has */
};

/* Zeroed it is empty and valid. */
struct k8s_set {
    struct map objects;
    size_t n_endpoints;        /* of all objects */
    uint32_t round;            /* of lists */
    struct k8s_listed *listed; /* owned; sorted by address */
    size_t n_listed;
    bool held; /* something listed is held, the first of it until held_ms */
    uint64_t held_ms;
    size_t n_refused; /* objects beyond the limits, since the list began */
};

void k8s_set_fini(struct k8s_set *s);
/* k8s_set_begin: a list begins: what it does not have is gone at k8s_set_end. */
void k8s_set_begin(struct k8s_set *s);
/* k8s_set_put: this object is there, or changed; takes its endpoints in any case. CLU_ENOMEM. */
CLU_MUST_USE clu_error k8s_set_put(struct k8s_set *s, const struct k8s_object *object);
void k8s_set_remove(struct k8s_set *s, const char *name);
void k8s_set_end(struct k8s_set *s);
/* k8s_set_refresh: makes `listed` true again: after changes, and at k8s_set_deadline. Sets *changed
 * when it differs from before. CLU_ENOMEM: it is as before. */
CLU_MUST_USE clu_error k8s_set_refresh(struct k8s_set *s, uint64_t now_ms, bool *changed);
/* k8s_set_deadline: when something that is held is over. */
uint64_t k8s_set_deadline(const struct k8s_set *s);

#endif
