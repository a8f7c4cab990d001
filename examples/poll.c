/* SPDX-License-Identifier: Apache-2.0 */
/* A loop of one's own, on plain poll: standard input and a node. The last line that was typed is
 * what rpc:call('poll@127.0.0.1', input, last, []) answers. */
#include <erlclu/erlclu.h>

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char last[256];

static clu_error on_last(clu_call *call, clu_reader *args, void *arg)
{
    (void)args;
    (void)arg;
    return clu_reply(call, "~b", (const char *)last);
}

/* false: the end of the input. */
static bool read_input(void)
{
    char text[sizeof last];
    ssize_t n = read(STDIN_FILENO, text, sizeof text - 1);

    if (n <= 0)
        return false;
    text[n] = '\0';
    text[strcspn(text, "\n")] = '\0';
    strcpy(last, text);
    return true;
}

int main(void)
{
    clu_node *node = clu_node_new(&(clu_options){.name = "poll"});
    struct pollfd fds[] = {
        {.fd = clu_fd(node), .events = POLLIN},
        {.fd = STDIN_FILENO, .events = POLLIN},
    };

    clu_export(node, "input", "last", 0, on_last, NULL);
    /* One step carries out all that is there; the descriptor says when the next is due. */
    while (clu_step(node, 0) && poll(fds, 2, -1) >= 0)
        if ((fds[1].revents & (POLLIN | POLLHUP)) != 0 && !read_input())
            break;

    int status = clu_node_status(node) == CLU_OK ? 0 : 1;

    if (status != 0)
        fprintf(stderr, "poll: %s\n", clu_node_error(node));
    clu_node_free(node);
    return status;
}
