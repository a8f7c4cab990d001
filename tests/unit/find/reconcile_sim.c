/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define START_MS 1000000

void sim_start(struct sim *s)
{
    struct addr own = addr_v4(0x0a000001, 9100);

    *s = (struct sim){.now = START_MS};
    rng_init(&s->rng, 42);
    s->r = reconcile_new("erlclu@10.0.0.1", 7, &s->rng);
    assert_non_null(s->r);
    reconcile_own(s->r, "erlclu@10.0.0.1", 7, &own);
}

void sim_stop(struct sim *s)
{
    reconcile_free(s->r);
    buf_free(&s->trace);
}

static void stamp(struct sim *s)
{
    buf_printf(&s->trace, "[%6u] ", (unsigned)(s->now - START_MS));
}

static struct entry entry_of(clu_slice word)
{
    struct entry e = {.terminating = word.data[0] == '-'};

    word.data += e.terminating;
    word.len -= e.terminating;
    const uint8_t *at = memchr(word.data, '@', word.len);
    clu_slice host = word;

    if (at != NULL) {
        text_set(e.name, sizeof e.name, word);
        host.data = at + 1;
        host.len = word.len - (size_t)(host.data - word.data);
    }
    addr_parse_ip(&e.addr, host);
    return e;
}

static void trace_changes(struct sim *s)
{
    struct addr addr;
    char name[NODE_NAME_SIZE], ip[ADDR_TEXT_MAX];
    unsigned source;
    bool listed;

    while (reconcile_change(s->r, &addr, name, &source, &listed))
        buf_printf(&s->trace, " %c%u:%s", listed ? '+' : '-', source,
                   name[0] != '\0' ? name : addr_ip_text(&addr, ip));
}

void sim_list(struct sim *s, unsigned source, enum result_kind kind, const char *words)
{
    struct entry *entries = calloc(strlen(words) / 2 + 1, sizeof *entries);
    size_t n = 0;

    assert_non_null(entries);
    while (*words != '\0') {
        size_t len = strcspn(words, " ");

        entries[n++] = entry_of((clu_slice){(const uint8_t *)words, len});
        words += len + strspn(words + len, " ");
    }
    const struct round round = {.kind = kind,
                                .sees_us = !s->lacks_us,
                                .standing = s->standing,
                                .adds_only = s->adds_only,
                                .ttl_s = s->ttl_s,
                                .entries = entries,
                                .n = n};

    reconcile_list(s->r, source, &round, s->now);
    free(entries);
    stamp(s);
    buf_printf(&s->trace, "%s %u", result_kind_text(kind), (unsigned)n);
    trace_changes(s);
    buf_put_byte(&s->trace, '\n');
}

static const char *called(const struct target *t)
{
    static char ip[ADDR_TEXT_MAX];

    return t->name[0] != '\0' ? t->name : addr_ip_text(&t->addr, ip);
}

static void trace_dial(struct sim *s, const struct target *t, enum stage stage)
{
    char ip[ADDR_TEXT_MAX];

    stamp(s);
    buf_printf(&s->trace, "dial %s at %s", called(t), addr_ip_text(&t->addr, ip));
    if (stage != STAGE_NONE)
        buf_printf(&s->trace, ": %s%s", stage_text(stage),
                   reconcile_failed(s->r, t->id, stage, "no", s->now) ? "" : " again");
    buf_put_byte(&s->trace, '\n');
}

static void trace_cut(struct sim *s, struct target *t)
{
    stamp(s);
    buf_printf(&s->trace, "cut %s\n", t->name);
    reconcile_down(s->r, t->name, s->now, "cut");
}

void sim_run(struct sim *s, uint64_t ms, enum stage stage)
{
    uint64_t end = s->now + ms;

    for (uint64_t at; (at = reconcile_deadline(s->r)) <= end;) {
        s->now = max_u64(s->now, at);
        for (struct target *t; (t = reconcile_next(s->r, s->now)) != NULL;)
            trace_dial(s, t, stage);
        for (struct target *t; (t = reconcile_prune_next(s->r, s->now)) != NULL;)
            trace_cut(s, t);
    }
    s->now = end;
}

void sim_poll(struct sim *s, unsigned rounds, enum result_kind kind, const char *words,
              enum stage stage)
{
    for (; rounds > 0; rounds--) {
        sim_run(s, 5000, stage);
        sim_list(s, 0, kind, words);
    }
}

slot_id sim_dialled(struct sim *s, const char *what)
{
    uint32_t at = 0;

    for (struct target *t; (t = reconcile_walk(s->r, &at)) != NULL;)
        if (t->state == PEER_DIALLING && strcmp(called(t), what) == 0)
            return t->id;
    fail_msg("%s is not being dialled", what);
    return 0;
}

struct target *sim_up(struct sim *s, slot_id id, const char *name, const char *ip,
                      uint32_t creation)
{
    struct addr addr;
    bool fresh;

    assert_true(addr_parse_ip(&addr, slice_of(ip)));
    addr.port = 40000;
    struct target *t = reconcile_up(s->r, id, name, &addr, creation, s->now, &fresh);

    stamp(s);
    buf_printf(&s->trace, "up %s%s\n", name, fresh ? ", a new incarnation" : "");
    return t;
}

void sim_down(struct sim *s, const char *name)
{
    stamp(s);
    buf_printf(&s->trace, "down %s\n", name);
    reconcile_down(s->r, name, s->now, "closed");
}

void sim_show(struct sim *s)
{
    uint32_t at = 0;

    for (struct target *t; (t = reconcile_walk(s->r, &at)) != NULL;) {
        stamp(s);
        buf_printf(&s->trace, "%s %s%s%s%s%s", called(t), t->self ? "self " : "",
                   peer_state_text(t->state), t->sources == 0 ? ", unlisted" : "",
                   t->hinted ? ", hinted" : "", t->terminating ? ", terminating" : "");
        if (t->attempts > 0)
            buf_printf(&s->trace, ", %u attempts: %s since %u", (unsigned)t->attempts,
                       stage_text(t->stage), (unsigned)(t->since_ms - START_MS));
        buf_put_byte(&s->trace, '\n');
    }
}

void sim_expect(struct sim *s, const char *trace)
{
    if (strcmp(buf_text(&s->trace), trace) != 0)
        fail_msg("the trace is\n%s", buf_text(&s->trace));
    buf_reset(&s->trace);
}

size_t sim_count(struct sim *s)
{
    uint32_t at = 0;
    size_t n = 0;

    while (reconcile_walk(s->r, &at) != NULL)
        n++;
    return n;
}

void sim_tally(struct sim *s)
{
    const struct tally *t = reconcile_tally(s->r);

    stamp(s);
    buf_printf(&s->trace, "%u listed, %u linked, %u missing, %u unlisted, %u flaps, settled %u\n",
               (unsigned)t->listed, (unsigned)t->linked, (unsigned)t->missing,
               (unsigned)t->unlisted, (unsigned)t->flaps, (unsigned)(t->settled_ms - START_MS));
}
