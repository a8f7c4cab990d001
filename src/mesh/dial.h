/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESH_DIAL_H
#define MESH_DIAL_H

#include "dist/epmd.h"
#include "find/hostlook.h"
#include "mesh/conn.h"

/* How long an epmd may take for its answer. */
#define EPMD_ANSWER_MS 5000
/* epmd entries at one address that are looked at to find the one to dial. */
#define EPMD_CANDIDATES_MAX 16

/* One attempt to reach a target: host, port, link; ends in dial_linked or dial_failed. */
struct dial {
    slot_id id;
    slot_id target;
    char name[NODE_NAME_SIZE]; /* looked for; "" for any */
    struct addr addr;
    struct hostlook look;
    slot_id conn;              /* the epmd query or link under way */
    slot_id query;             /* the DNS query under way */
    char refusal[REASON_SIZE]; /* of the present cookie, while the one before is tried */
    /* epmd lists no such name, or any will do: the entries there, asked one by one */
    bool any;
    bool at_home; /* the epmd there is our own: it lists us as well */
    struct epmd_entry candidates[EPMD_CANDIDATES_MAX];
    uint8_t n_candidates, candidate;
    uint8_t n_visible, visible; /* how many are visible, and the index of one */
};

void dial_due(struct machine *m, uint64_t now_ms);
/* dial_error_reason: the sentence for a connection that did not come about; who listens there. */
enum stage dial_error_reason(enum dial_error error, const struct addr *to, const char *who,
                             const char *text, char reason[REASON_SIZE]);
void dial_failed(struct machine *m, slot_id id, enum stage stage, const char *reason,
                 uint64_t now_ms);
/* alive_part: what stands before the @, as epmd registers it. */
void alive_part(const char *name, char alive[EPMD_NAME_MAX + 1]);
/* dial_dropped: its connection went without a word (no memory, or all is closed). */
void dial_dropped(struct machine *m, slot_id id);
/* dial_gave_way: the peer's own attempt goes first, it says. */
void dial_gave_way(struct machine *m, slot_id id, uint64_t now_ms);
/* dial_deferred: the attempt ended without verdict. dial_found_self: whom it looked for is this
 * node itself, so that nobody else bears that name. */
void dial_deferred(struct machine *m, slot_id id, uint64_t now_ms);
void dial_found_self(struct machine *m, slot_id id, uint64_t now_ms);
void dial_resolved(struct machine *m, struct dial *d, enum dns_status status, clu_slice msg,
                   uint64_t now_ms);
/* dial_end: the attempt is over; target and asks were told. */
void dial_end(struct machine *m, struct dial *d);

/* ---- questions to epmds ---- */

struct epmd_query {
    struct conn conn;
    struct epmd_client client;
    slot_id dial;  /* who asked: a dial, or */
    slot_id link;  /* a link that stands in for another node, or */
    uint32_t ask;  /* the command that asked, or */
    slot_id names; /* what a source needs */
};

/* epmd_query_new: opens a connection to the epmd at addr; the client's question is asked by the
 * caller. NULL at a limit. */
struct epmd_query *epmd_query_new(struct machine *m, const struct addr *addr, uint64_t now_ms);
/* What became of it: dial.c, link.c, names.c and ask.c hear by these. stage STAGE_NONE: the client
 * has the answer.
 */
void dial_epmd_answered(struct machine *m, struct epmd_query *q, enum stage stage,
                        const char *reason, uint64_t now_ms);
void link_epmd_answered(struct machine *m, struct epmd_query *q, enum stage stage, uint64_t now_ms);
void ask_epmd_answered(struct machine *m, struct epmd_query *q, enum stage stage,
                       const char *reason, uint64_t now_ms);

#endif
