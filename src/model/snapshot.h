/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_SNAPSHOT_H
#define MODEL_SNAPSHOT_H

#include "model/model.h"

#define PEER_STATE_MAP(X)                                                                          \
    X(PEER_HINTED, "hinted")                                                                       \
    X(PEER_DIALLING, "dialling")                                                                   \
    X(PEER_LINKED, "linked")                                                                       \
    X(PEER_LOST, "lost")                                                                           \
    X(PEER_FAILED, "failed")                                                                       \
    X(PEER_ABSENT, "absent")

enum peer_state {
#define X(name, text) name,
    PEER_STATE_MAP(X)
#undef X
};

static inline const char *peer_state_text(enum peer_state state)
{
    static const char *const texts[] = {
#define X(name, text) [name] = text,
        PEER_STATE_MAP(X)
#undef X
    };
    return texts[state];
}

/* A node that is linked, listed, or both. Strings belong to the snapshot. Wall-clock times are
 * milliseconds since 1970, 0 for never. */
struct peer_row {
    char name[NODE_NAME_SIZE]; /* "" while only its address is known */
    struct addr address;       /* family 0 while unknown */
    enum peer_state state;
    bool listed;              /* discovery lists it now */
    bool visible;             /* linked: both sides are published */
    bool inbound;             /* linked: it dialled us */
    uint32_t creation;        /* linked: of this incarnation */
    uint64_t flags;           /* linked: what it offered */
    char otp_release[8];      /* as far as its flags tell: "25-27", "28", "29", ""; */
    uint64_t since_ms;        /* wall: in this state since */
    enum stage stage;         /* of the last failure, while not linked */
    char reason[REASON_SIZE]; /* of the last failure, while not linked */
    uint32_t attempts;        /* failed dials in a row */
    uint64_t next_dial_ms;    /* wall; 0 when none is planned */
    uint64_t bytes_in, bytes_out;
    uint64_t messages_in, messages_out;
    uint64_t queued; /* bytes waiting to be sent */
};

#define RESULT_KIND_MAP(X)                                                                         \
    X(RESULT_WAITING, "waiting")                                                                   \
    X(RESULT_COMPLETE, "complete")                                                                 \
    X(RESULT_PARTIAL, "partial")                                                                   \
    X(RESULT_NEGATIVE, "negative")                                                                 \
    X(RESULT_FAILED, "failed")

enum result_kind {
#define X(name, text) name,
    RESULT_KIND_MAP(X)
#undef X
};

static inline const char *result_kind_text(enum result_kind kind)
{
    static const char *const texts[] = {
#define X(name, text) [name] = text,
        RESULT_KIND_MAP(X)
#undef X
    };
    return texts[kind];
}

/* One discovery source. */
struct source_row {
    char spec[SPEC_SIZE];
    char asked[HOST_NAME_SIZE]; /* the absolute name, with its final dot; "" for other sources */
    enum result_kind result;    /* of the last round */
    char answer[32];            /* "NOERROR", "NXDOMAIN", "SERVFAIL", "timeout", ... */
    bool asking;                /* one family is listed while the other is still asked */
    char reason[REASON_SIZE];   /* while the last round was not complete */
    bool sees_us;               /* our own address is in the answer */
    uint32_t n_addresses;       /* that it lists now */
    uint32_t ttl_s;             /* smallest of the last answer */
    uint64_t last_ms, next_ms;  /* wall: of the last answer, of the next look-up */
    uint64_t changed_ms;        /* wall: the set changed */
    uint64_t queries, failures; /* since start */
};

/* Everything that page, JSON and metrics show. The machine fills it; rows are sorted by name, then
 * by address. */
struct snapshot {
    uint64_t version;            /* grows with every change that a reader could see */
    uint64_t now_ms, started_ms; /* wall */
    char node[NODE_NAME_SIZE];
    uint32_t creation;
    struct addr address; /* where distribution listens */
    struct addr epmd;    /* family 0: none */
    bool epmd_embedded;
    bool hidden;
    bool ready;
    bool draining;
    char not_ready[REASON_SIZE]; /* why, while not ready */
    const char *cookie;          /* NULL unless --show-cookie; borrowed from the settings */
    struct peer_row *peers;
    size_t n_peers;
    struct source_row *sources;
    size_t n_sources;
    /* counters since start */
    uint64_t links_up, links_down, dials, dial_failures[16]; /* by enum stage */
    uint64_t rejected, protocol_errors;
    uint64_t first_peer_ms; /* milliseconds from start to the first link; 0 while none */
};

#endif
