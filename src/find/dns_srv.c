/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "find/dns_msg_impl.h"

#define FIRST_SERVICES 16

static int by_target(const void *a, const void *b)
{
    return strcmp(((const struct dns_service *)a)->target, ((const struct dns_service *)b)->target);
}

int dns_service_order(const struct dns_service *a, const struct dns_service *b)
{
    int order = by_target(a, b);

    return order != 0 ? order : a->port - b->port;
}

static int by_target_and_port(const void *a, const void *b)
{
    return dns_service_order(a, b);
}

/* Room for one more; it doubles at every power of two. */
static struct dns_service *add_service(struct dns_reply *r)
{
    size_t n = r->n_services;

    if (n == 0 || (n >= FIRST_SERVICES && (n & (n - 1)) == 0)) {
        size_t cap = n == 0 ? FIRST_SERVICES : 2 * n;
        struct dns_service *services = realloc(r->services, cap * sizeof *services);

        if (services == NULL)
            return NULL;
        r->services = services;
    }
    r->services[n] = (struct dns_service){.port = 0};
    return &r->services[r->n_services++];
}

/* RFC 2782: priority, weight, port, target. A target of "." says that the service is not there. */
static clu_error keep_service(struct dns_parser *p, const struct dns_record *rec)
{
    struct dns_in in = {.msg = p->in.msg, .len = rec->data + rec->data_len, .pos = rec->data + 4};
    uint16_t port = dns_get_u16(&in);
    struct dns_name target;

    dns_get_name(&in, &target);
    if (dns_failed(&in) || in.pos != in.len)
        return CLU_EPROTO;
    dns_note_ttl(p, rec->ttl);
    if (target.len <= 1)
        return CLU_OK;
    if (p->reply->n_services >= p->max) {
        p->reply->n_dropped++;
        return CLU_OK;
    }
    struct dns_service *s = add_service(p->reply);

    if (s == NULL)
        return CLU_ENOMEM;
    s->port = port;
    dns_name_text(&target, s->target);
    return CLU_OK;
}

/* Servers shuffle: sorted, equal ones stand beside each other, and a target is quickly found. */
static void sort_services(struct dns_reply *r)
{
    size_t kept = 0;

    if (r->n_services > 1)
        qsort(r->services, r->n_services, sizeof *r->services, by_target_and_port);
    for (size_t i = 0; i < r->n_services; i++)
        if (kept == 0 || dns_service_order(&r->services[kept - 1], &r->services[i]) != 0)
            r->services[kept++] = r->services[i];
    r->n_services = kept;
}

/* All ports of one target get its address. */
static void keep_glue(struct dns_reply *r, const struct dns_name *owner, const struct addr *a)
{
    struct dns_service key, *found = NULL;
    unsigned i = a->family == 4 ? 0 : 1;

    dns_name_text(owner, key.target);
    if (r->n_services > 0)
        found = bsearch(&key, r->services, r->n_services, sizeof key, by_target);
    if (found == NULL || found->glue[i].family != 0)
        return;
    while (found > r->services && by_target(found - 1, &key) == 0)
        found--;
    for (; found < r->services + r->n_services && by_target(found, &key) == 0; found++)
        found->glue[i] = *a;
}

clu_error dns_collect_services(struct dns_parser *p)
{
    struct dns_walk answers = dns_walk_section(p, ANSWER);
    struct dns_walk additional = dns_walk_section(p, ADDITIONAL);
    struct dns_record rec;
    clu_error err = CLU_OK;

    while (err == CLU_OK && dns_walk_next(&answers, &rec))
        if (dns_is_answer(p, &rec, DNS_TYPE_SRV))
            err = keep_service(p, &rec);
    sort_services(p->reply);
    while (dns_walk_next(&additional, &rec))
        if (rec.class == DNS_CLASS_IN && (rec.type == DNS_TYPE_A || rec.type == DNS_TYPE_AAAA)) {
            struct addr a = dns_record_ip(p, &rec);

            keep_glue(p->reply, &rec.owner, &a);
        }
    return err;
}
