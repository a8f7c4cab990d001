/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_TEMPLATE_H
#define FIND_TEMPLATE_H

#include "model/model.h"

/* How node names are made of what a source lists (?name=TEMPLATE): text with parts in braces, as
 * {base}@{ip} or {base}@{hostname}.{service}.{ns}.svc.{zone}. */

#define PART_MAP(X)                                                                                \
    X(PART_BASE, "base")         /* ?base=, else what stands before the @ of our own name */       \
    X(PART_IP, "ip")             /* as inet_ntop spells it */                                      \
    X(PART_DASHED, "dashed")     /* the address as a label of DNS: 10-0-0-1 */                     \
    X(PART_HOSTNAME, "hostname") /* of the pod, as its Service publishes it */                     \
    X(PART_SERVICE, "service")                                                                     \
    X(PART_NS, "ns") /* namespace */                                                               \
    X(PART_ZONE, "zone")                                                                           \
    X(PART_TARGET, "target") /* of an SRV record */

enum part {
#define X(name, text) name,
    PART_MAP(X)
#undef X
        PARTS
};

/* A set of parts. */
#define PART_BIT(part) (1u << (part))

/* What is known of one node; NULL or "" where it is not. Borrowed. */
struct name_parts {
    const char *text[PARTS];
};

/* template_check: CLU_EBADARG, with the end of a sentence in why, when no name can come of it: a
 * part that does not exist or is not in the set `can`, no '@', bytes that no name has. */
CLU_MUST_USE clu_error template_check(const char *template, unsigned can, char why[REASON_SIZE]);
/* template_uses: the set of the parts that it names. */
unsigned template_uses(const char *template);
/* template_name: makes the name; false, and "", when a part is not known or the name too long. */
bool template_name(const char *template, const struct name_parts *parts, char out[NODE_NAME_SIZE]);
/* address_dashed: the address as a label, as Kubernetes' DNS has it: dots and colons become dashes,
 * and behind a dash at the end comes a 0. Returns out. */
const char *address_dashed(const struct addr *a, char out[ADDR_TEXT_MAX]);

#endif
