/* SPDX-License-Identifier: Apache-2.0 */
#include "app/run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "net/drive.h"
#include "net/http.h"
#include "net/rotate.h"
#include "net/signals.h"
#include "net/system.h"
#include "net/watch.h"
#include "view/routes.h"

/* Who asks often gets the same figures, whatever happens between: a snapshot of thousands of peers
 * takes a while, and so does its page. */
#define SNAPSHOT_AGE_MS 100

struct run {
    const struct conf *conf;
    struct drive drive;
    struct signals *signals;
    struct watch *shutdown; /* runs from the first signal to the end */
    struct rotate *cookie;
    int signal;
    struct routes *routes;
    struct http *page, *metrics;
    const struct snapshot *snapshot; /* the machine's, as of taken_ms */
    uint64_t taken_ms;
};

/* ---- the page ---- */

static const struct snapshot *present_snapshot(struct run *r)
{
    struct machine *m = r->drive.machine;
    uint64_t now_ms = system_now_ms();

    if (r->snapshot == NULL || now_ms >= r->taken_ms + SNAPSHOT_AGE_MS) {
        machine_wall(m, system_wall_ms(), now_ms);
        r->snapshot = machine_snapshot(m, now_ms);
        r->taken_ms = now_ms;
    }
    return r->snapshot;
}

/* /readyz tells at once what changed. */
static void on_event(void *arg, const struct event *event)
{
    struct run *r = arg;

    if (event->id == EVENT_READY || event->id == EVENT_NOT_READY || event->id == EVENT_DRAINING)
        r->snapshot = NULL;
}

static struct http_reply answer_page(void *arg, const struct http_request *request)
{
    struct run *r = arg;

    return routes_answer(r->routes, request, present_snapshot(r));
}

/* The port of the metrics is open to others than the page's: it shows nothing else. */
static struct http_reply answer_metrics(void *arg, const struct http_request *request)
{
    struct run *r = arg;
    struct http_request only = *request;

    if (!slice_is(only.path, "/metrics"))
        only.path = slice_of("");
    return routes_answer(r->routes, &only, present_snapshot(r));
}

/* Without a path the text stays empty, and the page is the built-in one. */
static int read_template(const char *path, struct buf *text)
{
    char why[REASON_SIZE] = "";
    clu_error err = path[0] == '\0' ? CLU_OK : system_read_file(NULL, path, text, why);

    if (err != CLU_OK)
        return program_fail(err == CLU_ENOMEM || err == CLU_EBUSY ? EXIT_LOCAL : EXIT_USAGE,
                            "cannot read the template %s: %s", path,
                            why[0] != '\0' ? why : clu_strerror(err));
    if (path[0] != '\0' && text->len == 0)
        return program_fail(EXIT_USAGE, "the template %s is empty: see --template", path);
    return EXIT_DONE;
}

static int make_routes(struct run *r)
{
    const char *path = r->conf->settings.template_file;
    struct mustache_error mistake;
    struct buf text = {0};
    int status = read_template(path, &text);

    if (status != EXIT_DONE) {
        buf_free(&text);
        return status;
    }
    clu_error err = routes_new(&r->routes, buf_slice(&text), &mistake);

    buf_free(&text);
    if (err == CLU_ESYNTAX || err == CLU_ESIZE)
        return program_fail(EXIT_USAGE, "template %s, line %u: %s", path, (unsigned)mistake.line,
                            mistake.text);
    return err == CLU_OK ? EXIT_DONE : program_fail(EXIT_LOCAL, "%s", clu_strerror(err));
}

static void tell_limit(void *arg, const char *reason)
{
    struct run *r = arg;
    struct event event = {.id = EVENT_LIMIT, .what = "page connections"};

    snprintf(event.reason, sizeof event.reason, "%s", reason);
    loop_tell(r->drive.loop, &event);
}

/* setting says where. */
static int serve(struct run *r, struct http **out, const struct addr *at, const char *setting,
                 struct http_reply (*answer)(void *, const struct http_request *))
{
    const struct http_hooks hooks = {.answer = answer, .limit = tell_limit, .arg = r};
    char why[REASON_SIZE];

    if (at->family == 0)
        return EXIT_DONE;
    clu_error err = http_new(out, loop_base(r->drive.loop), at, &hooks, why);

    if (err == CLU_EBADARG)
        return program_fail(EXIT_LOCAL, "%s: see %s", why, setting);
    return err == CLU_OK ? EXIT_DONE : program_fail(EXIT_LOCAL, "%s", why);
}

