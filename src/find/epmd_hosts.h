/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_EPMD_HOSTS_H
#define FIND_EPMD_HOSTS_H

#include "find/schedule.h"
#include "find/source_impl.h"

/* What epmd: and hosts: share: the epmds of some hosts, asked round by round for all names. */

/* Hosts at most; an epmd is for the nodes of one machine or pod. */
#define EPMD_HOSTS_MAX 256
/* Hosts that are asked at once. */
#define EPMD_HOSTS_AT_ONCE 8
/* Between two rounds; failures make it longer. */
#define EPMD_HOSTS_POLL_S 5

enum host_state { HOST_IDLE, HOST_DUE, HOST_ASKED };

struct epmd_host {
    char host[HOST_NAME_SIZE];   /* whose epmd is asked */
    char suffix[HOST_NAME_SIZE]; /* the host part of the names of its nodes */
    enum host_state state;
    bool failed;           /* when it was asked last */
    struct entry *entries; /* what it listed last; owned */
    size_t n;
};

struct epmd_hosts {
    struct source source;
    bool hidden; /* ?hidden=1: list hidden nodes, too */
    struct epmd_host *hosts;
    size_t n;
    struct schedule when;
    uint64_t begun_ms;
    bool running;
    bool changed;           /* the entries do not show what the hosts list */
    size_t n_asked;         /* under way */
    char why[REASON_SIZE];  /* of the first host that failed this round */
    bool unresolved;        /* ... for want of an address */
    char note[REASON_SIZE]; /* what is wrong though all answered; "" */
};

/* For rows of schemes. */
void epmd_hosts_init(struct source *s);
void epmd_hosts_close(struct source *s);
void epmd_hosts_start(struct source *s, uint64_t now_ms);
void epmd_hosts_poke(struct source *s, uint64_t now_ms);
void epmd_hosts_calm(struct source *s, uint64_t since_ms);
uint64_t epmd_hosts_deadline(const struct source *s);
bool epmd_hosts_need(struct source *s, uint64_t now_ms, struct need *need);
bool epmd_hosts_given(struct source *s, const struct given *given, uint64_t now_ms);
clu_error epmd_hosts_set_hidden(struct source *s, const char *value, char why[REASON_SIZE]);

/* epmd_host_name: fills host and suffix, spelled as nodes spell it; NULL, or what is wrong with it,
 * as the end of a sentence. */
const char *epmd_host_name(struct epmd_host *h, const char *host);
/* epmd_hosts_set: takes the hosts, which it frees in time; those that stay keep what they listed.
 * The next round is
 * due now; there are none while there are no hosts. */
void epmd_hosts_set(struct epmd_hosts *p, struct epmd_host *hosts, size_t n, uint64_t now_ms);

#endif
