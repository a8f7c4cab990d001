/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_RECONCILE_H
#define FIND_RECONCILE_H

#include "base/heap.h"
#include "base/slots.h"
#include "find/source.h"

/* Listed against linked. Level-triggered: at every step, what is wanted, not linked and not waiting
 * for its back-off is dialled, in parallel, for ever. Wanted is what a source lists, or another
 * peer names; and what was wanted a moment ago, until complete answers leave no doubt. Nothing here
 * ever cuts a link, unless --prune after:T asks for it. */

/* First retry and longest pause of a peer's back-off; +-20 % jitter. */
#define REDIAL_FIRST_MS 200
#define REDIAL_MAX_MS   30000
/* Targets at most; who nobody wants goes, the oldest first; more are reported, not kept. */
#define TARGETS_MAX 16384
/* With so many, what peers name adds none: the rest is for what sources list. */
#define TARGETS_HEARD_MAX (TARGETS_MAX / 2)
/* Dial attempts under way at once; the others wait their turn. */
#define DIALS_MAX 256
/* A peer is gone when no source listed it in so many complete answers of each, over so many TTLs
 * and at least so long: one answer may be a sample, or a server that has just started. */
#define GONE_ANSWERS 3
#define GONE_TTLS    3
#define GONE_MS      15000
/* Who is absent is shown for so long, for people who look after the fact, and then forgotten. */
#define ABSENT_KEPT_MS 3600000
/* --prune after:T cuts at most one link in so long: each is news that all peers have to digest. */
#define PRUNE_GAP_MS 1000
/* (All these clocks stand still while the last answer of any source is not COMPLETE, but for those
 * that never are.) */

/* When a name that another peer told is dialled: it may be about to dial us, or be the one behind
 * an address whose name is being learnt. */
#define HEARD_MS 400
/* How soon another node of our own pod is found. */
#define ALONE_MS 5000
/* Of those attempts, so many at most go to names that only other peers told: such a peer may tell
 * thousands that are nowhere. Those beyond wait for about HEARD_WAIT_MS. */
#define DIALS_HEARD_MAX (DIALS_MAX / 4)
#define HEARD_WAIT_MS   2000
/* So often, a second each, the peer's own attempt should have come: OTP's takes 7 s at most. */
#define WAITS_ODD 10
/* A link that ended sooner counts as a failed attempt: at once is no answer to a peer that closes
 * whatever it accepts. */
#define LINK_STABLE_MS 5000

/* Somewhere to dial: an entry of one or more sources, or a node that dialled us. */
struct target {
    slot_id id;
    struct heap_item due;      /* when to dial; in the heap only while a dial is wanted */
    char name[NODE_NAME_SIZE]; /* "" until learnt */
    struct addr addr;          /* family 0: resolve the name's host part; port 0: ask epmd */
    enum peer_state state;
    uint32_t sources;   /* bit i: source i lists it */
    uint64_t listed_ms; /* listed since, or not listed since */
    bool terminating;   /* a source lists it as going: not dialled anew */
    bool hinted;        /* no source lists it, a linked peer names it */
    bool self;          /* it is ourselves: shown as such, not dialled */
    bool learnt;        /* the name came from epmd or handshake, not from the template */
    uint32_t attempts;  /* failed in a row */
    uint32_t waits;     /* attempts in a row that gave way to the peer's own */
    uint32_t flaps;     /* times that it was lost and came back the same */
    enum stage stage;   /* of the last failure */
    char reason[REASON_SIZE];
    uint64_t since_ms;        /* linked since, or not linked since: dialling does not restart it */
    uint32_t creation;        /* of the incarnation linked now or last; 0 for none */
    uint32_t creation_before; /* of the one before that */
    bool twins; /* the incarnation before the last has come back: two nodes have this name */
};

/* How a round of a source ended. */
struct round {
    enum result_kind kind;
    bool sees_us;   /* our own address is in the answer */
    bool standing;  /* the source is told of changes, it does not ask again: its answer holds */
    bool adds_only; /* it is never complete (gossip), and says nothing of anybody's absence */
    uint32_t ttl_s;
    const struct entry *entries;
    size_t n;
};

/* Expected against seen, in numbers; ourselves excepted. */
struct tally {
    size_t listed;
    size_t linked;
    size_t missing;      /* listed and not linked, those that are terminating excepted */
    size_t unlisted;     /* linked and not listed */
    uint64_t flaps;      /* all targets' since start */
    uint64_t settled_ms; /* the last time that anything was linked, lost, listed or unlisted */
};

struct reconcile;

/* own_addr: where our distribution listens, with its port (0 while unknown). */
struct reconcile *reconcile_new(const char *own_name, uint32_t own_creation, struct rng *rng);
void reconcile_free(struct reconcile *r);
/* reconcile_prune: what becomes of peers that no source lists any more: PRUNE_WHEN_DOWN unless this
 * is called, before the first list. after_ms is for PRUNE_AFTER. */
void reconcile_prune(struct reconcile *r, enum prune prune, uint64_t after_ms);
/* reconcile_own: our listening address is known now, or our name (dynamic). */
void reconcile_own(struct reconcile *r, const char *own_name, uint32_t creation,
                   const struct addr *own_addr);

