/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESH_EPMD_H
#define MESH_EPMD_H

#include "dist/epmd.h"
#include "mesh/machine.h"

/* Our own registration, and the epmd within (epmd.c). */

/* BEAMs register anew 2 s after they lost their epmd; so do we. */
#define EPMD_RETRY_MS 2000

void epmd_start(struct machine *m, uint64_t now_ms);
void epmd_stop(struct machine *m, uint64_t now_ms);
void epmd_tick(struct machine *m, uint64_t now_ms);
void epmd_listening(struct machine *m, enum listener which, const struct addr *at,
                    const char *error, bool in_use, uint64_t now_ms);
slot_id epmd_accept(struct machine *m, const struct addr *peer, const struct addr *local,
                    uint64_t now_ms);

struct registration {
    enum { REG_NONE, REG_ASKING, REG_OPENING, REG_SERVING, REG_HELD, REG_WAITING } state;
    slot_id conn;              /* REG_ASKING, REG_HELD */
    uint64_t retry_ms;         /* REG_WAITING */
    bool settled;              /* discovery was started */
    bool once;                 /* it was registered before: a taken name is no reason to exit */
    bool duplicate;            /* another node holds our name */
    char trouble[REASON_SIZE]; /* what is wrong now, told once */
    struct epmd_registry registry;
};

#endif
