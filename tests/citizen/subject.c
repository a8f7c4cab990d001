/* SPDX-License-Identifier: Apache-2.0 */
#include "subject.h"

#include <stdlib.h>
#include <string.h>

#include "citizen.h"

#define NOTED_MAX (1u << 20)

static const clu_server behaviour;

static struct subject *subject_new(clu_node *node, const char *name)
{
    struct subject *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    clu_writer_init(&c->noted);
    clu_writer_init(&c->term);
    c->self = clu_serve(node, name, &behaviour, c);
    if (c->self != NULL)
        return c;
    free(c);
    return NULL;
}

bool get_text(clu_reader *r, char *text, size_t size)
{
    clu_slice s;
    bool ok = clu_match(r, "~a", &s) == CLU_OK && s.len < size;

    if (!ok)
        return false;
    memcpy(text, s.data, s.len);
    text[s.len] = '\0';
    return true;
}

clu_slice term_at(struct subject *c, clu_reader *r)
{
    clu_writer_reset(&c->term);
    clu_put_term(&c->term, r);
    clu_slice term = {c->term.data, c->term.len};

    return term;
}

clu_error order_reply(clu_call *call, clu_error err)
{
    return err == CLU_OK ? clu_reply(call, "ok") : err;
}

/* ---- orders about itself ---- */

static clu_error do_self(struct subject *c, clu_call *call, clu_reader *r)
{
    (void)r;
    return clu_reply(call, "~p", clu_self(c->self));
}

static clu_error do_echo(struct subject *c, clu_call *call, clu_reader *r)
{
    (void)c;
    return clu_reply(call, "~t", r);
}

/* Another of its kind, without a name. */
static clu_error do_child(struct subject *c, clu_call *call, clu_reader *r)
{
    struct subject *child = subject_new(clu_call_node(call), NULL);

    (void)c, (void)r;
    return child == NULL ? CLU_ENOMEM : clu_reply(call, "~p", clu_self(child->self));
}

static clu_error do_die(struct subject *c, clu_call *call, clu_reader *r)
{
    clu_slice reason = term_at(c, r);
    clu_error err = clu_reply(call, "ok");

    clu_exit_term(c->self, reason);
    return err;
}

static clu_error do_signals(struct subject *c, clu_call *call, clu_reader *r)
{
    clu_writer *w = clu_reply_begin(call);

    (void)r;
    clu_put_list(w, c->n_noted);
    clu_put_raw(w, (clu_slice){c->noted.data, c->noted.len});
    clu_put_nil(w);
    clu_writer_reset(&c->noted);
    c->n_noted = 0;
    return clu_reply_end(call);
}

static const struct order own_orders[] = {
    {"child", do_child}, {"die", do_die},         {"echo", do_echo},
    {"self", do_self},   {"signals", do_signals}, {NULL, NULL},
};

static const struct order *order_named(clu_slice name)
{
    static const struct order *const lists[] = {own_orders, signal_orders, cluster_orders};

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (const struct order *o = lists[i]; o->name != NULL; o++)
            if (clu_slice_is(name, o->name))
                return o;
    return NULL;
}

static clu_error on_call(clu_call *call, clu_reader *r, void *arg)
{
    if (clu_peek_type(r) == CLU_TYPE_TUPLE)
        clu_get_tuple(r);
    const struct order *order = order_named(clu_get_atom(r));

    return order == NULL ? CLU_EBADARG : order->carry_out(arg, call, r);
}

/* ---- signals ---- */

static clu_error note(struct subject *c, const clu_signal *s)
{
    clu_writer *w = &c->noted;

    switch (s->kind) {
    case CLU_SIGNAL_MESSAGE: return clu_format(w, "{message,~t}", s->term);
    case CLU_SIGNAL_EXIT: return clu_format(w, "{'EXIT',~p,~t}", s->from, s->term);
    case CLU_SIGNAL_TIMEOUT: return clu_format(w, "{timeout,~r}", s->ref);
    case CLU_SIGNAL_NODE_UP: return clu_format(w, "{nodeup,~a}", s->node);
    case CLU_SIGNAL_NODE_DOWN: return clu_format(w, "{nodedown,~a,~t}", s->node, s->term);
    case CLU_SIGNAL_WRITABLE: return clu_format(w, "{writable,~a}", s->node);
    case CLU_SIGNAL_STREAM_LOST: return clu_format(w, "{stream_lost,~a}", s->node);
    case CLU_SIGNAL_DOWN:
        return s->from.node.len > 0
                   ? clu_format(w, "{'DOWN',~r,~p,~t}", s->ref, s->from, s->term)
                   : clu_format(w, "{'DOWN',~r,{~a,~a},~t}", s->ref, s->name, s->node, s->term);
    case CLU_SIGNAL_SPAWNED:
        return s->from.node.len > 0 ? clu_format(w, "{spawned,~r,~p}", s->ref, s->from)
                                    : clu_format(w, "{spawned,~r,~t}", s->ref, s->term);
    }
    return CLU_OK;
}

void subject_noted(struct subject *c, clu_error err)
{
    if (err == CLU_OK && c->noted.len <= NOTED_MAX)
        c->n_noted++;
    else
        clu_exit(c->self, "cannot_note");
}

static void on_info(clu_process *self, const clu_signal *signal, void *arg)
{
    (void)self;
    subject_noted(arg, note(arg, signal));
}

static void on_cast(clu_process *self, clu_reader *request, void *arg)
{
    struct subject *c = arg;

    (void)self;
    subject_noted(c, clu_format(&c->noted, "{cast,~t}", request));
}

static void put_state(clu_process *self, clu_writer *w, void *arg)
{
    (void)self;
    clu_format(w, "#{noted => ~u}", ((struct subject *)arg)->n_noted);
}

static void on_stopped(clu_process *self, clu_slice reason, void *arg)
{
    struct subject *c = arg;

    (void)self, (void)reason;
    clu_writer_free(&c->noted);
    clu_writer_free(&c->term);
    free(c);
}

static const clu_server behaviour = {
    .call = on_call, .cast = on_cast, .info = on_info, .state = put_state, .stopped = on_stopped};

void subject_start(clu_node *node)
{
    subject_new(node, "subject");
}
