/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_WIRE_H
#define NET_WIRE_H

#include <sys/types.h>

#include "net/loop_impl.h"

/* Inside of the wires: wire.c their sockets, calm.c when they are read, unread.c when large
 * messages go out. */

/* One write of large messages while they wait, to be told of the peer's window. */
enum probe { NO_PROBE, PROBE_GOES, PROBE_WENT };

/* Reads in a row. */
struct run {
    unsigned n, n_large;
    uint64_t since_us; /* the first of them */
    uint64_t handed;   /* machine_handed then */
};

struct wire {
    slot_id id;
    int fd;
    struct loop *loop;
    struct addr to;
    struct watch *readable, *writable;
    struct watch *resume; /* while it is not read; NULL: it never was not */
    bool opened;          /* accepted, or the connect has ended well */

    struct list calm; /* in loop.calm: it is read by and by */
    bool piled;       /* ... and as soon as much lies there */
    bool judged;      /* ... from a BEAM, which was made to wait if it is near */
    struct run small, any;
    size_t n_piled; /* bytes read between two looks */

    struct list full; /* in loop.full: its large messages wait */
    enum probe probe;
    size_t unlooked;  /* bytes sent since the window was looked at */
    size_t widest;    /* of that window, bytes */
    size_t unread;    /* bytes that lay with the peer, by its window */
    size_t to_read;   /* while it waits: what lay there when that was known, and was sent since */
    unsigned n_looks; /* since then */
    size_t rate;      /* bytes that the peer reads from look to look */
};

/* wire_take: reads once: how many bytes have come; -1: the wire is gone. wire_flush: what the
 * machine has pending goes to the socket; the wire may be gone then. */
ssize_t wire_take(struct wire *w, uint64_t now_us);
void wire_flush(struct wire *w);
/* wire_is_paused: it is not to be read for a while. */
bool wire_is_paused(const struct wire *w);

/* calm_note: to be told of each read, of n bytes: it may begin to be read by and by. */
void calm_note(struct wire *w, ssize_t n, uint64_t now_us);
/* calm_leave: it is not read by and by any more; whether it was. calm_end: but as it comes. */
bool calm_leave(struct wire *w);
void calm_end(struct wire *w);

/* unread_begin: of a new wire. unread_sent: n bytes more went out. unread_allows: whether parts of
 * large messages may follow; if not, wire_flush is called as soon as they may. */
void unread_begin(struct wire *w);
void unread_sent(struct wire *w, size_t n);
bool unread_allows(struct wire *w);

#endif
