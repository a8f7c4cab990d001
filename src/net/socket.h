/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include <sys/socket.h>

#include "base/addr.h"

/* TCP sockets of the two kinds that we need. All are non-blocking and closed on exec. */

/* socket_listen: a listening socket at the address and port (0: the system chooses); -1 and errno
 * otherwise. An IPv6 address never takes IPv4 connections too. */
int socket_listen(const struct addr *at);
/* socket_connect: begins to connect. *connecting: the end will show as writability, then ask
 * socket_error. from of family 0: the system chooses. -1 and errno otherwise; *bind_failed tells
 * that it was `from` that the system refused. */
int socket_connect(const struct addr *to, const struct addr *from, bool *connecting,
                   bool *bind_failed);
/* socket_accept: the next connection that waits at a listening socket; -1 and errno otherwise. */
int socket_accept(int fd, struct addr *peer);
/* socket_shortage_is_news: whether to tell that accepting failed for want of files, which with none
 * left it does after each one that was taken. *short_ms: when it was so last; 0 at first. */
bool socket_shortage_is_news(uint64_t *short_ms, uint64_t now_ms);
/* socket_tune: no Nagle, and the system looks whether the other end still lives. */
void socket_tune(int fd);
/* socket_probe: the system asks the other end after 15 s of silence, and gives the connection up
 * when three such questions, 5 s apart, have no answer: for connections that are silent by nature.
 */
void socket_probe(int fd);
/* socket_error: how a connect ended: 0 or an errno. */
int socket_error(int fd);
/* What the peer's system would take, as it told with its last acknowledgement. */
struct socket_window {
    size_t bytes;    /* less what is not acknowledged, of a peer that is near */
    bool is_settled; /* all is acknowledged: it tells no more by itself until half of its room more
                        is free */
};
/* socket_window: false when the system does not tell. */
bool socket_window(int fd, struct socket_window *window);
/* socket_trip_us: the shortest time in which the peer's system has acknowledged something, of late;
 * UINT32_MAX when nothing is known. */
uint32_t socket_trip_us(int fd);
/* socket_local: our end; family 0 when the socket has none. */
struct addr socket_local(int fd);

/* A system's address and ours. */
socklen_t addr_to_system(const struct addr *a, struct sockaddr_storage *out);
struct addr addr_from_system(const struct sockaddr_storage *ss);

#endif
