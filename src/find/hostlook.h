/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_HOSTLOOK_H
#define FIND_HOSTLOOK_H

#include "find/source.h"

/* The host part of a node name to an address, as the BEAM's inet resolves it: a literal, then the
 * hosts file, then DNS with search list and ndots. One look-up at a time for each; never cached. */
struct hostlook {
    char host[HOST_NAME_SIZE];
    uint8_t family;                 /* preferred: that of our own address; 0 takes A, then AAAA */
    const struct resolv_conf *conf; /* borrowed */
    uint8_t candidate;              /* index of the search candidate being asked */
    uint16_t type;
    bool waiting, done;
    struct addr addr;         /* the answer; family 0 on failure */
    char reason[REASON_SIZE]; /* of the failure: every name that was asked, and what came back */
};

/* hostlook_start: done at once for literals and hosts; else hostlook_query gives the first query.
 * conf and hosts may be NULL: then there are none. */
void hostlook_start(struct hostlook *h, const char *host, uint8_t family,
                    const struct resolv_conf *conf, const struct hosts_file *hosts);
bool hostlook_query(struct hostlook *h, struct source_query *q);
/* hostlook_answer: then either done, or hostlook_query has another one. */
void hostlook_answer(struct hostlook *h, enum dns_status status, clu_slice msg);

#endif
