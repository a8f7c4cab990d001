/* SPDX-License-Identifier: Apache-2.0
 *
 * What Linux tells of a connection stands in a header of its own that does not go with the C
 * library's.
 */
#include <netinet/in.h>
#include <linux/tcp.h>
#include <stddef.h>

#include "net/socket.h"

bool socket_peer_window(int fd, size_t *bytes)
{
    struct tcp_info info;
    socklen_t len = sizeof info;

    /* Before Linux 5.5 it ends earlier. */
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
        len < offsetof(struct tcp_info, tcpi_snd_wnd) + sizeof info.tcpi_snd_wnd)
        return false;
    *bytes = info.tcpi_snd_wnd;
    return true;
}
