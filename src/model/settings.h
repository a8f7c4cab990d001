/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_SETTINGS_H
#define MODEL_SETTINGS_H

#include "model/model.h"

/* A cookie is an atom in OTP: at most 255 characters. Room for a mistaken file beyond that, so that
 * the error can say so. */
#define COOKIE_SIZE          1024
#define SETTINGS_SPECS_MAX   16
#define SETTINGS_COOKIES_MAX 64
/* A path of a file as settings hold it. */
#define FILE_SIZE 512

enum epmd_mode {
    EPMD_AUTO,     /* register with the one here; serve it from within where none listens */
    EPMD_EMBEDDED, /* serve it, or fail */
    EPMD_EXTERNAL, /* register, never serve */
    EPMD_NONE,     /* peers are dialled at our own port, as -erl_epmd_port does */
};

struct cookie {
    uint8_t bytes[COOKIE_SIZE];
    size_t len;
    /* What the source held behind the trimmed bytes: "" or "\n" ... An environment value with a
     * newline is trimmed; a peer's digest may prove the untrimmed spelling. */
    char trimmed[4];
    char source[64]; /* "--cookie-file /path", "RELEASE_COOKIE", ... for messages */
};

/* A cookie for one peer (erlang:set_cookie/2). */
struct peer_cookie {
    char node[NODE_NAME_SIZE];
    struct cookie cookie;
};

/* What forgets or cuts a peer that no source lists (--prune). */
enum prune {
    PRUNE_WHEN_DOWN, /* only what is down already is forgotten */
    PRUNE_NEVER,     /* nothing is: it is dialled for ever */
    PRUNE_AFTER,     /* a link, too, is cut after so long */
};

/* Where the API server of the cluster is, as every pod is told. */
struct kubernetes {
    struct addr api;         /* KUBERNETES_SERVICE_HOST and _PORT; family 0: not in a cluster */
    char account[FILE_SIZE]; /* the folder of token, ca.crt and namespace */
};

/* Settings of a node after all sources were merged: command line, --args-file, environment, file in
 * the home directory, default. conf makes it, nobody changes it later. */
struct settings {
    /* Own full name; "" asks every peer for a dynamic one (DFLAG_NAME_ME). */
    char name[NODE_NAME_SIZE];
    bool hidden;
    bool no_listen; /* commands: dial only */
    bool no_dial;   /* discover: look, but do not link */
    bool probe;     /* wait --reachable: dial up to the challenge, and close */
    bool epmd_only; /* the epmd command */
    bool library;   /* of a program: messages say .name for --name */
    struct cookie cookie;
    struct peer_cookie *peer_cookies; /* owned by who made the settings */
    size_t n_peer_cookies;
    bool show_cookie;
    bool global; /* take part in Erlang's global */

    enum epmd_mode epmd;
    uint16_t epmd_port;              /* 4369 */
    struct addr listen;              /* where to listen; family 0: the address of the own name */
    uint16_t listen_min, listen_max; /* 0: any port */
    uint16_t dist_port;              /* epmd none: the one port of all peers; 0 unless given */
    struct addr dial_to;             /* --address HOST:PORT: dial every name here; family 0: no */
    uint32_t ticktime_ms;            /* net_ticktime */
    uint32_t tick_intensity;         /* net_tickintensity: ticks a ticktime */
    uint32_t setup_ms;               /* net_setuptime: the whole handshake */
    uint32_t shutdown_ms;            /* not ready for so long before the links are closed */
    char cookie_file[FILE_SIZE]; /* read again when it changes; "": the cookie is from elsewhere */
    uint32_t cookie_overlap_ms;  /* how long the one before is still good */
    enum prune prune;
    uint32_t prune_ms; /* PRUNE_AFTER */
    struct kubernetes kubernetes;

    char specs[SETTINGS_SPECS_MAX][SPEC_SIZE];
    size_t n_specs;

    struct addr http;    /* family 0: no page */
    struct addr metrics; /* family 0: only on the page's port */
    char template_file[512];
    bool json_log;
    uint8_t log_level; /* enum event_level */
};

/* What the machine's system says about names: conf parses the files, the driver reads them. */
#define RESOLV_SERVERS_MAX 8
#define RESOLV_SEARCH_MAX  16

struct resolv_conf {
    struct addr servers[RESOLV_SERVERS_MAX]; /* port 0: 53 */
    size_t n_servers;
    char search[RESOLV_SEARCH_MAX][HOST_NAME_SIZE];
    size_t n_search;
    uint8_t ndots;             /* 1 unless the file says */
    char zone[HOST_NAME_SIZE]; /* of the cluster, from a search entry "NS.svc.ZONE"; else "" */
    char namespace_[HOST_NAME_SIZE]; /* its NS; else "" */
};

struct host_entry {
    struct addr addr;
    char name[HOST_NAME_SIZE];
};

/* /etc/hosts, one row a name. */
struct hosts_file {
    struct host_entry *entries;
    size_t n;
};

#endif
