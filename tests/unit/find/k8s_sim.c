/* SPDX-License-Identifier: Apache-2.0 */
#include "k8s_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define BEGIN 1000000

/* "[  1200] "; whole milliseconds since the start. */
static void stamp(struct k8s_sim *s)
{
    buf_printf(&s->trace, "[%6u]", (unsigned)(s->now - BEGIN));
}

static void trace_result(struct k8s_sim *s)
{
    size_t n;
    const struct entry *e = source_entries(s->source, &n);
    struct source_row row;

    source_row(s->source, 0, &row);
    stamp(s);
    buf_printf(&s->trace, " -> %s", result_kind_text(source_result(s->source)));
    for (size_t i = 0; i < n && i < 4; i++) {
        char ip[ADDR_TEXT_MAX];

        buf_printf(&s->trace, " %s%s", addr_text(&e[i].addr, ip), e[i].terminating ? "!" : "");
    }
    if (n > 4)
        buf_printf(&s->trace, " and %u more", (unsigned)n - 4);
    buf_put_byte(&s->trace, '\n');
}

static void give(struct k8s_sim *s, const struct given *given)
{
    if (source_given(s->source, given, s->now))
        trace_result(s);
}

/* ---- what is needed ---- */

static void meet_file(struct k8s_sim *s, const struct need *need)
{
    const char *name = strrchr(need->u.file.path, '/') + 1, *text = "-----CA-----";

    assert_false(need->u.file.watch);
    assert_memory_equal(need->u.file.path, "/account/", 9);
    buf_printf(&s->trace, " %s", name);
    if (strcmp(name, "token") == 0)
        text = s->token;
    if (strcmp(name, "namespace") == 0)
        text = s->ns;
    struct given given = {.kind = GIVEN_FILE,
                          .path = need->u.file.path,
                          .bytes = slice_of(text == NULL ? "" : text),
                          .why = text == NULL ? "No such file or directory" : NULL};

    if (source_given(s->source, &given, s->now)) {
        buf_put_byte(&s->trace, '\n');
        trace_result(s);
        stamp(s);
    }
}

/* " list", " list +PAGE", " watch VERSION", as the path says. */
static void trace_request(struct k8s_sim *s, const struct need *need)
{
    const char *watch = strstr(s->path, "&resourceVersion="), *page = strstr(s->path, "&continue=");

    assert_true(slice_is(need->u.http.ca, "-----CA-----"));
    if (watch != NULL)
        buf_printf(&s->trace, " watch %.*s", (int)strcspn(watch + 17, "&"), watch + 17);
    else
        buf_printf(&s->trace, " list%s%s", page == NULL ? "" : " +", page == NULL ? "" : page + 10);
    buf_printf(&s->trace, " by %.*s", (int)need->u.http.token.len,
               (const char *)need->u.http.token.data);
}

static void meet(struct k8s_sim *s, const struct need *need)
{
    if (need->kind == NEED_FILE) {
        meet_file(s, need);
        return;
    }
    if (need->kind == NEED_HTTP_END) {
        buf_put_text(&s->trace, " end");
        return;
    }
    assert_int_equal(need->kind, NEED_HTTP);
    text_set(s->path, sizeof s->path, slice_of(need->u.http.path));
    s->silence_ms = need->u.http.silence_ms;
    s->asked_ms = s->now;
    trace_request(s, need);
}

static void step(struct k8s_sim *s)
{
    struct need need;
    bool any = false;

    if (source_tick(s->source, s->now))
        trace_result(s);
    while (source_deadline(s->source) <= s->now && source_need(s->source, s->now, &need)) {
        if (!any)
            stamp(s);
        any = true;
        meet(s, &need);
    }
    if (any)
        buf_put_byte(&s->trace, '\n');
}

void ks_run(struct k8s_sim *s, uint64_t ms)
{
    uint64_t end = s->now + ms;
    unsigned steps = 0;

    for (uint64_t at; (at = source_deadline(s->source)) <= end && ++steps < 10000;) {
        s->now = max_u64(s->now, at);
        step(s);
    }
    assert_true(steps < 10000); /* it does not spin */
    s->now = end;
}

static void begin(struct k8s_sim *s, const char *spec, const char *own, const char *ns)
{
    struct addr addr = {0};
    char why[REASON_SIZE] = "";

    *s = (struct k8s_sim){.now = BEGIN, .token = "t1\n", .ns = ns};
    rng_init(&s->rng, 42);
    if (own != NULL)
        assert_true(addr_parse_ip(&addr, slice_of(own)));
    assert_true(addr_parse(&s->kubernetes.api, slice_of("10.96.0.1:443")));
    text_set(s->kubernetes.account, FILE_SIZE, slice_of("/account"));
    text_set(s->resolv.zone, sizeof s->resolv.zone, slice_of("z.test"));
    s->place = (struct source_place){.own_name = "erlclu@10.0.0.1",
                                     .resolv = &s->resolv,
                                     .kubernetes = &s->kubernetes,
                                     .rng = &s->rng};
    if (source_new(&s->source, spec, &s->place, why) != CLU_OK)
        fail_msg("%s", why);
    source_start(s->source, &addr, s->now);
    ks_run(s, 0);
}

void ks_begin(struct k8s_sim *s, const char *spec, const char *own)
{
    begin(s, spec, own, "prod");
}

void ks_begin_with(struct k8s_sim *s, const char *spec, const char *ns)
{
    begin(s, spec, NULL, ns);
}

void ks_end(struct k8s_sim *s)
{
    source_free(s->source);
    buf_free(&s->trace);
}

/* ---- what the server does ---- */

void ks_head(struct k8s_sim *s, uint16_t status, uint32_t retry_after_s)
{
    give(s, &(struct given){.kind = GIVEN_HEAD, .status = status, .retry_after_s = retry_after_s});
}

void ks_bytes(struct k8s_sim *s, clu_slice bytes)
{
    give(s, &(struct given){.kind = GIVEN_BODY, .bytes = bytes});
    ks_run(s, 0);
}

void ks_body(struct k8s_sim *s, const char *text)
{
    ks_bytes(s, slice_of(text));
}

void ks_close(struct k8s_sim *s, const char *why)
{
    give(s, &(struct given){.kind = GIVEN_END, .why = why});
    ks_run(s, 0);
}

void ks_answer(struct k8s_sim *s, uint16_t status, const char *body)
{
    ks_head(s, status, 0);
    ks_body(s, body);
    ks_close(s, NULL);
}

/* ---- the assertions ---- */

void ks_expect(struct k8s_sim *s, const char *trace)
{
    if (strcmp(buf_text(&s->trace), trace) != 0)
        fail_msg("the trace is\n%s", buf_text(&s->trace));
    buf_reset(&s->trace);
}

void ks_expect_reason(struct k8s_sim *s, const char *reason)
{
    if (strcmp(source_reason(s->source), reason) != 0)
        fail_msg("the reason is\n%s", source_reason(s->source));
}
