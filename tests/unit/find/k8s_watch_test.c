/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "k8s_sim.h"

/* Lists and watches that go well, and the ways in which they end. */

#define APP  "k8s:prod/app"
#define PATH "/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices"

/* A source that watches from version 10 and lists 10.0.0.2. */
static void begin_watching(struct k8s_sim *s)
{
    ks_begin(s, APP, NULL);
    ks_answer(s, 200, KS_LIST("10", KS_SLICE("a", "9", KS_AT("10.0.0.2"))));
    ks_expect(s, "[     0] token ca.crt list by t1\n"
                 "[     0] -> complete 10.0.0.2:0\n"
                 "[     0] token ca.crt watch 10 by t1\n");
    ks_head(s, 200, 0);
}

static void a_list_then_a_watch(void **state)
{
    struct k8s_sim s;

    (void)state;
    ks_begin(&s, APP, NULL);
    assert_string_equal(s.path, PATH "?labelSelector=kubernetes.io%2Fservice-name%3Dapp&limit=500");
    assert_int_equal(s.silence_ms, 15000);
    ks_answer(&s, 200, KS_LIST("10", KS_SLICE("a", "9", KS_AT("10.0.0.2"))));
    const char *query = strstr(s.path, "&watch=1&allowWatchBookmarks=true&resourceVersion=10"
                                       "&timeoutSeconds=");

    assert_non_null(query);
    unsigned long seconds = strtoul(strrchr(query, '=') + 1, NULL, 10);

    assert_in_range(seconds, 300, 600);
    assert_int_equal(s.silence_ms, seconds * 1000 + 15000);
    ks_end(&s);
}

static void events_of_a_watch(void **state)
{
    struct k8s_sim s;

    (void)state;
    begin_watching(&s);
    ks_run(&s, 5);
    ks_body(&s, KS_EVENT("ADDED", KS_SLICE("b", "11", KS_AT("10.0.0.3"))));
    ks_body(&s, KS_EVENT("MODIFIED", KS_SLICE("b", "12", KS_AT("10.0.0.3") "," KS_AT("10.0.0.4"))));
    ks_body(&s, KS_EVENT("MODIFIED", KS_SLICE("b", "12", KS_AT("10.0.0.4") "," KS_AT("10.0.0.3"))));
    ks_body(&s, KS_EVENT("BOOKMARK", KS_SLICE("", "14", "")));
    ks_body(&s, KS_EVENT("UNHEARD-OF", "{}"));
    ks_body(&s, "\n");
    ks_run(&s, 2000);
    ks_body(&s, KS_EVENT("DELETED", KS_SLICE("b", "15", "")));
    ks_run(&s, 2000);
    ks_expect(&s, "[     5] -> complete 10.0.0.2:0 10.0.0.3:0\n"
                  "[     5] -> complete 10.0.0.2:0 10.0.0.3:0 10.0.0.4:0\n"
                  "[  3005] -> complete 10.0.0.2:0\n");
    ks_end(&s);
}

/* It ends when its time is over: the next goes on from the last thing seen, a bookmark here. */
static void end_of_a_watch(void **state)
{
    struct k8s_sim s;

    (void)state;
    begin_watching(&s);
    ks_run(&s, 300000);
    ks_body(&s, KS_EVENT("BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"4711\"}}"));
    ks_close(&s, NULL);
    ks_expect(&s, "[300000] token ca.crt watch 4711 by t1\n");
    ks_head(&s, 200, 0);
    ks_close(&s, NULL); /* at once: not as fast as it can */
    ks_expect(&s, "");
    ks_run(&s, 1000);
    ks_expect(&s, "[301000] token ca.crt watch 4711 by t1\n");
    ks_end(&s);
}

