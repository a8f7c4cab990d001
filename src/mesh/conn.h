/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESH_CONN_H
#define MESH_CONN_H

#include "base/heap.h"
#include "base/list.h"
#include "mesh/machine.h"

/* A TCP connect that nobody answers is given up after this; the handshake has settings.setup_ms. */
#define CONNECT_MS 5000

enum conn_kind {
    CONN_LINK,        /* distribution: handshake, then channel (link.c) */
    CONN_EPMD_QUERY,  /* we ask an epmd (query.c) */
    CONN_EPMD_SELF,   /* our registration at another's epmd (epmd.c) */
    CONN_EPMD_SERVED, /* a client of the epmd that we serve (epmd.c) */
    CONN_KINDS
};

enum conn_want {
    WANT_DIAL = 1,
    WANT_SEND = 2,
    WANT_CLOSE = 4,
};

/* What all connections have; each kind embeds it first. */
struct conn {
    slot_id id;
    enum conn_kind kind;
    bool outbound;
    bool opened;
    bool ending;   /* closes as soon as what is pending was sent */
    bool dead;     /* waits only for its UPDATE_CLOSE */
    uint8_t wants; /* enum conn_want, told to the driver by machine_next */
    struct list wanting;
    struct list in_crowd; /* of crowd, when it has one */
    struct crowd *crowd;
    struct heap_item due;
    struct addr peer;
    struct addr local; /* outbound and opened: our end */
};

/* Connections of strangers: when there are too many, the oldest goes, so that nobody can keep
 * others out by holding connections. */
struct crowd {
    struct list members; /* oldest first */
    uint32_t n, max;
    const char *what; /* for the event */
    uint64_t told_ms;
};

/* crowd_join: may close the oldest member. crowd_leave: proved, or gone. */
void crowd_join(struct machine *m, struct crowd *crowd, struct conn *c, uint64_t now_ms);
void crowd_leave(struct conn *c);

/* A row a kind. got: n bytes lie in the scratch buffer (or where space told). Every function may
 * close the conn; free ends what the kind owns, not the conn itself. */
struct conn_ops {
    void (*opened)(struct machine *m, struct conn *c, uint64_t now_ms);
    void (*refused)(struct machine *m, struct conn *c, enum dial_error error, const char *text,
                    uint64_t now_ms);
    size_t (*space)(struct machine *m, struct conn *c, struct iovec iov[MACHINE_PLACES]);
    void (*got)(struct machine *m, struct conn *c, size_t n, uint64_t now_ms);
    void (*closed)(struct machine *m, struct conn *c, const char *text, uint64_t now_ms);
    /* As machine_pending. */
    size_t (*pending)(struct conn *c, bool large, struct iovec *iov, size_t max);
    void (*sent)(struct conn *c, size_t n, uint64_t now_ms);
    void (*due)(struct machine *m, struct conn *c, uint64_t now_ms);
    void (*free)(struct machine *m, struct conn *c);
};

extern const struct conn_ops link_ops, epmd_query_ops, epmd_self_ops, epmd_served_ops;

/* conn_add: takes a zeroed kind into the table; false (and frees it) at the limit. */
bool conn_add(struct machine *m, struct conn *c, enum conn_kind kind);
/* conn_dial: asks the driver to connect it to c->peer. */
void conn_dial(struct machine *m, struct conn *c);
/* conn_piece: what is pending lies in one piece, or there is none. */
size_t conn_piece(clu_slice out, struct iovec *iov);
/* conn_wake: has the driver send what is pending. */
void conn_wake(struct machine *m, struct conn *c);
/* conn_due: calls the kind's due at at_ms (NEVER: not). */
void conn_due(struct machine *m, struct conn *c, uint64_t at_ms);
/* conn_close: ends it now; the driver is told. The kind's free runs at once. */
void conn_close(struct machine *m, struct conn *c);
/* conn_end: closes it once what is pending was sent. */
void conn_end(struct machine *m, struct conn *c);
/* conn_take_update: the next thing that a connection wants of the driver. */
bool conn_take_update(struct machine *m, struct update *u);
/* conn_drop: forgets a conn whose socket is gone already. */
void conn_drop(struct machine *m, struct conn *c);
/* conn_run_due: calls what is due; conn_close_all: of every kind; conn_free_all: at the end. */
void conn_run_due(struct machine *m, uint64_t now_ms);
void conn_close_all(struct machine *m);
void conn_free_all(struct machine *m);

#endif
