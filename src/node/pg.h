/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NODE_PG_H
#define NODE_PG_H

#include <erlclu/pg.h>

#include "node/proc.h"

/* Inside of pg: a scope of ours. Who holds whom:
 *
 *   scope --- groups: by name
 *         --- owners: processes of ours that have joined, and the scopes of other nodes
 *         --- memberships: each of one group and of one owner
 *         --- subscriptions: who wants to know of comings and goings
 *
 * An owner and a subscription go when the monitor of their process fires. */

/* A message that found no room is followed by the whole state, as soon as the node reads again or
 * this time has passed. */
#define PG_RETRY_MS 1000
/* A node whose groups could not be kept is asked for them again after this. */
#define PG_AGAIN_MS 30000
/* What pg of OTP 29 calls its protocol: updates and data of a node instead of joins, leaves and
 * syncs. Before there was no number. */
#define PG_VERSION 1

struct pg {
    struct clu_process *self;
    struct index groups, owners, memberships;
    struct list all_groups, peers, subs;
    size_t n_groups, n_memberships, n_local, n_peers;
    uint64_t n_batches; /* joins so far, of one process or several at once */
    uint64_t ignored;
    clu_ref retry;   /* the timer; n is 0 when none runs */
    bool unheard;    /* a node has not been asked whether it has the scope: no room */
    clu_writer name; /* the group that is being spoken of: see pg_name */
    char scope[];
};

struct pg_group {
    struct index_item item;
    struct list of_scope, memberships; /* the newest first */
    size_t n, n_local;
    size_t len;
    uint8_t name[];
};

struct pg_owner {
    struct pg *pg;
    struct index_item item;
    struct tie *tie;          /* the monitor of its process */
    struct clu_process *proc; /* NULL: the scope of another node */
    struct list memberships;  /* the newest first */
    /* Of another node's scope: */
    clu_pid pid;       /* node: the remote's name */
    struct list peers; /* in pg.peers */
    int64_t version;   /* the highest that it has shown to speak */
    bool behind;       /* a message to it found no room */
    bool lost;         /* what it told could not be kept: asked for again at again_ms */
    uint64_t again_ms;
    size_t size;       /* bytes that its memberships take */
    struct list stale; /* during a sync: what it has not named again */
};

struct pg_membership {
    struct index_item item;
    struct list of_group, of_owner;
    struct pg_group *group;
    struct pg_owner *owner;
    uint32_t id, serial, creation; /* of its pid */
    bool stale;
    /* Equal ones (who joins twice is in twice) form a ring, from the front of the group to its end.
     * The first one is the one that is indexed. */
    struct list equals;
    bool first;
    uint64_t batch;             /* that it came with */
    struct pg_membership *last; /* of the first one: the last one of its batch */
    struct pg_membership *aged; /* of the first one, in a sync: where to look for stale ones */
};

/* ---- names (pg_name.c) ---- */

/* pg_name: reads one term and puts its one encoding into w, which is emptied first. */
clu_error pg_name(clu_writer *w, clu_reader *r);

/* pg_name_term: of an encoded term, into pg->name. */
clu_error pg_name_term(struct pg *pg, clu_slice term);

static inline clu_slice pg_name_of(const struct pg_group *g)
{
    return (clu_slice){g->name, g->len};
}

/* ---- groups and memberships (pg_group.c) ---- */

/* group_find: NULL when nobody is in it. group_get: makes it; NULL: no memory. group_release: it
 * goes when nobody is in it. */
struct pg_group *group_find(const struct pg *pg, clu_slice name);
struct pg_group *group_get(struct pg *pg, clu_slice name);
void group_release(struct pg *pg, struct pg_group *g);

/* membership_pid: of a member, borrowed as process_pid, or of its owner. */
clu_pid membership_pid(const struct pg_membership *m);
/* membership_find: of equal ones the one nearest to the front; NULL. membership_refresh: one of
 * them that was stale is so no more (to be used between owner_age and owner_drop_stale only, with
 * what membership_find gave); false when there is none. */
