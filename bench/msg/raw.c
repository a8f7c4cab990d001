/* SPDX-License-Identifier: Apache-2.0
 *
 * What the machine can do: 16 bytes there and back through epoll, and a stream of 64 kB writes. The
 * other end is a child; a cpu may be named for each. */
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

static int watch(int fd)
{
    struct epoll_event want = {.events = EPOLLIN};
    int set = epoll_create1(0);

    fcntl(fd, F_SETFL, O_NONBLOCK);
    epoll_ctl(set, EPOLL_CTL_ADD, fd, &want);
    return set;
}

static void read_16(int set, int fd, char *data)
{
    struct epoll_event got;

    while (epoll_wait(set, &got, 1, -1) < 1)
        ;
    if (read(fd, data, 64) != 16)
        exit(0);
}

static void echo(int fd)
{
    int set = watch(fd);
    char data[64];

    for (;;) {
        read_16(set, fd, data);
        if (write(fd, data, 16) != 16)
            exit(1);
    }
}

static void measure_trips(int fd)
{
    static double trips[ROUND_TRIPS];
    int set = watch(fd), on = 1;
    char data[64] = {0};

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    for (long i = -WARM_UP; i < ROUND_TRIPS; i++) {
        double begin = now_s();

        if (write(fd, data, 16) != 16)
            die("raw: cannot write");
        read_16(set, fd, data);
        if (i >= 0)
            trips[i] = now_s() - begin;
    }
    print_trips("pingpong", trips);
}

static void stream(int fd)
{
    static char data[WRITE_BYTES];

    for (long left = STREAM_BYTES; left > 0; left -= WRITE_BYTES)
        if (write(fd, data, WRITE_BYTES) != WRITE_BYTES)
            exit(1);
    exit(0);
}

static void measure_stream(int fd)
{
    static char data[4 * WRITE_BYTES];
    double begin = now_s();
    long all = 0;
    ssize_t n;

    while ((n = read(fd, data, sizeof data)) > 0)
        all += n;
    if (all != STREAM_BYTES)
        die("raw: bytes were lost");
    printf("stream 1048576 %.0f\n", (double)all / (1 << 20) / (now_s() - begin));
}

static void run(void (*child)(int), void (*parent)(int), int cpu, int other)
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

int main(int argc, char **argv)
{
    if (argc != 3)
        die("raw CPU CPU");
    run(echo, measure_trips, atoi(argv[1]), atoi(argv[2]));
    run(stream, measure_stream, atoi(argv[1]), atoi(argv[2]));
    return 0;
}
