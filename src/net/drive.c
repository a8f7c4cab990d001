/* SPDX-License-Identifier: Apache-2.0 */
#include "net/drive.h"

#include "net/system.h"
#include "net/watch.h"

static void on_timeout(void *arg, bool timed_out)
{
    struct drive *d = arg;

    (void)timed_out;
    loop_exit(d->loop, d->timeout_status);
}

void drive_tell_notes(struct drive *d, const struct conf *c)
{
    for (size_t i = 0; i < c->n_notes; i++) {
        struct event e = {.id = EVENT_SETTING};

        text_set(e.what, sizeof e.what, slice_of(c->notes[i].what));
        text_set(e.reason, sizeof e.reason, slice_of(c->notes[i].reason));
        loop_tell(d->loop, &e);
    }
}

static clu_error make_machine(struct drive *d, const struct conf *c, char why[REASON_SIZE])
{
    struct machine_options o = {
        .settings = &c->settings,
        .resolv = &c->resolv,
        .hosts = &c->hosts,
        .now_ms = system_now_ms(),
        .wall_ms = system_wall_ms(),
    };

    if (system_random(o.seed, sizeof o.seed))
        return machine_new(&d->machine, &o, why);
    text_set(why, REASON_SIZE, slice_of("the system gives no random numbers"));
    return CLU_ESTART;
}

clu_error drive_new(struct drive *d, const struct conf *c, const struct log *log,
                    const struct loop_hooks *hooks, char why[REASON_SIZE])
{
    *d = (struct drive){0};
    clu_error err = make_machine(d, c, why);

    if (err != CLU_OK)
        return err;
    d->loop = loop_new(d->machine, &c->resolv, log, hooks);
    if (d->loop != NULL)
        return CLU_OK;
    system_shortage(why);
    return CLU_ESTART;
}

int drive_open(struct drive *d, const struct conf *c, const struct loop_hooks *hooks)
{
    /* A command that answers a question says in its answer what went wrong. */
    bool stays = c->command == CMD_RUN || c->command == CMD_EPMD;
    const struct log log = {
        .level = stays ? (enum event_level)c->settings.log_level : LEVEL_ERROR,
        .json = c->settings.json_log,
    };
    char why[REASON_SIZE];
    clu_error err = drive_new(d, c, &log, hooks, why);

    if (err == CLU_OK)
        drive_tell_notes(d, c);
    else if (err == CLU_EBADARG || err == CLU_ESTART)
        return program_fail(err == CLU_EBADARG ? EXIT_USAGE : EXIT_LOCAL, "%s", why);
    return err == CLU_OK ? EXIT_DONE : program_fail(EXIT_LOCAL, "%s", clu_strerror(err));
}

bool drive_limit(struct drive *d, const struct conf *c, int status)
{
    d->timeout_status = status;
    d->timeout = watch_new(loop_base(d->loop), WATCH_TIMER, -1, on_timeout, d);
    return d->timeout != NULL && watch_start(d->timeout, c->timeout_ms);
}

void drive_close(struct drive *d)
{
    watch_free(d->timeout);
    loop_free(d->loop);
    machine_free(d->machine);
    *d = (struct drive){0};
}
