/* SPDX-License-Identifier: Apache-2.0 */
/* A gen_server in C: gen_server:call({counter, 'counter@127.0.0.1'}, next). The nodes that it joins
 * are those of ERLCLU_DISCOVER, as dns:NAME or epmd:HOST (docs/discovery.md). */
#include <erlclu/erlclu.h>

struct counter {
    int64_t n;
};

static clu_error on_call(clu_call *call, clu_reader *request, void *arg)
{
    struct counter *c = arg;
    int64_t by = 1;

    if (clu_match(request, "get") == CLU_OK)
        by = 0;
    else if (clu_match(request, "next") != CLU_OK && clu_match(request, "{add,~i}", &by) != CLU_OK)
        return CLU_EBADARG;
    if (__builtin_add_overflow(c->n, by, &c->n))
        return CLU_ERANGE;
    return clu_reply(call, "~i", c->n);
}

/* gen_server:cast(Counter, reset) */
static void on_cast(clu_process *self, clu_reader *request, void *arg)
{
    struct counter *c = arg;

    (void)self;
    if (clu_match(request, "reset") == CLU_OK)
        c->n = 0;
}

/* What sys:get_state(Counter) shows. */
static void on_state(clu_process *self, clu_writer *w, void *arg)
{
    const struct counter *c = arg;

    (void)self;
    clu_format(w, "#{count => ~i}", c->n);
}

static const clu_server server = {.call = on_call, .cast = on_cast, .state = on_state};

int main(void)
{
    struct counter counter = {0};
    clu_node *node = clu_node_new(&(clu_options){.name = "counter"});

    clu_serve(node, "counter", &server, &counter);
    return clu_main(node);
}
