/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_SOURCE_IMPL_H
#define FIND_SOURCE_IMPL_H

#include "find/source.h"

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
    const char *later; /* why it is not built in, and what to use instead; NULL when it is */
    bool guesses;      /* its names are made by a template from addresses */
    size_t size;       /* of its structure, which begins with struct source */
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
    bool (*need)(struct source *s, uint64_t now_ms, struct need *need);
    bool (*given)(struct source *s, const struct given *given, uint64_t now_ms);
};

struct source {
    const struct scheme *scheme;
    char base[NODE_NAME_SIZE]; /* of the names it makes; "" learns them */
    struct addr own;           /* our own address; family 0: none */
    const struct source_place *place;
    struct entry *entries; /* owned */
    size_t n_entries;
    struct source_row row; /* its times are monotonic here; 0 for never */
};

extern const struct scheme scheme_dns, scheme_static;

#endif
