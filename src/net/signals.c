/* SPDX-License-Identifier: Apache-2.0 */
#include "net/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a shell says of who died of a signal: this, and its number. */
#define DIED_OF 128

struct signals {
    int fd;
    sigset_t unblock; /* at the end: what was not blocked before */
    struct watch *readable;
    signals_fn *fn;
    void *arg;
};

static const struct {
    int number;
    const char *word;
    bool ends;           /* heard by every program */
    bool unless_ignored; /* nohup ignores it for us, which a descriptor would not heed */
} heard[] = {
    {SIGTERM, "SIGTERM", true, false},  {SIGINT, "SIGINT", true, false},
    {SIGHUP, "SIGHUP", false, true},    {SIGQUIT, "SIGQUIT", false, true},
    {SIGCHLD, "SIGCHLD", false, false},
};

static bool is_ignored(int number)
{
    struct sigaction now;

    return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

static void make_set(sigset_t *set, bool all)
{
    sigemptyset(set);
    for (size_t i = 0; i < COUNT(heard); i++)
        if ((all || heard[i].ends) && !(heard[i].unless_ignored && is_ignored(heard[i].number)))
            sigaddset(set, heard[i].number);
}

static void block(struct signals *s, const sigset_t *set, bool for_good)
{
    sigset_t before;

    pthread_sigmask(SIG_BLOCK, set, &before);
    for (size_t i = 0; i < COUNT(heard) && !for_good; i++)
        if (sigismember(set, heard[i].number) == 1 && sigismember(&before, heard[i].number) == 0)
            sigaddset(&s->unblock, heard[i].number);
}

/* 0: none. */
static int next_signal(struct signals *s)
{
    struct signalfd_siginfo info;

    return read(s->fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

static void on_readable(void *arg, bool timed_out)
{
    struct signals *s = arg;
    int number = next_signal(s);

    (void)timed_out;
    if (number != 0)
        s->fn(s->arg, number);
}

struct signals *signals_new(struct watch_base *base, bool all, signals_fn *fn, void *arg)
{
    struct signals *s = calloc(1, sizeof *s);
    sigset_t set;

    if (s == NULL)
        return NULL;
    make_set(&set, all);
    *s = (struct signals){.fn = fn, .arg = arg};
    sigemptyset(&s->unblock);
    s->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    s->readable = s->fd < 0 ? NULL : watch_new(base, WATCH_READ, s->fd, on_readable, s);
    if (s->readable == NULL || !watch_start(s->readable, NEVER)) {
        signals_free(s);
        return NULL;
    }
    /* Ignored, as some who start us leave it, it is never sent, and there is nobody to wait for. */
    if (all)
        signal(SIGCHLD, SIG_DFL);
    block(s, &set, all);
    return s;
}

void signals_free(struct signals *s)
{
    if (s == NULL)
        return;
    watch_free(s->readable);
    while (s->fd >= 0 && next_signal(s) != 0)
        continue;
    if (s->fd >= 0)
        close(s->fd);
    pthread_sigmask(SIG_UNBLOCK, &s->unblock, NULL);
    free(s);
}

void signals_ignore_pipe(void)
{
    signal(SIGPIPE, SIG_IGN);
}

void signals_ignore_full(void)
{
    signal(SIGXFSZ, SIG_IGN);
}

static void on_end(int number)
{
    _exit(DIED_OF + number);
}

void signals_heed_as_first(void)
{
    const struct sigaction ends = {.sa_handler = on_end};

    for (size_t i = 0; i < COUNT(heard) && getpid() == 1; i++)
        if (heard[i].number != SIGCHLD && !is_ignored(heard[i].number))
            sigaction(heard[i].number, &ends, NULL);
}

void signals_restore(void)
{
    sigset_t set;

    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    make_set(&set, true);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

bool signals_wait(void)
{
    sigset_t waiting;

    sigpending(&waiting);
    for (size_t i = 0; i < COUNT(heard); i++)
        if (heard[i].number != SIGCHLD && sigismember(&waiting, heard[i].number) == 1)
            return true;
    return false;
}

void signals_bury(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
}

const char *signals_word(int number)
{
    for (size_t i = 0; i < COUNT(heard); i++)
        if (heard[i].number == number)
            return heard[i].word;
    return "a signal";
}
