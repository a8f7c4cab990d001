/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_DNS_ANSWER_H
#define FIND_DNS_ANSWER_H

#include "find/source.h"

/* What came of one query, in words that help. */

/* How it ended, by how much it decides about a round's reason. */
enum outcome {
    NOT_ASKED,
    FOUND,   /* records, all of them */
    EMPTY,   /* the name is there, without such records (RFC 2308: NODATA) */
    NO_NAME, /* NXDOMAIN */
    CUT,     /* there are more records: the reply was truncated, or there was no room */
    FAILED,
};

struct dns_answer {
    enum outcome outcome;
    char word[16];      /* "NXDOMAIN", "timeout" */
    const char *reason; /* static */
    uint32_t ttl_s;     /* how long the outcome holds */
};

/* dns_answer_read: of this query. The reply holds records where the outcome is FOUND or CUT, and is
 * empty otherwise: end it with dns_reply_free. */
void dns_answer_read(struct dns_answer *a, struct dns_reply *reply,
                     const struct source_query *query, enum dns_status status, clu_slice msg);
/* dns_answer_drop: some of the records were not taken in. */
void dns_answer_drop(struct dns_answer *a);

#endif
