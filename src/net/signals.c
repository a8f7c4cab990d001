/* SPDX-License-Identifier: Apache-2.0 */
#include "net/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct signals {
    int fd;
    sigset_t blocked; /* by us */
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

/* What the program had blocked before stays so at the end. */
static void block(sigset_t *set)
{
    sigset_t before;

    pthread_sigmask(SIG_BLOCK, set, &before);
    for (size_t i = 0; i < COUNT(heard); i++)
        if (sigismember(&before, heard[i].number) == 1)
            sigdelset(set, heard[i].number);
}

static void on_readable(void *arg, bool timed_out)
{
    struct signals *s = arg;
    struct signalfd_siginfo info;

    (void)timed_out;
    if (read(s->fd, &info, sizeof info) == (ssize_t)sizeof info)
        s->fn(s->arg, (int)info.ssi_signo);
}

struct signals *signals_new(struct watch_base *base, bool all, signals_fn *fn, void *arg)
{
    struct signals *s = calloc(1, sizeof *s);
    sigset_t set;

    if (s == NULL)
        return NULL;
    make_set(&set, all);
    *s = (struct signals){.fn = fn, .arg = arg};
    sigemptyset(&s->blocked);
    s->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    s->readable = s->fd < 0 ? NULL : watch_new(base, WATCH_READ, s->fd, on_readable, s);
    if (s->readable == NULL || !watch_start(s->readable, NEVER)) {
        signals_free(s);
        return NULL;
    }
    s->blocked = set;
    block(&s->blocked);
    return s;
}

void signals_free(struct signals *s)
{
    if (s == NULL)
        return;
    watch_free(s->readable);
    if (s->fd >= 0)
        close(s->fd);
    pthread_sigmask(SIG_UNBLOCK, &s->blocked, NULL);
    free(s);
}

void signals_ignore_pipe(void)
{
    signal(SIGPIPE, SIG_IGN);
}

void signals_restore(void)
{
    sigset_t set;

    signal(SIGPIPE, SIG_DFL);
    make_set(&set, true);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

const char *signals_word(int number)
{
    for (size_t i = 0; i < COUNT(heard); i++)
        if (heard[i].number == number)
            return heard[i].word;
    return "a signal";
}
