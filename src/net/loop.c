/* SPDX-License-Identifier: Apache-2.0 */
#include "net/loop.h"

#include <stdlib.h>

#include "net/loop_impl.h"
#include "net/resolver.h"
#include "net/system.h"

/* So late comes the timer of a process that was stopped: whom it finds silent may have spoken
 * since. Less is no matter: the shortest net_ticktime, of 1 s, has its first tick after a quarter
 * of it. */
#define LATE_MS 500
/* So much later the machine hears of it then: what they said is read before. */
#define LATER_MS 10

static void carry_listen(struct loop *l, const struct update *u)
{
    acceptor_open(l, u);
}

static void carry_unlisten(struct loop *l, const struct update *u)
{
    acceptor_close(l, u->u.listen.which);
}

static void carry_dial(struct loop *l, const struct update *u)
{
    wire_dial(l, u);
}

static void carry_send(struct loop *l, const struct update *u)
{
    wire_send(l, u->conn);
}

static void carry_close(struct loop *l, const struct update *u)
{
    wire_close(l, u->conn);
}

static void on_resolved(void *arg, slot_id query, enum dns_status status, clu_slice msg)
{
    struct loop *l = arg;

    if (l->hooks.reply != NULL)
        l->hooks.reply(l->hooks.arg, status, msg);
    machine_resolved(l->machine, query, status, msg, system_now_ms());
}

static void on_resolver_turn(void *arg)
{
    loop_turn(arg);
}

/* c-ares and its sockets cost nothing to a node that asks no DNS. */
static void carry_resolve(struct loop *l, const struct update *u)
{
    if (l->resolver == NULL)
        l->resolver = resolver_new(l->base, l->resolv, on_resolved, on_resolver_turn, l);
    if (l->resolver == NULL)
        on_resolved(l, u->u.resolve.query, DNS_NO_SERVER, (clu_slice){NULL, 0});
    else
        resolver_ask(l->resolver, u->u.resolve.query, u->u.resolve.name, u->u.resolve.type);
}

void loop_tell(struct loop *l, const struct event *event)
{
    log_event(&l->log, event);
    if (l->hooks.event != NULL)
        l->hooks.event(l->hooks.arg, event);
}

static void carry_event(struct loop *l, const struct update *u)
{
    loop_tell(l, &u->u.event);
}

static void carry_answer(struct loop *l, const struct update *u)
{
    if (l->hooks.answer != NULL)
        l->hooks.answer(l->hooks.arg, &u->u.answer);
}

static void carry_need(struct loop *l, const struct update *u)
{
    needs_carry(l, u->u.need.source, &u->u.need.need);
}

static void carry_exit(struct loop *l, const struct update *u)
{
    loop_exit(l, u->u.exit_status);
}

static void (*const carry[])(struct loop *, const struct update *) = {
    [UPDATE_LISTEN] = carry_listen, [UPDATE_UNLISTEN] = carry_unlisten,
    [UPDATE_DIAL] = carry_dial,     [UPDATE_SEND] = carry_send,
    [UPDATE_CLOSE] = carry_close,   [UPDATE_RESOLVE] = carry_resolve,
    [UPDATE_NEED] = carry_need,     [UPDATE_EVENT] = carry_event,
    [UPDATE_ANSWER] = carry_answer, [UPDATE_EXIT] = carry_exit,
};

/* A deadline that was moved away is left to pass: the machine is asked again then. */
static void arm_timer(struct loop *l)
{
    uint64_t at = machine_deadline(l->machine), now;

    if (at >= l->armed_ms || (l->later != NULL && watch_is_on(l->later)))
        return;
    l->armed_ms = at;
    now = system_now_ms();
    l->due_ms = max_u64(at, now);
    watch_start(l->timer, l->due_ms - now);
}

static void tick(struct loop *l)
{
    l->armed_ms = NEVER;
    machine_tick(l->machine, system_now_ms());
    loop_turn(l);
}

static void on_later(void *arg, bool timed_out)
{
    (void)timed_out;
    tick(arg);
}

