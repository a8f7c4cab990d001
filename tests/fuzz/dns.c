/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "find/dns_msg.h"

#define RECORDS_MAX 64

static int order(const void *a, const void *b)
{
    return memcmp(((const struct addr *)a)->ip, ((const struct addr *)b)->ip, 16);
}

static void check_addresses(struct dns_reply *r)
{
    for (size_t i = 0; i < r->n_addrs; i++)
        assert(r->addrs[i].family == (r->question_type == DNS_TYPE_A ? 4 : 6));
    if (r->n_addrs > 0)
        qsort(r->addrs, r->n_addrs, sizeof *r->addrs, order);
    for (size_t i = 1; i < r->n_addrs; i++)
        assert(!addr_same_ip(&r->addrs[i - 1], &r->addrs[i]));
}

static void check_services(const struct dns_reply *r)
{
    for (size_t i = 0; i < r->n_services; i++) {
        const struct dns_service *s = &r->services[i];

        assert(r->question_type == DNS_TYPE_SRV);
        assert(memchr(s->target, '\0', sizeof s->target) != NULL && s->target[0] != '\0');
        assert(s->glue[0].family == 0 || s->glue[0].family == 4);
        assert(s->glue[1].family == 0 || s->glue[1].family == 6);
        if (i > 0) {
            int order = strcmp(s[-1].target, s->target);

            assert(order < 0 || (order == 0 && s[-1].port < s->port));
        }
    }
}

/* No reply is read past its end; what comes out is bounded, of the type that was asked for, and
 * every address and service stands there once. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dns_reply r;

    if (dns_parse(&r, data, size, RECORDS_MAX) != CLU_OK) {
        assert(r.addrs == NULL && r.n_addrs == 0 && r.services == NULL && r.n_services == 0);
        return 0;
    }
    assert(memchr(r.question, '\0', sizeof r.question) != NULL);
    assert(r.n_addrs + r.n_services <= RECORDS_MAX && r.n_addrs + r.n_services <= size / 15);
    assert(r.n_dropped == 0 || r.n_addrs == RECORDS_MAX || r.question_type == DNS_TYPE_SRV);
    assert((r.ttl == UINT32_MAX) == (r.n_addrs + r.n_services == 0));
    check_addresses(&r);
    check_services(&r);
    dns_reply_free(&r);
    return 0;
}
