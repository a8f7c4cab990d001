/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_RECONCILE_IMPL_H
#define FIND_RECONCILE_IMPL_H

#include "base/list.h"
#include "base/map.h"
#include "find/reconcile.h"

/* What reconcile.c (dials and links) and listing.c (what is listed) share. */

/* An entry as listed: a name, or an address whose name is learnt. Several may lead to one peer. */
struct place {
    struct list of_owner;
    struct list of_changes; /* in reconcile.changes while told differs from sources */
    struct tracked *owner;
    struct addr addr;
    char name[NODE_NAME_SIZE]; /* as listed; "" for one that is to be learnt: the address is its key
                                */
    uint32_t sources;          /* that list it now */
    uint32_t told;             /* what reconcile_change said of that */
    uint64_t round;            /* the last call of reconcile_list that had it */
};

/* A target and what only the reconciler knows of it. Its state follows from these facts. */
struct tracked {
    struct target t; /* first: a target is its peer */
    struct list places;
    struct addr hinted; /* where to dial it when no place says */
    bool linked, dialling;
    bool wish;      /* dial it once though nobody lists it */
    bool alone;     /* ourselves only as long as nobody else is at our address */
    bool known;     /* such a wish was made: its failure is shown */
    unsigned pause; /* index of the next pause of the back-off */
    /* On the calm clock: down and unlisted since; NEVER while it is not. */
    uint64_t idle_ms;
};

struct reconcile {
    struct rng *rng;
    char own_name[NODE_NAME_SIZE];
    uint32_t own_creation;
    struct addr own_addr;
    struct slots peers;
    struct map names;  /* of all peers that have one */
    struct map places; /* by name or address */
    struct heap due;
    struct list changes;
    uint64_t round;
    size_t n_dialling;
    /* The calm clock stands still while one of these sources gave no complete answer. */
    uint32_t unsure;
    uint64_t calm_ms, calm_at_ms; /* calm_ms was its time at calm_at_ms */
    uint64_t sweep_ms;            /* when the next peer may be forgotten */
    uint64_t version, n_refused;
};

/* tracked_new: named unless name is ""; NULL when the table or the memory is full. */
struct tracked *tracked_new(struct reconcile *r, const char *name, uint64_t now_ms);
struct tracked *tracked_named(const struct reconcile *r, const char *name);
/* tracked_forget: ends it, with its places. */
void tracked_forget(struct reconcile *r, struct tracked *p);
/* tracked_settle: to be called after a fact changed: state, sources and self follow, and a dial is
 * planned (at once, unless one is planned already) or given up. */
void tracked_settle(struct reconcile *r, struct tracked *p, uint64_t now_ms);
/* tracked_end_dial: no attempt is under way any more. */
void tracked_end_dial(struct reconcile *r, struct tracked *p);
/* tracked_learn: this is the name behind its places; the target that has it, which may be another
 * one (then p is gone). Nothing changes where p has its name for sure: linked, or not listed. */
struct tracked *tracked_learn(struct reconcile *r, struct tracked *p, const char *name,
                              uint64_t now_ms);
/* tracked_unlearn: the name that was learnt does not hold any more: back to what is listed. */
void tracked_unlearn(struct reconcile *r, struct tracked *p, uint64_t now_ms);
/* tracked_claim: p has come up under its name: an entry listed under just that name is its own,
 * wherever it led before. */
void tracked_claim(struct reconcile *r, struct tracked *p, uint64_t now_ms);
/* tracked_wants_dial: it is to be dialled, now or later. tracked_where: there. */
bool tracked_wants_dial(const struct tracked *p);
struct addr tracked_where(const struct tracked *p);
/* tracked_plan: its next dial is at at_ms, if it wants one. */
void tracked_plan(struct reconcile *r, struct tracked *p, uint64_t at_ms);
/* calm_at: the calm clock at now_ms. */
uint64_t calm_at(const struct reconcile *r, uint64_t now_ms);

/* tracked_at: the peer without a name that is listed at this address, NULL when none. */
struct tracked *tracked_at(const struct reconcile *r, const struct addr *addr);
/* place_named: the entry listed under this very name. */
struct place *place_named(const struct reconcile *r, const char *name);
void place_drop(struct reconcile *r, struct place *place);

#endif
