/* SPDX-License-Identifier: Apache-2.0
 *
 * What commands ask of the machine: ping a node, list an epmd. Each question gets one answer.
 */
#include <stdio.h>
#include <stdlib.h>

#include "find/words.h"
#include "mesh/internal.h"

static struct ask *ask_new(struct machine *m, enum ask_kind kind, const char *name, uint64_t now_ms)
{
    struct ask *a = calloc(1, sizeof *a);

    if (a == NULL)
        return NULL;
    a->answer = calloc(1, sizeof *a->answer);
    if (a->answer == NULL) {
        free(a);
        return NULL;
    }
    a->id = a->answer->ask = ++m->last_ask;
    a->kind = kind;
    a->deadline_ms = now_ms + ASK_MS;
    text_set(a->name, sizeof a->name, slice_of(name));
    list_append(&m->asks, &a->list);
    return a;
}

/* An answer that comes later finds nobody. */
static void forget_call(struct machine *m, struct ask *a)
{
    if (a->sent && !a->answered && m->self != NULL)
        clu_call_forget(m->self, &a->ref);
}

static void ask_free(struct ask *a)
{
    list_remove(&a->list);
    free(a->answer);
    free(a);
}

struct ask *ask_get(struct machine *m, uint32_t id)
{
    for (struct list *at = m->asks.next; at != &m->asks; at = at->next) {
        struct ask *a = CONTAINER_OF(at, struct ask, list);

        if (a->id == id)
            return a;
    }
    return NULL;
}

static void no(struct ask *a, enum stage stage, const char *reason, const struct addr *addr)
{
    a->answered = true;
    a->deadline_ms = NEVER;
    a->answer->stage = stage;
    if (addr != NULL)
        a->answer->address = *addr;
    text_set(a->answer->reason, REASON_SIZE, slice_of(reason));
}

bool ask_take_answer(struct machine *m, struct update *u)
{
    for (struct list *at = m->asks.next; at != &m->asks; at = at->next) {
        struct ask *a = CONTAINER_OF(at, struct ask, list);

        if (!a->answered)
            continue;
        u->kind = UPDATE_ANSWER;
        u->u.answer = *a->answer;
        ask_free(a);
        return true;
    }
    return false;
}

void ask_free_all(struct machine *m)
{
    while (m->asks.next != NULL && !list_empty(&m->asks))
        ask_free(CONTAINER_OF(m->asks.next, struct ask, list));
}

uint64_t ask_deadline(const struct machine *m)
{
    uint64_t at_ms = NEVER;

    for (struct list *at = m->asks.next; at != &m->asks; at = at->next)
        at_ms = min_u64(at_ms, CONTAINER_OF(at, struct ask, list)->deadline_ms);
    return at_ms;
}

void ask_tick(struct machine *m, uint64_t now_ms)
{
    for (struct list *at = m->asks.next; at != &m->asks; at = at->next) {
        struct ask *a = CONTAINER_OF(at, struct ask, list);

        if (a->deadline_ms > now_ms)
            continue;
        a->deadline_ms = NEVER;
        forget_call(m, a);
        if (a->sent)
            no(a, STAGE_SILENT,
               "linked, but its net_kernel did not answer within 7 s: the node is hung or "
               "overloaded",
               &a->answer->address);
        else
            no(a, STAGE_TCP_TIMEOUT, "no link came about within 60 s", NULL);
    }
}

void ask_stop(struct machine *m)
{
    for (struct list *at = m->asks.next; at != &m->asks; at = at->next) {
        struct ask *a = CONTAINER_OF(at, struct ask, list);

        forget_call(m, a);
        if (!a->answered)
            no(a, STAGE_NONE, "this node is leaving", NULL);
    }
}

/* ---- ping ---- */

static struct ask *ask_of_call(struct machine *m, const clu_ref *ref)
{
    for (struct list *at = m->asks.next; at != &m->asks; at = at->next) {
        struct ask *a = CONTAINER_OF(at, struct ask, list);

        if (a->kind == ASK_PING && a->sent && !a->answered &&
            memcmp(ref->words, a->ref.words, sizeof ref->words) == 0)
            return a;
    }
    return NULL;
}

static void on_pong(clu_process *self, const clu_answer *answer, void *arg)
{
    struct ask *a = ask_of_call(arg, &answer->ref);
    clu_reader term = answer->term;

    (void)self;
    if (a == NULL)
        return;
    a->answer->ok = answer->outcome == CLU_ANSWERED && slice_is(clu_get_atom(&term), "yes") &&
                    term.err == CLU_OK;
    if (!a->answer->ok)
        no(a, STAGE_SILENT, "linked, but it has no net_kernel to answer", &a->answer->address);
    a->answered = true;
    a->deadline_ms = NEVER;
}

