/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/fetch.h"
#include "net/program.h"
#include "view/terminal.h"

int nodes_main(const struct conf *c)
{
    struct buf out = {0};
    json_t *cluster;
    int status = fetch_cluster(c, &cluster);

    if (status != EXIT_DONE)
        return status;
    if (c->json)
        return program_print_json(cluster);
    terminal_put_nodes(&out, cluster);
    json_decref(cluster);
    return program_print(&out);
}
