/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FIND_DNS_SAMPLES_H
#define TESTS_FIND_DNS_SAMPLES_H

#include "dns_build.h"

/* Replies of all kinds, good and bad, to questions about mostly this name. */
#define DNS_SAMPLE_NAME "erlclu-headless.erlclu.svc.cluster.local"

struct dns_sample {
    const char *name; /* NULL ends the table */
    void (*build)(struct buf *b);
    const char *says; /* the reply as the test puts it into words; NULL: CLU_EPROTO */
};

/* dns_samples: of records; dns_shapes: of the message around them, and of names. */
extern const struct dns_sample dns_samples[], dns_shapes[];

#endif
