/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "k8s_sim.h"

/* What happens when the server refuses, breaks, or talks nonsense: the set is kept, the reason is a
 * sentence, and the pauses are what they should be. */

#define APP "k8s:prod/app"

static void begin_watching(struct k8s_sim *s)
{
    ks_begin(s, APP, NULL);
    ks_answer(s, 200, KS_LIST("10", KS_SLICE("a", "9", KS_AT("10.0.0.2"))));
    ks_head(s, 200, 0);
    ks_run(s, 60000);
    buf_reset(&s->trace);
}

/* How long until the next request. */
static uint64_t pause_of(struct k8s_sim *s)
{
    uint64_t before = s->now, asked = s->asked_ms;

    while (s->asked_ms == asked)
        ks_run(s, 1);
    return s->asked_ms - before;
}

static void unauthorized(void **state)
{
    struct k8s_sim s;

    (void)state;
    begin_watching(&s);
    ks_close(&s, NULL);
    s.token = "t2";
    ks_answer(&s, 401, KS_STATUS("401", "Unauthorized"));
    ks_expect(&s, "[ 60000] token ca.crt watch 10 by t1\n"
                  "[ 60000] token ca.crt watch 10 by t2\n");
    ks_answer(&s, 401, KS_STATUS("401", "Unauthorized"));
    ks_expect(&s, "[ 60000] -> failed 10.0.0.2:0\n");
    ks_expect_reason(&s,
                     "HTTP 401 from the API server at 10.96.0.1:443: it does not take the token "
                     "in /account: is it expired, or of another cluster? (Unauthorized)");
    assert_in_range(pause_of(&s), 400, 800);
    ks_answer(&s, 401, KS_STATUS("401", "Unauthorized"));
    assert_in_range(pause_of(&s), 800, 1600);
    /* once it was taken, the next refusal has its second try at once again */
    ks_head(&s, 200, 0);
    ks_run(&s, 60000);
    ks_close(&s, NULL);
    buf_reset(&s.trace);
    uint64_t asked = s.now;

    ks_answer(&s, 401, "");
    assert_int_equal(s.asked_ms, asked);
    ks_end(&s);
}

static void forbidden(void **state)
{
    static const char words[] = KS_STATUS(
        "403",
        "endpointslices.discovery.k8s.io is forbidden: User "
        "\\\"system:serviceaccount:prod:default\\\" cannot list resource \\\"endpointslices\\\"");
    struct k8s_sim s;
    uint64_t pause = 0;

    (void)state;
    begin_watching(&s);
    ks_close(&s, NULL);
    for (int i = 0; i < 9; i++) {
        ks_answer(&s, 403, words);
        pause = pause_of(&s);
    }
    assert_in_range(pause, 30000, 60000);
    ks_expect_reason(&s,
                     "HTTP 403: prod:default may not list and watch endpointslices in namespace "
                     "prod: give it a Role there with apiGroups: [\"discovery.k8s.io\"], "
                     "resources: [\"endpointslices\"], verbs: [\"list\", \"watch\"]");
    assert_int_equal(source_result(s.source), RESULT_FAILED);
    ks_end(&s);
    ks_begin(&s, "k8s:prod/pods?selector=app=x", NULL);
    ks_answer(&s, 403, "");
    ks_expect_reason(&s, "HTTP 403: this pod's service account may not list and watch pods in "
                         "namespace prod: give it a Role there with apiGroups: [\"\"], resources: "
                         "[\"pods\"], verbs: [\"list\", \"watch\"]");
    ks_end(&s);
}

/* The API server was away for a while, and comes back without having read its Roles yet. */
static void forbidden_at_first(void **state)
{
    struct k8s_sim s;

    (void)state;
    begin_watching(&s);
    for (int i = 0; i < 8; i++) {
        ks_close(&s, "refused");
        pause_of(&s);
    }
    ks_answer(&s, 403, "");
    assert_in_range(pause_of(&s), 400, 800);
    assert_non_null(strstr(s.path, "resourceVersion=10&"));
    ks_answer(&s, 403, "");
    assert_in_range(pause_of(&s), 800, 1600);
    ks_end(&s);
}

