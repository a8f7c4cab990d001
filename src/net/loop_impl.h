/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_LOOP_IMPL_H
#define NET_LOOP_IMPL_H

#include "net/loop.h"
#include "net/watch.h"

/* Inside of the loop: loop.c turns, leave.c comes to its end, wire.c connections (wire.h has more
 * of them), acceptor.c listening sockets, needs.c what discovery sources need: files.c, stream.c
 * (HTTP over TLS) and datagrams.c carry that out. */

struct wire;
struct files;
struct stream;
struct datagrams;

/* What one source has open. Each is made at the first need of it, and owned. */
struct needs {
    struct files *files;
    struct stream *stream;
    struct datagrams *datagrams;
};

struct acceptor {
    struct loop *loop;
    enum listener which;
    int fd; /* while readable is there */
    struct watch *readable;
    struct watch *resume; /* out of files: when to look again */
    uint64_t short_ms;    /* it failed last for want of files, 0: never */
};

struct loop {
    struct watch_base *base;
    struct machine *machine;
    struct log log;
    struct loop_hooks hooks;
    const struct resolv_conf *resolv;
    struct resolver *resolver; /* made at the first query */
    struct wire **wires;       /* by slot_index */
    size_t n_wires;
    struct list calm;     /* wires that are read by and by */
    struct watch *calmer; /* when; made at the first of them */
    struct list full;     /* wires whose large messages wait, for their peers have much to read */
    struct watch *looker; /* when they are looked at; made at the first of them */
    struct acceptor acceptors[LISTENERS];
    struct needs needs[SETTINGS_SPECS_MAX]; /* by number of the source */
    struct watch *timer;
    uint64_t armed_ms;    /* what the timer waits for */
    uint64_t due_ms;      /* when that is: not before it was armed */
    struct watch *later;  /* it came late, and others go first; made at the first time */
    struct watch *limit;  /* of a step; made at the first that has one */
    struct watch *leaver; /* looks whether all is read; NULL: the machine does not leave */
    bool silent;          /* all is written, and nothing more is */
    uint64_t leave_ms;    /* until when that is waited for */
    bool over;
    int status;
};

/* wire_dial: carries out an UPDATE_DIAL. */
void wire_dial(struct loop *l, const struct update *u);
/* wire_adopt: an accepted socket belongs to this connection from now on. */
void wire_adopt(struct loop *l, slot_id id, int fd);
void wire_send(struct loop *l, slot_id id);
void wire_close(struct loop *l, slot_id id);
void wire_free_all(struct loop *l);

/* acceptor_open: carries out an UPDATE_LISTEN; acceptor_close: also of one that is not open. */
void acceptor_open(struct loop *l, const struct update *u);
void acceptor_close(struct loop *l, enum listener which);

/* needs_carry: carries out an UPDATE_NEED. */
void needs_carry(struct loop *l, unsigned source, const struct need *need);
void needs_free_all(struct loop *l);
/* needs_given: an answer for the machine, from within a turn or from an event of its own; in the
 * latter case loop_turn follows. */
void needs_given(struct loop *l, unsigned source, const struct given *given);

/* files.c: NEED_FILE. The text is given at once, and again when the file was written, replaced or
 * removed (its folder is watched: Kubernetes swaps a link there). files_free also of NULL. */
void files_carry(struct loop *l, unsigned source, const struct need *need);
void files_free(struct files *f);
/* stream.c: NEED_HTTP and NEED_HTTP_END. */
void stream_carry(struct loop *l, unsigned source, const struct need *need);
void stream_free(struct stream *s);
/* datagrams.c: NEED_UDP and NEED_DATAGRAM. */
void datagrams_carry(struct loop *l, unsigned source, const struct need *need);
void datagrams_free(struct datagrams *d);

#endif
