/* SPDX-License-Identifier: Apache-2.0 */
#include "nodes.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* On a machine that does other work. */
#define PATIENCE_S 30
/* Below those that the system gives to connections, which nobody can foresee. */
#define PORT_MIN 11000
#define N_PORTS  20000

static bool is_free(uint16_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_addr = {htonl(0x7f000002)}, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool free = bind(fd, (struct sockaddr *)&at, sizeof at) == 0;

    close(fd);
    return free;
}

/* Tests that run beside this one begin elsewhere. */
uint16_t free_port(void)
{
    static unsigned n;

    for (unsigned i = 0; i < N_PORTS; i++) {
        uint16_t port = (uint16_t)(PORT_MIN + ((unsigned)getpid() * 97 + n++) % N_PORTS);

        if (is_free(port))
            return port;
    }
    fail();
    return 0;
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
