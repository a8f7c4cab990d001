/* SPDX-License-Identifier: Apache-2.0 */
#include "net/files.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/loop_impl.h"
#include "net/system.h"

/* Links that lead to a file, at most: a ConfigMap has one. */
#define LINKS_MAX 8
/* What may give a name in a folder another content. Not IN_MODIFY: who writes in several steps
 * closes behind the last one. */
#define CHANGES                                                                                    \
    (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |            \
     IN_DELETE_SELF | IN_MOVE_SELF)

/* ---- one file ---- */

struct file_watch {
    char *path;
    file_watch_fn *fn;
    void *arg;
    struct watch_base *base;
    struct stat seen;    /* zeroed: no such file */
    int fd;              /* inotify; -1: the system has no more, and only the timer looks */
    struct watch *told;  /* fd has something to read */
    struct watch *timer; /* the next look */
    bool settling;       /* which is soon: something was told */
};

/* The folder of the path, cut off in place; "." for a bare name. */
static const char *folder_of(char *path)
{
    char *slash = strrchr(path, '/');

    if (slash == NULL)
        return ".";
    if (slash == path)
        return "/";
    *slash = '\0';
    return path;
}

/* Where the link at `path` leads, into path itself; false when it is none, or leads too far. */
static bool follow(char path[PATH_MAX])
{
    char target[PATH_MAX], joined[2 * PATH_MAX];
    ssize_t len = readlink(path, target, sizeof target - 1);

    if (len <= 0)
        return false;
    target[len] = '\0';
    int n = target[0] == '/' ? snprintf(joined, sizeof joined, "%s", target)
                             : snprintf(joined, sizeof joined, "%s/%s", folder_of(path), target);

    return n > 0 && text_set(path, PATH_MAX, slice_of(joined));
}

/* Every folder in which a change could make the path lead elsewhere. One that is not there is left
 * to the timer. */
static void watch_folders(int fd, const char *path)
{
    char at[PATH_MAX], folder[PATH_MAX];

    if (!text_set(at, sizeof at, slice_of(path)))
        return;
    for (int i = 0; i < LINKS_MAX; i++) {
        memcpy(folder, at, sizeof folder);
        (void)inotify_add_watch(fd, folder_of(folder), CHANGES | IN_ONLYDIR);
        if (!follow(at))
            return;
    }
}

static void disarm(struct file_watch *w)
{
    watch_free(w->told);
    w->told = NULL;
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
}

static void on_told(void *arg, bool timed_out)
{
    struct file_watch *w = arg;
    uint8_t events[4096];

    (void)timed_out;
    while (read(w->fd, events, sizeof events) > 0)
        continue; /* what changed is seen at the file itself */
    if (w->settling)
        return;
    w->settling = true;
    watch_start(w->timer, FILES_SETTLE_MS);
}

/* Anew each time: after a change the path may lead through other folders. */
static void arm(struct file_watch *w)
{
    disarm(w);
    w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->fd < 0)
        return;
    watch_folders(w->fd, w->path);
    w->told = watch_new(w->base, WATCH_READ, w->fd, on_told, w);
    if (w->told != NULL)
        watch_start(w->told, NEVER);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mode == b->st_mode && same_time(&a->st_mtim, &b->st_mtim) &&
           same_time(&a->st_ctim, &b->st_ctim);
}

/* Whether the file is another one than it was. */
static bool look(struct file_watch *w)
{
    struct stat now;

    if (stat(w->path, &now) != 0)
        memset(&now, 0, sizeof now);
    bool same = same_file(&now, &w->seen);

    w->seen = now;
    return !same;
}

static void on_timer(void *arg, bool timed_out)
{
    struct file_watch *w = arg;

    (void)timed_out;
    w->settling = false;
    arm(w); /* first: what changes from here on is told */
    bool changed = look(w);

    watch_start(w->timer, FILES_LOOK_MS);
    if (changed)
        w->fn(w->arg); /* last: it may free the watch */
}

