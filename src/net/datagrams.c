/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/loop_impl.h"
#include "net/socket.h"

/* More than any source reads of one; what is longer arrives cut, and is too long all the same. */
#define DATAGRAM_MAX 2048
/* Datagrams that are read before the loop's other sockets have their turn. */
#define DATAGRAMS_A_TURN 64

/* One source's socket. */
struct datagrams {
    struct loop *loop;
    unsigned source;
    int fd; /* -1: none */
    struct watch *readable;
};

static void give(struct datagrams *d, const char *why)
{
    needs_given(d->loop, d->source, &(struct given){.kind = GIVEN_UDP, .why = why});
}

/* One; false when no more wait. An error of an earlier send may come up here: it was told then. */
static bool take_one(struct datagrams *d)
{
    uint8_t bytes[DATAGRAM_MAX];
    struct sockaddr_storage from = {0};
    socklen_t from_len = sizeof from;
    ssize_t n = recvfrom(d->fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &from_len);

    if (n < 0)
        return errno == EINTR;
    needs_given(d->loop, d->source,
                &(struct given){.kind = GIVEN_DATAGRAM,
                                .bytes = {bytes, (size_t)n},
                                .addr = addr_from_system(&from)});
    return true;
}

static void on_readable(void *arg, bool timed_out)
{
    struct datagrams *d = arg;

    (void)timed_out;
    for (int i = 0; i < DATAGRAMS_A_TURN && take_one(d); i++)
        continue;
    loop_turn(d->loop);
}

static bool set(int fd, int level, int option, const void *value, socklen_t len)
{
    return setsockopt(fd, level, option, value, len) == 0;
}

static bool join(int fd, const struct need *need)
{
    struct ip_mreqn group = {.imr_ifindex = 0};
    const int yes = 1, no = 0, ttl = need->u.udp.ttl;

    memcpy(&group.imr_multiaddr, need->u.udp.group.ip, 4);
    memcpy(&group.imr_address, need->u.udp.interface.ip, 4); /* zeros: the system's choice */
    return set(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group) &&
           set(fd, IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof group) &&
           set(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl) &&
           set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &yes, sizeof yes) &&
           /* of the groups that others on this host have joined we want nothing */
           set(fd, IPPROTO_IP, IP_MULTICAST_ALL, &no, sizeof no);
}

/* Several programs of a host share the port, as libcluster's nodes do. */
static bool prepare(int fd, const struct need *need)
{
    struct sockaddr_storage at;
    socklen_t len = addr_to_system(&need->u.udp.bind, &at);
    const int yes = 1;

    return set(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) &&
           set(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes) &&
           bind(fd, (struct sockaddr *)&at, len) == 0 &&
           (need->u.udp.group.family == 0 || join(fd, need));
}

static void close_socket(struct datagrams *d)
{
    watch_free(d->readable);
    d->readable = NULL;
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
}

/* NULL, or why there is no socket. */
static const char *open_socket(struct datagrams *d, const struct need *need)
{
    int family = need->u.udp.bind.family == 6 ? AF_INET6 : AF_INET;

    close_socket(d);
    d->fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (d->fd < 0 || !prepare(d->fd, need)) {
        const char *why = strerror(errno);

        close_socket(d);
        return why;
    }
    d->readable = watch_new(d->loop->base, WATCH_READ, d->fd, on_readable, d);
    if (d->readable != NULL && watch_start(d->readable, NEVER))
        return NULL;
    close_socket(d);
    return strerror(ENOMEM);
}

static void send_one(struct datagrams *d, const struct need *need)
{
    struct sockaddr_storage to;
    socklen_t len = addr_to_system(&need->u.datagram.to, &to);
    clu_slice bytes = need->u.datagram.bytes;

    if (d->fd < 0)
        return; /* told when it was to be opened */
    if (sendto(d->fd, bytes.data, bytes.len, MSG_NOSIGNAL, (struct sockaddr *)&to, len) < 0)
        give(d, strerror(errno));
}

static struct datagrams *datagrams_of(struct loop *l, unsigned source)
{
    struct datagrams *d = l->needs[source].datagrams;

    if (d != NULL)
        return d;
    d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    *d = (struct datagrams){.loop = l, .source = source, .fd = -1};
    l->needs[source].datagrams = d;
    return d;
}

void datagrams_carry(struct loop *l, unsigned source, const struct need *need)
{
    struct datagrams *d = datagrams_of(l, source);

    if (d == NULL)
        needs_given(l, source, &(struct given){.kind = GIVEN_UDP, .why = clu_strerror(CLU_ENOMEM)});
    else if (need->kind == NEED_UDP)
        give(d, open_socket(d, need));
    else
        send_one(d, need);
}

void datagrams_free(struct datagrams *d)
{
    if (d == NULL)
        return;
    close_socket(d);
    free(d);
}