static void gone(void **state)
{
    struct k8s_sim s;

    (void)state;
    begin_watching(&s);
    ks_run(&s, 60000);
    ks_body(&s, KS_EVENT("ERROR", KS_STATUS("410", "too old")) "what follows is not read\n");
    ks_expect(&s, "[ 60000] end token ca.crt list by t1\n");
    ks_answer(&s, 200, KS_LIST("20", KS_SLICE("c", "19", KS_AT("10.0.0.2") "," KS_AT("10.0.0.5"))));
    ks_expect(&s, "[ 60000] -> complete 10.0.0.2:0 10.0.0.5:0\n"
                  "[ 60000] token ca.crt watch 20 by t1\n");
    ks_answer(&s, 410, KS_STATUS("410", "too old"));
    ks_run(&s, 1000); /* lists keep their distance */
    ks_expect(&s, "[ 61000] token ca.crt list by t1\n");
    ks_end(&s);
}

/* A list replaces what was there, with the same patience as an event. */
static void a_second_list(void **state)
{
    struct k8s_sim s;

    (void)state;
    begin_watching(&s);
    ks_run(&s, 60000);
    ks_body(&s, KS_EVENT("ERROR", KS_STATUS("410", "too old")));
    ks_answer(&s, 200, KS_LIST("20", KS_SLICE("c", "19", KS_AT("10.0.0.5"))));
    ks_head(&s, 200, 0);
    ks_run(&s, 999);
    ks_expect(&s, "[ 60000] end token ca.crt list by t1\n"
                  "[ 60000] -> complete 10.0.0.2:0 10.0.0.5:0\n"
                  "[ 60000] token ca.crt watch 20 by t1\n");
    ks_run(&s, 1);
    ks_expect(&s, "[ 61000] -> complete 10.0.0.5:0\n");
    ks_end(&s);
}

static void pages(void **state)
{
    struct k8s_sim s;

    (void)state;
    ks_begin(&s, APP, NULL);
    ks_answer(
        &s, 200,
        "{\"metadata\":{\"resourceVersion\":\"10\",\"continue\":\"p/2=\"},\"items\":[" KS_SLICE(
            "a", "9", KS_AT("10.0.0.2")) "]}");
    ks_answer(&s, 200, KS_LIST("10", KS_SLICE("b", "8", KS_AT("10.0.0.3"))));
    ks_expect(&s, "[     0] token ca.crt list by t1\n"
                  "[     0] token ca.crt list +p%2F2%3D by t1\n"
                  "[     0] -> complete 10.0.0.2:0 10.0.0.3:0\n"
                  "[     0] token ca.crt watch 10 by t1\n");
    ks_end(&s);
}

/* A continue that is too old begins the list anew. */
static void page_that_is_gone(void **state)
{
    struct k8s_sim s;

    (void)state;
    ks_begin(&s, APP, NULL);
    ks_answer(&s, 200,
              "{\"metadata\":{\"resourceVersion\":\"10\",\"continue\":\"x\"},\"items\":[]}");
    ks_answer(&s, 410, "");
    ks_run(&s, 1000);
    ks_expect(&s, "[     0] token ca.crt list by t1\n"
                  "[     0] token ca.crt list +x by t1\n"
                  "[  1000] token ca.crt list by t1\n");
    ks_end(&s);
}

static void lines_split_anywhere(void **state)
{
    static const char text[] = KS_EVENT(
        "ADDED", KS_SLICE("b", "11", "{\"addresses\":[\"10.0.0.3\"],\"zone\":\"\\\"}\\n\"}"))
        KS_EVENT("ADDED", KS_SLICE("c", "12", KS_AT("10.0.0.4")));

    (void)state;
    for (size_t at = 1; at < sizeof text - 1; at++) {
        struct k8s_sim s;
        size_t n;

        begin_watching(&s);
        ks_bytes(&s, (clu_slice){(const uint8_t *)text, at});
        ks_bytes(&s, (clu_slice){(const uint8_t *)text + at, sizeof text - 1 - at});
        source_entries(s.source, &n);
        assert_int_equal(n, 3);
        ks_end(&s);
    }
}

