/* SPDX-License-Identifier: Apache-2.0
 *
 * find: where peers may be: discovery sources, host parts of node names, and the reconciler.
 *   knows: SPECs, DNS messages, addresses, back-off; it is told who is linked.
 *   must not know: sockets, clocks, the node, links.
 */
#ifndef FIND_SOURCE_H
#define FIND_SOURCE_H

#include "base/rng.h"
#include "find/dns_msg.h"
#include "model/settings.h"
#include "model/snapshot.h"

/* Most addresses that one source may list; more are counted and reported, not kept. */
#define SOURCE_ENTRIES_MAX 8192

/* What a source lists: where a node may be, and its name as far as the template tells. */
struct entry {
    struct addr addr;          /* family 0: resolve the host part of name; port 0: ask epmd */
    char name[NODE_NAME_SIZE]; /* "" when it is learnt from epmd and handshake (?base=*) */
};

/* A query that a source wants answered: an absolute name (no final dot) and a type. */
struct source_query {
    char name[HOST_NAME_SIZE];
    uint16_t type; /* DNS_TYPE_A, DNS_TYPE_AAAA */
};

struct source;

/* source_new: from a SPEC. own_name gives the base of the default template; zone completes nothing
 * but messages. On failure *out is NULL and why says in one sentence what is wrong with the SPEC.
 * Schemes now: dns:NAME[?base=B|*][&family=4|6|both|auto], static:a@h[:port],b@h. Others: "not
 * built in". family=auto asks for both and lists our own family's addresses where there are any: a
 * dual-stack pod stands in both answers and its name holds but one of them. */
CLU_MUST_USE clu_error source_new(struct source **out, const char *spec, const char *own_name,
                                  char why[REASON_SIZE]);
void source_free(struct source *s);
/* source_start: the first look-up is due at once. own: our own address (family 0: none). A source
 * that has nothing to ask (static) is complete when this returns: where source_result is not
 * RESULT_WAITING, its entries are to be listed at once. */
void source_start(struct source *s, const struct addr *own, struct rng *rng, uint64_t now_ms);
/* source_poke: look again soon (a link went down, an unknown peer dialled in), rate-limited. */
void source_poke(struct source *s, uint64_t now_ms);
/* source_deadline: when source_query should be asked; NEVER while a query is out. */
uint64_t source_deadline(const struct source *s);
/* source_query: the next query due now, false when none is. One outstanding query a family. */
bool source_query(struct source *s, uint64_t now_ms, struct source_query *q);
/* source_answer: the reply to a query of this type. status is the resolver's; msg the raw reply, if
 * one arrived. Returns true when there is something to list: a round ended (all families answered),
 * or the first family brought new addresses while the other is still out (RESULT_PARTIAL
 * without a reason): look at source_entries and source_result. */
bool source_answer(struct source *s, uint16_t type, enum dns_status status, clu_slice msg,
                   uint64_t now_ms);
/* source_result: how the last round ended; COMPLETE lists replace, PARTIAL ones only add, NEGATIVE
 * and FAILED ones change nothing. */
enum result_kind source_result(const struct source *s);
/* source_reason: why it is not complete, in words; or, complete, what is wrong with it all the same
 * (our own address is not in the answer); else "". */
const char *source_reason(const struct source *s);
/* source_guesses: whether the names it lists are made by a template from addresses: the node there
 * may have another. */
bool source_guesses(const struct source *s);
/* source_entries: what the source lists now; borrowed until the next call on the source. */
const struct entry *source_entries(const struct source *s, size_t *n);
/* source_row: fills the row of the snapshot; wall_offset_ms is added to monotonic times. */
void source_row(const struct source *s, uint64_t wall_offset_ms, struct source_row *row);

#endif
