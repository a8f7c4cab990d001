/* SPDX-License-Identifier: Apache-2.0 */
#include "node/calls.h"

/* What an operator asks of any node, so that habits work here too. */

/* The release whose flags we speak. */
#define OTP_RELEASE "29"
/* How long net_adm:ping waits for a node, as long as gen_server:call does. */
#define PING_MS 5000

static clu_error reply_atom(clu_call *call, const char *text)
{
    clu_put_atom_text(clu_reply_begin(call), text);
    return clu_reply_end(call);
}

/* ---- erlang ---- */

static clu_error node_of(clu_call *call, clu_reader *args, void *arg)
{
    (void)args;
    (void)arg;
    return reply_atom(call, clu_call_node(call)->name);
}

static clu_error is_alive(clu_call *call, clu_reader *args, void *arg)
{
    (void)args;
    (void)arg;
    return reply_atom(call, "true");
}

enum kind { KIND_VISIBLE = 1, KIND_HIDDEN = 2, KIND_THIS = 4 };

/* connected: both; known: those and this one. */
static unsigned kind_named(clu_slice name)
{
    static const struct {
        const char *name;
        unsigned kinds;
    } kinds[] = {
        {"visible", KIND_VISIBLE},
        {"hidden", KIND_HIDDEN},
        {"this", KIND_THIS},
        {"connected", KIND_VISIBLE | KIND_HIDDEN},
        {"known", KIND_VISIBLE | KIND_HIDDEN | KIND_THIS},
    };

    for (size_t i = 0; i < COUNT(kinds); i++)
        if (slice_is(name, kinds[i].name))
            return kinds[i].kinds;
    return 0;
}

static bool is_of(const struct remote *r, unsigned kinds)
{
    return r->link != NULL && (kinds & (r->link->visible ? KIND_VISIBLE : KIND_HIDDEN)) != 0;
}

static size_t put_names(clu_writer *w, const struct clu_node *n, unsigned kinds)
{
    const struct map_entry *at = NULL;
    const struct remote *r;
    size_t count = 0;

    for (; (r = map_next(&n->remotes, &at, NULL)) != NULL; count += is_of(r, kinds))
        if (w != NULL && is_of(r, kinds))
            clu_put_atom_text(w, r->name);
    if (w != NULL && (kinds & KIND_THIS) != 0)
        clu_put_atom_text(w, n->name);
    return count + ((kinds & KIND_THIS) != 0);
}

static void put_nodes(clu_writer *w, const struct clu_node *n, unsigned kinds)
{
    size_t count = put_names(NULL, n, kinds);

    if (count > 0)
        clu_put_list(w, count);
    put_names(w, n, kinds);
    clu_put_nil(w);
}

static clu_error nodes(clu_call *call, clu_reader *args, void *arg)
{
    (void)args;
    (void)arg;
    put_nodes(clu_reply_begin(call), clu_call_node(call), KIND_VISIBLE);
    return clu_reply_end(call);
}

static void get_kind(clu_reader *r, unsigned *kinds)
{
    unsigned kind = kind_named(clu_get_atom(r));

    if (kind == 0)
        clu_reader_fail(r, CLU_EBADARG);
    *kinds |= kind;
}

/* A kind, or a list of them. */
static unsigned get_kinds(clu_reader *r)
{
    bool is_list = clu_peek_type(r) == CLU_TYPE_LIST;
    size_t n = is_list ? clu_get_list(r) : 1;
    unsigned kinds = 0;

    for (size_t i = 0; i < n && r->err == CLU_OK; i++)
        get_kind(r, &kinds);
    if (is_list && n > 0)
        clu_get_nil(r);
    return kinds;
}

static clu_error nodes_of(clu_call *call, clu_reader *args, void *arg)
{
    (void)arg;
    clu_get_list(args);
    unsigned kinds = get_kinds(args);

    if (args->err != CLU_OK)
        return CLU_EBADARG;
    put_nodes(clu_reply_begin(call), clu_call_node(call), kinds);
    return clu_reply_end(call);
}

/* ---- erlang:system_info ---- */

static void put_release(clu_writer *w, const struct clu_node *n)
{
    (void)n;
    clu_put_string(w, slice_of(OTP_RELEASE));
}