/* A timer of the kind that is called behind what can be read. */
static bool let_others_go_first(struct loop *l)
{
    if (l->later == NULL)
        l->later = watch_new(l->base, WATCH_TIMER, -1, on_later, l);
    return l->later != NULL && watch_start(l->later, LATER_MS);
}

static void on_timer(void *arg, bool timed_out)
{
    struct loop *l = arg;
    bool late = system_now_ms() >= l->due_ms + LATE_MS;

    (void)timed_out;
    if (!late || !let_others_go_first(l))
        tick(l);
}

void loop_turn(struct loop *l)
{
    struct update u;

    while (machine_next(l->machine, &u))
        carry[u.kind](l, &u);
    arm_timer(l);
    if (l->hooks.turned != NULL)
        l->hooks.turned(l->hooks.arg);
}

struct loop *loop_new(struct machine *m, const struct resolv_conf *resolv, const struct log *log,
                      const struct loop_hooks *hooks)
{
    struct loop *l = calloc(1, sizeof *l);

    if (l == NULL)
        return NULL;
    l->machine = m;
    l->resolv = resolv;
    l->log = *log;
    l->hooks = *hooks;
    l->armed_ms = NEVER;
    list_init(&l->calm);
    list_init(&l->full);
    l->base = watch_base_new();
    l->timer = l->base == NULL ? NULL : watch_new(l->base, WATCH_ALARM, -1, on_timer, l);
    if (l->timer == NULL) {
        loop_free(l);
        return NULL;
    }
    return l;
}

void loop_free(struct loop *l)
{
    if (l == NULL)
        return;
    for (int i = 0; i < LISTENERS; i++)
        acceptor_close(l, (enum listener)i);
    wire_free_all(l);
    needs_free_all(l);
    resolver_free(l->resolver);
    watch_free(l->timer);
    watch_free(l->later);
    watch_free(l->calmer);
    watch_free(l->looker);
    watch_free(l->limit);
    watch_free(l->leaver);
    if (l->base != NULL)
        watch_base_free(l->base);
    free(l);
}

struct watch_base *loop_base(struct loop *l)
{
    return l->base;
}

bool loop_is_resolving(const struct loop *l)
{
    return l->resolver != NULL && resolver_is_busy(l->resolver);
}

void loop_start(struct loop *l)
{
    machine_start(l->machine, system_now_ms());
    loop_turn(l);
}

int loop_run(struct loop *l)
{
    if (!l->over)
        watch_base_run(l->base);
    return l->status;
}

static void on_limit(void *arg, bool timed_out)
{
    (void)arg;
    (void)timed_out;
}

/* Without memory for the timer it does not wait: a step may come back early. */
static bool limit_step(struct loop *l, uint64_t timeout_ms)
{
    if (timeout_ms == 0 || timeout_ms == NEVER)
        return timeout_ms != 0;
    if (l->limit == NULL)
        l->limit = watch_new(l->base, WATCH_TIMER, -1, on_limit, NULL);
    return l->limit != NULL && watch_start(l->limit, timeout_ms);
}

/* What a function was told in the first turn may be all that the caller waits for. Before it and
 * behind the wait the time is told: what the caller asks for between two steps counts from then. */
void loop_step(struct loop *l, uint64_t timeout_ms)
{
    uint64_t handed = machine_handed(l->machine);

    machine_now(l->machine, system_now_ms());
    loop_turn(l);
    if (l->over)
        return;
    if (machine_handed(l->machine) != handed)
        timeout_ms = 0;
    watch_base_step(l->base, limit_step(l, timeout_ms));
    if (l->limit != NULL)
        watch_stop(l->limit);
    machine_now(l->machine, system_now_ms());
}

bool loop_is_over(const struct loop *l)
{
    return l->over;
}

void loop_log(struct loop *l, enum event_level level)
{
    l->log.level = level;
}

void loop_exit(struct loop *l, int status)
{
    if (l->over)
        return;
    l->over = true;
    l->status = status;
    watch_base_break(l->base);
}
