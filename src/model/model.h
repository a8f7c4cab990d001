/* SPDX-License-Identifier: Apache-2.0
 *
 * model: plain structs that layers hand to each other.
 *   knows: names of states, stages and settings, and their texts.
 *   must not know: how any of it comes about. Headers only: no function bodies but texts of enums.
 * Text fields are zero-terminated and cut at their size; times are milliseconds.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "base/addr.h"
#include "base/base.h"
#include "base/names.h"

/* A sentence for people: what was tried, what came back, what to do. */
#define REASON_SIZE 384
/* A SPEC of --discover as written. */
#define SPEC_SIZE 384

/* Where a dial attempt failed: the words stand in /api/v1/cluster and are never renamed. */
#define STAGE_MAP(X)                                                                               \
    X(STAGE_NONE, "")                                                                              \
    X(STAGE_DNS, "dns")                                                                            \
    X(STAGE_TCP_REFUSED, "tcp-refused")                                                            \
    X(STAGE_TCP_TIMEOUT, "tcp-timeout")                                                            \
    X(STAGE_EPMD_UNKNOWN, "epmd-unknown")                                                          \
    X(STAGE_CLOSED, "closed-before-status")                                                        \
    X(STAGE_NAME_MISMATCH, "name-mismatch")                                                        \
    X(STAGE_FLAGS, "flags")                                                                        \
    X(STAGE_COOKIE, "cookie")                                                                      \
    X(STAGE_TLS, "tls")

enum stage {
#define X(name, text) name,
    STAGE_MAP(X)
#undef X
    /* Our own side could not try: a limit, memory, files. It has no word of its own (there was no
     * answer in time), and yet other advice and another exit status. */
    STAGE_HERE,
    /* These share the word and the exit status of another, and have advice of their own: the
     * connection stands and nothing comes; what answers at the port of epmd is none; the peer says
     * no, and not why: it may be that it ends. */
    STAGE_SILENT,
    STAGE_NO_EPMD,
    STAGE_NOT_ALLOWED,
    STAGES,
};

static inline const char *stage_text(enum stage stage)
{
    static const char *const texts[] = {
#define X(name, text) [name] = text,
        STAGE_MAP(X)
#undef X
            [STAGE_HERE] = "tcp-timeout",
        [STAGE_SILENT] = "closed-before-status",
        [STAGE_NO_EPMD] = "epmd-unknown",
        [STAGE_NOT_ALLOWED] = "flags",
    };
    return texts[stage];
}

#endif