struct pg_membership *membership_find(const struct pg_group *g, const struct pg_owner *o,
                                      const clu_pid *pid);
bool membership_refresh(struct pg_membership *first);
/* membership_add: behind another link of the group's list, or behind its head: at the front. Those
 * of one batch follow each other. CLU_ESIZE: the owner has too many. */
clu_error membership_add(struct pg_group *g, struct pg_owner *o, const clu_pid *pid,
                         struct list *behind, uint64_t batch, struct pg_membership **out);
/* membership_free: the group stays, though it may be empty: group_release. */
void membership_free(struct pg_membership *m);

/* ---- owners (pg_owner.c) ---- */

/* owner_find: of a pid; owner_new: CLU_ENOMEM; its monitor is set by owner_watch. */
struct pg_owner *owner_find(const struct pg *pg, const clu_pid *pid);
clu_error owner_new(struct pg *pg, struct clu_process *proc, const clu_pid *pid,
                    struct pg_owner **out);
clu_error owner_watch(struct pg_owner *o);
/* owner_free: with its monitor; it has no memberships any more. */
void owner_free(struct pg_owner *o);
/* owner_forget: the same of one whose monitor is gone already. */
void owner_forget(struct pg_owner *o);
/* owner_drop: all its memberships end; subscribers are told. owner_lose: the same, for want of
 * room: its groups are asked for again. */
void owner_drop(struct pg_owner *o);
void owner_lose(struct pg_owner *o);
/* owner_age: all its memberships are stale. owner_drop_stale: these end; subscribers are told. */
void owner_age(struct pg_owner *o);
void owner_drop_stale(struct pg_owner *o);

/* ---- who wants to know (pg_news.c) ---- */

/* News of one group: begin, add pids, tell. */
struct pg_news {
    struct pg *pg;
    const struct pg_group *group;
    bool joined;
    size_t n;
    clu_writer pids;
};

void news_begin(struct pg_news *news, struct pg *pg, const struct pg_group *g, bool joined);
void news_add(struct pg_news *news, const clu_pid *pid);
/* news_tell: tells subscribers, unless there is nothing to tell; ends it in any case. */
void news_tell(struct pg_news *news);
/* subs_free: of a scope that has ended: their monitors are gone already. */
void subs_free(struct pg *pg);

/* ---- what other nodes are told (pg_tell.c) ---- */

/* tell_discover: asks the scope of that name at a node whether it is there; tell_discover_all: of
 * all visible nodes. tell_discover_back: asks a scope for its groups. */
void tell_discover(struct pg *pg, const struct remote *r);
void tell_discover_all(struct pg *pg);
void tell_discover_back(struct pg_owner *peer);
/* tell_sync: all groups of this node, in the form of that version. */
void tell_sync(struct pg_owner *peer, int64_t version);
/* tell_joined, tell_left: all peers, that a process of ours did. tell_gone: that it has ended: it
 * left all that it is in. */
void tell_joined(struct pg_owner *o, const struct pg_group *g);
void tell_left(struct pg_owner *o, const struct pg_group *g);
void tell_gone(struct pg_owner *o);
/* tell_again: what found no room before. tell_later: has tell_again called in a while. */
void tell_again(struct pg *pg);
void tell_later(struct pg *pg);

/* ---- what other nodes tell (pg_hear.c) ---- */

/* hear: a message has come to the scope. */
void hear(struct pg *pg, const clu_signal *s);

/* pg_of: of a running scope; NULL. */
struct pg *pg_of(const struct clu_node *n, const char *scope);

/* While subscribers are told from outside of a receive function, theirs must not run. */
static inline struct clu_process *hold_runs(struct pg *pg)
{
    struct clu_process *before = pg->self->node->running;

    pg->self->node->running = pg->self;
    return before;
}

#endif
