/* SPDX-License-Identifier: Apache-2.0
 *
 * discover: one round of all sources, as a node would ask them. The sources say how their round
 * ended and what they list; DNS replies are read once more here, for what dig would show of them.
 */
#include "cli/discover.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/cli.h"
#include "net/system.h"
#include "net/watch.h"
#include "view/verdict.h"

/* Records of one reply that are shown. */
#define RECORDS_MAX 16384

/* ---- asking ---- */

static void on_reply(void *arg, enum dns_status status, clu_slice msg)
{
    struct discovery *d = arg;

    /* What is no reply shows in its source's result. */
    if (status == DNS_ANSWERED && d->n_replies < REPLIES_MAX &&
        dns_parse(&d->replies[d->n_replies], msg.data, msg.len, RECORDS_MAX) == CLU_OK)
        d->n_replies++;
}

bool discover_is_spoken(const struct source_row *row)
{
    return strncmp(row->spec, "gossip:", 7) == 0;
}

static bool is_over(const struct discovery *d, const struct source_row *row)
{
    if (discover_is_spoken(row))
        return !d->is_listening;
    /* A source may list what it has before all of its questions are answered. */
    return row->result != RESULT_WAITING && !row->asking;
}

static void on_turned(void *arg)
{
    struct discovery *d = arg;
    const struct snapshot *s;

    if (loop_is_resolving(d->drive.loop))
        return;
    s = machine_snapshot(d->drive.machine, system_now_ms());
    for (size_t i = 0; s != NULL && i < s->n_sources; i++)
        if (!is_over(d, &s->sources[i]))
            return;
    loop_exit(d->drive.loop, EXIT_DONE);
}

static void on_listened(void *arg, bool timed_out)
{
    struct discovery *d = arg;

    (void)timed_out;
    d->is_listening = false;
    on_turned(d);
}

/* A --timeout that was given is how long to listen. */
static bool start_listening(struct discovery *d)
{
    d->is_listening = true;
    if (d->conf->timeout_given)
        return true;
    d->listening = watch_new(loop_base(d->drive.loop), WATCH_TIMER, -1, on_listened, d);
    return d->listening != NULL && watch_start(d->listening, DISCOVER_LISTEN_MS);
}

size_t discover_spec_of(const struct snapshot *s, const struct dns_reply *r)
{
    size_t len = strlen(r->question);

    for (size_t i = 0; i < s->n_sources; i++)
        if (strncasecmp(s->sources[i].asked, r->question, len) == 0 &&
            strcmp(s->sources[i].asked + len, ".") == 0)
            return i;
    return SETTINGS_SPECS_MAX;
}

static int by_spec_and_type(const void *a, const void *b, void *snapshot)
{
    const struct dns_reply *x = a, *y = b;
    size_t at_x = discover_spec_of(snapshot, x), at_y = discover_spec_of(snapshot, y);

    if (at_x != at_y)
        return at_x < at_y ? -1 : 1;
    return (x->question_type > y->question_type) - (x->question_type < y->question_type);
}

static int look(struct discovery *d)
{
    if (!drive_limit(&d->drive, d->conf, EXIT_DONE) || !start_listening(d))
        return program_fail(EXIT_LOCAL, "%s", clu_strerror(CLU_ENOMEM));
    loop_start(d->drive.loop);
    program_progress("answers");
    (void)loop_run(d->drive.loop);
    program_progress(NULL);
    d->snapshot = machine_snapshot(d->drive.machine, system_now_ms());
    if (d->snapshot == NULL)
        return program_fail(EXIT_LOCAL, "%s", clu_strerror(CLU_ENOMEM));
    qsort_r(d->replies, d->n_replies, sizeof d->replies[0], by_spec_and_type,
            (void *)(uintptr_t)d->snapshot);
    return EXIT_DONE;
}

/* ---- what was found ---- */

static struct found found_of(const struct peer_row *p, size_t source)
{
    return (struct found){
        .addr = p->address,
        .name = p->name,
        .terminating = p->terminating,
        .is_known = (p->sources & ((UINT32_C(1) << source) - 1)) != 0,
    };
}

