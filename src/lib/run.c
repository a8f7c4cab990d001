/* SPDX-License-Identifier: Apache-2.0
 *
 * Driving a node: step by step, until it is stopped, or as the whole of a program.
 */
#include <assert.h>
#include <errno.h>

#include "lib/host.h"
#include "model/exit.h"
#include "net/signals.h"
#include "net/system.h"
#include "net/watch.h"
#include "node/proc.h"

bool host_start(struct host *h)
{
    if (h->drive.machine == NULL || loop_is_over(h->drive.loop))
        return false;
    if (h->started)
        return true;
    if (h->node->err != CLU_OK)
        return false;
    h->started = true;
    drive_tell_notes(&h->drive, &h->conf);
    loop_start(h->drive.loop);
    return !loop_is_over(h->drive.loop);
}

void host_leave(struct host *h, const char *reason)
{
    h->reason = reason;
    loop_leave(h->drive.loop);
}

void host_stop(struct host *h, const char *reason)
{
    send_drop(h->node);
    /* First: whom the node calls while it leaves can tell. */
    loop_exit(h->drive.loop, EXIT_DONE);
    machine_stop(h->drive.machine, reason, system_now_ms());
    loop_turn(h->drive.loop);
}

int host_status(const struct host *h)
{
    return h->node->err == CLU_OK        ? EXIT_DONE
           : h->node->err == CLU_EBADARG ? EXIT_USAGE
                                         : EXIT_LOCAL;
}

bool clu_step(clu_node *node, int timeout_ms)
{
    struct host *h = node == NULL ? NULL : host_of(node);

    if (h == NULL)
        return false;
    assert(!h->stepping);
    h->stepping = true;
    send_drop(node);
    if (host_start(h))
        loop_step(h->drive.loop, timeout_ms < 0 ? NEVER : (uint64_t)timeout_ms);
    h->stepping = false;
    return host_start(h);
}

clu_error clu_run(clu_node *node)
{
    struct host *h = node == NULL ? NULL : host_of(node);

    if (h == NULL)
        return CLU_ENOMEM;
    assert(!h->stepping);
    h->stepping = true;
    send_drop(node);
    if (host_start(h))
        loop_run(h->drive.loop);
    h->stepping = false;
    return node->err;
}

int clu_fd(clu_node *node)
{
    struct host *h = node == NULL ? NULL : host_of(node);

    return h == NULL || h->drive.loop == NULL ? -1 : watch_base_fd(loop_base(h->drive.loop));
}

/* ---- a whole program ---- */

static void on_signal(void *arg, int number)
{
    host_leave(arg, signals_word(number));
}

static void run_with_signals(struct host *h)
{
    struct signals *signals = signals_new(loop_base(h->drive.loop), false, on_signal, h);
    char why[REASON_SIZE];

    if (signals == NULL) {
        system_shortage(why);
        node_fail(h->node, CLU_ESTART, "%s", why);
        return;
    }
    signals_ignore_pipe();
    if (!h->log_given)
        loop_log(h->drive.loop, h->log = LEVEL_WARNING);
    (void)clu_run(h->node);
    signals_free(signals);
}

int clu_main(clu_node *node)
{
    struct host *h = node == NULL ? NULL : host_of(node);
    int status = h == NULL ? EXIT_LOCAL : EXIT_DONE;

    if (h != NULL && h->drive.machine != NULL && node->err == CLU_OK)
        run_with_signals(h);
    if (h != NULL)
        status = host_status(h);
    if (status != EXIT_DONE && (h == NULL || !h->said))
        program_complain(program_invocation_short_name, clu_node_error(node));
    clu_node_free(node);
    return status;
}
