/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "node/calls.h"

/* Calls of others, from the request to the answer. */

const clu_reader call_no_tag = {.err = CLU_ENOENT};

/* ---- life ---- */

static clu_slice keep(uint8_t **to, clu_slice s)
{
    clu_slice kept = {*to, s.len};

    if (s.len > 0)
        memcpy(*to, s.data, s.len);
    *to += s.len;
    return kept;
}

/* Tags of BEAMs are no longer than this, save the odd long name of a node. */
#define TAG_USUAL 256

/* The tag without the cache references of its frame, in small or, where that is too small, in
 * memory of the writer's own. */
static clu_error spell_out(clu_writer *w, uint8_t small[TAG_USUAL], clu_reader tag)
{
    clu_reader again = tag;

    clu_writer_fixed(w, small, TAG_USUAL);
    if (tag.err != CLU_OK)
        return CLU_OK;
    clu_put_term(w, &tag);
    if (w->err != CLU_ESIZE)
        return w->err;
    clu_writer_init(w);
    clu_put_term(w, &again);
    return w->err;
}

static void fill(struct clu_call *call, const clu_pid *from, const clu_ref *alias, clu_slice tag)
{
    uint8_t *to = call->bytes;

    call->from = *from;
    call->from.node = keep(&to, from->node);
    if (alias != NULL) {
        call->alias = *alias;
        call->alias.node = keep(&to, alias->node);
    }
    call->tag = keep(&to, tag);
}

struct clu_call *call_new(struct clu_node *n, enum call_kind kind, const clu_pid *from,
                          const clu_ref *alias, clu_reader tag)
{
    uint8_t small[TAG_USUAL];
    clu_writer term;
    size_t names = from->node.len + (alias == NULL ? 0 : alias->node.len);
    bool fits = spell_out(&term, small, tag) == CLU_OK && n->n_calls < n->calls_max;
    struct clu_call *call = fits ? calloc(1, sizeof *call + names + term.len) : NULL;

    if (call != NULL) {
        call->node = n;
        call->kind = kind;
        call->own = kind != CALL_SERVER;
        fill(call, from, alias, (clu_slice){term.data, term.len});
        clu_writer_init(&call->w);
        list_append(&n->calls, &call->all);
        n->n_calls++;
    }
    clu_writer_free(&term);
    return call;
}

void call_free(struct clu_call *call)
{
    if (call == NULL)
        return;
    list_remove(&call->all);
    call->node->n_calls--;
    clu_writer_free(&call->w);
    free(call);
}

void calls_free(struct clu_node *n)
{
    while (!list_empty(&n->calls))
        call_free(CONTAINER_OF(n->calls.next, struct clu_call, all));
}

/* ---- who asks, who answers ---- */

clu_node *clu_call_node(const clu_call *call)
{
    return call->node;
}

clu_process *clu_call_self(const clu_call *call)
{
    struct clu_process *p = slots_get(&call->node->procs, call->proc);

    return p == NULL || p->ended ? NULL : p;
}

clu_pid clu_call_from(const clu_call *call)
{
    return call->from;
}

bool clu_call_is_awaited(const clu_call *call)
{
    const struct clu_process *p = clu_call_self(call), *server = call_server(call);

    if (p == NULL || call->answered)
        return false;
    if (call->kind <= CALL_CAST)
        return !list_empty(&p->watchers) || !list_empty(&p->bonds);
    if (call->watched)
        return server != NULL && gen_watched(server, &call->from, reader_of(call->tag));
    return call_reaches(call->node, call->from.node);
}

/* ---- callers of gen_server:call ---- */

/* [alias | Monitor] of call, [[alias | Ref] | Monitor] of multi_call (OTP: gen_server.erl), Monitor
 * of OTP before 24. What is none finds no watcher. */
static clu_ref monitor_of(clu_reader tag)
{
    if (clu_peek_type(&tag) == CLU_TYPE_LIST && clu_get_list(&tag) == 1)
        clu_skip_term(&tag);
    clu_ref monitor = clu_get_ref(&tag);

    return tag.err == CLU_OK ? monitor : (clu_ref){0};
}

