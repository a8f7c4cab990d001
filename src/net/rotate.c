/* SPDX-License-Identifier: Apache-2.0 */
#include "net/rotate.h"

#include <stdlib.h>

#include "conf/cookie.h"
#include "find/words.h"
#include "net/files.h"
#include "net/system.h"
#include "net/watch.h"

/* The cookie's file is watched from then on. */
#define COOKIE_WATCH_MS 1000

struct rotate {
    struct loop *loop;
    struct machine *machine;
    const char *path;
    struct watch *begin; /* until the file is watched */
    struct file_watch *file;
    bool is_busy; /* the system had no file or memory for it the last time */
};

static void tell_stays(struct rotate *r, const char *problem)
{
    struct event event = {.id = EVENT_SETTING};

    text_set(event.what, sizeof event.what, slice_of(r->path));
    say(event.reason, "%s: the cookie that was read before stays", problem);
    loop_tell(r->loop, &event);
}

static void on_change(void *arg)
{
    struct rotate *r = arg;
    const char *problem = NULL;
    char why[REASON_SIZE] = "";
    struct cookie cookie;
    struct buf text = {0};
    clu_error err = file_read(r->path, &text, why);

    if (err == CLU_OK)
        problem = cookie_set(&cookie, buf_slice(&text), r->path);
    buf_free(&text);
    if (err == CLU_EBUSY)
        file_watch_again(r->file);
    bool told = err == CLU_EBUSY && r->is_busy;

    r->is_busy = err == CLU_EBUSY;
    if (told)
        return;
    if (err != CLU_OK || problem != NULL) {
        tell_stays(r, problem != NULL ? problem : why[0] != '\0' ? why : clu_strerror(err));
        return;
    }
    machine_cookie(r->machine, &cookie, system_now_ms());
    loop_turn(r->loop);
}

/* To watch a folder with thousands of files takes the system many milliseconds: the node is up
 * before that. What changed meanwhile is read now. */
static void on_begin(void *arg, bool timed_out)
{
    struct rotate *r = arg;

    (void)timed_out;
    r->file = file_watch_new(loop_base(r->loop), r->path, on_change, r);
    if (r->file == NULL)
        tell_stays(r, clu_strerror(CLU_ENOMEM));
    else
        on_change(r);
}

struct rotate *rotate_new(struct loop *l, struct machine *m, const char *path)
{
    struct rotate *r = calloc(1, sizeof *r);

    if (r == NULL)
        return NULL;
    *r = (struct rotate){.loop = l, .machine = m, .path = path};
    r->begin = watch_new(loop_base(l), WATCH_TIMER, -1, on_begin, r);
    if (r->begin == NULL || !watch_start(r->begin, COOKIE_WATCH_MS)) {
        rotate_free(r);
        return NULL;
    }
    return r;
}

void rotate_free(struct rotate *r)
{
    if (r == NULL)
        return;
    watch_free(r->begin);
    file_watch_free(r->file);
    free(r);
}
