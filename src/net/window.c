/* SPDX-License-Identifier: Apache-2.0
 *
 * What Linux tells of a connection stands in headers of its own that do not go with the C
 * library's.
 */
#include <netinet/in.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include "net/socket.h"

/* What is on its way to a peer that is farther away is not with him yet. */
#define NEAR_US 1000

static bool ask(int fd, struct tcp_info *info, socklen_t *len)
{
    *len = sizeof *info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, len) == 0;
}

uint32_t socket_trip_us(int fd)
{
    struct tcp_info info;
    socklen_t len;

    if (!ask(fd, &info, &len) ||
        len < offsetof(struct tcp_info, tcpi_min_rtt) + sizeof info.tcpi_min_rtt)
        return UINT32_MAX;
    return info.tcpi_min_rtt;
}

bool socket_window(int fd, struct socket_window *window)
{
    struct tcp_info info;
    socklen_t len;
    int unacknowledged;

    /* Before Linux 5.4 it ends earlier. */
    if (!ask(fd, &info, &len) ||
        len < offsetof(struct tcp_info, tcpi_snd_wnd) + sizeof info.tcpi_snd_wnd ||
        ioctl(fd, SIOCOUTQ, &unacknowledged) != 0)
        return false;
    size_t on_its_way = info.tcpi_min_rtt < NEAR_US ? (size_t)unacknowledged : 0;

    window->bytes = info.tcpi_snd_wnd - (size_t)min_u64(on_its_way, info.tcpi_snd_wnd);
    window->is_settled = unacknowledged == 0;
    return true;
}
