/* SPDX-License-Identifier: Apache-2.0 */
#include "find/k8s_read.h"

#include <stdlib.h>

/* The port of that name in a list of them; 0 when there is none. */
static uint16_t named_port(const json_t *ports, const char *name, const char *key)
{
    for (size_t i = 0; i < json_array_size(ports); i++) {
        const json_t *port = json_array_get(ports, i);

        if (strcmp(k8s_text(port, "name"), name) == 0)
            return (uint16_t)k8s_number(port, key, UINT16_MAX);
    }
    return 0;
}

/* Room for as many endpoints as the list has members. */
static clu_error make_room(struct k8s_object *out, const json_t *list)
{
    size_t n = json_array_size(list);

    if (n == 0)
        return CLU_OK;
    out->endpoints = calloc(min_u64(n, K8S_ENDPOINTS_MAX), sizeof *out->endpoints);
    return out->endpoints == NULL ? CLU_ENOMEM : CLU_OK;
}

/* The next endpoint, when the text is an address; else NULL. */
static struct k8s_endpoint *add(struct k8s_object *out, const char *ip, uint16_t port)
{
    struct k8s_endpoint *e = &out->endpoints[out->n];

    if (out->n == K8S_ENDPOINTS_MAX || !addr_parse_ip(&e->addr, slice_of(ip)))
        return NULL;
    e->addr.port = port;
    out->n++;
    return e;
}

/* Not ready is no reason to leave an endpoint out: a node may be ready only once it has its peers.
 * Of its addresses the first counts: the others have no meaning yet. */
static void read_endpoint(struct k8s_object *out, const json_t *endpoint, uint16_t port)
{
    const json_t *addresses = json_object_get(endpoint, "addresses");
    const char *ip = json_string_value(json_array_get(addresses, 0));
    struct k8s_endpoint *e = ip == NULL ? NULL : add(out, ip, port);

    if (e == NULL)
        return;
    e->terminating =
        json_is_true(json_object_get(json_object_get(endpoint, "conditions"), "terminating"));
    text_set(e->hostname, sizeof e->hostname, slice_of(k8s_text(endpoint, "hostname")));
}

static clu_error read_slice(struct k8s_object *out, const json_t *slice,
                            const struct k8s_port *port)
{
    const json_t *endpoints = json_object_get(slice, "endpoints");
    uint16_t number = port->number;

    if (strcmp(k8s_text(slice, "addressType"), "FQDN") == 0)
        return CLU_OK; /* deprecated, and made by nobody */
    if (make_room(out, endpoints) != CLU_OK)
        return CLU_ENOMEM;
    if (port->name[0] != '\0')
        number = named_port(json_object_get(slice, "ports"), port->name, "port");
    for (size_t i = 0; i < json_array_size(endpoints); i++)
        read_endpoint(out, json_array_get(endpoints, i), number);
    return CLU_OK;
}

static uint16_t container_port(const json_t *spec, const struct k8s_port *want)
{
    const json_t *containers = json_object_get(spec, "containers");
    uint16_t port = want->number;

    for (size_t i = 0; port == 0 && want->name[0] != '\0' && i < json_array_size(containers); i++) {
        const json_t *ports = json_object_get(json_array_get(containers, i), "ports");

        port = named_port(ports, want->name, "containerPort");
    }
    return port;
}

/* A Pod that does not run has no node: it has not begun, or it is over. */
static clu_error read_pod(struct k8s_object *out, const json_t *pod, const struct k8s_port *port)
{
    const json_t *spec = json_object_get(pod, "spec"), *status = json_object_get(pod, "status");
    const json_t *ips = json_object_get(status, "podIPs");
    const char *going = k8s_text(json_object_get(pod, "metadata"), "deletionTimestamp");

    if (strcmp(k8s_text(status, "phase"), "Running") != 0)
        return CLU_OK;
    if (make_room(out, ips) != CLU_OK)
        return CLU_ENOMEM;
    for (size_t i = 0; i < json_array_size(ips); i++) {
        const char *ip = k8s_text(json_array_get(ips, i), "ip");
        struct k8s_endpoint *e = add(out, ip, container_port(spec, port));

        if (e == NULL)
            continue;
        e->terminating = going[0] != '\0';
        text_set(e->hostname, sizeof e->hostname, slice_of(k8s_text(spec, "hostname")));
    }
    return CLU_OK;
}

const struct k8s_kind k8s_slices = {
    .group = "discovery.k8s.io",
    .folder = "/apis/discovery.k8s.io/v1",
    .resource = "endpointslices",
    .page = 500,
    .read = read_slice,
};

const struct k8s_kind k8s_pods = {
    .group = "",
    .folder = "/api/v1",
    .resource = "pods",
    .page = 100,
    .read = read_pod,
};
