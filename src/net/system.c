/* SPDX-License-Identifier: Apache-2.0 */
#include "net/system.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf.h"

/* How much of a file is read at a time. */
#define READ_CHUNK 4096
/* How long who writes a pipe may pause: a program that fetches a secret takes a while. */
#define PIPE_WAIT_MS 5000

static uint64_t clock_us(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t system_now_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

uint64_t system_now_ms(void)
{
    return clock_us(CLOCK_MONOTONIC) / 1000;
}

uint64_t system_wall_ms(void)
{
    return clock_us(CLOCK_REALTIME) / 1000;
}

bool system_random(void *out, size_t n)
{
    return getrandom(out, n, 0) == (ssize_t)n;
}

void system_hold_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/", O_PATH); /* the lowest that is free: this one */
}

/* Whoever shares a terminal or a pipe with us may have made it one that does not wait. */
static bool await_room(int fd, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};

    return errno == EAGAIN && (poll(&poll_fd, 1, timeout_ms) > 0 || errno == EINTR);
}

static bool write_all(int fd, const struct buf *text, int timeout_ms)
{
    size_t done = 0;

    while (done < text->len) {
        ssize_t n = write(fd, text->data + done, text->len - done);

        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || (errno != EINTR && !await_room(fd, timeout_ms)))
            return false;
    }
    return text->err == CLU_OK;
}

bool system_write(int fd, const struct buf *text)
{
    return write_all(fd, text, -1);
}

bool system_write_now(int fd, const struct buf *text)
{
    return write_all(fd, text, 0);
}

static bool has_no_files(void)
{
    return errno == EMFILE || errno == ENFILE;
}

void system_shortage(char why[REASON_SIZE])
{
    bool no_files = has_no_files();

    snprintf(why, REASON_SIZE, "cannot start: %s%s", strerror(errno),
             no_files ? ": raise the limit of open files (ulimit -n)" : "");
}

void system_raise_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

const char *system_env(void *arg, const char *name)
{
    (void)arg;
    return getenv(name);
}

static clu_error failed(char why[REASON_SIZE])
{
    snprintf(why, REASON_SIZE, "%s", strerror(errno));
    if (has_no_files() || errno == ENOMEM)
        return CLU_EBUSY;
    return errno == ENOENT || errno == ENOTDIR ? CLU_ENOENT : CLU_ECLOSED;
}

/* A regular file always is; a pipe, as of a shell's <(...), when it has bytes or an end soon. */
static bool is_readable(int fd, char why[REASON_SIZE])
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    struct stat st;

    if (fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
        return true;
    if (poll(&poll_fd, 1, PIPE_WAIT_MS) > 0)
        return true;
    snprintf(why, REASON_SIZE, "it is no regular file, and nobody writes to it");
    return false;
}

static clu_error read_all(int fd, struct buf *text, char why[REASON_SIZE])
{
    size_t total = 0;

    for (;;) {
        uint8_t *space = buf_space(text, READ_CHUNK);
        ssize_t n = space == NULL ? 0 : read(fd, space, READ_CHUNK);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN && is_readable(fd, why))
            continue;
        if (n < 0)
            return errno == EAGAIN ? CLU_ECLOSED : failed(why);
        if (n == 0)
            return text->err;
        buf_add(text, (size_t)n);
        total += (size_t)n;
        if (total > CONF_FILE_MAX)
            return CLU_ESIZE;
    }
}

/* erl takes no ~/.erlang.cookie that others have access to. */
static void note_access(int fd, char why[REASON_SIZE])
{
    struct stat st;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        snprintf(why, REASON_SIZE,
                 "others than its owner have access to it (mode %03o), with which erl refuses it: "
                 "chmod 400",
                 (unsigned)(st.st_mode & 0777));
}

clu_error system_read_file(void *arg, const char *path, struct buf *text, char why[REASON_SIZE])
{
    /* A FIFO without a writer would hold us up in open, and one with a slow writer in read. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    (void)arg;
    if (fd < 0)
        return failed(why);
    clu_error err = is_readable(fd, why) ? read_all(fd, text, why) : CLU_ECLOSED;

    if (err == CLU_OK)
        note_access(fd, why);
    close(fd);
    return err;
}
