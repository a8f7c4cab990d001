/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

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

/* Nothing is missing where nothing is listed: but is that known? */
static bool is_known(const json_t *cluster)
{
    const json_t *sources = json_object_get(cluster, "sources"), *source;
    size_t i, n_answers = 0;

    json_array_foreach(sources, i, source)
    {
        const char *result = json_string_value(json_object_get(source, "result"));

        n_answers +=
            result != NULL && (strcmp(result, "complete") == 0 || strcmp(result, "partial") == 0);
    }
    return n_answers > 0 || json_array_size(sources) == 0 ||
           json_array_size(json_object_get(cluster, "listed")) > 0;
}

int status_main(const struct conf *c)
{
    json_t *cluster;
    int status = fetch_cluster(c, &cluster);

    if (status != EXIT_DONE)
        return status;
    bool is_whole = json_array_size(json_object_get(cluster, "missing")) == 0 && is_known(cluster);

    status = c->json ? program_print_json(json_incref(cluster)) : print_text(cluster);
    json_decref(cluster);
    return status == EXIT_DONE && !is_whole ? EXIT_NO : status;
}