static int serve_all(struct run *r)
{
    const struct settings *s = &r->conf->settings;
    int status = make_routes(r);

    if (status == EXIT_DONE)
        status = serve(r, &r->page, &s->http, "--http", answer_page);
    if (status == EXIT_DONE)
        status = serve(r, &r->metrics, &s->metrics, "METRICS_PORT", answer_metrics);
    if (status == EXIT_DONE && r->page != NULL)
        loop_tell(r->drive.loop,
                  &(struct event){.id = EVENT_HTTP, .address = http_address(r->page)});
    return status;
}

static bool watch_cookie(struct run *r)
{
    const char *path = r->conf->settings.cookie_file;

    if (path[0] == '\0')
        return true;
    r->cookie = rotate_new(r->drive.loop, r->drive.machine, path);
    return r->cookie != NULL;
}

/* ---- life ---- */

static void on_left(void *arg)
{
    struct run *r = arg;

    machine_stop(r->drive.machine, signals_word(r->signal), system_now_ms());
    loop_turn(r->drive.loop);
    loop_exit(r->drive.loop, EXIT_DONE);
}

static void stop(struct run *r)
{
    loop_leave(r->drive.loop);
}

static void on_shutdown(void *arg, bool timed_out)
{
    (void)timed_out;
    stop(arg);
}

/* Whoever sends us requests learns first that we go. A second signal does not wait. */
static void drain(struct run *r)
{
    uint32_t delay_ms = r->conf->settings.shutdown_ms;

    if (delay_ms == 0 || !watch_start(r->shutdown, delay_ms)) {
        stop(r);
        return;
    }
    machine_drain(r->drive.machine, system_now_ms());
    loop_turn(r->drive.loop);
}

static void bury_children(struct run *r)
{
    (void)r;
    signals_bury();
}

static bool has_lost_terminal(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (!isatty(fd) && errno == EIO)
            return true;
    return false;
}

/* Sent by people it asks to look again at once; sent by the system, it says that the terminal is
 * gone, and whoever started us with it. */
static void hang_up(struct run *r)
{
    if (has_lost_terminal()) {
        r->signal = SIGHUP;
        stop(r);
        return;
    }
    machine_refresh(r->drive.machine, system_now_ms());
    loop_turn(r->drive.loop);
}

static const struct {
    int number;
    bool ends; /* it is what the node stops for */
    void (*act)(struct run *r);
} reactions[] = {
    {SIGTERM, true, drain},          {SIGINT, true, stop},
    {SIGQUIT, true, stop},           {SIGHUP, false, hang_up},
    {SIGCHLD, false, bury_children},
};

static void on_signal(void *arg, int number)
{
    struct run *r = arg;

    for (size_t i = 0; i < COUNT(reactions); i++) {
        if (reactions[i].number != number)
            continue;
        bool again = reactions[i].ends && r->signal != 0;

        if (reactions[i].ends)
            r->signal = number;
        if (again)
            on_left(r);
        else
            reactions[i].act(r);
    }
}

/* Signals come first: whoever sees a port of ours may send one. */
static int be_node(struct run *r)
{
    int status;

    r->signals = signals_new(loop_base(r->drive.loop), true, on_signal, r);
    r->shutdown = watch_new(loop_base(r->drive.loop), WATCH_TIMER, -1, on_shutdown, r);
    if (r->signals == NULL || r->shutdown == NULL)
        return program_cannot_start();
    status = serve_all(r);
    if (status != EXIT_DONE)
        return status;
    if (!watch_cookie(r))
        return program_cannot_start();
    loop_start(r->drive.loop);
    /* A machine that cannot go on has told why: a name or a port of this host is taken. */
    return loop_run(r->drive.loop) == 0 ? EXIT_DONE : EXIT_LOCAL;
}

int run_main(const struct conf *c)
{
    struct run r = {.conf = c};
    const struct loop_hooks hooks = {.event = on_event, .left = on_left, .arg = &r};
    int status;

    system_raise_files();
    status = drive_open(&r.drive, c, &hooks);
    if (status == EXIT_DONE)
        status = be_node(&r);
    http_free(r.page);
    http_free(r.metrics);
    signals_free(r.signals);
    watch_free(r.shutdown);
    rotate_free(r.cookie);
    routes_free(r.routes);
    drive_close(&r.drive);
    return status;
}
