/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "find/hosts_text.h"
#include "find/words.h"

/* hosts:FILE: a .hosts.erlang: the nodes that are registered with the epmds of the hosts in it;
 * read again when it changes. */

struct hosts_source {
    struct epmd_hosts polled;
    char path[NEED_PATH_SIZE];
    bool asked;
    char trouble[REASON_SIZE]; /* what is wrong with the file */
};

static struct hosts_source *hosts_of(struct source *s)
{
    return (struct hosts_source *)s;
}

/* Without hosts no round will say it. */
static void list_nothing(struct source *s, uint64_t now_ms)
{
    s->row.changed_ms = s->n_entries > 0 ? now_ms : s->row.changed_ms;
    s->n_entries = 0;
    s->row.asking = false;
    s->row.result = RESULT_COMPLETE;
    s->row.rounds[RESULT_COMPLETE]++;
}

/* A file that cannot be read says nothing about hosts: those that were there are asked on. */
static bool fail(struct source *s, const char *why)
{
    struct hosts_source *h = hosts_of(s);

    say(h->trouble, "cannot read %.120s: %.200s", h->path, why);
    s->row.failures++;
    if (h->polled.n == 0)
        s->row.result = RESULT_FAILED;
    say(s->row.reason, "%s", h->trouble);
    return true;
}

static bool take_file(struct source *s, const struct given *given, uint64_t now_ms)
{
    struct hosts_source *h = hosts_of(s);
    struct epmd_host *hosts;
    size_t n;

    if (given->why != NULL)
        return fail(s, given->why);
    if (hosts_text_read(given->bytes, &hosts, &n, h->trouble) != CLU_OK)
        return fail(s, clu_strerror(CLU_ENOMEM));
    epmd_hosts_set(&h->polled, hosts, n, now_ms);
    if (n == 0)
        list_nothing(s, now_ms);
    say(s->row.reason, "%s", h->trouble);
    return n == 0;
}

static bool hosts_given(struct source *s, const struct given *given, uint64_t now_ms)
{
    struct hosts_source *h = hosts_of(s);

    if (given->kind == GIVEN_FILE)
        return take_file(s, given, now_ms);
    if (!epmd_hosts_given(s, given, now_ms))
        return false;
    if (!s->row.asking && s->row.reason[0] == '\0')
        say(s->row.reason, "%s", h->trouble);
    return true;
}

static uint64_t hosts_deadline(const struct source *s)
{
    return ((const struct hosts_source *)s)->asked ? epmd_hosts_deadline(s) : 0;
}

static bool hosts_need(struct source *s, uint64_t now_ms, struct need *need)
{
    struct hosts_source *h = hosts_of(s);

    if (h->asked)
        return epmd_hosts_need(s, now_ms, need);
    h->asked = true;
    need->kind = NEED_FILE;
    need->u.file.watch = true;
    memcpy(need->u.file.path, h->path, sizeof h->path);
    return true;
}

static void hosts_start(struct source *s, uint64_t now_ms)
{
    (void)now_ms; /* the first round comes with the file */
    hosts_of(s)->asked = false;
}

static void hosts_poke(struct source *s, uint64_t now_ms)
{
    if (hosts_of(s)->polled.n > 0)
        epmd_hosts_poke(s, now_ms);
}

static clu_error hosts_open(struct source *s, const char *body, char why[REASON_SIZE])
{
    if (body[0] == '\0') {
        say(why, "hosts: names no file: write hosts:/root/.hosts.erlang");
        return CLU_EBADARG;
    }
    text_set(hosts_of(s)->path, NEED_PATH_SIZE, slice_of(body)); /* a SPEC is shorter */
    return CLU_OK;
}

static const struct source_option options[] = {{"hidden", epmd_hosts_set_hidden}};

const struct scheme scheme_hosts = {
    .name = "hosts",
    .size = sizeof(struct hosts_source),
    .options = options,
    .n_options = COUNT(options),
    .init = epmd_hosts_init,
    .open = hosts_open,
    .close = epmd_hosts_close,
    .start = hosts_start,
    .poke = hosts_poke,
    .calm = epmd_hosts_calm,
    .deadline = hosts_deadline,
    .need = hosts_need,
    .given = hosts_given,
};
