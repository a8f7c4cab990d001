/* SPDX-License-Identifier: Apache-2.0 */
/* A loop of one's own, on libuv: its timer counts, and the node answers
 * rpc:call('uv@127.0.0.1', uv, ticks, []) with the count. */
#include <erlclu/erlclu.h>

#include <signal.h>
#include <stdio.h>
#include <uv.h>

static clu_error on_ticks(clu_call *call, clu_reader *args, void *arg)
{
    const int *ticks = arg;

    (void)args;
    return clu_reply(call, "~i", *ticks);
}

static void on_tick(uv_timer_t *timer)
{
    ++*(int *)timer->data;
}

/* The node has something to do. */
static void on_node(uv_poll_t *handle, int status, int events)
{
    (void)status;
    (void)events;
    if (!clu_step(handle->data, 0))
        uv_stop(handle->loop);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    clu_stop(handle->data);
}

int main(void)
{
    int ticks = 0;
    uv_loop_t *loop = uv_default_loop();
    clu_node *node = clu_node_new(&(clu_options){.name = "uv"});
    uv_timer_t timer = {.data = &ticks};
    uv_poll_t poll = {.data = node};
    uv_signal_t term = {.data = node};

    clu_export(node, "uv", "ticks", 0, on_ticks, &ticks);
    uv_timer_init(loop, &timer);
    uv_timer_start(&timer, on_tick, 10, 10);
    uv_signal_init(loop, &term);
    uv_signal_start(&term, on_signal, SIGTERM);
    if (clu_step(node, 0) && uv_poll_init(loop, &poll, clu_fd(node)) == 0 &&
        uv_poll_start(&poll, UV_READABLE, on_node) == 0)
        uv_run(loop, UV_RUN_DEFAULT);
    if (clu_node_status(node) != CLU_OK)
        fprintf(stderr, "uv: %s\n", clu_node_error(node));
    clu_node_free(node);
    return 0;
}