static void not_found(void **state)
{
    struct k8s_sim s;

    (void)state;
    begin_watching(&s);
    ks_close(&s, NULL);
    ks_answer(&s, 404, KS_STATUS("404", "no such resource"));
    ks_expect(&s, "[ 60000] token ca.crt watch 10 by t1\n"
                  "[ 60000] -> negative 10.0.0.2:0\n");
    ks_expect_reason(&s, "HTTP 404 from the API server at 10.96.0.1:443: no endpointslices in "
                         "namespace prod: no such resource");
    pause_of(&s);
    assert_null(strstr(s.path, "watch")); /* the list again */
    ks_end(&s);
}

static void too_many(void **state)
{
    struct k8s_sim s;

    (void)state;
    begin_watching(&s);
    ks_close(&s, NULL);
    ks_head(&s, 429, 7);
    ks_close(&s, NULL);
    assert_int_equal(pause_of(&s), 7000);
    ks_head(&s, 429, 4000000000);
    ks_close(&s, NULL);
    assert_int_equal(pause_of(&s), 60000); /* it is not believed that much */
    ks_end(&s);
}

/* Doubled from 0.8 s to 30 s, with jitter below; a success forgets it all. */
static void server_errors(void **state)
{
    struct k8s_sim s;

    (void)state;
    begin_watching(&s);
    ks_close(&s, NULL);
    for (uint64_t most = 800; most < 100000; most *= 2) {
        ks_answer(&s, 500, KS_STATUS("500", "etcd is away"));
        uint64_t top = min_u64(most, 30000);

        assert_in_range(pause_of(&s), top / 2, top);
        assert_non_null(strstr(s.path, "resourceVersion=10&"));
    }
    ks_expect_reason(&s, "HTTP 500 from the API server at 10.96.0.1:443: etcd is away");
    buf_reset(&s.trace);
    ks_head(&s, 200, 0);
    assert_int_equal(source_result(s.source), RESULT_COMPLETE);
    ks_expect_reason(&s, "");
    ks_body(&s, KS_EVENT("ADDED", KS_SLICE("b", "11", "")));
    ks_close(&s, "it closed");
    assert_in_range(pause_of(&s), 400, 800);
    ks_end(&s);
}

static void connection_lost(void **state)
{
    struct k8s_sim s;

    (void)state;
    begin_watching(&s);
    ks_body(&s, KS_EVENT("ADDED", KS_SLICE("b", "11", KS_AT("10.0.0.3"))) "{\"type\":\"ADD");
    ks_close(&s, "the connection broke");
    ks_expect(&s, "[ 60000] -> complete 10.0.0.2:0 10.0.0.3:0\n"
                  "[ 60000] -> failed 10.0.0.2:0 10.0.0.3:0\n");
    ks_expect_reason(&s, "the connection broke");
    assert_in_range(pause_of(&s), 400, 800);
    assert_non_null(strstr(s.path, "resourceVersion=11&"));
    ks_end(&s);
}

/* What no API server says. */
static const struct {
    const char *name, *body, *reason;
} nonsense[] = {
    {"no JSON", "<html>", "its list is no JSON: '[' or '{' expected near '<'"},
    {"nothing", "", "its list is no JSON: empty"},
    {"no list", "{}", "its list cannot be read: the peer broke the protocol"},
    {"an item without a name", KS_LIST("1", "{}"),
     "its list cannot be read: the peer broke the protocol"},
    {"an item that is none", KS_LIST("1", "7"),
     "its list cannot be read: the peer broke the protocol"},
};

