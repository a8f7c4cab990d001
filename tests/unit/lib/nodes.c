/* SPDX-License-Identifier: Apache-2.0 */
#include "nodes.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 10

uint16_t free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(0x7f000002)}};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    close(fd);
    return ntohs(at.sin_port);
}

clu_node *local_node(unsigned n, uint16_t port, const char *discover)
{
    char name[64];

    snprintf(name, sizeof name, "test@127.0.0.%u", n);
    return clu_node_new(&(clu_options){.name = name,
                                       .discover = discover,
                                       .cookie = "of the tests",
                                       .epmd = "none",
                                       .listen_port = port});
}

void run_until(clu_node *one, clu_node *two, bool (*done)(void *arg), void *arg)
{
    time_t end = time(NULL) + PATIENCE_S;

    while (!done(arg)) {
        assert_true(time(NULL) < end);
        assert_true(clu_step(one, two == NULL ? 100 : 1));
        assert_true(two == NULL || clu_step(two, 1));
    }
}
