/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/fetch.h"
#include "net/program.h"
#include "view/terminal.h"

static int print_text(const json_t *cluster)
{
    struct buf out = {0};

    terminal_put_status(&out, cluster);
    return program_print(&out);
}

int status_main(const struct conf *c)
{
    json_t *cluster;
    int status = fetch_cluster(c, &cluster);

    if (status != EXIT_DONE)
        return status;
    bool is_whole = json_array_size(json_object_get(cluster, "missing")) == 0;

    status = c->json ? program_print_json(json_incref(cluster)) : print_text(cluster);
    json_decref(cluster);
    return status == EXIT_DONE && !is_whole ? EXIT_NO : status;
}
