/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_DNS_FAMILY_H
#define FIND_DNS_FAMILY_H

#include "find/addr_set.h"
#include "find/source.h"

/* One address family of a dns source: its query, how that ended, and what it lists. */

/* How a family's query ended, by how much it decides about the round's reason. */
enum outcome {
    NOT_ASKED,
    FOUND,   /* addresses, all of them */
    EMPTY,   /* the name is there, without such records (RFC 2308: NODATA) */
    NO_NAME, /* NXDOMAIN */
    CUT,     /* truncated: there are more addresses */
    FAILED,
};

struct dns_family {
    uint16_t type;
    uint8_t number;        /* 4 or 6 */
    bool wanted;           /* by ?family= */
    bool due, waiting;     /* in the present round: to be asked; asked */
    unsigned empties;      /* in a row */
    uint64_t probe_ms;     /* while empty: when it is asked all the same */
    enum outcome outcome;  /* of the present round */
    char answer[16];       /* its word: "NXDOMAIN", "timeout" */
    const char *reason;    /* static */
    uint32_t ttl_s;        /* how long the outcome holds */
    struct addr_set found; /* by the present round */
    struct addr_set listed;
};

/* dns_family_begin: a round begins; asked says whether this family takes part. */
void dns_family_begin(struct dns_family *f, bool asked);
/* dns_family_answer: the family's query for the name ended: fills outcome, answer, reason, ttl_s
 * and found. */
void dns_family_answer(struct dns_family *f, const char *name, enum dns_status status,
                       clu_slice msg);
/* dns_family_end: the round ended; how often the family was empty counts. */
void dns_family_end(struct dns_family *f, uint64_t now_ms);
/* dns_family_is_quiet: the family is empty again and again, and need not be asked now. */
bool dns_family_is_quiet(const struct dns_family *f, uint64_t now_ms);

#endif
