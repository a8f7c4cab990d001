/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_DNS_MSG_H
#define FIND_DNS_MSG_H

#include "base/buf.h"
#include "model/model.h"

#define DNS_TYPE_A     1
#define DNS_TYPE_CNAME 5
#define DNS_TYPE_SOA   6
#define DNS_TYPE_AAAA  28
#define DNS_TYPE_SRV   33

/* How a query ended, as the driver's resolver says it. */
enum dns_status {
    DNS_ANSWERED,     /* a reply arrived (any rcode): read it */
    DNS_TIMEOUT,      /* no server answered in time */
    DNS_REFUSED_CONN, /* no server could be reached */
    DNS_NO_SERVER,    /* none is configured */
    DNS_BROKEN,       /* a reply arrived that is no DNS message */
};

/* A bounded reader of replies (RFC 1035, 2308, 2782, 3596): follows CNAMEs inside the answer,
 * compression pointers only backwards and at most DNS_POINTERS_MAX of them a name. */
#define DNS_POINTERS_MAX 32
#define DNS_CNAMES_MAX   16

/* An SRV record. Its priority and weight choose one server among many; nodes want all of them. */
struct dns_service {
    char target[HOST_NAME_SIZE]; /* lower case, no final dot */
    uint16_t port;
    struct addr
        glue[2]; /* the target's first A and AAAA of the additional section; family 0: none */
};

struct dns_reply {
    uint16_t rcode; /* extended by OPT: 12 bits */
    bool truncated;
    uint16_t question_type;
    char question[HOST_NAME_SIZE]; /* lower case, no final dot */
    uint32_t ttl;                  /* smallest of the answers used; UINT32_MAX without any */
    bool has_soa;
    uint32_t soa_ttl; /* negative TTL: min(SOA TTL, MINIMUM) */
    struct buf
        aliases; /* the targets of the CNAMEs that were followed, lower case, each "NAME.\n" */
    struct addr *addrs; /* A or AAAA of the question's name or its alias, duplicates dropped; owned:
                           end with dns_reply_free */
    size_t n_addrs;
    struct dns_service *services; /* sorted by target, then port, each once; owned as addrs is */
    size_t n_services;
    size_t n_dropped; /* over the caller's limit */
};

/* dns_parse: CLU_EPROTO for anything that is not a well-formed reply to one question, aliases in a
 * loop included; a truncated reply may end inside a record. max: addresses or services to
 * keep. CLU_ENOMEM. On failure *r holds nothing.
 */
CLU_MUST_USE clu_error dns_parse(struct dns_reply *r, const uint8_t *data, size_t len, size_t max);
/* dns_service_order: by target, then by port; negative, 0 or positive. */
int dns_service_order(const struct dns_service *a, const struct dns_service *b);
void dns_reply_free(struct dns_reply *r);
/* dns_rcode_text: "NOERROR", "NXDOMAIN", ...; "RCODE" for others: say the number beside it. */
const char *dns_rcode_text(uint16_t rcode);

#endif