static void put_version(clu_writer *w, const struct clu_node *n)
{
    (void)n;
    clu_put_string(w, slice_of("erlclu " CLU_VERSION));
}

static void put_machine(clu_writer *w, const struct clu_node *n)
{
    (void)n;
    clu_put_string(w, slice_of("erlclu"));
}

static void put_process_count(clu_writer *w, const struct clu_node *n)
{
    clu_put_uint(w, n->procs.n_used);
}

static void put_process_limit(clu_writer *w, const struct clu_node *n)
{
    (void)n;
    clu_put_uint(w, NODE_PROCESSES_MAX);
}

static void put_creation(clu_writer *w, const struct clu_node *n)
{
    clu_put_uint(w, n->creation);
}

static void put_wordsize(clu_writer *w, const struct clu_node *n)
{
    (void)n;
    clu_put_uint(w, sizeof(void *));
}

static void put_schedulers(clu_writer *w, const struct clu_node *n)
{
    (void)n;
    clu_put_uint(w, 1);
}

/* The text of system_version ends its line, as a BEAM's does. */
static void put_system_version(clu_writer *w, const struct clu_node *n)
{
    (void)n;
    clu_put_string(w, slice_of("erlclu " CLU_VERSION " (distribution of OTP " OTP_RELEASE ")\n"));
}

static const struct {
    const char *item;
    void (*put)(clu_writer *w, const struct clu_node *n);
} infos[] = {
    {"otp_release", put_release},
    {"system_version", put_system_version},
    {"version", put_version},
    {"machine", put_machine},
    {"process_count", put_process_count},
    {"process_limit", put_process_limit},
    {"creation", put_creation},
    {"wordsize", put_wordsize},
    {"schedulers", put_schedulers},
    {"schedulers_online", put_schedulers},
};

static clu_error system_info(clu_call *call, clu_reader *args, void *arg)
{
    (void)arg;
    clu_get_list(args);
    clu_slice item = clu_get_atom(args);

    for (size_t i = 0; i < COUNT(infos); i++)
        if (slice_is(item, infos[i].item)) {
            infos[i].put(clu_reply_begin(call), clu_call_node(call));
            return clu_reply_end(call);
        }
    return CLU_EBADARG;
}

/* ---- net_adm:ping ---- */

static void pinged(clu_process *self, const clu_answer *a, void *arg)
{
    clu_reader term = a->term;
    bool yes = a->outcome == CLU_ANSWERED && slice_is(clu_get_atom(&term), "yes");

    (void)self;
    if (reply_atom(arg, yes ? "pong" : "pang") != CLU_OK)
        call_raise(arg, "system_limit");
}

static clu_error ask_net_kernel(clu_call *call, clu_slice node)
{
    clu_process *self = clu_call_self(call);
    clu_to to = {.name = slice_of("net_kernel"), .node = node};

    if (self == NULL)
        return CLU_OK;
    clu_writer *w = clu_call_begin(self, &to, PING_MS);

    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "is_auth");
    clu_put_atom_text(w, clu_call_node(call)->name);
    clu_error err = clu_call_end(self, pinged, call, NULL);

    return err == CLU_OK ? CLU_PENDING : err;
}

static clu_error ping(clu_call *call, clu_reader *args, void *arg)
{
    (void)arg;
    clu_get_list(args);
    clu_slice node = clu_get_atom(args);
    const uint8_t *at = args->err == CLU_OK ? memchr(node.data, '@', node.len) : NULL;

    if (args->err != CLU_OK)
        return CLU_EBADARG;
    if (is_own_name(clu_call_node(call), node))
        return reply_atom(call, "pong");
    return at == NULL || node.len >= NODE_NAME_SIZE ? reply_atom(call, "pang")
                                                    : ask_net_kernel(call, node);
}

/* ---- net_kernel:nodes_info ---- */

static void put_item(clu_writer *w, const char *name)
{
    clu_put_tuple(w, 2);
    clu_put_atom_text(w, name);
}

/* {net_address, Address, Host, Protocol, Family}: where it is, only its driver knows. */
static void put_address(clu_writer *w, const char *node)
{
    clu_put_tuple(w, 5);
    clu_put_atom_text(w, "net_address");
    clu_put_atom_text(w, "undefined");
    clu_put_string(w, slice_of(strchr(node, '@') == NULL ? "" : strchr(node, '@') + 1));
    clu_put_atom_text(w, "tcp");
    clu_put_atom_text(w, "inet");
}