/* Whether a reply to the SPEC, before this one, has the address. */
static bool is_answered(const struct discovery *d, size_t source, size_t before,
                        const struct addr *a)
{
    for (size_t i = 0; i < before; i++)
        for (size_t k = 0; k < d->replies[i].n_addrs; k++)
            if (addr_same_ip(&d->replies[i].addrs[k], a) &&
                discover_spec_of(d->snapshot, &d->replies[i]) == source)
                return true;
    return false;
}

/* An address that has no row: its source did not take it in. */
static struct found found_at(const struct discovery *d, size_t source, const struct addr *a)
{
    struct found f = {.addr = *a, .name = ""};

    for (size_t i = 0; i < source && !f.is_known; i++)
        f.is_known = is_answered(d, i, d->n_replies, a);
    return f;
}

/* The names that the source lists at an address. */
static void each_name(const struct discovery *d, size_t source, const struct addr *a, void *arg,
                      found_fn *fn)
{
    bool is_found = false;

    for (size_t i = 0; i < d->snapshot->n_peers; i++) {
        const struct peer_row *p = &d->snapshot->peers[i];
        struct found f = found_of(p, source);

        if (!peer_is_listed_by(p, source) || !addr_same_ip(&p->address, a))
            continue;
        fn(arg, &f);
        is_found = true;
    }
    struct found f = found_at(d, source, a);

    if (!is_found)
        fn(arg, &f);
}

static void each_answered(const struct discovery *d, size_t source, void *arg, found_fn *fn)
{
    for (size_t i = 0; i < d->n_replies; i++) {
        const struct dns_reply *r = &d->replies[i];

        if (discover_spec_of(d->snapshot, r) != source)
            continue;
        for (size_t k = 0; k < r->n_addrs; k++)
            if (!is_answered(d, source, i, &r->addrs[k]))
                each_name(d, source, &r->addrs[k], arg, fn);
    }
}

void discover_each(const struct discovery *d, size_t source, void *arg, found_fn *fn)
{
    each_answered(d, source, arg, fn);
    for (size_t i = 0; i < d->snapshot->n_peers; i++) {
        const struct peer_row *p = &d->snapshot->peers[i];
        struct found f = found_of(p, source);

        if (peer_is_listed_by(p, source) && !is_answered(d, source, d->n_replies, &p->address))
            fn(arg, &f);
    }
}

/* ---- the end ---- */

static bool has_names(const struct source_row *row)
{
    return strncmp(row->spec, "dns:", 4) == 0 || strncmp(row->spec, "srv:", 4) == 0;
}

/* Nothing found is a plain no, unless DNS itself failed. */
static int verdict(const struct discovery *d)
{
    const struct snapshot *s = d->snapshot;
    int status = EXIT_NO;

    for (size_t i = 0; i < s->n_sources; i++) {
        const struct source_row *row = &s->sources[i];

        if (row->n_addresses > 0)
            return EXIT_DONE;
        if (row->unresolved ||
            (has_names(row) && (row->result == RESULT_FAILED || row->result == RESULT_WAITING)))
            status = EXIT_DNS;
    }
    return status;
}

/* --short prints addresses, and where there are none, nothing: why that is so is told beside. */
static void tell_why(const struct discovery *d)
{
    const struct snapshot *s = d->snapshot;

    for (size_t i = 0; i < s->n_sources; i++)
        if (s->sources[i].reason[0] != '\0')
            program_fail(EXIT_NO, "%s  %s: %s", s->sources[i].spec,
                         result_kind_text(s->sources[i].result), s->sources[i].reason);
}

static int discover(struct discovery *d)
{
    int status = look(d);

    if (status == EXIT_DONE)
        status = discover_print(d);
    if (status == EXIT_DONE)
        status = verdict(d);
    if (status != EXIT_DONE && d->conf->short_ && d->snapshot != NULL)
        tell_why(d);
    return status;
}

int discover_main(const struct conf *c)
{
    struct discovery d = {.conf = c};
    const struct loop_hooks hooks = {.reply = on_reply, .turned = on_turned, .arg = &d};
    int status = drive_open(&d.drive, c, &hooks);

    if (status == EXIT_DONE)
        status = discover(&d);
    for (size_t i = 0; i < d.n_replies; i++)
        dns_reply_free(&d.replies[i]);
    watch_free(d.listening);
    drive_close(&d.drive);
    return status;
}
