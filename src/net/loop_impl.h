/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_LOOP_IMPL_H
#define NET_LOOP_IMPL_H

#include "net/loop.h"
#include "net/watch.h"

/* Inside of the loop: loop.c turns, wire.c connections, acceptor.c listening sockets. */

struct wire;

struct acceptor {
    struct loop *loop;
    enum listener which;
    int fd; /* while readable is there */
    struct watch *readable;
    struct watch *resume; /* out of files: when to look again */
    bool paused;          /* that was told, and none was accepted since */
};

struct loop {
    struct event_base *base;
    struct machine *machine;
    struct log log;
    struct loop_hooks hooks;
    const struct resolv_conf *resolv;
    struct resolver *resolver; /* made at the first query */
    struct wire **wires;       /* by slot_index */
    size_t n_wires;
    struct acceptor acceptors[LISTENERS];
    struct watch *timer;
    uint64_t armed_ms; /* what the timer waits for */
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

#endif
