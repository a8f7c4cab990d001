/* SPDX-License-Identifier: Apache-2.0 */
#include "net/signals.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct signals {
    int fd;
    struct watch *readable;
    signals_fn *fn;
    void *arg;
};

static const struct {
    int number;
    const char *word;
    bool unless_ignored; /* nohup ignores it for us, which a descriptor would not heed */
} heard[] = {
    {SIGTERM, "SIGTERM", false}, {SIGINT, "SIGINT", false},   {SIGHUP, "SIGHUP", true},
    {SIGQUIT, "SIGQUIT", true},  {SIGCHLD, "SIGCHLD", false},
};

static bool is_ignored(int number)
{
    struct sigaction now;

    return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

static void make_set(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < COUNT(heard); i++)
        if (!heard[i].unless_ignored || !is_ignored(heard[i].number))
            sigaddset(set, heard[i].number);
}

static void on_readable(void *arg, bool timed_out)
{
    struct signals *s = arg;
    struct signalfd_siginfo info;

    (void)timed_out;
    if (read(s->fd, &info, sizeof info) == (ssize_t)sizeof info)
        s->fn(s->arg, (int)info.ssi_signo);
}

struct signals *signals_new(struct event_base *base, signals_fn *fn, void *arg)
{
    struct signals *s = calloc(1, sizeof *s);
    sigset_t set;

    if (s == NULL)
        return NULL;
    make_set(&set);
    *s = (struct signals){.fn = fn, .arg = arg};
    s->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    s->readable = s->fd < 0 ? NULL : watch_new(base, WATCH_READ, s->fd, on_readable, s);
    if (s->readable == NULL || !watch_start(s->readable, NEVER)) {
        signals_free(s);
        return NULL;
    }
    sigprocmask(SIG_BLOCK, &set, NULL);
    return s;
}

static void unblock(void)
{
    sigset_t set;

    make_set(&set);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void signals_free(struct signals *s)
{
    if (s == NULL)
        return;
    watch_free(s->readable);
    if (s->fd >= 0)
        close(s->fd);
    free(s);
    unblock();
}

void signals_ignore_pipe(void)
{
    signal(SIGPIPE, SIG_IGN);
}

void signals_restore(void)
{
    signal(SIGPIPE, SIG_DFL);
    unblock();
}

const char *signals_word(int number)
{
    for (size_t i = 0; i < COUNT(heard); i++)
        if (heard[i].number == number)
            return heard[i].word;
    return "a signal";
}
