/* SPDX-License-Identifier: Apache-2.0
 *
 * What the machine can do: 16 bytes there and back, with a wait by epoll in front of each read as a
 * loop has it (`pingpong`) or in the read itself (`blocking`), and a stream of writes of 64 KiB or,
 * `wide`, 256. The other end is a child; a cpu is named for each. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

#define WRITE_BYTES  65536
#define WIDE_BYTES   (4 * WRITE_BYTES)
#define STREAM_BYTES (2l << 30)

static void pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static void open_pair(int *listener, struct sockaddr_in *at)
{
    socklen_t len = sizeof *at;

    *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    *listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(*listener, (void *)at, sizeof *at) != 0 || listen(*listener, 1) != 0 ||
        getsockname(*listener, (void *)at, &len) != 0)
        die("raw: cannot listen");
}

static int dial(const struct sockaddr_in *at)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    if (connect(fd, (const void *)at, sizeof *at) != 0)
        die("raw: cannot connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

/* Where a read waits: in epoll_wait before it, or -1: in itself. */
static int epoll = -1;

static void watch(int fd)
{
    struct epoll_event want = {.events = EPOLLIN};

    fcntl(fd, F_SETFL, O_NONBLOCK);
    epoll = epoll_create1(0);
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &want);
}

static void read_16(int fd, char *data)
{
    struct epoll_event got;

    while (epoll >= 0 && epoll_wait(epoll, &got, 1, -1) < 1)
        ;
    if (read(fd, data, 64) != 16)
        exit(0);
}

static void echo(int fd)
{
    char data[64];

    for (;;) {
        read_16(fd, data);
        if (write(fd, data, 16) != 16)
            exit(1);
    }
}

static void echo_by_epoll(int fd)
{
    watch(fd);
    echo(fd);
}

static void ping(int fd, const char *what)
{
    static struct trips trips;
    char data[64] = {0};
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    do {
        trip_begins(&trips);
        if (write(fd, data, 16) != 16)
            die("raw: cannot write");
        read_16(fd, data);
    } while (!trip_ends(&trips));
    print_trips(what, &trips);
}

static void ping_by_epoll(int fd)
{
    watch(fd);
    ping(fd, "pingpong");
    close(epoll);
    epoll = -1;
}

static void ping_blocking(int fd)
{
    ping(fd, "blocking");
}

static void stream_by(int fd, size_t size)
{
    static char data[WIDE_BYTES];

    for (long left = STREAM_BYTES; left > 0; left -= (long)size)
        if (write(fd, data, size) != (ssize_t)size)
            exit(1);
    exit(0);
}

static void stream(int fd)
{
    stream_by(fd, WRITE_BYTES);
}

static void stream_wide(int fd)
{
    stream_by(fd, WIDE_BYTES);
}

static void take_stream(int fd, const char *what)
{
    static char data[WIDE_BYTES];
    double begin = now_s();
    long all = 0;
    ssize_t n;

    while ((n = read(fd, data, sizeof data)) > 0)
        all += n;
    if (all != STREAM_BYTES)
        die("raw: bytes were lost");
    printf("%s 1048576 %.0f\n", what, (double)all / (1 << 20) / (now_s() - begin));
}

static void take_narrow(int fd)
{
    take_stream(fd, "stream");
}

static void take_wide(int fd)
{
    take_stream(fd, "wide");
}

static int cpu, other; /* of this process, of the child */

static void run(void (*child)(int), void (*parent)(int))
{
    struct sockaddr_in at;
    int listener;

    open_pair(&listener, &at);
    if (fork() == 0) {
        pin(other);
        child(dial(&at));
    }
    pin(cpu);
    int fd = accept(listener, NULL, NULL);

    parent(fd);
    close(fd);
    close(listener);
    wait(NULL);
}

static void measure_trips(void)
{
    run(echo_by_epoll, ping_by_epoll);
}

static void measure_blocking(void)
{
    run(echo, ping_blocking);
}

static void measure_stream(void)
{
    run(stream, take_narrow);
}

static void measure_wide(void)
{
    run(stream_wide, take_wide);
}

static const struct measure measures[] = {
    {"pingpong", .trips = measure_trips},
    {"blocking", .trips = measure_blocking},
    {"stream", .trips = measure_stream},
    {"wide", .trips = measure_wide},
    {NULL},
};

int main(int argc, char **argv)
{
    if (argc < 4)
        die("raw CPU CPU WHAT...");
    cpu = atoi(argv[1]);
    other = atoi(argv[2]);
    measure_all(measures, argv + 3);
    return 0;
}
