/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "cli/cli.h"
#include "net/drive.h"
#include "net/signals.h"
#include "net/system.h"

static void on_signal(void *arg, int number)
{
    struct drive *d = arg;

    if (number == SIGCHLD) {
        signals_bury();
        return;
    }
    machine_stop(d->machine, signals_word(number), system_now_ms());
    loop_turn(d->loop);
    loop_exit(d->loop, EXIT_DONE);
}

static int serve(struct drive *d)
{
    struct signals *signals = signals_new(loop_base(d->loop), true, on_signal, d);
    int status;

    if (signals == NULL)
        return program_cannot_start();
    loop_start(d->loop);
    status = loop_run(d->loop) == 0 ? EXIT_DONE : EXIT_LOCAL;
    signals_free(signals);
    return status;
}

int epmd_main(const struct conf *c)
{
    static const struct loop_hooks none = {0};
    struct drive d = {0};
    int status;

    system_raise_files();
    status = drive_open(&d, c, &none);
    if (status == EXIT_DONE)
        status = serve(&d);
    drive_close(&d);
    return status;
}
