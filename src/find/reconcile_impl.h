/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_RECONCILE_IMPL_H
#define FIND_RECONCILE_IMPL_H

#include "base/list.h"
#include "base/map.h"
#include "find/reconcile.h"

/* What reconcile.c (dials and links), listing.c (what is listed), tracked.c (what follows for one
 * peer) and unlisted.c (what becomes of those that nobody lists) share. */

#define SOURCES_MAX 32

/* An entry as listed: a name, or an address whose name is learnt. Several may lead to one peer. It
 * stays with its peer when no source lists it any more: see places_tidy. */
struct place {
    struct list of_owner;
    struct list of_changes; /* in reconcile.changes while told differs from sources */
    struct tracked *owner;
    struct addr addr;
    char name[NODE_NAME_SIZE]; /* as listed; "" for one that is to be learnt: the address is its key
                                */
    uint32_t sources;          /* that list it now */
    uint32_t leaving;          /* that list it as terminating */
    uint32_t told;             /* what reconcile_change said of that */
    uint64_t round;            /* the last call of reconcile_list that had it */
};

/* A place in one of the queues of unlisted.c. */
struct waiting {
    struct list link;
    uint64_t since_ms; /* calm clock: when it came in */
    uint64_t round;    /* reconcile.rounds then */
};

/* A target and what only the reconciler knows of it. Its state follows from these facts. */
struct tracked {
    struct target t; /* first: a target is its peer */
    struct list places;
    struct addr hinted; /* where to dial it when no place says */
    bool linked, dialling;
    bool heard_dial;  /* the attempt under way counts among n_heard_dialling */
    bool reached;     /* it answered, and that was all that was wanted */
    bool heard;       /* a linked peer names it */
    bool cut;         /* by --prune: what is heard of it does not count until it is listed again */
    bool sought;      /* listed or heard, or it was and may be again: dialled while it is down */
    bool wish;        /* dial it once though nobody seeks it */
    bool alone;       /* ourselves only as long as nobody else is at our address */
    bool known;       /* such a wish was made: its failure is shown */
    unsigned pause;   /* index of the next pause of the back-off */
    uint32_t listers; /* sources that ever listed it */
    uint8_t counted;  /* what it adds to the tally: see tracked.c */
    struct waiting doubt; /* in reconcile.doubted while sought and not wanted any more */
    struct waiting stray; /* in reconcile.strays while linked and not listed (PRUNE_AFTER) */
    struct waiting idle;  /* in reconcile.idle while nobody wants it: to be forgotten */
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
    size_t n_heard_dialling; /* of them, those that only other peers told */
    struct tally tally;
    uint64_t version, n_refused;

    enum prune prune;
    uint64_t prune_ms;
    struct list doubted, strays, idle; /* each in the order in which they came in */
    /* The calm clock stands still while one of these sources gave no complete answer. */
    uint32_t unsure;
    uint64_t calm_ms, calm_at_ms; /* calm_ms was its time at calm_at_ms */
    uint32_t sees_us;             /* sources whose last complete answer has our own address */
    uint32_t ttl_s[SOURCES_MAX];  /* of the last complete answer */
    /* A round of all: every source that asks again and again has answered since the last one. */
    uint32_t polled, owing;
    uint64_t rounds;
    uint64_t cut_ms, next_cut_ms; /* not before cut_ms; nothing to cut before next_cut_ms */
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

/* tracked_wanted: a source lists it or a linked peer names it. */
bool tracked_wanted(const struct tracked *p);

/* unlisted_follow: to be called after a fact changed: it joins or leaves the queues. */
void unlisted_follow(struct reconcile *r, struct tracked *p, uint64_t now_ms);
/* unlisted_answer: a source ended a round; to be called before its entries are looked at: from here
 * on the calm clock runs, or stands still. unlisted_answered: and after that. */
void unlisted_answer(struct reconcile *r, unsigned source, const struct round *round,
                     uint64_t now_ms);
void unlisted_answered(struct reconcile *r, unsigned source, const struct round *round,
                       uint64_t now_ms);
/* unlisted_pass: gives up whom nobody lists for long enough, and forgets whom nobody wants. */
void unlisted_pass(struct reconcile *r, uint64_t now_ms);
/* unlisted_make_room: forgets the one that nobody wants for longest; false when there is none. */
bool unlisted_make_room(struct reconcile *r);
uint64_t unlisted_deadline(const struct reconcile *r);

/* tracked_at: the peer without a name that is listed at this address, NULL when none. */
struct tracked *tracked_at(const struct reconcile *r, const struct addr *addr);
/* place_named: the entry listed under this very name. */
struct place *place_named(const struct reconcile *r, const char *name);
void place_drop(struct reconcile *r, struct place *place);
/* places_tidy: where a peer was listed once goes when it is listed elsewhere. Until then it is
 * kept: there the peer may be again, and under that key it may be listed again. */
void places_tidy(struct reconcile *r, struct tracked *p);

#endif