/* One endpoint, moving: in none of the slices for less than a second, then in two of them. */
static void between_two_slices(void **state)
{
    struct k8s_sim s;

    (void)state;
    begin_watching(&s);
    ks_body(&s, KS_EVENT("MODIFIED", KS_SLICE("a", "11", "")));
    ks_run(&s, 900);
    ks_body(&s, KS_EVENT("ADDED", KS_SLICE("b", "12", KS_AT("10.0.0.2"))));
    ks_body(&s, KS_EVENT("MODIFIED", KS_SLICE("a", "13", KS_AT("10.0.0.2"))));
    ks_body(&s, KS_EVENT("DELETED", KS_SLICE("b", "14", "")));
    ks_run(&s, 5000);
    ks_expect(&s, "");
    ks_body(&s, KS_EVENT("DELETED", KS_SLICE("a", "15", "")));
    ks_run(&s, 1000);
    ks_expect(&s, "[  6900] -> negative\n");
    ks_end(&s);
}

static void terminating(void **state)
{
    struct k8s_sim s;

    (void)state;
    begin_watching(&s);
    ks_body(&s, KS_EVENT("MODIFIED",
                         KS_SLICE("a", "11",
                                  "{\"addresses\":[\"10.0.0.2\"],\"conditions\":{\"ready\":false,"
                                  "\"serving\":true,\"terminating\":true}}")));
    /* another pod has the address already: that one is to be dialled */
    ks_body(&s, KS_EVENT("ADDED", KS_SLICE("b", "12", KS_AT("10.0.0.2"))));
    ks_expect(&s, "[     0] -> complete 10.0.0.2:0!\n"
                  "[     0] -> complete 10.0.0.2:0\n");
    ks_end(&s);
}

/* The Service is there, and has no pod; or it is not there at all. */
static void nothing_listed(void **state)
{
    struct k8s_sim s;

    (void)state;
    ks_begin(&s, APP, NULL);
    ks_answer(&s, 200, KS_LIST("10", KS_SLICE("a", "9", "")));
    ks_expect(&s, "[     0] token ca.crt list by t1\n"
                  "[     0] -> complete\n"
                  "[     0] token ca.crt watch 10 by t1\n");
    ks_end(&s);
    ks_begin(&s, APP, NULL);
    ks_answer(&s, 200, KS_LIST("10", ""));
    ks_expect(&s, "[     0] token ca.crt list by t1\n"
                  "[     0] -> negative\n"
                  "[     0] token ca.crt watch 10 by t1\n");
    ks_expect_reason(&s, "namespace prod has no EndpointSlice of a Service app: is there such a "
                         "Service, with a selector?");
    ks_head(&s, 200, 0);
    ks_body(&s, KS_EVENT("ADDED", KS_SLICE("a", "11", KS_AT("10.0.0.2"))));
    ks_expect(&s, "[     0] -> complete 10.0.0.2:0\n");
    ks_expect_reason(&s, "");
    ks_end(&s);
}

static void no_pods(void **state)
{
    struct k8s_sim s;

    (void)state;
    ks_begin(&s, "k8s:prod/pods?selector=app=x", NULL);
    ks_answer(&s, 200, KS_LIST("10", ""));
    assert_int_equal(source_result(s.source), RESULT_NEGATIVE);
    ks_expect_reason(&s, "namespace prod has no Pod with these labels");
    ks_end(&s);
}

/* 90 slices of 100. */
static void more_than_is_listed(void **state)
{
    struct k8s_sim s;
    size_t n;

    (void)state;
    begin_watching(&s);
    for (unsigned i = 0; i < 90; i++) {
        struct buf event = {0};

        buf_printf(
            &event,
            "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"s%u\"},\"endpoints\":[", i);
        for (unsigned k = 0; k < 100; k++)
            buf_printf(&event, "%s{\"addresses\":[\"10.1.%u.%u\"]}", k == 0 ? "" : ",", i, k);
        buf_put_text(&event, "]}}\n");
        ks_bytes(&s, buf_slice(&event));
        buf_free(&event);
    }
    source_entries(s.source, &n);
    assert_int_equal(n, SOURCE_ENTRIES_MAX);
    ks_expect_reason(&s, "only 8192 endpoints are listed: that is the limit");
    ks_end(&s);
}

