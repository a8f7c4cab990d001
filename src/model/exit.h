/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_EXIT_H
#define MODEL_EXIT_H

#include "model/model.h"

/* The exit statuses of all commands: the one table, which the manual repeats. From 3 on they name
 * the layer that failed, in the order of enum stage, whose last one is this machine. */
#define EXIT_MAP(X)                                                                                \
    X(EXIT_DONE, 0, "done")                                                                        \
    X(EXIT_NO, 1, "the answer is no")                                                              \
    X(EXIT_USAGE, 2, "the command line or a setting is wrong, or a file that they name")           \
    X(EXIT_DNS, 3, "a name could not be resolved")                                                 \
    X(EXIT_TCP_REFUSED, 4, "the connection was refused")                                           \
    X(EXIT_TCP_TIMEOUT, 5, "no answer in time")                                                    \
    X(EXIT_EPMD_UNKNOWN, 6, "epmd knows no such name")                                             \
    X(EXIT_CLOSED, 7, "the peer closed before it said its status, or said nothing")                \
    X(EXIT_NAME_MISMATCH, 8, "another node answers there")                                         \
    X(EXIT_FLAGS, 9, "the peer demands what we do not have, or the reverse")                       \
    X(EXIT_COOKIE, 10, "the cookies differ")                                                       \
    X(EXIT_TLS, 11, "TLS failed")                                                                  \
    X(EXIT_LOCAL, 12, "this machine failed: a port, open files, memory, a disk")

enum exit_status {
#define X(name, number, text) name = number,
    EXIT_MAP(X)
#undef X
};

/* exit_of_stage: the status that names the layer where something failed. */
static inline int exit_of_stage(enum stage stage)
{
    if (stage == STAGE_SILENT)
        return EXIT_CLOSED;
    if (stage == STAGE_NO_EPMD)
        return EXIT_EPMD_UNKNOWN;
    if (stage == STAGE_NOT_ALLOWED)
        return EXIT_FLAGS;
    return stage == STAGE_NONE ? EXIT_NO : EXIT_DNS + (int)stage - (int)STAGE_DNS;
}

#endif