/* {is_auth, Node} to its net_kernel, as net_adm:ping/1. */
static clu_error call_net_kernel(struct machine *m, struct ask *a, struct link *l)
{
    clu_to to = clu_to_name("net_kernel", l->name);

    if (exchange_start(m) != CLU_OK)
        return CLU_ENOMEM;
    clu_writer *w = clu_call_begin(m->self, &to, CLU_INFINITY);

    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "is_auth");
    clu_put_atom_text(w, m->name);
    return clu_call_end(m->self, on_pong, m, &a->ref);
}

static void send_ping(struct machine *m, struct ask *a, struct link *l, uint64_t now_ms)
{
    if (call_net_kernel(m, a, l) != CLU_OK) {
        no(a, STAGE_SILENT, "the link has no room for one more message", &l->conn.peer);
        return;
    }
    a->sent = true;
    a->deadline_ms = now_ms + PING_MS;
    a->answer->address = l->conn.peer;
    a->answer->flags = l->peer_flags;
    a->answer->creation = l->node.creation;
    text_set(a->answer->node, sizeof a->answer->node, slice_of(l->name));
}

uint32_t machine_ping(struct machine *m, const char *node, uint64_t now_ms)
{
    m->now_ms = now_ms;
    struct ask *a = ask_new(m, ASK_PING, node, now_ms);

    if (a == NULL)
        return 0;
    if (m->draining || strcmp(node, m->name) == 0) {
        no(a, STAGE_NONE, m->draining ? "this node is leaving" : "that is this node itself", NULL);
        a->answer->ok = !m->draining && m->settings->library; /* net_adm:ping(node()) is pong */
        return a->id;
    }
    struct link *l = link_find(m, node);

    if (l != NULL) {
        send_ping(m, a, l, now_ms);
        return a->id;
    }
    struct target *t = reconcile_hint(m->reconcile, node, NULL, now_ms);

    if (t == NULL)
        no(a, STAGE_HERE, "too many nodes are known already", NULL);
    else
        a->target = t->id;
    return a->id;
}

clu_error machine_connect(struct machine *m, const char *node, uint64_t now_ms)
{
    m->now_ms = now_ms;
    if (link_find(m, node) != NULL || strcmp(node, m->name) == 0)
        return CLU_OK;
    if (m->draining || m->settings->no_dial)
        return CLU_EBUSY;
    return reconcile_hint(m->reconcile, node, NULL, now_ms) != NULL ? CLU_OK : CLU_EBUSY;
}

void ask_linked(struct machine *m, struct link *l, uint64_t now_ms)
{
    for (struct list *at = m->asks.next; at != &m->asks; at = at->next) {
        struct ask *a = CONTAINER_OF(at, struct ask, list);

        if (a->kind == ASK_PING && !a->sent && !a->answered &&
            (a->target == l->target || strcmp(a->name, l->name) == 0))
            send_ping(m, a, l, now_ms);
    }
}

void ask_failed(struct machine *m, slot_id target, enum stage stage, const char *reason,
                const struct addr *addr, uint64_t now_ms)
{
    (void)now_ms;
    for (struct list *at = m->asks.next; at != &m->asks; at = at->next) {
        struct ask *a = CONTAINER_OF(at, struct ask, list);

        if (a->kind == ASK_PING && !a->sent && !a->answered && a->target == target)
            no(a, stage, reason, addr);
    }
}

void ask_link_down(struct machine *m, struct link *l, const char *reason)
{
    for (struct list *at = m->asks.next; at != &m->asks; at = at->next) {
        struct ask *a = CONTAINER_OF(at, struct ask, list);

        if (a->kind != ASK_PING || !a->sent || a->answered || strcmp(a->answer->node, l->name) != 0)
            continue;
        forget_call(m, a);
        no(a, STAGE_CLOSED, reason, &l->conn.peer);
    }
}

/* ---- names ---- */

static void ask_names(struct machine *m, struct ask *a, uint64_t now_ms)
{
    struct addr at = a->addr;

    if (at.port == 0)
        at.port = m->settings->epmd_port;
    struct epmd_query *q = epmd_query_new(m, &at, now_ms);

    if (q == NULL) {
        no(a, STAGE_HERE, "too many connections at once", &at);
        return;
    }
    q->ask = a->id;
    epmd_ask_names(&q->client);
}

