/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/wait.h"

#include <string.h>

#include "net/drive.h"
#include "net/system.h"
#include "net/watch.h"
#include "view/reach.h"

/* How often it is told what is waited for, when that has changed: an init container's log is all
 * that people see of it. */
#define TELL_MS 5000

struct waiting {
    struct drive drive;
    const struct conf *conf;
    struct watch *teller;
    struct buf why, told; /* what is waited for now, and as it was told */
    uint64_t version;     /* of the snapshot that was looked at last */
    bool is_over;
};

static const struct snapshot *look(struct waiting *w)
{
    return machine_snapshot(w->drive.machine, system_now_ms());
}

static bool is_enough(const struct waiting *w, const struct snapshot *s)
{
    return reach_count(s) >= w->conf->want_reachable ||
           (w->conf->or_first && reach_is_first(s, &w->conf->here));
}

static void on_turned(void *arg)
{
    struct waiting *w = arg;
    uint64_t version = machine_version(w->drive.machine);

    if (w->is_over || version == w->version)
        return;
    const struct snapshot *s = look(w);

    w->version = version;
    w->is_over = s != NULL && is_enough(w, s);
    if (w->is_over)
        loop_exit(w->drive.loop, EXIT_DONE);
}

static int tell_success(const struct waiting *w, const struct snapshot *s)
{
    struct buf out = {0};
    char text[ADDR_TEXT_MAX];

    if (reach_count(s) >= w->conf->want_reachable)
        reach_put_names(&out, s);
    else
        buf_printf(&out, "%s is the lowest address listed", addr_ip_text(&w->conf->here, text));
    buf_put_byte(&out, '\n');
    return program_print(&out);
}

static const char *put_why(struct waiting *w, const struct snapshot *s)
{
    buf_reset(&w->why);
    reach_put_why(&w->why, s, &w->conf->here, w->conf->want_reachable);
    return buf_text(&w->why);
}

static void on_time_to_tell(void *arg, bool timed_out)
{
    struct waiting *w = arg;
    const struct snapshot *s = look(w);

    (void)timed_out;
    watch_start(w->teller, TELL_MS);
    if (s == NULL || strcmp(put_why(w, s), buf_text(&w->told)) == 0)
        return;
    program_fail(EXIT_NO, "waiting: %s", buf_text(&w->why));
    buf_reset(&w->told);
    buf_put_slice(&w->told, buf_slice(&w->why));
}

static bool start_teller(struct waiting *w)
{
    w->teller = watch_new(loop_base(w->drive.loop), WATCH_TIMER, -1, on_time_to_tell, w);
    return w->teller != NULL && watch_start(w->teller, TELL_MS);
}

static int wait_for_them(struct waiting *w)
{
    if (!drive_limit(&w->drive, w->conf, EXIT_DONE) || !start_teller(w))
        return program_fail(EXIT_LOCAL, "%s", clu_strerror(CLU_ENOMEM));
    loop_start(w->drive.loop);
    program_progress("nodes");
    int status = loop_run(w->drive.loop);

    program_progress(NULL);
    if (status != EXIT_DONE) /* the machine has told why */
        return EXIT_LOCAL;
    const struct snapshot *s = look(w);

    if (s == NULL)
        return program_fail(EXIT_LOCAL, "%s", clu_strerror(CLU_ENOMEM));
    if (w->is_over)
        return tell_success(w, s);
    return program_fail(EXIT_NO, "after %u.%03u s: %s", (unsigned)(w->conf->timeout_ms / 1000),
                        (unsigned)(w->conf->timeout_ms % 1000), put_why(w, s));
}

int wait_reachable(const struct conf *c)
{
    struct waiting w = {.conf = c, .version = UINT64_MAX};
    const struct loop_hooks hooks = {.turned = on_turned, .arg = &w};
    int status = drive_open(&w.drive, c, &hooks);

    if (status == EXIT_DONE)
        status = wait_for_them(&w);
    watch_free(w.teller);
    buf_free(&w.why);
    buf_free(&w.told);
    drive_close(&w.drive);
    return status;
}
