/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_TOWN_H
#define TESTS_SIM_TOWN_H

#include "../unit/node/world.h"
#include "base/rng.h"

/* Citizens of seven nodes: processes that link, watch, write, call, end and are born at random,
 * while links between the nodes are cut and healed; and a book of what each of them must hear of
 * that, and must not. */

#define TOWN_NODES    WORLD_NODES
#define TOWN_CITIZENS 96 /* alive, and dead that are still remembered */
#define TOWN_ALIVE    42 /* no more are born meanwhile */
#define TOWN_WATCHES  10
#define TOWN_CALLS    4
#define TOWN_ASKS     2      /* for a global name, that are not answered yet */
#define TOWN_NAMES    12     /* global ones */
#define TOWN_LARGE    200000 /* bytes of a large message */

struct watch {
    bool active, by_name;
    clu_ref ref;
    size_t target;
    uint32_t epoch; /* of the connection, when it was set */
};

struct citizen {
    struct town *town;
    size_t slot, node;
    bool used;
    clu_process *p; /* NULL: it has ended */
    clu_pid pid;
    bool trap;
    bool may_end; /* somebody asked for its end */
    char name[8];
    char exit_reason[48]; /* of the exit signals that it sends */
    bool ended_of_own;    /* that reason came back to it by a link */
    struct watch watches[TOWN_WATCHES];
    struct watch calls[TOWN_CALLS];
    struct watch asks[TOWN_ASKS];
    bool waits[TOWN_NODES];        /* for room towards that node */
    uint32_t busy[TOWN_NODES + 1]; /* how often it was told that there is none */
};

/* What one citizen knows of another. */
struct pair {
    bool mine;       /* it has linked the other, and nothing ended that yet */
    bool taken_back; /* the other has unlinked it since */
    uint32_t epoch;  /* of the connection, when it linked */
    uint32_t due;    /* exit signals that may come of links between the two, at most */
    /* Numbered messages to the other; those up to `lossy` may be lost. */
    uint32_t sent, received, lossy;
};

struct town {
    struct world w;
    struct rng rng;
    uint64_t seed;
    unsigned long step, heard;
    struct citizen citizens[TOWN_CITIZENS];
    struct pair pairs[TOWN_CITIZENS][TOWN_CITIZENS];
    uint32_t epochs[TOWN_NODES][TOWN_NODES]; /* counts what was lost from one to the other */
    bool closed[TOWN_NODES][TOWN_NODES];     /* no link can be made */
    bool waiting[TOWN_NODES][TOWN_NODES];    /* one is being dialled by the other */
    clu_process *observers[TOWN_NODES];      /* of nodes that come and go */
    bool seen_up[TOWN_NODES][TOWN_NODES];
    bool resting;      /* nobody does anything of its own accord */
    size_t n_services; /* processes that a node has of itself */
    /* Global names: whether there are any; who may have which, a bit for each clu_resolve that was
     * asked for with it; how often one was given, was found in rest, was not doubtful there, and
     * partitions were compared at a step; which nodes reach each other in rest. */
    bool global;
    uint8_t candidate[TOWN_NAMES][TOWN_CITIZENS];
    unsigned long given, owned, sure, partitions;
    unsigned sides;
    bool doubtful[TOWN_NAMES]; /* see names.c */
    char violation[300];
};

/* town_violation: the first one is kept, and ends the story. */
void town_violation(struct town *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
size_t town_random(struct town *t, size_t n);
bool citizen_alive(const struct citizen *c);
struct citizen *citizen_by_pid(struct town *t, const clu_pid *pid);
struct pair *town_pair(const struct citizen *a, const struct citizen *b);
struct bond *town_bond(const struct citizen *a, const struct citizen *b);
uint32_t *town_epoch(const struct citizen *a, const struct citizen *b);
struct watch *watch_by_ref(struct watch *all, size_t n, const clu_ref *ref);

/* hears.c: what citizens hear, compared with the book. */
void citizen_hears(clu_process *self, const clu_signal *s, void *arg);
void citizen_stopped(clu_process *self, clu_slice reason, void *arg);
void citizen_answered(clu_process *self, const clu_answer *answer, void *arg);
void observer_hears(clu_process *self, const clu_signal *s, void *arg);

/* deeds.c: a citizen does something at random; something happens to the nodes. */
void citizen_deed(struct town *t, struct citizen *a);
void town_event(struct town *t);
bool citizen_born(struct town *t);

/* names.c: global names: a citizen asks for one; what holds at each step, and in rest. */
bool names_begin(struct town *t);
void names_deed(struct town *t, struct citizen *a, struct citizen *b);
void names_step(struct town *t);
/* names_part: the nodes fall into two sides. names_lost: a link was lost. names_quiet: each side
 * meets, and is compared. */
void names_part(struct town *t);
void names_lost(struct town *t);
/* names_conflict: whether another may have had a name of this one, so that this was killed for it;
 * or was told of it. */
bool names_conflict(const struct citizen *a, bool killed);
void names_quiet(struct town *t);

/* quiet.c: lets all come to rest, and compares the tables of the nodes with the book. */
void town_quiet(struct town *t);

#endif
