/* SPDX-License-Identifier: Apache-2.0
 *
 * A program's node: making it from options, what went wrong with it, its end.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/host.h"
#include "net/system.h"
#include "net/watch.h"
#include "node/proc.h"
#include "view/event_text.h"

/* ---- options ---- */

/* Fields that a later library has are zero here; those that a later header has must be. */
static bool take_options(clu_options *out, const clu_options *given, size_t size)
{
    *out = (clu_options){0};
    if (given == NULL)
        return true;
    memcpy(out, given, size < sizeof *out ? size : sizeof *out);
    for (size_t i = sizeof *out; i < size; i++)
        if (((const uint8_t *)given)[i] != 0)
            return false;
    return true;
}

static clu_error load(struct host *h, const clu_options *o, char why[2 * REASON_SIZE])
{
    struct conf_input in = {
        .command = CMD_LIBRARY,
        .options = o,
        .env = system_env,
        .read_file = system_read_file,
    };
    clu_error err = conf_load(&h->conf, &in);

    text_set(why, 2 * REASON_SIZE, slice_of(h->conf.error)); /* "" unless it is CLU_EBADARG */
    return err;
}

/* ---- what the loop tells ---- */

static void tell_program(struct host *h, const struct event *event)
{
    struct buf text = {0};

    event_put_sentence(&text, event);
    const char *sentence = buf_text(&text);

    if (text.err == CLU_OK) {
        h->on_event(h->node, (clu_level)event_level(event->id), sentence, h->event_arg);
        send_drop(h->node);
    }
    buf_free(&text);
}

static void on_event(void *arg, const struct event *event)
{
    struct host *h = arg;

    if (event->id == EVENT_FATAL && h->node->err == CLU_OK)
        h->said = event_level(event->id) >= h->log;
    if (event->id == EVENT_FATAL)
        node_fail(h->node, CLU_ESTART, "%s", event->reason);
    if (h->on_event != NULL)
        tell_program(h, event);
}

static void on_answer(void *arg, const struct answer *answer)
{
    ping_answered(arg, answer);
}

static void on_left(void *arg)
{
    struct host *h = arg;

    host_stop(h, h->reason);
}

static void on_posted(void *arg, bool timed_out)
{
    struct host *h = arg;

    (void)timed_out;
    machine_now(h->drive.machine, system_now_ms());
    bool stop = inbox_run(&h->inbox, h->node);

    if (stop)
        host_leave(h, "the program wants it");
    else
        loop_turn(h->drive.loop);
}

/* ---- making ---- */

static clu_error watch_all(struct host *h)
{
    struct loop *l = h->drive.loop;
    const char *cookie_file = h->conf.settings.cookie_file;

    h->posted = watch_new(loop_base(l), WATCH_READ, h->inbox.fd, on_posted, h);
    if (h->posted == NULL || !watch_start(h->posted, NEVER))
        return CLU_ENOMEM;
    if (cookie_file[0] == '\0')
        return CLU_OK;
    h->cookie = rotate_new(l, h->drive.machine, cookie_file);
    return h->cookie == NULL ? CLU_ENOMEM : CLU_OK;
}

static clu_error make_drive(struct host *h, char why[REASON_SIZE])
{
    const struct log log = {.level = (enum event_level)h->conf.settings.log_level};
    const struct loop_hooks hooks = {
        .event = on_event, .answer = on_answer, .left = on_left, .arg = h};
    h->log = log.level;
    clu_error err = drive_new(&h->drive, &h->conf, &log, &hooks, why);

    return err == CLU_OK ? watch_all(h) : err;
}

static clu_error make(struct host *h, const clu_options *given, size_t size,
                      char why[2 * REASON_SIZE])
{
    clu_options o;

    if (!take_options(&o, given, size)) {
        text_set(why, REASON_SIZE,
                 slice_of("this program sets an option that the library, which is older, lacks"));
        return CLU_EBADARG;
    }
    h->on_event = o.on_event;
    h->event_arg = o.event_arg;
    h->log_given = o.log != NULL;
    if (!inbox_init(&h->inbox)) {
        system_shortage(why);
        return CLU_ESTART;
    }
    clu_error err = load(h, &o, why);

    return err == CLU_OK ? make_drive(h, why) : err;
}

/* Stopped functions are called last of all, and may ask for other nodes: there is nobody to reach
 * them any more. */
static void unmake(struct host *h)
{
    struct drive drive = h->drive;

    watch_free(h->posted);
    rotate_free(h->cookie);
    h->drive = (struct drive){0};
    h->posted = NULL;
    h->cookie = NULL;
    drive_close(&drive);
}

/* A node that never runs: the program's calls find something to fail on. why may be "". */
static void make_failed(struct host *h, clu_error err, const char *why)
{
    unmake(h);
    h->node = &h->failed;
    if (node_init(h->node, "", 0, true) != CLU_OK)
        err = CLU_ENOMEM;
    node_fail(h->node, err, "%s", why[0] == '\0' ? clu_strerror(err) : why);
}

clu_node *clu_node_new_sized(const clu_options *options, size_t size)
{
    struct host *h = calloc(1, sizeof *h);
    char why[2 * REASON_SIZE] = "";

    if (h == NULL)
        return NULL;
    h->inbox.fd = -1;
    list_init(&h->pings);
    clu_error err = make(h, options, size, why);

    if (err == CLU_OK)
        h->node = machine_node(h->drive.machine);
    else
        make_failed(h, err, why);
    h->node->host = h;
    return h->node;
}

void clu_node_free(clu_node *node)
{
    struct host *h = node == NULL ? NULL : host_of(node);

    if (h == NULL)
        return;
    if (h->drive.machine != NULL && !loop_is_over(h->drive.loop))
        host_stop(h, "the program wants it");
    pings_fail(h);
    unmake(h);
    node_fini(&h->failed);
    inbox_fini(&h->inbox);
    conf_fini(&h->conf);
    free(h);
}

/* ---- what went wrong ---- */

const char *clu_node_error(const clu_node *node)
{
    return node == NULL ? clu_strerror(CLU_ENOMEM) : node->why;
}

clu_error clu_node_status(const clu_node *node)
{
    return node == NULL ? CLU_ENOMEM : node->err;
}

void clu_node_clear(clu_node *node)
{
    if (node == NULL || host_of(node)->drive.machine == NULL)
        return;
    node->err = CLU_OK;
    node->why[0] = '\0';
}

const char *clu_node_name(const clu_node *node)
{
    return node == NULL ? "" : node->name;
}

/* ---- from any thread ---- */

clu_error clu_post(clu_node *node, clu_post_fn *fn, void *arg)
{
    return node == NULL ? CLU_ENOMEM : inbox_put(&host_of(node)->inbox, fn, arg);
}

void clu_stop(clu_node *node)
{
    if (node != NULL)
        inbox_stop(&host_of(node)->inbox);
}
