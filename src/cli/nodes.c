/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "net/http.h"
#include "net/program.h"
#include "view/terminal.h"

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

static int fail(const struct addr *at, clu_error err)
{
    char text[ADDR_TEXT_MAX];

    for (size_t i = 0; i < COUNT(failures); i++)
        if (failures[i].err == err)
            return program_fail(failures[i].status, "asked http://%s" PATH ": %s",
                                addr_text(at, text), failures[i].words);
    return program_fail(EXIT_LOCAL, "asked http://%s" PATH ": %s", addr_text(at, text),
                        clu_strerror(err));
}

static bool is_cluster(const json_t *d)
{
    return json_is_string(json_object_get(d, "node")) && json_is_array(json_object_get(d, "nodes"));
}

static int print_document(const struct conf *c, const struct addr *at, struct buf *body,
                          uint16_t status)
{
    char text[ADDR_TEXT_MAX];
    struct buf out = {0};
    json_t *d = json_loadb((const char *)body->data, body->len, 0, NULL);

    if (status != 200 || !is_cluster(d)) {
        json_decref(d);
        return program_fail(EXIT_CLOSED,
                            "http://%s" PATH " answered with status %u and no cluster: "
                            "does a node of ours serve there? see --http",
                            addr_text(at, text), (unsigned)status);
    }
    if (c->json)
        return program_print_json(d);
    terminal_put_nodes(&out, d);
    json_decref(d);
    return program_print(&out);
}

int nodes_main(const struct conf *c)
{
    const struct addr *at = &c->settings.http;
    struct buf body = {0};
    uint16_t http_status = 0;
    clu_error err = http_get(at, PATH, c->timeout_ms, &http_status, &body);
    int status = err != CLU_OK ? fail(at, err) : print_document(c, at, &body, http_status);

    buf_free(&body);
    return status;
}