static void lists_of_nonsense(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(nonsense); i++) {
        struct k8s_sim s;
        char reason[REASON_SIZE];

        ks_begin(&s, APP, NULL);
        ks_answer(&s, 200, nonsense[i].body);
        snprintf(reason, sizeof reason, "the API server at 10.96.0.1:443: %s", nonsense[i].reason);
        if (strcmp(source_reason(s.source), reason) != 0)
            fail_msg("%s: %s", nonsense[i].name, source_reason(s.source));
        assert_int_equal(source_result(s.source), RESULT_FAILED);
        assert_in_range(pause_of(&s), 400, 800);
        ks_end(&s);
    }
}

/* An event that makes no sense may have said anything: the list is asked for again. */
static void events_of_nonsense(void **state)
{
    static const char *const rows[] = {
        "{\"type\":\n",
        KS_EVENT("ADDED", "{}"),
        KS_EVENT("ERROR", KS_STATUS("500", "watch closed")),
        KS_EVENT("ERROR", "null"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct k8s_sim s;

        begin_watching(&s);
        ks_body(&s, rows[i]);
        ks_expect(&s, "[ 60000] -> failed 10.0.0.2:0\n"
                      "[ 60000] end\n");
        assert_in_range(pause_of(&s), 400, 800);
        assert_null(strstr(s.path, "watch"));
        ks_end(&s);
    }
}

static void fill(struct k8s_sim *s, size_t bytes)
{
    uint8_t block[16384];

    memset(block, ' ', sizeof block);
    for (size_t done = 0; done < bytes; done += sizeof block)
        ks_bytes(s, (clu_slice){block, min_u64(sizeof block, bytes - done)});
}

static void too_long(void **state)
{
    struct k8s_sim s;

    (void)state;
    begin_watching(&s);
    fill(&s, 8 << 20);
    ks_expect(&s, "");
    fill(&s, 1);
    ks_expect(&s, "[ 60000] -> failed 10.0.0.2:0\n"
                  "[ 60000] end\n");
    ks_expect_reason(&s, "the API server at 10.96.0.1:443: an event of its watch is longer than "
                         "8 MiB");
    pause_of(&s);
    ks_head(&s, 200, 0);
    fill(&s, (8 << 20) + 1);
    ks_expect_reason(&s,
                     "the API server at 10.96.0.1:443: a page of its list is longer than 8 MiB");
    pause_of(&s);
    ks_head(&s, 500, 0);
    fill(&s, 9 << 20); /* of an error no more is kept than a message has */
    ks_close(&s, NULL);
    ks_expect_reason(&s, "HTTP 500 from the API server at 10.96.0.1:443: no more is said");
    ks_end(&s);
}

static void too_deep(void **state)
{
    struct k8s_sim s;
    struct buf text = {0};

    (void)state;
    for (int i = 0; i < 100000; i++)
        buf_put_text(&text, "[");
    buf_put_text(&text, "\n");
    begin_watching(&s);
    ks_bytes(&s, buf_slice(&text));
    ks_expect_reason(&s,
                     "the API server at 10.96.0.1:443: an event of its watch is no JSON: nested "
                     "deeper than 64");
    buf_free(&text);
    ks_end(&s);
}

/* A continue is sent back as it came, or not at all. */
static void page_that_is_too_long(void **state)
{
    struct k8s_sim s;
    struct buf list = {0};

    (void)state;
    ks_begin(&s, APP, NULL);
    buf_put_text(&list, "{\"metadata\":{\"resourceVersion\":\"10\",\"continue\":\"");
    for (int i = 0; i < 400; i++)
        buf_put_byte(&list, '/'); /* three bytes in a query */
    buf_put_text(&list, "\"},\"items\":[]}");
    ks_answer(&s, 200, buf_text(&list));
    ks_expect_reason(&s, "the API server at 10.96.0.1:443: its continue or resourceVersion is too "
                         "long to be sent back");
    assert_in_range(pause_of(&s), 400, 800);
    assert_null(strstr(s.path, "continue"));
    buf_free(&list);
    ks_end(&s);
}

/* ---- the account ---- */

static void files_that_are_not_there(void **state)
{
    struct k8s_sim s;
    struct source_row row;

    (void)state;
    begin_watching(&s);
    ks_close(&s, NULL);
    ks_close(&s, "lost");
    s.token = NULL;
    buf_reset(&s.trace);
    ks_run(&s, 800);
    assert_int_equal(source_result(s.source), RESULT_FAILED);
    ks_expect_reason(&s, "/account/token cannot be read: No such file or directory (a pod has it "
                         "unless automountServiceAccountToken is false)");
    source_row(s.source, 0, &row);
    assert_int_equal(row.took_ms, 0);
    s.token = "t9";
    pause_of(&s);
    ks_head(&s, 200, 0);
    assert_int_equal(source_result(s.source), RESULT_COMPLETE);
    ks_end(&s);
}

static void tokens_that_are_none(void **state)
{
    static const char *const rows[] = {"", "\n", "a b", "a\r\nX-Other: header", "\xc3\xa4"};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct k8s_sim s;

        ks_begin(&s, "k8s:app", NULL); /* the namespace first */
        s.token = rows[i];
        ks_close(&s, "lost");
        ks_run(&s, 800);
        ks_expect_reason(&s, "/account/token does not hold what it should");
        ks_end(&s);
    }
}