static struct watcher *gen_watcher(const struct clu_process *p, const clu_pid *from, clu_reader tag)
{
    struct clu_node *n = p->node;
    struct remote *r = remote_find(n, from->node);
    clu_ref ref = monitor_of(tag);
    struct tie *t = r == NULL ? tie_find(n, &ref) : NULL;
    struct watcher *w = r == NULL ? (t == NULL ? NULL : t->watcher) : watcher_find(n, r, &ref);

    return ref.n > 0 && w != NULL && w->proc == p ? w : NULL;
}

bool gen_watched(const struct clu_process *p, const clu_pid *from, clu_reader tag)
{
    return gen_watcher(p, from, tag) != NULL;
}

void gen_fail(struct clu_process *p, const clu_pid *from, clu_reader tag, clu_slice reason)
{
    struct watcher *w = gen_watcher(p, from, tag);

    if (w != NULL)
        watcher_fire(w, reason);
}

/* ---- the answer ---- */

clu_writer *clu_reply_begin(clu_call *call)
{
    assert(!call->answered);
    answer_begin(call, ENDING_RETURN);
    return &call->w;
}

clu_writer *clu_raise_begin(clu_call *call, const char *exception)
{
    static const char *const words[ENDINGS] = {"", "throw", "exit", "error"};
    enum ending ending = ENDING_THROW;

    assert(!call->answered);
    while (ending < ENDINGS && strcmp(words[ending], exception) != 0)
        ending++;
    answer_begin(call, ending < ENDINGS ? ending : ENDING_ERROR);
    if (ending == ENDINGS)
        clu_writer_fail(&call->w, CLU_EBADARG);
    return &call->w;
}

/* A mistake of the program, of which the caller learns no more than badarg. */
static void note_bad_reply(struct clu_call *call)
{
    if (call->f == NULL || call->f->misspoke || call->node->misspoke != NULL)
        return;
    call->f->misspoke = true;
    call->node->misspoke = call->f;
}

clu_error clu_reply_end(clu_call *call)
{
    if (call->w.len == call->prefix && call->w.err == CLU_OK)
        clu_writer_fail(&call->w, CLU_EBADARG);
    answer_end(call);
    if (call->w.err == CLU_EBADARG)
        note_bad_reply(call);
    if (call->w.err != CLU_OK)
        return call->w.err;
    call->answered = true;
    call_settle(call);
    return CLU_OK;
}

/* How the caller is told: see send_message, end_process. */
void call_reply_end(struct clu_call *call)
{
    if (clu_reply_end(call) == CLU_OK)
        return;
    call->answered = true;
    call_settle(call);
}

void call_raise(struct clu_call *call, const char *atom)
{
    clu_put_atom_text(clu_raise_begin(call, "error"), atom);
    call_reply_end(call);
}

static void raise_error(struct clu_call *call, clu_error err)
{
    clu_writer *w = clu_raise_begin(call, "error");

    clu_put_tuple(w, 2);
    clu_put_atom_text(w, "erlclu");
    put_error_atom(w, err);
    call_reply_end(call);
}

/* What a handler returns when the arguments are not those that it takes. */
static bool is_badarg(clu_error err)
{
    static const clu_error all[] = {CLU_EBADARG, CLU_ETYPE, CLU_ERANGE,
                                    CLU_ETRUNC,  CLU_ETERM, CLU_EATOM};

    for (size_t i = 0; i < COUNT(all); i++)
        if (all[i] == err)
            return true;
    return false;
}

/* ---- running ---- */

/* A function that has said all and answered nothing has returned, where only its end counts. */
static void answer_unsaid(struct clu_call *call)
{
    if (call->kind != CALL_SPAWN && call->kind != CALL_CAST) {
        call_raise(call, "no_answer");
        return;
    }
    clu_put_atom_text(clu_reply_begin(call), "ok");
    call_reply_end(call);
}

