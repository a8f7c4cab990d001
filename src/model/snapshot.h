/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_SNAPSHOT_H
#define MODEL_SNAPSHOT_H

#include "model/model.h"

#define PEER_STATE_MAP(X)                                                                          \
    X(PEER_HINTED, "hinted")                                                                       \
    X(PEER_DIALLING, "dialling")                                                                   \
    X(PEER_LINKED, "linked")                                                                       \
    X(PEER_REACHABLE, "reachable") /* wait --reachable: it answered, and no link was wanted */     \
    X(PEER_LEAVING, "leaving")     /* not linked, and discovery says that its pod is going */      \
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

/* What a linked peer says of its own links: it tells them when asked (peer exchange). */
#define TELLS_MAP(X)                                                                               \
    X(TELLS_NOTHING, "unknown")                                                                    \
    X(TELLS_US, "yes")                                                                             \
    X(TELLS_NOT_US, "no")

enum tells {
#define X(name, text) name,
    TELLS_MAP(X)
#undef X
};

static inline const char *tells_text(enum tells tells)
{
    static const char *const texts[] = {
#define X(name, text) [name] = text,
        TELLS_MAP(X)
#undef X
    };
    return texts[tells];
}

/* A node that is linked, listed, or both. Strings belong to the snapshot. Wall-clock times are
 * milliseconds since 1970, 0 for never. */
struct peer_row {
    char name[NODE_NAME_SIZE]; /* "" while only its address is known */
    struct addr address;       /* family 0 while unknown */
    enum peer_state state;
    bool listed;              /* discovery lists it now */
    uint32_t sources;         /* bit i: sources[i] lists it */
    bool hinted;              /* no source lists it: another peer named it */
    bool terminating;         /* discovery says that its pod is going */
    uint64_t listed_ms;       /* wall: listed, or not listed, since */
    enum tells sees_us;       /* linked: whether its own list of nodes has us */
    uint32_t sees;            /* linked: how many nodes it told */
    uint32_t seen_by;         /* how many linked peers told it */
    uint32_t island;          /* 0: ours; others are cut off from us, and alive; see n_islands */
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
    uint64_t queued;  /* bytes waiting to be sent */
    bool not_reading; /* linked: they wait, and for a while it has taken none */
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
    bool unresolved;            /* the last round failed for a host that has no address */
    bool sees_us;               /* our own address is in the answer */
    uint32_t n_addresses;       /* that it lists now */
    uint32_t ttl_s;             /* smallest of the last answer */
    uint64_t last_ms, next_ms;  /* wall: of the last answer, of the next look-up */
    uint64_t changed_ms;        /* wall: the set changed */
    uint64_t queries, failures; /* since start */
    char cache[8];              /* "live", "cached", or "" while unknown: whether TTLs fall */
    uint64_t took_ms;           /* the last round took so long */
    uint64_t rounds[8];         /* since start, by enum result_kind */
    uint64_t took_total_ms;     /* of all of them */
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
    uint64_t links_up, links_down, dials, dial_failures[STAGES]; /* by enum stage */
    uint64_t rejected, protocol_errors;
    uint64_t flaps;      /* links that were lost and came back, the node there being the same */
    uint32_t n_islands;  /* groups of living nodes without a known link between them; 1: a mesh */
    uint64_t settled_ms; /* wall: nothing was linked, lost, listed or unlisted since */
    uint64_t first_peer_ms; /* milliseconds from start to the first link; 0 while none */
};

#endif