/* reconcile_list: a source ended a round. COMPLETE replaces what the source listed before, PARTIAL
 * only adds, NEGATIVE and FAILED change nothing. What changed is asked for with reconcile_change.
 * source is below 32. */
void reconcile_list(struct reconcile *r, unsigned source, const struct round *round,
                    uint64_t now_ms);
/* reconcile_change: takes one change of the listing since it was last asked; false when none. */
bool reconcile_change(struct reconcile *r, struct addr *addr, char name[NODE_NAME_SIZE],
                      unsigned *source, bool *listed);

/* reconcile_next: a target to dial now (its state becomes PEER_DIALLING), NULL when none is due or
 * DIALS_MAX are under way. */
struct target *reconcile_next(struct reconcile *r, uint64_t now_ms);
/* reconcile_prune_next: a linked target to cut now, NULL when none is due: close its link, which
 * ends in reconcile_down. It is not dialled again before a source lists it. */
struct target *reconcile_prune_next(struct reconcile *r, uint64_t now_ms);
/* reconcile_has_cut: this incarnation of the node was cut so, and no source lists it since: it is
 * not to come back by itself. */
bool reconcile_has_cut(const struct reconcile *r, const char *name, uint32_t creation);
/* reconcile_deadline: when to ask those two again. */
uint64_t reconcile_deadline(const struct reconcile *r);
struct target *reconcile_get(struct reconcile *r, slot_id id);

/* What became of a dial, or what came in. reconcile_up finds or makes the target for a link: by id
 * when it was dialled (0 for inbound), else by name, else by the address of a listed entry whose
 * name is to be learnt and which is the host part of the link's name; it returns the target, NULL
 * when the table is full. Its id may be another than the one that was dialled (reconcile_learn).
 * new_incarnation is set when this name was linked before with another creation. */
struct target *reconcile_up(struct reconcile *r, slot_id id, const char *name,
                            const struct addr *addr, uint32_t creation, uint64_t now_ms,
                            bool *new_incarnation);
/* reconcile_learn: epmd or handshake told the name behind a listed target: one without a name, or
 * one whose entry says another. When another target has this name already, the two collapse: the
 * other one is returned and the id that was given is gone, or no attempt is under way for it; that
 * belongs to the returned one, and is needless if that is linked. */
struct target *reconcile_learn(struct reconcile *r, slot_id id, const char *name, uint64_t now_ms);
/* reconcile_down: the link of this name is gone; redialled at once when it is wanted, else
 * PEER_ABSENT. */
void reconcile_down(struct reconcile *r, const char *name, uint64_t now_ms, const char *reason);
/* reconcile_failed: the attempt failed at a stage; next try after the back-off. Returns true when
 * stage or reason changed (so that it is logged once). */
bool reconcile_failed(struct reconcile *r, slot_id id, enum stage stage, const char *reason,
                      uint64_t now_ms);
/* reconcile_reached: a node of this name answered the attempt, and no link was wanted (wait
 * --reachable): PEER_REACHABLE, not dialled again. */
void reconcile_reached(struct reconcile *r, slot_id id, const char *name, uint64_t now_ms);
/* reconcile_is_self: the target turned out to be ourselves. */
void reconcile_is_self(struct reconcile *r, slot_id id, uint64_t now_ms);
/* reconcile_alone: the target's name is to be learnt, its address is ours, and nobody but ourselves
 * is there: it is shown as ourselves, and asked again every ALONE_MS, for another node of this pod
 * may come. */
void reconcile_alone(struct reconcile *r, slot_id id, uint64_t now_ms);
/* reconcile_deferred: the attempt ended without verdict (the peer's own attempt wins): look again
 * soon. */
void reconcile_deferred(struct reconcile *r, slot_id id, uint64_t now_ms);
/* reconcile_gave_way: the same; where the peer's own attempt has not come in WAITS_ODD times, the
 * target says so. Returns true when that is news. */
bool reconcile_gave_way(struct reconcile *r, slot_id id, enum stage stage, const char *reason,
                        uint64_t now_ms);
/* reconcile_hint: dial this name now, once (a command); names that are wanted go on being dialled.
 * addr may be NULL. Its target, NULL when the table is full. */
struct target *reconcile_hint(struct reconcile *r, const char *name, const struct addr *addr,
                              uint64_t now_ms);
/* reconcile_heard: peer exchange: a linked peer names it (told), or none does any more: see
 * views_change. Until then it is dialled as if it were listed. addr may be NULL: the host part is
 * resolved. */
void reconcile_heard(struct reconcile *r, const char *name, const struct addr *addr, bool told,
                     uint64_t now_ms);
/* reconcile_poke: forget the back-off of all: dial now. */
void reconcile_poke(struct reconcile *r, uint64_t now_ms);

/* reconcile_walk: all targets in order of slot; *at = 0 first; NULL at the end. */
struct target *reconcile_walk(struct reconcile *r, uint32_t *at);
const struct tally *reconcile_tally(const struct reconcile *r);
/* reconcile_version: grows when a target would read differently. */
uint64_t reconcile_version(const struct reconcile *r);
/* reconcile_refused: entries and links that found TARGETS_MAX reached, since start. What peers name
 * is not counted: nobody asked for it. */
uint64_t reconcile_refused(const struct reconcile *r);

#endif
