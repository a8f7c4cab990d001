/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_DRIVE_H
#define NET_DRIVE_H

#include "net/loop.h"
#include "net/program.h"

/* A machine and its loop as commands use them. */
struct drive {
    struct machine *machine;
    struct loop *loop;
    struct watch *timeout;
    int timeout_status;
};

/* drive_new: makes both from settings (borrowed). CLU_EBADARG, CLU_ESTART: why says it in one
 * sentence; CLU_ENOMEM. drive_tell_notes: what conf passed over becomes an event, as everything
 * that people should know. */
CLU_MUST_USE clu_error drive_new(struct drive *d, const struct conf *c, const struct log *log,
                                 const struct loop_hooks *hooks, char why[REASON_SIZE]);
void drive_tell_notes(struct drive *d, const struct conf *c);
/* drive_open: makes both from a command's settings (borrowed) and tells conf's notes. EXIT_DONE, or
 * a status after words why not. */
int drive_open(struct drive *d, const struct conf *c, const struct loop_hooks *hooks);
/* drive_limit: ends the loop with this status after the command's --timeout. */
bool drive_limit(struct drive *d, const struct conf *c, int status);
/* drive_close: also of one that drive_open left half-made, or that is all zero. */
void drive_close(struct drive *d);

#endif
