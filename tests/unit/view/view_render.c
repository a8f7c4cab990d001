/* SPDX-License-Identifier: Apache-2.0
 *
 * view_render SAMPLE PATH: the body that a node in this state answers (see sample.h), on stdout.
 * view_render template FILE COOKIE NODE [PEER...]: a template's page for these values. */
#include <stdio.h>
#include <stdlib.h>

#include "sample.h"
#include "view/routes.h"

static bool read_file(struct buf *out, const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *space;

    if (file == NULL)
        return false;
    while ((space = buf_space(out, 4096)) != NULL) {
        size_t n = fread(space, 1, 4096, file);

        if (n == 0)
            break;
        buf_add(out, n);
    }
    fclose(file);
    return out->err == CLU_OK;
}

static int show(clu_slice template, const char *path, const struct snapshot *s)
{
    struct routes *routes;
    struct mustache_error why;
    struct http_request request = {.method = slice_of("GET"), .path = slice_of(path)};

    if (routes_new(&routes, template, &why) != CLU_OK) {
        fprintf(stderr, "line %u: %s\n", why.line, why.text);
        return 1;
    }
    struct http_reply reply = routes_answer(routes, &request, s);

    if (reply.body != NULL)
        fwrite(reply.body->bytes.data, 1, reply.body->bytes.len, stdout);
    http_body_release(reply.body);
    routes_free(routes);
    return reply.status >= 500;
}

int main(int argc, char **argv)
{
    static struct sample sample;

    if (argc >= 5 && strcmp(argv[1], "template") == 0) {
        struct buf template = {0};
        int status = 2;

        sample_bare(&sample, argv[4], argv[3], (const char *const *)argv + 5, (size_t)argc - 5);
        if (read_file(&template, argv[2]))
            status = show(buf_slice(&template), "/", &sample.snapshot);
        buf_free(&template);
        return status;
    }
    if (argc != 3 || !sample_get(&sample, argv[1])) {
        fprintf(stderr, "usage: view_render SAMPLE PATH | template FILE COOKIE NODE [PEER...]\n");
        return 2;
    }
    return show((clu_slice){0}, argv[2], &sample.snapshot);
}
