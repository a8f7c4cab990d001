/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ask.h"
#include "cli/cli.h"
#include "view/advice.h"
#include "view/fields.h"
#include "view/text.h"

static int print_json(const char *node, const struct answer *a)
{
    json_t *d = put(json_object(), "node", show_text(a->ok ? a->node : node));

    d = put(d, "result", json_string(a->ok ? "pong" : "pang"));
    d = ask_address(d, a);
    if (!a->ok)
        return program_print_json(ask_no_link(d, a));
    d = put(d, "took_us", show_u64(&a->took_us));
    d = put(d, "creation", show_u32(&a->creation));
    return program_print_json(put(d, "flags", show_u64(&a->flags)));
}

static void put_pong(struct buf *out, const struct answer *a)
{
    char address[ADDR_TEXT_MAX];

    buf_put_text(out, "pong\n");
    text_put_printable(out, slice_of(a->node));
    buf_printf(out, " at %s in %u.%03u ms\n", addr_text(&a->address, address),
               (unsigned)(a->took_us / 1000), (unsigned)(a->took_us % 1000));
}

static void put_pang(struct buf *out, const char *node, const struct answer *a)
{
    buf_printf(out, "pang\n%s: %s: ", node, stage_text(a->stage));
    text_put_printable(out, slice_of(a->reason));
    buf_printf(out, "\n%s\n", advice_on_asked(a->stage));
}

static int print_text(const char *node, const struct answer *a)
{
    struct buf out = {0};

    if (a->ok)
        put_pong(&out, a);
    else
        put_pang(&out, node, a);
    return program_print(&out);
}

int ping_main(const struct conf *c)
{
    struct answer a;
    int status = ask(c, machine_ping, c->target, &a);

    if (status != EXIT_DONE)
        return status;
    status = c->json ? print_json(c->target, &a) : print_text(c->target, &a);
    return status != EXIT_DONE || a.ok ? status : exit_of_stage(a.stage);
}
