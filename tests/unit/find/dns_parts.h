/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FIND_DNS_PARTS_H
#define TESTS_FIND_DNS_PARTS_H

#include "dns_samples.h"

/* What samples of both kinds are made of. */

#define NAME  DNS_SAMPLE_NAME
#define FIRST 12 /* offset of the question's name */

static const uint8_t ip1[] = {10, 0, 0, 1}, ip2[] = {10, 0, 0, 2};

static inline void head(struct buf *b, uint16_t an)
{
    dns_put_header(b, DNS_FLAGS_REPLY, 1, an, 0, 0);
    dns_put_question(b, NAME, DNS_TYPE_A);
}

static inline void put_a(struct buf *b, uint16_t owner, uint32_t ttl, const uint8_t ip[4])
{
    dns_put_pointer(b, owner);
    dns_put_record(b, DNS_TYPE_A, ttl, ip, 4);
}

#endif
