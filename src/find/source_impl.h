/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_SOURCE_IMPL_H
#define FIND_SOURCE_IMPL_H

#include "find/source.h"
#include "find/template.h"
#include "find/words.h"

/* What the schemes share: only source*.c include this. */

/* A SPEC taken apart: SCHEME:BODY[?KEY=VALUE[&KEY=VALUE...]]. */
#define SPEC_OPTIONS_MAX 8
struct spec {
    char text[SPEC_SIZE]; /* what the pointers below point into */
    const char *scheme, *body;
    struct {
        const char *key, *value;
    } options[SPEC_OPTIONS_MAX];
    size_t n_options;
};

struct source_option {
    const char *key;
    /* CLU_EBADARG with words in why when the value makes no sense. */
    clu_error (*set)(struct source *s, const char *value, char why[REASON_SIZE]);
};

/* One row a scheme. Functions that a scheme has no use for are NULL. */
struct scheme {
    const char *name;
    bool stands;          /* it is told of changes: see source_stands */
    bool adds_only;       /* it is never complete: see source_adds_only */
    bool guesses;         /* its names are made by a template from addresses */
    unsigned parts;       /* PART_BITs that it knows of what it lists: for ?name= */
    const char *template; /* of its names unless ?name= says another; NULL: it makes none */
    size_t size;          /* of its structure, which begins with struct source */
    const struct source_option *options;
    size_t n_options;
    void (*init)(struct source *s); /* defaults, before the options */
    /* open: reads the body; the options were set before. */
    clu_error (*open)(struct source *s, const char *body, char why[REASON_SIZE]);
    void (*close)(struct source *s);
    void (*start)(struct source *s, uint64_t now_ms);
    void (*poke)(struct source *s, uint64_t now_ms);
    uint64_t (*deadline)(const struct source *s);
    void (*calm)(struct source *s, uint64_t since_ms);
    bool (*tick)(struct source *s, uint64_t now_ms);
    bool (*need)(struct source *s, uint64_t now_ms, struct need *need);
    bool (*given)(struct source *s, const struct given *given, uint64_t now_ms);
};

struct source {
    const struct scheme *scheme;
    char base[NODE_NAME_SIZE];     /* of the names it makes; "": we have no name ourselves yet */
    char template[NODE_NAME_SIZE]; /* of the names it makes; "" learns them */
    struct service_name service;   /* whose nodes these are, as far as the name tells; see
                                      source_absolute */
    struct addr own;               /* our own address; family 0: none */
    bool named;                    /* the SPEC says what the nodes are called */
    const struct source_place *place;
    struct entry *entries; /* owned */
    size_t n_entries;
    struct source_row row; /* its times are monotonic here; 0 for never */
};

/* The options ?base= and ?name=: rows for the tables of the schemes that make names. */
clu_error source_set_base(struct source *s, const char *value, char why[REASON_SIZE]);
clu_error source_set_name(struct source *s, const char *value, char why[REASON_SIZE]);
/* source_set_flag: an option that is 1 or 0. */
clu_error source_set_flag(const struct source *s, bool *flag, const char *key, const char *value,
                          char why[REASON_SIZE]);
/* source_absolute: body, the name of a Service or any other, without its final dot and with the
 * cluster's zone; fills s->service and row.asked. CLU_EBADARG with words in why. */
clu_error source_absolute(struct source *s, const char *body, char name[HOST_NAME_SIZE],
                          char why[REASON_SIZE]);
/* source_check_name: once s->service is filled: CLU_EBADARG with words in why when the template
 * names a part of it that nothing tells. */
clu_error source_check_name(const struct source *s, char why[REASON_SIZE]);
/* source_name: makes e->name of e->addr and the rest, NULL where it is not known; "" (to be learnt)
 * when a part is missing. */
void source_name(const struct source *s, struct entry *e, const char *hostname, const char *target);

/* source_count: a round that was begun then has ended with row.result. */
void source_count(struct source *s, uint64_t begun_ms, uint64_t now_ms);
/* The values of ?family=. */
struct family_choice {
    uint8_t only; /* 4, 6, or 0 for either */
    bool both;    /* list both, not our own alone where it has addresses */
};
clu_error source_choose_family(const struct source *s, const char *value,
                               struct family_choice *choice, char why[REASON_SIZE]);
/* source_wants_us: our own address is known, and missing from the list it is a fault. */
bool source_wants_us(const struct source *s);
/* source_explain_loopback: where our own address is a loopback one, and others are listed that are
 * not, says so into row.reason. */
bool source_explain_loopback(struct source *s);
/* source_lists_us: of one whose entries have their names: whether ours is among them. */
bool source_lists_us(const struct source *s);

extern const struct scheme scheme_dns, scheme_srv, scheme_k8s, scheme_static, scheme_gossip,
    scheme_epmd, scheme_hosts, scheme_file;

#endif
