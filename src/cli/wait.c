/* SPDX-License-Identifier: Apache-2.0
 *
 * wait: for startup probes (--peers asks the node that runs here) and init containers
 * (--reachable looks for nodes itself: wait_reachable.c).
 */
#include "cli/wait.h"

#include <poll.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/fetch.h"
#include "net/http.h"
#include "net/program.h"
#include "net/system.h"

/* How soon the node is asked again: links come up within tens of milliseconds. */
#define ASK_AGAIN_MS 200

/* What the node said last. */
struct said {
    clu_error err;
    uint16_t status;
    struct buf body;
};

/* Whether asking again may help: the node may not serve yet, or not be ready. */
static bool may_change(const struct said *said)
{
    return said->err == CLU_ECLOSED || (said->err == CLU_OK && said->status == 503);
}

/* The last time it may have been asked too late to answer: what it said before counts, then. */
static void take(struct said *said, struct said *next)
{
    if (next->err == CLU_ETIMEOUT && said->err == CLU_OK) {
        buf_free(&next->body);
        return;
    }
    buf_free(&said->body);
    *said = *next;
}

static void ask_until(const struct conf *c, const char *path, struct said *said)
{
    uint64_t now_ms = system_now_ms(), end_ms = now_ms + c->timeout_ms;

    for (; now_ms < end_ms; now_ms = system_now_ms()) {
        struct said next = {0};

        next.err = http_get(&c->settings.http, path, end_ms - now_ms, &next.status, &next.body);
        take(said, &next);
        if (!may_change(said))
            return;
        poll(NULL, 0, (int)min_u64(ASK_AGAIN_MS, c->timeout_ms));
    }
}

static int verdict(const struct conf *c, const char *path, struct said *said)
{
    char address[ADDR_TEXT_MAX];
    const char *text = buf_text(&said->body);
    int len = (int)strcspn(text, "\n");

    addr_text(&c->settings.http, address);
    if (said->err != CLU_OK)
        return fetch_fail(&c->settings.http, path, said->err);
    if (said->status == 200)
        return EXIT_DONE;
    if (said->status == 503)
        return program_fail(EXIT_NO, "after %u.%03u s http://%s%s says: %.*s",
                            (unsigned)(c->timeout_ms / 1000), (unsigned)(c->timeout_ms % 1000),
                            address, path, len, text);
    return program_fail(EXIT_CLOSED,
                        "http://%s%s answered with status %u: does a node of ours serve there? see "
                        "--http",
                        address, path, (unsigned)said->status);
}

static int wait_peers(const struct conf *c)
{
    struct said said = {.err = CLU_ETIMEOUT};
    char path[64];

    snprintf(path, sizeof path, "/readyz?min_peers=%u", (unsigned)c->want_peers);
    program_progress("peers");
    ask_until(c, path, &said);
    program_progress(NULL);
    int status = verdict(c, path, &said);

    buf_free(&said.body);
    return status;
}

int wait_main(const struct conf *c)
{
    return c->want_peers > 0 ? wait_peers(c) : wait_reachable(c);
}
