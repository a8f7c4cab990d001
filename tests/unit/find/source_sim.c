/* SPDX-License-Identifier: Apache-2.0 */
#include "source_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

void sim_start(struct sim *s, const char *spec, const char *own)
{
    struct addr addr = {0};
    char why[REASON_SIZE];

    *s = (struct sim){.now = 1000000, .a = "nodata", .aaaa = "nodata"};
    rng_init(&s->rng, 42);
    if (own != NULL)
        assert_true(addr_parse_ip(&addr, slice_of(own)));
    s->place = (struct source_place){.own_name = "erlclu@10.0.0.1", .rng = &s->rng};
    assert_int_equal(source_new(&s->source, spec, &s->place, why), CLU_OK);
    source_start(s->source, &addr, s->now);
}

void sim_stop(struct sim *s)
{
    source_free(s->source);
    buf_free(&s->trace);
}

/* Four entries at most, so that a line stays a line. */
static void trace_result(struct sim *s)
{
    size_t n;
    const struct entry *e = source_entries(s->source, &n);

    buf_printf(&s->trace, " -> %s", result_kind_text(source_result(s->source)));
    for (size_t i = 0; i < n && i < 4; i++) {
        char ip[ADDR_TEXT_MAX];

        buf_printf(&s->trace, " %s",
                   e[i].name[0] != '\0' ? e[i].name : addr_ip_text(&e[i].addr, ip));
    }
    if (n > 4)
        buf_printf(&s->trace, " and %u more", (unsigned)n - 4);
}

/* The TTL that the cache says, as words: whole seconds that are left. */
static void put_ttl(struct sim *s, struct buf *words)
{
    if (s->cached_s == 0)
        return;
    if (s->now >= s->filled_ms + 1000 * (uint64_t)s->cached_s)
        s->filled_ms = s->now;
    buf_printf(words, " ttl=%u", (unsigned)(s->cached_s - (s->now - s->filled_ms) / 1000));
}

void sim_answer(struct sim *s, uint16_t type)
{
    struct buf msg = {0}, words = {0};

    buf_put_text(&words, type == DNS_TYPE_A ? s->a : s->aaaa);
    put_ttl(s, &words);
    enum dns_status status = dns_build(&msg, NAME, type, buf_text(&words));

    if (give_records(s->source, type, status, buf_slice(&msg), s->now))
        trace_result(s);
    buf_free(&msg);
    buf_free(&words);
}

void sim_step(struct sim *s)
{
    struct need need;
    bool asked[2] = {false, false};

    buf_printf(&s->trace, "[%6u]", (unsigned)(s->now - 1000000));
    while (source_need(s->source, s->now, &need)) {
        assert_int_equal(need.kind, NEED_RECORDS);
        assert_string_equal(need.u.records.name, NAME);
        asked[need.u.records.type == DNS_TYPE_AAAA] = true;
        buf_put_text(&s->trace, need.u.records.type == DNS_TYPE_A ? " A" : " AAAA");
    }
    assert_true(asked[0] || asked[1] ? source_deadline(s->source) == NEVER : true);
    for (size_t i = 0; i < 2; i++)
        if (asked[i])
            sim_answer(s, i == 0 ? DNS_TYPE_A : DNS_TYPE_AAAA);
    buf_put_byte(&s->trace, '\n');
}

void sim_run(struct sim *s, uint64_t ms)
{
    uint64_t end = s->now + ms;

    for (uint64_t at; (at = source_deadline(s->source)) <= end;) {
        s->now = max_u64(s->now, at);
        sim_step(s);
    }
    s->now = end;
}

void sim_expect(struct sim *s, const char *trace)
{
    if (strcmp(buf_text(&s->trace), trace) != 0)
        fail_msg("the trace is\n%s", buf_text(&s->trace));
    buf_reset(&s->trace);
}

const char *sim_last(struct sim *s)
{
    char *text = (char *)buf_text(&s->trace), *last = text;

    for (char *p = text; (p = strstr(p, "-> ")) != NULL;)
        last = p += 3;
    last[strcspn(last, "\n")] = '\0';
    return last;
}