static void own_address(void **state)
{
    struct k8s_sim s;

    (void)state;
    ks_begin(&s, APP, "10.0.0.1");
    ks_answer(&s, 200, KS_LIST("10", KS_SLICE("a", "9", KS_AT("10.0.0.2"))));
    ks_head(&s, 200, 0);
    ks_run(&s, 9999);
    ks_expect_reason(&s, "");
    ks_run(&s, 1);
    ks_expect_reason(&s, "our own address 10.0.0.1 is not among them, so others cannot find us "
                         "there: does the selector match this pod?");
    ks_body(&s, KS_EVENT("ADDED", KS_SLICE("b", "11", KS_AT("10.0.0.1"))));
    ks_expect_reason(&s, "");
    ks_end(&s);
}

static void port_that_some_lack(void **state)
{
    struct k8s_sim s;

    (void)state;
    ks_begin(&s, APP "?port=dist", NULL);
    ks_answer(&s, 200, KS_LIST("10", KS_SLICE("a", "9", KS_AT("10.0.0.2"))));
    ks_expect_reason(&s, "1 of them have no port named dist: epmd is asked for it there");
    ks_head(&s, 200, 0);
    ks_body(&s, KS_EVENT("MODIFIED", "{\"metadata\":{\"name\":\"a\"},\"ports\":[{\"name\":\"dist\","
                                     "\"port\":4370}],\"endpoints\":[" KS_AT("10.0.0.2") "]}"));
    ks_run(&s, 1000);
    ks_expect_reason(&s, "");
    ks_end(&s);
}

/* What metrics count: lists and failures, and how long they took. */
static void counters(void **state)
{
    struct k8s_sim s;
    struct source_row row;

    (void)state;
    ks_begin(&s, APP, NULL);
    s.now += 30;
    ks_answer(&s, 200, KS_LIST("10", KS_SLICE("a", "9", KS_AT("10.0.0.2"))));
    ks_head(&s, 200, 0);
    ks_body(&s, KS_EVENT("DELETED", KS_SLICE("a", "11", "")));
    s.now += 70;
    ks_close(&s, "lost");
    source_row(s.source, 0, &row);
    assert_int_equal(row.rounds[RESULT_COMPLETE], 1);
    assert_int_equal(row.rounds[RESULT_FAILED], 1);
    assert_int_equal(row.took_total_ms, 30); /* of the list, not of the watch */
    assert_int_equal(row.queries, 2);
    assert_int_equal(row.failures, 1);
    ks_end(&s);
}

/* The driver counts silence; a server that dribbles is ended here. */
static void watch_without_end(void **state)
{
    struct k8s_sim s;
    char trace[256];

    (void)state;
    begin_watching(&s);
    uint64_t end = s.asked_ms + s.silence_ms - 1000000;

    ks_run(&s, s.silence_ms);
    snprintf(trace, sizeof trace,
             "[%6u] -> failed 10.0.0.2:0\n"
             "[%6u] end\n",
             (unsigned)end, (unsigned)end);
    ks_expect(&s, trace);
    ks_run(&s, 800);
    assert_non_null(strstr(s.path, "&resourceVersion=10&"));
    ks_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_then_a_watch),
        cmocka_unit_test(events_of_a_watch),
        cmocka_unit_test(end_of_a_watch),
        cmocka_unit_test(gone),
        cmocka_unit_test(a_second_list),
        cmocka_unit_test(pages),
        cmocka_unit_test(page_that_is_gone),
        cmocka_unit_test(lines_split_anywhere),
        cmocka_unit_test(between_two_slices),
        cmocka_unit_test(terminating),
        cmocka_unit_test(nothing_listed),
        cmocka_unit_test(own_address),
        cmocka_unit_test(watch_without_end),
        cmocka_unit_test(port_that_some_lack),
        cmocka_unit_test(counters),
        cmocka_unit_test(no_pods),
        cmocka_unit_test(more_than_is_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
