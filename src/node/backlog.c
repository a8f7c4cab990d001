/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "node/proc.h"

/* What one process says to one node from an answer on that has found no room: in its order, be it
 * more answers, signals or the end of the process, which does not wait for that. It is held here
 * and not in the channel, since answers may be more than that lets wait. */

struct backlog {
    uint64_t sender; /* its key: the process may be gone */
    struct remote *remote;
    struct list of_remote;
    struct index_item item; /* in node.backlogs */
    struct list signals;    /* of struct late */
};

struct late {
    struct list list;
    size_t control;  /* bytes of the control message */
    clu_writer term; /* it, and the payload behind it */
};

/* Length, tags and version bytes of a frame, which no limit is that exact about. */
#define FRAME_HEAD 16

/* ---- life ---- */

static uint64_t hash_of(const struct remote *r, uint64_t sender)
{
    return index_mix(index_mix(r->node->seed, sender), (uintptr_t)r);
}

static struct backlog *find(const struct remote *r, uint64_t sender)
{
    struct index_item *item = index_first(&r->node->backlogs, hash_of(r, sender));

    for (; item != NULL; item = index_next(item)) {
        struct backlog *b = CONTAINER_OF(item, struct backlog, item);

        if (b->remote == r && b->sender == sender)
            return b;
    }
    return NULL;
}

struct backlog *backlog_of(const struct remote *r, const struct clu_process *p)
{
    return p == NULL || list_empty(&r->backlogs) ? NULL : find(r, sender_key(p));
}

static void count(struct remote *r, size_t size)
{
    r->unsent += size;
    if (r->unsent > NODE_ANSWERS_MAX)
        link_fail(r, CLU_ESIZE, "the peer reads too slowly: more than 256 MiB of answers wait");
}

void backlog_open(struct remote *r, const struct clu_process *p)
{
    if (backlog_of(r, p) != NULL)
        return;
    uint64_t sender = sender_key(p);
    struct backlog *b = calloc(1, sizeof *b);

    if (b == NULL || index_add(&r->node->backlogs, &b->item, hash_of(r, sender)) != CLU_OK) {
        free(b);
        signal_lost(r);
        return;
    }
    b->sender = sender;
    b->remote = r;
    list_append(&r->backlogs, &b->of_remote);
    list_init(&b->signals);
    count(r, sizeof *b);
}

static void drop_first(struct backlog *b)
{
    struct late *l = CONTAINER_OF(b->signals.next, struct late, list);

    b->remote->unsent -= sizeof *l + l->term.len;
    list_remove(&l->list);
    clu_writer_free(&l->term);
    free(l);
}

static void backlog_free(struct backlog *b)
{
    while (!list_empty(&b->signals))
        drop_first(b);
    index_remove(&b->remote->node->backlogs, &b->item);
    list_remove(&b->of_remote);
    b->remote->unsent -= sizeof *b;
    free(b);
}

void backlogs_free(struct remote *r)
{
    while (!list_empty(&r->backlogs))
        backlog_free(CONTAINER_OF(r->backlogs.next, struct backlog, of_remote));
}

/* ---- one more ---- */

/* What no frame could hold is refused now, while there is somebody to be told. */
static clu_error check(const struct remote *r, const clu_writer *w)
{
    bool fits = (r->link->flags & DFLAG_FRAGMENTS) != 0 || w->len + FRAME_HEAD <= CHANNEL_FRAME_MAX;

    return w->err == CLU_OK && !fits ? CLU_ESIZE : w->err;
}

clu_error backlog_add(struct backlog *b, clu_writer *w, size_t control)
{
    struct remote *r = b->remote;
    clu_error err = check(r, w);
    struct late *l = err == CLU_OK ? malloc(sizeof *l) : NULL;

    if (l == NULL) {
        clu_writer_free(w);
        return err == CLU_OK ? CLU_ENOMEM : err;
    }
    *l = (struct late){.control = control, .term = *w};
    clu_writer_init(w);
    list_append(&b->signals, &l->list);
    count(r, sizeof *l + l->term.len);
    return CLU_OK;
}

/* ---- room ---- */

static bool has_room(const struct backlog *b)
{
    const struct late *l = CONTAINER_OF(b->signals.next, struct late, list);

    return remote_has_room(b->remote, b->sender, l->term.len);
}

static clu_error send_first(struct backlog *b)
{
    const struct late *l = CONTAINER_OF(b->signals.next, struct late, list);
    const uint8_t *at = l->term.data;
    clu_error err = signal_copy(b->remote, b->sender, (clu_slice){at, l->control},
                                (clu_slice){at + l->control, l->term.len - l->control});

    drop_first(b);
    return err;
}

/* Whoever had a turn comes last next time. */
static clu_error settle(struct backlog *b)
{
    clu_error err = CLU_OK;
    bool turn = false;

    while (err == CLU_OK && !list_empty(&b->signals) && has_room(b)) {
        err = send_first(b);
        turn = true;
    }
    if (list_empty(&b->signals)) {
        backlog_free(b);
    } else if (turn) {
        list_remove(&b->of_remote);
        list_append(&b->remote->backlogs, &b->of_remote);
    }
    return err;
}

void backlogs_settle(struct remote *r)
{
    struct list *last = r->backlogs.prev, *next = r->backlogs.next;
    bool more = !list_empty(&r->backlogs);
    clu_error err = CLU_OK;

    while (more && err == CLU_OK && !channel_is_busy(r->link->channel)) {
        struct backlog *b = CONTAINER_OF(next, struct backlog, of_remote);

        more = next != last;
        next = next->next;
        err = settle(b);
    }
    if (err != CLU_OK)
        signal_lost(r);
}
