/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "view/fields.h"
#include "view/text.h"

#define THIS_HOST "127.0.0.1"

/* epmd's line "name NAME at port PORT". */
static json_t *parse_line(const char *line)
{
    char name[NODE_NAME_SIZE];
    uint32_t port;

    if (sscanf(line, "name %255s at port %5" SCNu32, name, &port) != 2)
        return NULL;
    return put(put(json_object(), "name", show_text(name)), "port", show_u32(&port));
}

/* The first line of *text, without its end; *text moves behind it. false at the end. */
static bool next_line(const char **text, clu_slice *line)
{
    size_t len = strcspn(*text, "\n");

    *line = (clu_slice){(const uint8_t *)*text, len};
    *text += len + ((*text)[len] == '\n');
    return len > 0;
}

static json_t *parse_names(const char *text)
{
    json_t *names = json_array();
    clu_slice line;

    while (next_line(&text, &line)) {
        json_t *name = parse_line((const char *)line.data);

        if (name != NULL)
            names = append(names, name);
    }
    return names;
}

static int print_json(const char *host, const struct answer *a)
{
    json_t *d = ask_address(put(json_object(), "host", show_text(host)), a);

    return program_print_json(a->ok ? put(d, "names", parse_names(a->text)) : ask_failure(d, a));
}

static int print_text(const struct answer *a)
{
    const char *text = a->text;
    struct buf out = {0};
    clu_slice line;

    while (next_line(&text, &line)) {
        text_put_printable(&out, line);
        buf_put_byte(&out, '\n');
    }
    return program_print(&out);
}

int names_main(const struct conf *c)
{
    const char *host = c->n_args > 0 ? c->args[0] : THIS_HOST;
    struct answer a;
    int status = ask(c, machine_names, host, &a);

    if (status != EXIT_DONE)
        return status;
    if (c->json)
        status = print_json(host, &a);
    else if (a.ok)
        status = print_text(&a);
    if (a.ok && a.text[0] == '\0' && !c->json)
        (void)program_fail(EXIT_DONE, "the epmd of %s lists no node", host);
    if (a.ok && a.truncated)
        (void)program_fail(EXIT_DONE, "the epmd of %s lists more names than fit: this is a part",
                           host);
    if (status != EXIT_DONE || a.ok)
        return status;
    if (c->json)
        return exit_of_stage(a.stage);
    return program_fail(exit_of_stage(a.stage), "the epmd of %s gave no names: %s: %s", host,
                        stage_text(a.stage), a.reason);
}