static void answer_for(struct clu_call *call, clu_error err)
{
    if (err == CLU_OK)
        answer_unsaid(call);
    else if (is_badarg(err))
        call_raise(call, "badarg");
    else
        raise_error(call, err);
}

void call_run(struct clu_call *call, clu_function *handler, clu_reader *args, void *arg)
{
    call->running = true;
    clu_error err = handler(call, args, arg);

    if (!call->answered && err != CLU_PENDING && (err != CLU_OK || !call->became))
        answer_for(call, err);
    call->running = false;
    if (call->sent && !call->own)
        call_free(call);
}

/* Arguments that are small integers are given to the function as any other list. */
static void run_string(struct clu_call *call, clu_reader args)
{
    uint8_t bytes[8 + 2 * UINT8_MAX];
    clu_slice text = clu_get_string(&args);
    clu_writer w;

    clu_writer_fixed(&w, bytes, sizeof bytes);
    if (text.len > 0)
        clu_put_list(&w, text.len);
    for (size_t i = 0; i < text.len; i++)
        clu_put_int(&w, text.data[i]);
    clu_put_nil(&w);
    clu_reader list = {.pos = bytes, .end = bytes + w.len};

    call_run(call, call->f->handler, &list, call->f->arg);
}

static void raise_undef(struct clu_call *call, const struct mfa *m)
{
    call->asked = m;
    call_raise(call, "undef");
    call->asked = NULL;
}

static void run_function(struct clu_call *call, const struct mfa *m)
{
    clu_reader args = m->args;

    call->f = export_find(call->node, m);
    if (m->arity > UINT8_MAX)
        call_raise(call, "system_limit");
    else if (call->f == NULL)
        raise_undef(call, m);
    else if (args.pos < args.end && *args.pos == ETF_STRING)
        run_string(call, args);
    else
        call_run(call, call->f->handler, &args, call->f->arg);
}

static void start(struct clu_call *call, clu_reader r)
{
    struct mfa m;

    call->started = true;
    bool named = mfa_names(&m, &r);

    m.args = r;
    if (named && mfa_args(&m))
        run_function(call, &m);
    else
        call_raise(call, "badarg");
}

/* The first signal is the request itself. What comes later is for nobody. */
static void call_receive(clu_process *p, const clu_signal *s, void *arg)
{
    (void)arg;
    if (!p->call->started)
        start(p->call, s->term);
}

struct clu_process *call_process(struct clu_call *call)
{
    clu_spawn_options o = {.receive = call_receive};
    struct clu_process *p;

    if (process_new(call->node, &o, &p) != CLU_OK)
        return NULL;
    p->call = call;
    call->proc = p->id;
    return p;
}

void call_start(struct clu_process *p, clu_reader request)
{
    struct delivery d = {.signal = {.kind = CLU_SIGNAL_MESSAGE, .term = request}};

    deliver(p, &d);
}

void clu_become(clu_call *call, clu_receive_fn *receive, clu_stopped_fn *stopped, void *arg)
{
    struct clu_process *p = clu_call_self(call);

    if (p == NULL || !call->own || call->answered)
        return;
    call->became = true;
    p->receive = receive;
    p->stopped = stopped;
    p->arg = arg;
    mailbox_sort(p);
}

/* ---- its own process has ended ---- */

/* rex tells its caller; who asked otherwise has heard it already. */
static void tell_end(struct clu_call *call, clu_slice reason)
{
    if (call->answered) {
        call_send(call);
        return;
    }
    answer_begin(call, ENDING_EXIT);
    clu_put_raw(&call->w, reason);
    answer_end(call);
    call_send(call);
}

void call_ended(struct clu_call *call, clu_slice reason)
{
    bool pending = call->started && !call->answered && !call->became;

    call->proc = 0;
    call_keep_promise(call);
    if (!call->sent && call->kind >= CALL_REX)
        tell_end(call, reason);
    if (!pending)
        call_free(call);
}