static void names_look(struct machine *m, struct ask *a, uint64_t now_ms)
{
    struct source_query sq;

    if (!a->look.done && hostlook_query(&a->look, &sq) &&
        lookup_new(m, LOOKUP_ASK, a->id, &sq) != 0)
        return;
    a->addr = a->look.addr;
    if (a->addr.family == 0)
        no(a, STAGE_DNS, a->look.reason, NULL);
    else
        ask_names(m, a, now_ms);
}

uint32_t machine_names(struct machine *m, const char *host, uint64_t now_ms)
{
    m->now_ms = now_ms;
    struct ask *a = ask_new(m, ASK_NAMES, host, now_ms);

    if (a == NULL)
        return 0;
    hostlook_start(&a->look, host, 0, m->resolv, m->hosts);
    names_look(m, a, now_ms);
    return a->id;
}

void ask_resolved(struct machine *m, struct ask *a, enum dns_status status, clu_slice msg,
                  uint64_t now_ms)
{
    hostlook_answer(&a->look, status, msg);
    names_look(m, a, now_ms);
}

void ask_epmd_answered(struct machine *m, struct epmd_query *q, enum stage stage,
                       const char *reason, uint64_t now_ms)
{
    struct ask *a = ask_get(m, q->ask);
    struct epmd_entry e;
    size_t at = 0, len = 0;

    (void)now_ms;
    if (a == NULL)
        return;
    if (stage != STAGE_NONE) {
        no(a, stage, reason, &q->conn.peer);
        return;
    }
    a->answered = true;
    a->answer->ok = true;
    a->answer->address = q->conn.peer;
    while (epmd_names_next(&q->client, &at, &e)) {
        char *end = a->answer->text + len;
        size_t room = sizeof a->answer->text - len;
        int n = snprintf(end, room, "name %s at port %u\n", e.name, (unsigned)e.port);

        if (n < 0 || (size_t)n >= room) {
            *end = '\0';
            a->answer->truncated = true;
            break;
        }
        len += (size_t)n;
    }
}

/* ---- giving up ---- */

static bool is_for(struct machine *m, const struct conn *c, const struct ask *a)
{
    if (c->kind == CONN_LINK) {
        const struct link *l = CONTAINER_OF(c, struct link, conn);

        return c->outbound && a->kind == ASK_PING && l->target == a->target;
    }
    if (c->kind != CONN_EPMD_QUERY)
        return false;
    const struct epmd_query *q = CONTAINER_OF(c, struct epmd_query, conn);
    const struct dial *d = slots_get(&m->dials, q->dial);

    return q->ask == a->id || (d != NULL && a->kind == ASK_PING && d->target == a->target);
}

/* The connection that the answer hangs on. */
static const struct conn *conn_for(struct machine *m, const struct ask *a)
{
    struct conn *c;
    uint32_t at = 0;

    while ((c = slots_next(&m->conns, &at)) != NULL)
        if (!c->dead && is_for(m, c, a))
            return c;
    return NULL;
}

static void waits_for_conn(struct answer *answer, const struct conn *c)
{
    const char *who = c->kind == CONN_EPMD_QUERY ? "epmd" : "the node";
    char at[ADDR_TEXT_MAX];

    answer->stage = c->opened ? STAGE_SILENT : STAGE_TCP_TIMEOUT;
    answer->address = c->peer;
    addr_text(&c->peer, at);
    if (c->opened)
        snprintf(answer->reason, REASON_SIZE,
                 "%s took the connection, but %s there did not answer in time", at, who);
    else
        snprintf(answer->reason, REASON_SIZE, "no connection to %s at %s came about in time", who,
                 at);
}

void machine_ask_given_up(struct machine *m, uint32_t ask, struct answer *answer)
{
    const struct ask *a = ask_get(m, ask);
    const struct conn *c = a == NULL || a->sent ? NULL : conn_for(m, a);

    *answer = a == NULL ? (struct answer){0} : *a->answer;
    if (c != NULL) {
        waits_for_conn(answer, c);
        return;
    }
    bool linked = a != NULL && a->sent;

    answer->stage = linked ? STAGE_SILENT : STAGE_DNS;
    text_set(answer->reason, REASON_SIZE,
             slice_of(linked ? "linked, but its net_kernel did not answer in time"
                             : "the look-up of its host was not answered in time"));
    if (!linked)
        say_servers(answer->reason, "asked: ", m->resolv);
}