static void namespace_of_the_account(void **state)
{
    struct k8s_sim s;

    (void)state;
    ks_begin(&s, "k8s:app", NULL);
    ks_expect(&s, "[     0] namespace token ca.crt list by t1\n");
    assert_non_null(strstr(s.path, "/namespaces/prod/endpointslices?"));
    ks_answer(&s, 200, KS_LIST("10", ""));
    ks_expect(&s, "[     0] -> negative\n"
                  "[     0] token ca.crt watch 10 by t1\n"); /* it never changes */
    ks_end(&s);
}

static void no_namespace(void **state)
{
    static const char *const rows[] = {NULL, "", "a.b", "a/../b"};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct k8s_sim s;

        ks_begin_with(&s, "k8s:app", rows[i]);
        assert_int_equal(source_result(s.source), RESULT_FAILED);
        assert_memory_equal(source_reason(s.source), "/account/namespace ", 19);
        s.ns = "late";
        ks_run(&s, 800);
        assert_non_null(strstr(s.path, "/namespaces/late/"));
        ks_end(&s);
    }
}

/* Answers that nobody waits for. */
static void answers_out_of_turn(void **state)
{
    struct k8s_sim s;

    (void)state;
    begin_watching(&s);
    ks_close(&s, "lost");
    buf_reset(&s.trace);
    ks_head(&s, 200, 0);
    ks_body(&s, KS_EVENT("ADDED", KS_SLICE("b", "11", KS_AT("10.0.0.3"))));
    ks_close(&s, NULL);
    source_given(s.source, &(struct given){.kind = GIVEN_FILE, .path = "/account/token"}, s.now);
    source_given(s.source, &(struct given){.kind = GIVEN_RECORDS}, s.now);
    ks_expect(&s, "");
    ks_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unauthorized),
        cmocka_unit_test(forbidden),
        cmocka_unit_test(forbidden_at_first),
        cmocka_unit_test(not_found),
        cmocka_unit_test(too_many),
        cmocka_unit_test(server_errors),
        cmocka_unit_test(connection_lost),
        cmocka_unit_test(lists_of_nonsense),
        cmocka_unit_test(events_of_nonsense),
        cmocka_unit_test(too_long),
        cmocka_unit_test(too_deep),
        cmocka_unit_test(files_that_are_not_there),
        cmocka_unit_test(tokens_that_are_none),
        cmocka_unit_test(namespace_of_the_account),
        cmocka_unit_test(page_that_is_too_long),
        cmocka_unit_test(no_namespace),
        cmocka_unit_test(answers_out_of_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
