/* SPDX-License-Identifier: Apache-2.0
 *
 * find: where peers may be: discovery sources, host parts of node names, and the reconciler.
 *   knows: SPECs, DNS messages, addresses, back-off; it is told who is linked.
 *   must not know: sockets, clocks, the node, links.
 */
#ifndef FIND_SOURCE_H
#define FIND_SOURCE_H

#include "base/crypto.h"
#include "base/rng.h"
#include "dist/epmd.h"
#include "find/dns_msg.h"
#include "model/settings.h"
#include "model/snapshot.h"

/* Most addresses that one source may list; more are counted and reported, not kept. */
#define SOURCE_ENTRIES_MAX 8192

/* What a source lists: where a node may be, and its name as far as the template tells. */
struct entry {
    struct addr addr;          /* family 0: resolve the host part of name; port 0: ask epmd */
    char name[NODE_NAME_SIZE]; /* "" when it is learnt from epmd and handshake (?base=*) */
    bool terminating;          /* the pod is going: not to be dialled anew (k8s) */
};

/* What surrounds the sources; borrowed for their life. */
struct source_place {
    const char *own_name;             /* its base makes the default names */
    const struct resolv_conf *resolv; /* the cluster's zone and our namespace; NULL: none */
    const struct kubernetes *kubernetes;
    struct crypto *crypto; /* gossip with a secret; may be NULL where none is used */
    struct rng *rng;
    bool hidden; /* nobody is to find us: that we are not listed is no fault */
};

/* A query: an absolute name (no final dot) and a type. */
struct source_query {
    char name[HOST_NAME_SIZE];
    uint16_t type; /* DNS_TYPE_A, DNS_TYPE_AAAA, DNS_TYPE_SRV */
};

/* What a source needs done. Whoever drives it answers with source_given. */
enum need_kind {
    NEED_RECORDS,  /* records of a name: one GIVEN_RECORDS follows */
    NEED_FILE,     /* a file's text: GIVEN_FILE now, and with watch again whenever it may have
                      changed */
    NEED_HTTP,     /* GET over TLS, one at a time: GIVEN_HEAD, GIVEN_BODY..., GIVEN_END follow */
    NEED_HTTP_END, /* give that request up: nothing more of it follows */
    NEED_NAMES,    /* all names of a host's epmd: one GIVEN_NAMES follows */
    NEED_UDP,      /* a socket: one GIVEN_UDP follows, and GIVEN_DATAGRAM for all that comes in */
    NEED_DATAGRAM, /* send one; nothing follows, but a GIVEN_UDP when that failed */
    NEED_KINDS
};

/* Longest path of a file, and of a request of HTTP. */
#define NEED_PATH_SIZE 768

/* Slices are borrowed until the next call on the source. */
struct need {
    enum need_kind kind;
    union {
        struct source_query records;
        struct {
            char path[NEED_PATH_SIZE];
            bool watch;
        } file;
        struct {
            struct addr to;
            char path[NEED_PATH_SIZE]; /* with its query */
            clu_slice token;           /* bearer; empty: none */
            clu_slice ca;              /* PEM of those who may have signed to's certificate, which
                                          is for its IP address */
            uint32_t silence_ms;       /* with no byte for so long it has failed */
        } http;
        struct {
            char host[HOST_NAME_SIZE]; /* a literal or a name, resolved as node names' hosts are */
            bool types;                /* and what kind of node each is, asked one by one */
        } names;
        struct {
            struct addr bind;
            struct addr group;     /* multicast to join; family 0: none (broadcast is allowed) */
            struct addr interface; /* to join and send on; family 0: the system's choice */
            uint8_t ttl;           /* of multicast */
        } udp;
        struct {
            struct addr to;
            clu_slice bytes;
        } datagram;
    } u;
};

enum given_kind {
    GIVEN_RECORDS,
    GIVEN_FILE,
    GIVEN_HEAD,
    GIVEN_BODY,
    GIVEN_END,
    GIVEN_NAMES,
    GIVEN_UDP,
    GIVEN_DATAGRAM,
    GIVEN_KINDS
};

/* The answer to a need. bytes is borrowed during the call. */
struct given {
    enum given_kind kind;
    clu_slice bytes; /* the raw DNS reply, the file's text, a piece of body, a datagram */
    const char *why; /* NULL, or what failed, in words (file, end, names, udp) */
    /* GIVEN_RECORDS */
    uint16_t type;
    enum dns_status dns;
    /* GIVEN_FILE */
    const char *path;
    /* GIVEN_HEAD */
    uint16_t status;
    uint32_t retry_after_s; /* 0: not said */
    /* GIVEN_NAMES: host as it was needed; where its epmd answered; what it lists (type 0: not
     * known) */
    const char *host;
    struct addr addr;
    const struct epmd_entry *names;
    size_t n_names;
    bool unresolved; /* why: the host has no address */
    /* GIVEN_DATAGRAM: addr is the sender */
};

struct source;

/* source_new: from a SPEC. On failure *out is NULL and why says in one sentence what is wrong with
 * the SPEC. docs/discovery.md has all schemes and their options. */
CLU_MUST_USE clu_error source_new(struct source **out, const char *spec,
                                  const struct source_place *place, char why[REASON_SIZE]);
void source_free(struct source *s);
/* source_start: the first look-up is due at once. own: our own address (family 0: none). A source
 * that has nothing to ask (static) is complete when this returns: where source_result is not
 * RESULT_WAITING, its entries are to be listed at once. */
void source_start(struct source *s, const struct addr *own, uint64_t now_ms);
/* source_poke: look again soon (a link went down, an unknown peer dialled in), rate-limited. */
void source_poke(struct source *s, uint64_t now_ms);
/* source_calm: whether all that is listed is linked, and since when nothing changed (NEVER: it is
 * not so): a poll may take its time then. */
void source_calm(struct source *s, uint64_t since_ms);
/* source_deadline: when source_need should be asked; 0 at once; NEVER while it waits. */
uint64_t source_deadline(const struct source *s);
/* source_tick: at that time, before source_need: time alone may have changed what is listed.
 * Returns true as source_given does. */
bool source_tick(struct source *s, uint64_t now_ms);
/* source_stands: it is told of changes: what it listed holds until it lists something else, and
 * more answers of the same do not come. */
bool source_stands(const struct source *s);
/* source_adds_only: it never knows all that there are: it is never complete, and that is no fault.
 */
bool source_adds_only(const struct source *s);
/* source_need: the next thing needed now, false when there is none. */
bool source_need(struct source *s, uint64_t now_ms, struct need *need);
/* source_given: what came of a need. Returns true when there is something to list: look at
 * source_entries and source_result. RESULT_PARTIAL without a reason: the round goes on. */
bool source_given(struct source *s, const struct given *given, uint64_t now_ms);
/* source_result: how the last round ended; COMPLETE lists replace, PARTIAL ones only add, NEGATIVE
 * and FAILED ones change nothing. */
enum result_kind source_result(const struct source *s);
/* source_reason: why it is not complete, in words; or, complete, what is wrong with it all the same
 * (our own address is not in the answer); else "". */
const char *source_reason(const struct source *s);
/* source_guesses: whether the names it lists are made by a template from addresses: the node there
 * may have another. */
bool source_guesses(const struct source *s);
/* source_entries: what the source lists now; borrowed until the next call on the source. */
const struct entry *source_entries(const struct source *s, size_t *n);
/* source_row: fills the row of the snapshot; wall_offset_ms is added to monotonic times. */
void source_row(const struct source *s, uint64_t wall_offset_ms, struct source_row *row);

#endif
