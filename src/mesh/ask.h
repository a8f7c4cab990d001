/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESH_ASK_H
#define MESH_ASK_H

#include "base/list.h"
#include "find/hostlook.h"
#include "mesh/machine.h"

/* Questions of commands. */

/* A linked node that does not answer a ping for so long counts as gone (net_setuptime). */
#define PING_MS 7000
/* A question of a command that came to nothing in this time is answered so. */
#define ASK_MS 60000

struct link;

enum ask_kind { ASK_PING, ASK_NAMES };

struct ask {
    struct list list;
    uint32_t id;
    enum ask_kind kind;
    char name[NODE_NAME_SIZE]; /* node, or host */
    slot_id target;            /* ping: what is dialled */
    bool sent;                 /* ping: waits for the pong */
    uint64_t deadline_ms;      /* once sent */
    clu_ref ref;               /* ping: of the call */
    struct hostlook look;      /* names */
    struct addr addr;
    bool answered;
    struct answer *answer; /* until machine_next took it */
};

/* ask_linked, ask_failed: a target of a ping came up or could not be reached. */
void ask_linked(struct machine *m, struct link *l, uint64_t now_ms);
void ask_failed(struct machine *m, slot_id target, enum stage stage, const char *reason,
                const struct addr *addr, uint64_t now_ms);
void ask_link_down(struct machine *m, struct link *l, const char *reason);
void ask_resolved(struct machine *m, struct ask *a, enum dns_status status, clu_slice msg,
                  uint64_t now_ms);
struct ask *ask_get(struct machine *m, uint32_t id);
/* ask_stop: answers all: nothing more will come. */
void ask_stop(struct machine *m);
void ask_tick(struct machine *m, uint64_t now_ms);
uint64_t ask_deadline(const struct machine *m);
bool ask_take_answer(struct machine *m, struct update *u);
void ask_free_all(struct machine *m);

#endif