struct file_watch *file_watch_new(struct watch_base *base, const char *path, file_watch_fn *fn,
                                  void *arg)
{
    struct file_watch *w = calloc(1, sizeof *w);

    if (w == NULL)
        return NULL;
    w->base = base;
    w->fn = fn;
    w->arg = arg;
    w->fd = -1;
    w->path = strdup(path);
    w->timer = watch_new(base, WATCH_TIMER, -1, on_timer, w);
    if (w->path == NULL || w->timer == NULL || !watch_start(w->timer, FILES_LOOK_MS)) {
        file_watch_free(w);
        return NULL;
    }
    arm(w);
    look(w);
    return w;
}

void file_watch_free(struct file_watch *w)
{
    if (w == NULL)
        return;
    disarm(w);
    watch_free(w->timer);
    free(w->path);
    free(w);
}

void file_watch_again(struct file_watch *w)
{
    memset(&w->seen, 0, sizeof w->seen);
}

/* A pipe could hold the loop up, so only what is a file is opened at all. */
clu_error file_read(const char *path, struct buf *text, char why[REASON_SIZE])
{
    struct stat st;
    bool there = stat(path, &st) == 0;

    if (there && !S_ISREG(st.st_mode)) {
        snprintf(why, REASON_SIZE, "it is no regular file");
        return CLU_EBADARG;
    }
    clu_error err = system_read_file(NULL, path, text, why);

    if (err == CLU_ESIZE)
        snprintf(why, REASON_SIZE, "it is larger than 1 MiB");
    else if (err == CLU_ENOMEM)
        snprintf(why, REASON_SIZE, "out of memory");
    return err;
}

/* ---- those that a source needs ---- */

struct watched {
    struct watched *next;
    struct loop *loop;
    unsigned source;
    struct file_watch *watch;
    char path[]; /* as the source needed it */
};

struct files {
    struct watched *first;
};

static struct watched *find_watched(const struct files *f, const char *path)
{
    for (struct watched *w = f == NULL ? NULL : f->first; w != NULL; w = w->next)
        if (strcmp(w->path, path) == 0)
            return w;
    return NULL;
}

static void give(struct loop *l, unsigned source, const char *path)
{
    struct watched *w = find_watched(l->needs[source].files, path);
    struct buf text = {0};
    char why[REASON_SIZE];
    clu_error err = file_read(path, &text, why);

    if (err == CLU_EBUSY && w != NULL)
        file_watch_again(w->watch);
    needs_given(l, source,
                &(struct given){.kind = GIVEN_FILE,
                                .path = path,
                                .bytes = err == CLU_OK ? buf_slice(&text) : (clu_slice){0},
                                .why = err == CLU_OK ? NULL : why});
    buf_free(&text);
}

static void on_changed(void *arg)
{
    struct watched *w = arg;
    struct loop *l = w->loop;

    give(l, w->source, w->path);
    loop_turn(l);
}

static bool add_watched(struct files *f, struct loop *l, unsigned source, const char *path)
{
    struct watched *w = calloc(1, sizeof *w + strlen(path) + 1);

    if (w == NULL)
        return false;
    w->loop = l;
    w->source = source;
    memcpy(w->path, path, strlen(path) + 1);
    w->watch = file_watch_new(l->base, path, on_changed, w);
    if (w->watch == NULL) {
        free(w);
        return false;
    }
    w->next = f->first;
    f->first = w;
    return true;
}

static bool watch_file(struct loop *l, unsigned source, const char *path)
{
    struct needs *n = &l->needs[source];

    if (n->files == NULL)
        n->files = calloc(1, sizeof *n->files);
    return n->files != NULL &&
           (find_watched(n->files, path) != NULL || add_watched(n->files, l, source, path));
}

void files_carry(struct loop *l, unsigned source, const struct need *need)
{
    const char *path = need->u.file.path;

    if (!need->u.file.watch || watch_file(l, source, path))
        give(l, source, path);
    else
        needs_given(l, source,
                    &(struct given){.kind = GIVEN_FILE, .path = path, .why = "out of memory"});
}

void files_free(struct files *f)
{
    struct watched *next;

    if (f == NULL)
        return;
    for (struct watched *w = f->first; w != NULL; w = next) {
        next = w->next;
        file_watch_free(w->watch);
        free(w);
    }
    free(f);
}
