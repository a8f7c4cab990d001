/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_DNS_FAMILY_H
#define FIND_DNS_FAMILY_H

#include "find/addr_set.h"
#include "find/dns_answer.h"
#include "find/trust.h"

/* One address family of a dns source: its query, how that ended, and what it lists. */
struct dns_family {
    uint16_t type;
    uint8_t number;           /* 4 or 6 */
    bool wanted;              /* by ?family= */
    bool due, waiting;        /* in the present round: to be asked; asked */
    unsigned empties;         /* in a row */
    uint64_t probe_ms;        /* while empty: when it is asked all the same */
    struct dns_answer answer; /* of the present round */
    struct addr_set found;    /* by the present round */
    struct addr_set listed;
    size_t n_before; /* listed before the round, or when doubts began: they stand first */
    size_t n_gone;   /* of those, not found by the last round that told */
    struct trust trust;
    struct addr_set
        doubtful; /* all that was found since most were gone, the last answer included */
};

/* dns_family_begin: a round begins; asked says whether this family takes part. */
void dns_family_begin(struct dns_family *f, bool asked);
/* dns_family_answer: the family's query for the name ended: fills answer and found. */
void dns_family_answer(struct dns_family *f, const char *name, enum dns_status status,
                       clu_slice msg);
/* dns_family_add: lists what was found too; true when that is news. */
bool dns_family_add(struct dns_family *f);
/* dns_family_replace: lists what was found and nothing else, as far as that is to be believed; true
 * when what is listed changed. */
bool dns_family_replace(struct dns_family *f, uint64_t now_ms);
/* dns_family_end: the round ended; how often the family was empty counts. */
void dns_family_end(struct dns_family *f, uint64_t now_ms);
/* dns_family_is_quiet: the family is empty again and again, and need not be asked now. */
bool dns_family_is_quiet(const struct dns_family *f, uint64_t now_ms);
void dns_family_free(struct dns_family *f);

#endif
