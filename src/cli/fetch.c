/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fetch.h"

#include <errno.h>

#include "net/http.h"
#include "net/program.h"

#define PATH "/api/v1/cluster"

static const struct {
    clu_error err;
    int status;
    const char *words;
} failures[] = {
    {CLU_ECLOSED, EXIT_TCP_REFUSED, "nobody answers there: is the node running? see --http"},
    {CLU_EPROTO, EXIT_CLOSED, "something took the connection, but gave no HTTP answer: see --http"},
    {CLU_ETIMEOUT, EXIT_TCP_TIMEOUT, "no answer in time: see --timeout"},
};

int fetch_fail(const struct addr *at, const char *path, clu_error err)
{
    const char *words = err == CLU_ENOMEM ? strerror(errno) : clu_strerror(err);
    int status = EXIT_LOCAL;
    char text[ADDR_TEXT_MAX];

    for (size_t i = 0; i < COUNT(failures); i++)
        if (failures[i].err == err) {
            words = failures[i].words;
            status = failures[i].status;
        }
    return program_fail(status, "asked http://%s%s: %s", addr_text(at, text), path, words);
}

static bool is_cluster(const json_t *d)
{
    return json_is_string(json_object_get(d, "node")) && json_is_array(json_object_get(d, "nodes"));
}

int fetch_cluster(const struct conf *c, json_t **document)
{
    const struct addr *at = &c->settings.http;
    struct buf body = {0};
    uint16_t status = 0;
    char text[ADDR_TEXT_MAX];
    clu_error err = http_get(at, PATH, c->timeout_ms, &status, &body);

    *document = json_loadb((const char *)body.data, body.len, 0, NULL);
    buf_free(&body);
    if (err == CLU_OK && status == 200 && is_cluster(*document))
        return EXIT_DONE;
    json_decref(*document);
    *document = NULL;
    if (err != CLU_OK)
        return fetch_fail(at, PATH, err);
    return program_fail(EXIT_CLOSED,
                        "http://%s" PATH " answered with status %u and no cluster: does a node of "
                        "ours serve there? see --http",
                        addr_text(at, text), (unsigned)status);
}
