/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESH_DISCOVER_H
#define MESH_DISCOVER_H

#include "base/list.h"
#include "find/hostlook.h"
#include "find/reconcile.h"
#include "mesh/machine.h"

struct epmd_query;

enum lookup_owner { LOOKUP_SOURCE, LOOKUP_DIAL, LOOKUP_ASK, LOOKUP_SELF, LOOKUP_NAMES };

struct lookup {
    slot_id id;
    enum lookup_owner owner;
    uint32_t who; /* index of the source, id of dial, ask or names */
    uint16_t type;
    struct list queue;
    char name[HOST_NAME_SIZE];
};

clu_error discover_init(struct machine *m, char why[REASON_SIZE]);
void discover_fini(struct machine *m);
void discover_start(struct machine *m, uint64_t now_ms);
/* discover_take: the next thing that a source needs of the driver. */
bool discover_take(struct machine *m, struct update *u);
uint64_t discover_deadline(const struct machine *m);
/* discover_poke: look again at once; discover_stir: soon, as all others do that noticed the same.
 */
void discover_poke(struct machine *m, uint64_t now_ms);
void discover_stir(struct machine *m, uint64_t now_ms);
void discover_answer(struct machine *m, struct lookup *q, enum dns_status status, clu_slice msg,
                     uint64_t now_ms);
/* lookup_new: queues a query for the driver; 0 at the limit. */
slot_id lookup_new(struct machine *m, enum lookup_owner owner, uint32_t who,
                   const struct source_query *sq);

/* ---- names of a host's epmd, for sources (names.c) ---- */

/* names_need: meets a NEED_NAMES; GIVEN_NAMES follows, within this call or later. */
void names_need(struct machine *m, unsigned source, const struct need *need, uint64_t now_ms);
void names_resolved(struct machine *m, slot_id id, enum dns_status status, clu_slice msg,
                    uint64_t now_ms);
void names_epmd_answered(struct machine *m, struct epmd_query *q, enum stage stage,
                         const char *reason, uint64_t now_ms);
uint64_t names_deadline(const struct machine *m);
/* names_due: ends what took too long. */
void names_due(struct machine *m, uint64_t now_ms);
void names_free_all(struct machine *m);

#endif
