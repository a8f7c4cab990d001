/* SPDX-License-Identifier: Apache-2.0 */
#include "node/calls.h"

/* erlang:spawn_request: what other nodes ask of us. A BEAM runs the function in a process of its
 * own, and so do we; what makes it a call of erpc is the function that is asked for. */

/* ---- options ---- */

struct options {
    bool link, monitor;
    bool bad; /* one that no BEAM knows either */
};

/* Options of a BEAM's heap and scheduling: nothing to us. */
static bool is_passed_over(clu_slice name)
{
    static const char *const names[] = {
        "priority",           "fullsweep_after", "min_heap_size",
        "min_bin_vheap_size", "max_heap_size",   "message_queue_data",
        "async_dist",         "scheduler",       "max_bin_vheap_size"};

    for (size_t i = 0; i < COUNT(names); i++)
        if (slice_is(name, names[i]))
            return true;
    return false;
}

/* link, monitor, {monitor, Options}, {priority, Level}, ... What does not even begin with an atom
 * is one that nobody knows: it is no error of the protocol. */
static void get_option(clu_reader *r, struct options *o)
{
    clu_reader option = *r;
    bool is_pair = clu_peek_type(&option) == CLU_TYPE_TUPLE;
    size_t arity = is_pair ? clu_get_tuple(&option) : 1;
    clu_slice name = clu_get_atom(&option);

    clu_skip_term(r);
    if (slice_is(name, "link") && !is_pair)
        o->link = true;
    else if (slice_is(name, "monitor"))
        o->monitor = true;
    else if (!is_pair || arity != 2 || !is_passed_over(name))
        o->bad = true;
}

/* What is no list is bad too, and so is one of small integers, which comes as a STRING. */
static struct options get_options(clu_reader r)
{
    struct options o = {0};
    size_t n = clu_get_list(&r);

    for (size_t i = 0; i < n; i++)
        get_option(&r, &o);
    if (n > 0)
        clu_get_nil(&r);
    o.bad = o.bad || r.err != CLU_OK;
    return o;
}

/* ---- what is asked for ---- */

static bool is_erpc(const struct mfa *m, const char *function, size_t arity)
{
    return m->arity == arity && slice_is(m->module, "erpc") && slice_is(m->function, function);
}

static clu_reader payload_of(const struct signal *s)
{
    clu_slice p = s->c->payload;

    return (clu_reader){.pos = p.data, .end = p.data + p.len, .refs = s->c->refs};
}

/* What a process asked for and how: request, when set, begins with module, function, arguments. */
struct wish {
    enum call_kind kind;
    clu_reader tag, request;
};

/* [Ref, M, F, A] and [M, F, A]: arguments of erpc's functions. What execute_call/3 returns is
 * nobody's. */
static struct wish understand(const struct signal *s, const struct mfa *m)
{
    clu_reader args = payload_of(s);
    struct wish w = {.kind = CALL_SPAWN, .tag = call_no_tag, .request = call_no_tag};
    bool is_call = is_erpc(m, "execute_call", 4), is_cast = is_erpc(m, "execute_cast", 3);

    if (!is_call && !is_cast && !is_erpc(m, "execute_call", 3))
        return w;
    if (clu_get_list(&args) != m->arity)
        return w;
    w.kind = is_call ? CALL_ERPC : is_cast ? CALL_CAST : CALL_SPAWN;
    if (is_call) {
        w.tag = args;
        clu_skip_term(&args);
        w.tag.end = args.pos;
    }
    w.request = args;
    return w;
}

/* Without a request in it the payload is the function's own arguments. */
static clu_error run(struct signal *s, struct clu_process *p, struct mfa *m, struct wish *wish)
{
    if (wish->request.err == CLU_OK) {
        call_start(p, wish->request);
        return CLU_OK;
    }
    m->args = payload_of(s);
    return spawn_request(p, m);
}

/* ---- the new process ---- */

static clu_error refuse(struct signal *s, const char *why)
{
    control_put_spawn_error(signal_begin(s->remote, NULL), &s->c->ref, &s->c->from, why);
    return signal_end(s->remote);
}

/* Link and monitor stand before anybody hears of the process. */
static clu_error tie_to_parent(struct signal *s, struct clu_process *p, const struct options *o)
{
    clu_error err = CLU_OK;

    clu_put_pid(&p->leader, &s->c->to);
    if (o->link)
        err = bond_add(p, s->remote, &s->c->from);
    if (err == CLU_OK && o->monitor)
        err = watch_remote(p, s->remote, s->c);
    return err == CLU_OK ? p->leader.err : err;
}

/* Nobody is to hear of it. */
static void untie(struct clu_process *p)
{
    while (!list_empty(&p->bonds))
        bond_free(CONTAINER_OF(p->bonds.next, struct bond, of_proc));
    while (!list_empty(&p->watchers))
        watcher_free(CONTAINER_OF(p->watchers.next, struct watcher, of_proc));
    clu_exit(p, "system_limit");
}

static clu_error reply(struct signal *s, const struct clu_process *p, const struct options *o)
{
    clu_pid self = process_pid(p);
    uint64_t flags = (o->link ? SPAWN_REPLY_LINK : 0) | (o->monitor ? SPAWN_REPLY_MONITOR : 0);

    control_put_spawn_reply(signal_begin(s->remote, p), &s->c->ref, &s->c->from, flags, &self);
    return signal_end(s->remote);
}

static struct clu_process *spawn(struct signal *s, struct wish *wish)
{
    struct clu_call *call = call_new(s->node, wish->kind, &s->c->from, NULL, wish->tag);
    struct clu_process *p = call == NULL ? NULL : call_process(call);

    if (p == NULL)
        call_free(call);
    return p;
}

/* The reply goes out before anything else of the new process. */
static clu_error spawn_and_run(struct signal *s, struct mfa *m, const struct options *o)
{
    struct wish wish = understand(s, m);
    struct clu_process *p = spawn(s, &wish);

    if (p == NULL)
        return refuse(s, "system_limit");
    if (tie_to_parent(s, p, o) != CLU_OK) {
        untie(p);
        return refuse(s, "system_limit");
    }
    clu_error err = reply(s, p, o);

    if (err == CLU_OK && run(s, p, m, &wish) != CLU_OK)
        clu_exit(p, "system_limit");
    return err;
}

/* {Module, Function, Arity} and the options stand one behind the other. What a BEAM takes for a
 * broken protocol cuts the link. */
clu_error receive_spawn_request(struct signal *s)
{
    clu_slice raw = s->c->raw;
    clu_reader r = {.pos = raw.data, .end = raw.data + raw.len, .refs = s->c->refs};
    struct mfa m;

    if (clu_get_tuple(&r) != 3 || !mfa_names(&m, &r))
        return CLU_EPROTO;
    m.arity = clu_get_uint(&r);
    if (r.err != CLU_OK)
        return CLU_EPROTO;
    struct options o = get_options(r);

    return o.bad ? refuse(s, "badopt") : spawn_and_run(s, &m, &o);
}
