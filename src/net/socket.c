/* SPDX-License-Identifier: Apache-2.0 */
#include "net/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

/* Without a shortage for so long, the next one is another one. */
#define SHORTAGE_OVER_MS 60000

socklen_t addr_to_system(const struct addr *a, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (a->family == 6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(a->port);
        memcpy(&in6->sin6_addr, a->ip, 16);
        return sizeof *in6;
    }
    struct sockaddr_in *in4 = (struct sockaddr_in *)out;

    in4->sin_family = AF_INET;
    in4->sin_port = htons(a->port);
    memcpy(&in4->sin_addr, a->ip, 4);
    return sizeof *in4;
}

struct addr addr_from_system(const struct sockaddr_storage *ss)
{
    const struct sockaddr_in *in4 = (const struct sockaddr_in *)ss;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;
    struct addr a = {0};

    if (ss->ss_family == AF_INET) {
        a.family = 4;
        a.port = ntohs(in4->sin_port);
        memcpy(a.ip, &in4->sin_addr, 4);
    } else if (ss->ss_family == AF_INET6) {
        a.family = 6;
        a.port = ntohs(in6->sin6_port);
        memcpy(a.ip, &in6->sin6_addr, 16);
    }
    return a;
}

static void set_flag(int fd, int level, int option)
{
    int on = 1;

    /* A system that knows no such option works without it. */
    (void)setsockopt(fd, level, option, &on, sizeof on);
}

static int open_socket(const struct addr *a)
{
    return socket(a->family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                  IPPROTO_TCP);
}

/* Closes what failed and keeps the reason. */
static int give_up(int fd)
{
    int reason = errno;

    close(fd);
    errno = reason;
    return -1;
}

int socket_listen(const struct addr *at)
{
    struct sockaddr_storage ss;
    socklen_t len = addr_to_system(at, &ss);
    int fd = open_socket(at);

    if (fd < 0)
        return -1;
    set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
    /* :: is every address of the machine: a pod of both families is probed at its first. */
    if (at->family == 6 && !addr_is_any(at))
        set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY);
    if (bind(fd, (struct sockaddr *)&ss, len) != 0 || listen(fd, SOMAXCONN) != 0)
        return give_up(fd);
    return fd;
}

static bool bind_source(int fd, const struct addr *from)
{
    struct sockaddr_storage ss;
    socklen_t len = addr_to_system(from, &ss);

    /* Without this the port is chosen before the destination is known, and 28,000 dials exhaust
     * what a port could serve once for every destination. */
    set_flag(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
    return bind(fd, (struct sockaddr *)&ss, len) == 0;
}

int socket_connect(const struct addr *to, const struct addr *from, bool *connecting,
                   bool *bind_failed)
{
    struct sockaddr_storage ss;
    socklen_t len = addr_to_system(to, &ss);
    int fd = open_socket(to);

    *connecting = *bind_failed = false;
    if (fd < 0)
        return -1;
    socket_tune(fd);
    if (from->family != 0 && !bind_source(fd, from)) {
        *bind_failed = true;
        return give_up(fd);
    }
    if (connect(fd, (struct sockaddr *)&ss, len) == 0)
        return fd;
    if (errno != EINPROGRESS)
        return give_up(fd);
    *connecting = true;
    return fd;
}

int socket_accept(int fd, struct addr *peer)
{
    struct sockaddr_storage ss = {0};
    socklen_t len = sizeof ss;
    int got = accept4(fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (got >= 0)
        *peer = addr_from_system(&ss);
    return got;
}

bool socket_shortage_is_news(uint64_t *short_ms, uint64_t now_ms)
{
    bool is_news = *short_ms == 0 || now_ms - *short_ms >= SHORTAGE_OVER_MS;

    *short_ms = max_u64(now_ms, 1);
    return is_news;
}

/* Bytes that the kernel takes beyond what is on its way to the peer: two fragments. More would only
 * stand before what comes later: a small message could not pass a large one any more. */
#define UNSENT_MAX (128 << 10)

void socket_tune(int fd)
{
    int unsent = UNSENT_MAX;

    set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    set_flag(fd, SOL_SOCKET, SO_KEEPALIVE);
}

void socket_probe(int fd)
{
    static const struct {
        int option, value;
    } rows[] = {{TCP_KEEPIDLE, 15}, {TCP_KEEPINTVL, 5}, {TCP_KEEPCNT, 3}};

    set_flag(fd, SOL_SOCKET, SO_KEEPALIVE);
    for (size_t i = 0; i < COUNT(rows); i++)
        (void)setsockopt(fd, IPPROTO_TCP, rows[i].option, &rows[i].value, sizeof rows[i].value);
}

int socket_error(int fd)
{
    int reason = 0;
    socklen_t len = sizeof reason;

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &len) != 0 ? errno : reason;
}

struct addr socket_local(int fd)
{
    struct sockaddr_storage ss = {0};
    socklen_t len = sizeof ss;

    if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
        return (struct addr){0};
    return addr_from_system(&ss);
}
