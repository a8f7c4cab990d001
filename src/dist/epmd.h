/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIST_EPMD_H
#define DIST_EPMD_H

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"

/* The Erlang Port Mapper Daemon's protocol (erl_dist_protocol "EPMD Protocol"), both sides.
 * Requests have a 2-byte length, replies have none. */

#define EPMD_PORT 4369
/* Longest name of a registration, in bytes; no NUL. */
#define EPMD_NAME_MAX 255
/* Longest extra data of a registration: kept and told, as the reference does; no node looks at it.
 */
#define EPMD_EXTRA_MAX 255
/* Longest request: ALIVE2 with name and extra of 255 bytes each; more is closed. */
#define EPMD_REQUEST_MAX 1024
/* Longest reply that a client takes: NAMES of some thousand nodes. */
#define EPMD_REPLY_MAX    (1u << 20)
#define EPMD_TYPE_VISIBLE 77
#define EPMD_TYPE_HIDDEN  72
/* A connection without a registration is dropped after this (epmd -packet_timeout), counted from
 * its opening, so that a request that drips in holds nothing for longer. */
#define EPMD_IDLE_MS 60000
/* Versions of the handshake that we register: 6, and 5 for the old 'n' opening. */
#define EPMD_HIGH 6
#define EPMD_LOW  5

/* First bytes of requests and replies. */
enum epmd_op {
    EPMD_DUMP = 100,
    EPMD_KILL = 107,
    EPMD_NAMES = 110,
    EPMD_STOP = 115,
    EPMD_ALIVE2_REPLY_32 = 118, /* with a creation of 32 bits, since version 6 */
    EPMD_PORT_REPLY = 119,
    EPMD_ALIVE2 = 120,
    EPMD_ALIVE2_REPLY = 121, /* with a creation of 16 bits */
    EPMD_PORT_PLEASE = 122,
};

struct epmd_entry {
    char name[EPMD_NAME_MAX + 1];
    uint16_t port;
    uint8_t type;
    uint16_t high, low; /* versions of the handshake that it speaks */
};

/* ---- client: write a request, collect the reply ---- */

enum epmd_question { EPMD_ASK_ALIVE2, EPMD_ASK_PORT, EPMD_ASK_NAMES };

struct epmd_client {
    enum epmd_question question;
    struct buf out, in;
    size_t out_sent;
    bool done;               /* the answer is whole */
    bool found;              /* PORT: the name is registered; ALIVE2: it was accepted */
    struct epmd_entry entry; /* PORT */
    uint32_t creation;       /* ALIVE2; 0 when the epmd gave none of 32 bits */
    uint16_t epmd_port;      /* NAMES */
    clu_error err;           /* sticks; what says why */
    const char *what;
};

void epmd_ask_port(struct epmd_client *c, const char *name);
void epmd_ask_names(struct epmd_client *c);
void epmd_ask_alive2(struct epmd_client *c, const struct epmd_entry *self);
void epmd_client_fini(struct epmd_client *c);
clu_slice epmd_client_pending(const struct epmd_client *c);
void epmd_client_sent(struct epmd_client *c, size_t n);
/* epmd_client_feed: bytes of the reply; ALIVE2 is done with its reply (the socket then stays open),
 * PORT as soon as its fields are whole, NAMES when the epmd closes. */
void epmd_client_feed(struct epmd_client *c, const uint8_t *data, size_t len);
void epmd_client_closed(struct epmd_client *c);
/* epmd_names_next: walks the lines of a NAMES reply; start with *at = 0; false at the end. Only
 * name and port are set: NAMES tells no more. */
bool epmd_names_next(const struct epmd_client *c, size_t *at, struct epmd_entry *entry);

/* ---- server: one registry, one machine a connection ---- */

struct epmd_registry {
    struct map conns; /* name -> struct epmd_conn that holds it */
    struct map own;   /* name -> struct epmd_entry of add_own, on the heap */
    uint16_t port;    /* as clients see it: NAMES must tell it */
    uint32_t next_creation;
};

struct epmd_conn {
    struct epmd_registry *registry;
    bool local; /* from this host: may register */
    bool registered;
    bool close;              /* after what is pending was sent */
    struct epmd_entry entry; /* while registered; so is extra */
    uint16_t extra_len;
    uint8_t extra[EPMD_EXTRA_MAX];
    uint8_t in[EPMD_REQUEST_MAX + 2];
    size_t in_len;
    struct buf out;
    size_t out_sent;
    uint64_t deadline_ms; /* close then; NEVER once registered */
    const char *what;     /* why it was closed, when the client is at fault; else NULL */
};

void epmd_registry_init(struct epmd_registry *r, uint16_t port, uint32_t first_creation);
/* epmd_registry_fini: after the last epmd_conn_fini. */
void epmd_registry_fini(struct epmd_registry *r);
/* epmd_registry_add_own: a registration without a connection: of the node that serves the epmd from
 * within. entry is copied. CLU_EEXIST when the name is taken. epmd_registry_remove_own ends it. */
CLU_MUST_USE clu_error epmd_registry_add_own(struct epmd_registry *r, const struct epmd_entry *e,
                                             uint32_t *creation);
void epmd_registry_remove_own(struct epmd_registry *r, const char *name);
/* epmd_registry_find: NULL when the name is not registered. */
const struct epmd_entry *epmd_registry_find(const struct epmd_registry *r, clu_slice name);

/* epmd_conn_init: the driver closes the connection at deadline_ms, and when c->close is set and
 * nothing is pending. */
void epmd_conn_init(struct epmd_conn *c, struct epmd_registry *r, bool local, uint64_t now_ms);
/* epmd_conn_fini: also ends its registration. */
void epmd_conn_fini(struct epmd_conn *c);
void epmd_conn_feed(struct epmd_conn *c, const uint8_t *data, size_t len, uint64_t now_ms);
clu_slice epmd_conn_pending(const struct epmd_conn *c);
void epmd_conn_sent(struct epmd_conn *c, size_t n);

#endif
