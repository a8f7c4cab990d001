/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tty.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "net/signals.h"
#include "net/system.h"

#define TTY_READ_SIZE 4096
/* How often it is looked, while nobody reads our output, whether we are to end. */
#define LOOK_MS 100

struct tty {
    struct watch *readable, *soon; /* soon: of what cannot be waited for */
    struct watch *resized;
    int signals; /* SIGWINCH, SIGCONT */
    bool is_raw, on;
    struct termios before;
    tty_read_fn *on_read;
    tty_resized_fn *on_resized;
    void *arg;
};

bool tty_is_terminal(void)
{
    const char *term = getenv("TERM");

    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
           (term == NULL || strcmp(term, "dumb") != 0);
}

static void on_readable(void *arg, bool timed_out)
{
    struct tty *tty = arg;
    uint8_t bytes[TTY_READ_SIZE];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);

    (void)timed_out;
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0)
        tty_listen(tty, false);
    else if (tty->soon != NULL && tty->on)
        watch_start(tty->soon, 0);
    tty->on_read(tty->arg, (clu_slice){bytes, n < 0 ? 0 : (size_t)n});
}

static bool make_raw(const struct tty *tty)
{
    struct termios raw = tty->before;

    raw.c_iflag &= (tcflag_t) ~(BRKINT | ICRNL | INLCR | IGNCR | ISTRIP | IXON);
    raw.c_lflag &= (tcflag_t) ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    return tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

/* Another job has the terminal: who sets its modes then is stopped. */
static bool is_in_background(void)
{
    pid_t owner = tcgetpgrp(STDIN_FILENO);

    return owner > 0 && owner != getpgrp();
}

/* Whoever had the terminal while we were stopped has left it as he likes it. */
static void on_signal(void *arg, bool timed_out)
{
    struct tty *tty = arg;
    struct signalfd_siginfo info;

    (void)timed_out;
    if (read(tty->signals, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (info.ssi_signo == SIGCONT && tty->is_raw && !is_in_background())
        (void)make_raw(tty);
    tty->on_resized(tty->arg);
}

static void make_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGWINCH);
    sigaddset(set, SIGCONT);
}

/* epoll refuses what is always readable: files, /dev/null. */
static bool can_be_awaited(int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    bool can = epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;

    if (epoll >= 0)
        close(epoll);
    return can;
}

struct tty *tty_new(struct watch_base *base, tty_read_fn *on_read, tty_resized_fn *on_resized,
                    void *arg)
{
    struct tty *tty = calloc(1, sizeof *tty);
    sigset_t set;

    if (tty == NULL)
        return NULL;
    make_set(&set);
    *tty = (struct tty){.on_read = on_read, .on_resized = on_resized, .arg = arg};
    tty->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    tty->readable = watch_new(base, WATCH_READ, STDIN_FILENO, on_readable, tty);
    tty->resized =
        tty->signals < 0 ? NULL : watch_new(base, WATCH_READ, tty->signals, on_signal, tty);
    if (tty->readable == NULL || tty->resized == NULL || !watch_start(tty->resized, NEVER)) {
        tty_free(tty);
        return NULL;
    }
    sigprocmask(SIG_BLOCK, &set, NULL);
    if (!can_be_awaited(STDIN_FILENO))
        tty->soon = watch_new(base, WATCH_TIMER, -1, on_readable, tty);
    return tty;
}

void tty_free(struct tty *tty)
{
    sigset_t set;

    if (tty == NULL)
        return;
    if (tty->is_raw && !is_in_background())
        tcsetattr(STDIN_FILENO, TCSADRAIN, &tty->before);
    watch_free(tty->readable);
    watch_free(tty->soon);
    watch_free(tty->resized);
    if (tty->signals >= 0)
        close(tty->signals);
    make_set(&set);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    free(tty);
}

bool tty_raw(struct tty *tty)
{
    tty->is_raw = tcgetattr(STDIN_FILENO, &tty->before) == 0 && make_raw(tty);
    return tty->is_raw;
}

bool tty_listen(struct tty *tty, bool on)
{
    struct watch *w = tty->soon != NULL ? tty->soon : tty->readable;

    if (on == tty->on)
        return true;
    tty->on = on;
    if (on)
        return watch_start(w, tty->soon != NULL ? 0 : NEVER);
    watch_stop(w);
    return true;
}

void tty_size(unsigned *columns, unsigned *rows)
{
    struct winsize size = {0};

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        size = (struct winsize){0};
    *columns = size.ws_col;
    *rows = size.ws_row;
}

/* Room for PIPE_BUF bytes, of a pipe; false when a signal comes before it. */
static bool await_reader(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};

    while (poll(&poll_fd, 1, LOOK_MS) <= 0)
        if (signals_wait())
            return false;
    return true;
}

bool tty_write(struct buf *text, bool to_error)
{
    int fd = to_error ? STDERR_FILENO : STDOUT_FILENO;
    bool written = text->err == CLU_OK;

    for (size_t done = 0; written && done < text->len;) {
        struct buf part = {.data = text->data + done};

        part.len = (size_t)min_u64(text->len - done, PIPE_BUF);
        written = await_reader(fd) && system_write(fd, &part);
        done += part.len;
    }
    buf_reset(text);
    return written;
}
