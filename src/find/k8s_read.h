/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_K8S_READ_H
#define FIND_K8S_READ_H

#include "find/k8s_json.h"
#include "find/words.h"

/* What counts here of the objects of the API: EndpointSlices and Pods, both as endpoints. */

/* Most endpoints that one object may have: the API allows a slice no more. */
#define K8S_ENDPOINTS_MAX 1000

struct k8s_endpoint {
    struct addr addr;          /* its port as ?port= says; 0: ask epmd */
    char hostname[LABEL_SIZE]; /* as the Service publishes it; "": it does not */
    bool terminating;
};

/* One object, by its name. */
struct k8s_object {
    char name[HOST_NAME_SIZE];
    struct k8s_endpoint *endpoints; /* owned */
    size_t n;
    uint32_t round; /* the list that last had it */
};

/* ?port=: a number, or the name that a port has in the object; neither: epmd is asked. */
struct k8s_port {
    uint16_t number;
    char name[LABEL_SIZE];
};

/* A resource that can be asked for. */
struct k8s_kind {
    const char *group;  /* "" is the API's core */
    const char *folder; /* the path before /namespaces */
    const char *resource;
    unsigned page; /* objects to ask for at once, so that K8S_TEXT_MAX holds them */
    /* read: fills the endpoints of an object that has none yet; CLU_ENOMEM. */
    clu_error (*read)(struct k8s_object *out, const json_t *object, const struct k8s_port *port);
};

extern const struct k8s_kind k8s_slices, k8s_pods;

#endif
