/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "find/dns_msg.h"

#define ADDRS_MAX 64

static int order(const void *a, const void *b)
{
    return memcmp(((const struct addr *)a)->ip, ((const struct addr *)b)->ip, 16);
}

/* No reply is read past its end; what comes out is bounded, of the family that was asked for, and
 * every address stands there once. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dns_reply r;

    if (dns_parse(&r, data, size, ADDRS_MAX) != CLU_OK) {
        assert(r.addrs == NULL && r.n_addrs == 0);
        return 0;
    }
    assert(memchr(r.question, '\0', sizeof r.question) != NULL);
    assert(r.n_addrs <= ADDRS_MAX && r.n_addrs <= size / 15);
    assert(r.n_dropped == 0 || r.n_addrs == ADDRS_MAX);
    assert((r.ttl == UINT32_MAX) == (r.n_addrs == 0));
    for (size_t i = 0; i < r.n_addrs; i++)
        assert(r.addrs[i].family == (r.question_type == DNS_TYPE_A ? 4 : 6));
    if (r.n_addrs > 0)
        qsort(r.addrs, r.n_addrs, sizeof *r.addrs, order);
    for (size_t i = 1; i < r.n_addrs; i++)
        assert(!addr_same_ip(&r.addrs[i - 1], &r.addrs[i]));
    dns_reply_free(&r);
    return 0;
}