static void put_node_info(clu_writer *w, const struct remote *r, const clu_pid *owner)
{
    clu_put_tuple(w, 2);
    clu_put_atom_text(w, r->name);
    clu_put_list(w, 6);
    put_item(w, "owner");
    clu_put_pid(w, owner);
    put_item(w, "state");
    clu_put_atom_text(w, "up");
    put_item(w, "address");
    put_address(w, r->name);
    put_item(w, "type");
    clu_put_atom_text(w, r->link->visible ? "normal" : "hidden");
    put_item(w, "in");
    clu_put_uint(w, r->link->channel->frames_in);
    put_item(w, "out");
    clu_put_uint(w, r->link->channel->frames_out);
    clu_put_nil(w);
}

static clu_error nodes_info(clu_call *call, clu_reader *args, void *arg)
{
    const struct clu_node *n = clu_call_node(call);
    unsigned all = KIND_VISIBLE | KIND_HIDDEN;
    const struct clu_process *owner = process_named(n, slice_of("net_kernel"));
    clu_pid pid = clu_self(owner == NULL ? clu_call_self(call) : owner);
    size_t count = put_names(NULL, n, all);
    const struct map_entry *at = NULL;
    clu_writer *w = clu_reply_begin(call);

    (void)args;
    (void)arg;
    put_item(w, "ok");
    if (count > 0)
        clu_put_list(w, count);
    for (const struct remote *r; (r = map_next(&n->remotes, &at, NULL)) != NULL;)
        if (is_of(r, all))
            put_node_info(w, r, &pid);
    clu_put_nil(w);
    return clu_reply_end(call);
}

/* ---- erlclu:status ---- */

static void put_texts(clu_writer *w)
{
    clu_put_atom_text(w, "version");
    clu_put_binary(w, CLU_VERSION, strlen(CLU_VERSION));
    clu_put_atom_text(w, "otp_release");
    clu_put_binary(w, OTP_RELEASE, strlen(OTP_RELEASE));
}

static void put_counts(clu_writer *w, const struct clu_node *n)
{
    const struct {
        const char *key;
        uint64_t value;
    } rows[] = {
        {"creation", n->creation},
        {"processes", n->procs.n_used},
        {"registered", map_count(&n->names)},
        {"exported", map_count(&n->exports)},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        clu_put_atom_text(w, rows[i].key);
        clu_put_uint(w, rows[i].value);
    }
}

static clu_error status(clu_call *call, clu_reader *args, void *arg)
{
    const struct clu_node *n = clu_call_node(call);
    clu_writer *w = clu_reply_begin(call);

    (void)args;
    (void)arg;
    clu_put_map(w, 10);
    clu_put_atom_text(w, "node");
    clu_put_atom_text(w, n->name);
    clu_put_atom_text(w, "hidden");
    clu_put_atom_text(w, n->hidden ? "true" : "false");
    put_texts(w);
    put_counts(w, n);
    clu_put_atom_text(w, "nodes");
    put_nodes(w, n, KIND_VISIBLE);
    clu_put_atom_text(w, "hidden_nodes");
    put_nodes(w, n, KIND_HIDDEN);
    return clu_reply_end(call);
}

/* ---- the table ---- */

static const struct {
    const char *module, *function;
    unsigned arity;
    clu_function *run;
} builtins[] = {
    {"erlang", "node", 0, node_of},
    {"erlang", "nodes", 0, nodes},
    {"erlang", "nodes", 1, nodes_of},
    {"erlang", "is_alive", 0, is_alive},
    {"erlang", "system_info", 1, system_info},
    {"net_adm", "ping", 1, ping},
    {"net_kernel", "nodes_info", 0, nodes_info},
    {"erlclu", "status", 0, status},
};

clu_error builtins_export(struct clu_node *n)
{
    clu_error err = CLU_OK;

    for (size_t i = 0; i < COUNT(builtins) && err == CLU_OK; i++)
        err = export_new(n, builtins[i].module, builtins[i].function, builtins[i].arity,
                         builtins[i].run, NULL);
    return err;
}
