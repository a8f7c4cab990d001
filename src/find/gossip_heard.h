/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_GOSSIP_HEARD_H
#define FIND_GOSSIP_HEARD_H

#include "find/source.h"

/* Who was heard, and when. Anybody on the network can invent names: the table and its growth are
 * bounded. */

/* Names that are kept: more than a network without routers has nodes. */
#define GOSSIP_NAMES_MAX 1024
/* New names: so many at once, for a cluster that starts as one, then one in so long. Who is passed
 * over speaks again in a few seconds. */
#define GOSSIP_NEW_BURST 256
#define GOSSIP_NEW_MS    100
/* Who sent a dozen packets that nobody heard is not there. */
#define GOSSIP_SILENT_MS 60000

struct gossip_heard {
    struct entry *entries; /* terminating: silent, not to be dialled; freed by the owner */
    uint64_t *last_ms;     /* of each: when it was heard last; freed by the owner */
    size_t n, cap;
    uint64_t paid_ms; /* new names are paid for up to here */
    bool changed;     /* the list; cleared by whoever has seen that */
};

/* gossip_add: e was heard now. false when there is no place for it: all names are spoken for. */
bool gossip_add(struct gossip_heard *h, const struct entry *e, uint64_t now_ms);
/* gossip_silent: marks who is silent now; when the next one will be, NEVER when nobody. */
uint64_t gossip_silent(struct gossip_heard *h, uint64_t now_ms);

#endif
