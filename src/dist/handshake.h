/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIST_HANDSHAKE_H
#define DIST_HANDSHAKE_H

#include "base/crypto.h"
#include "base/names.h"
#include "base/rng.h"
#include "dist/flags.h"

/* The handshake, version 6 (erl_dist_protocol "Distribution Handshake"), both sides. Feed it the
 * bytes of the socket, send what it has pending, ask its state after every step. */

/* A frame before the cookie is proved: the longest legal one is a send_name of a few hundred bytes;
 * what announces more is closed at once. */
#define HANDSHAKE_FRAME_MAX 2048
/* Dynamic names: the one host part with which all our commands ask for a name. The peer pools names
 * by host part, so the second to the thousandth adds no atom there. */
#define HANDSHAKE_DYNAMIC_HOST "erlclu"
/* A reason may hold two names. */
#define HANDSHAKE_REASON_SIZE 768

enum hs_state {
    HS_RECV_NAME,       /* acceptor: waits for send_name */
    HS_DECIDE,          /* acceptor: stops until handshake_answer() */
    HS_RECV_ALIVE,      /* acceptor: told "alive", waits for "true" or "false" */
    HS_RECV_COMPLEMENT, /* acceptor of an old 'n': waits for 'c' */
    HS_RECV_REPLY,      /* acceptor: waits for challenge_reply */
    HS_RECV_STATUS,     /* initiator */
    HS_CONFIRM_ALIVE,   /* initiator: told "alive", stops until handshake_confirm() */
    HS_WAIT_INBOUND,    /* initiator: told "nok": the peer's own attempt wins, close this one */
    HS_RECV_CHALLENGE,  /* initiator */
    HS_CHOOSE_COOKIE,   /* initiator: learnt the peer's name, stops until handshake_use_cookie() */
    HS_RECV_ACK,        /* initiator */
    HS_DONE, /* up as soon as what is pending is sent; leftover bytes are the channel's */
    HS_FAILED,
    HS_STATES
};

/* The acceptor's answer to a name. */
enum hs_status {
    HS_STATUS_OK,
    HS_STATUS_OK_SIMULTANEOUS,
    HS_STATUS_NOK,
    HS_STATUS_NOT_ALLOWED,
    HS_STATUS_ALIVE,
};

/* Why it failed, in the order of the handshake; stage words are mapped by the layer above. */
enum hs_failure {
    HS_FAIL_NONE,
    HS_FAIL_CLOSED,        /* without a word; the reason says before what */
    HS_FAIL_NOT_ALLOWED,   /* the peer refused our name */
    HS_FAIL_FLAGS,         /* either side lacks a mandatory flag */
    HS_FAIL_NAME_MISMATCH, /* the node there has another name */
    HS_FAIL_COOKIE,
    HS_FAIL_PROTOCOL, /* malformed or unexpected */
    HS_FAIL_TIMEOUT,
    HS_FAIL_ALIVE,        /* the peer holds an older link of our name and we do not insist */
    HS_FAIL_INTERNAL,     /* digest or memory */
    HS_FAIL_SIMULTANEOUS, /* acceptor: we answered "nok", our own attempt to that peer wins */
};

struct handshake {
    enum hs_state state;
    enum hs_failure failure;
    bool initiator;
    uint8_t length_size;       /* of a frame's length: 2, and 4 over TLS */
    char name[NODE_NAME_SIZE]; /* ours; the host part alone for a dynamic name, until the
                                  peer gave us one */
    bool dynamic;              /* we asked for a name */
    char peer[NODE_NAME_SIZE]; /* initiator: the name dialled, "" to learn it; then the
                                  peer's own */
    bool peer_dynamic;         /* acceptor: the peer asks for a name (peer holds its host part) */
    bool old_opening;          /* acceptor: it opened with 'n' */
    uint32_t creation, peer_creation; /* creation is changed by "named:" */
    uint64_t flags, peer_flags;       /* offered by each */
    uint32_t peer_challenge;
    uint32_t challenge;             /* ours */
    uint64_t deadline_ms, setup_ms; /* of the whole handshake; how long that is */
    struct crypto *crypto;          /* borrowed */
    const uint8_t *cookie;          /* borrowed until done */
    size_t cookie_len;
    clu_slice other_cookie;             /* acceptor: borrowed until done; empty: none */
    char reason[HANDSHAKE_REASON_SIZE]; /* of the failure: a sentence for people */
    /* one frame in, what is to be sent out */
    uint8_t in[HANDSHAKE_FRAME_MAX + 4];
    size_t in_len;
    uint8_t out[1024];
    size_t out_len, out_sent;
};

/* What both sides need. name is copied; cookie and crypto must live as long as the handshake. */
struct handshake_options {
    const char *name; /* full name, or for an initiator with dynamic the host part */
    bool dynamic;
    uint32_t creation;
    uint64_t flags;
    clu_slice cookie; /* acceptor: may be given later, in handshake_answer */
    struct crypto *crypto;
    uint64_t now_ms, setup_ms; /* deadline = now + setup */
    uint8_t length_size;       /* 2 unless TLS */
};

/* handshake_dial: starts as initiator; peer is the name dialled, NULL or "" to take whatever name
 * the node there has. send_name is pending at once. */
void handshake_dial(struct handshake *hs, const struct handshake_options *o, const char *peer);
/* handshake_accept: starts as acceptor. */
void handshake_accept(struct handshake *hs, const struct handshake_options *o);

/* handshake_feed: takes bytes of the socket; returns how many it took. It stops behind a frame that
 * needs a decision (HS_DECIDE, HS_CONFIRM_ALIVE) and behind the last one (HS_DONE): feed the rest
 * later, or to the channel. Once HS_FAILED it takes nothing. */
size_t handshake_feed(struct handshake *hs, const uint8_t *data, size_t len);
/* handshake_answer: acceptor in HS_DECIDE. cookie is the one for this peer. For a peer that asks
 * for a dynamic name, HS_STATUS_OK gives it assigned_name and assigned_creation (else NULL, 0);
 * assigned_name is something before '@' and the host part that it asked with (hs->peer): a BEAM
 * crashes on another one. */
void handshake_answer(struct handshake *hs, enum hs_status status, clu_slice cookie,
                      const char *assigned_name, uint32_t assigned_creation);
/* handshake_take_too: acceptor, after handshake_answer: a peer that proves this cookie is taken as
 * well, and is answered with it: the one before, while a new one is being rolled out. */
void handshake_take_too(struct handshake *hs, clu_slice cookie);
/* handshake_confirm: initiator in HS_CONFIRM_ALIVE: whether this attempt is still wanted (the peer
 * then drops its old link). */
void handshake_confirm(struct handshake *hs, bool wanted);
/* handshake_use_cookie: initiator in HS_CHOOSE_COOKIE: the cookie for the peer whose name was
 * learnt. */
void handshake_use_cookie(struct handshake *hs, clu_slice cookie);
/* handshake_closed: the peer closed; sets failure and reason by what was expected. */
void handshake_closed(struct handshake *hs);
/* handshake_expired: the deadline passed. */
void handshake_expired(struct handshake *hs);

/* handshake_pending, handshake_sent: the bytes to send now, and that n of them were sent. A refusal
 * ("not_allowed") is pending in HS_FAILED: send it, then close. */
clu_slice handshake_pending(const struct handshake *hs);
void handshake_sent(struct handshake *hs, size_t n);

/* The flags that hold for the link: both offered them. */
static inline uint64_t handshake_flags(const struct handshake *hs)
{
    return hs->flags & hs->peer_flags;
}

#endif
