/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_GOSSIP_IMPL_H
#define FIND_GOSSIP_IMPL_H

#include "find/gossip_heard.h"
#include "find/gossip_msg.h"
#include "find/source_impl.h"

/* gossip:[ADDR[:PORT]]: nodes that say so themselves, to a multicast group or by broadcast, as
 * libcluster's strategy of that name. Nobody knows who else there is, so the list is never
 * complete: who falls silent is not dialled any more, and that is all. source_gossip.c is the
 * scheme, gossip_talk.c what it hears and says. */

/* Between two packets of ours: a number of milliseconds up to this, drawn each time. */
#define GOSSIP_SEND_MAX_MS 5000
/* How long a round lasts that only listens: all who run have spoken once. */
#define GOSSIP_LISTEN_MS (GOSSIP_SEND_MAX_MS + 1000)

/* What is wrong with packets; the first that holds is told. */
enum fault { FAULT_OPEN, FAULT_SEALED, FAULT_OTHER, FAULT_BROKEN, FAULT_FULL, FAULTS, FAULT_NONE };

struct gossip_source {
    struct source source;
    struct addr to; /* the group, or the broadcast address; with the port */
    struct addr interface;
    uint8_t ttl;
    bool broadcast, ttl_given;
    char secret_file[NEED_PATH_SIZE]; /* "": none */
    uint8_t key[AES_KEY_LEN];
    bool has_key;
    bool file_asked, is_open;
    char file_trouble[REASON_SIZE], udp_trouble[REASON_SIZE];
    uint8_t packet[GOSSIP_PACKET_MAX]; /* borrowed by the last need */
    uint64_t start_ms;
    uint64_t send_ms;          /* our next packet */
    uint64_t open_ms;          /* when to try for a socket; NEVER while there is one */
    uint64_t judge_ms;         /* when time alone may change what is to be said */
    uint64_t heard_ms;         /* the last packet of another node; 0: none */
    uint64_t fault_ms[FAULTS]; /* the last of each; 0: none */
    struct gossip_heard heard; /* its entries are the source's */
};

static inline struct gossip_source *gossip_of(struct source *s)
{
    return (struct gossip_source *)s;
}

/* gossip_talk.c */
bool gossip_need(struct source *s, uint64_t now_ms, struct need *need);
uint64_t gossip_deadline(const struct source *s);
bool gossip_tick(struct source *s, uint64_t now_ms);
bool gossip_given(struct source *s, const struct given *given, uint64_t now_ms);

#endif
