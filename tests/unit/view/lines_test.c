/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts, times, log lines and tables for the terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "model/exit.h"
#include "sample.h"
#include "view/advice.h"
#include "view/api.h"
#include "view/event_text.h"
#include "view/metrics.h"
#include "view/terminal.h"
#include "view/text.h"

static const struct {
    uint64_t ms;
    const char *text;
} times[] = {
    {0, "1970-01-01T00:00:00.000Z"},
    {951782399999, "2000-02-28T23:59:59.999Z"},
    {951782400000, "2000-02-29T00:00:00.000Z"},
    {951868800000, "2000-03-01T00:00:00.000Z"},
    {1709164800000, "2024-02-29T00:00:00.000Z"},
    {1735689599999, "2024-12-31T23:59:59.999Z"},
    {1735689600000, "2025-01-01T00:00:00.000Z"},
    {1795366636123, "2026-11-22T16:57:16.123Z"},
    {4107542399000, "2100-02-28T23:59:59.000Z"},
    {4107542400000, "2100-03-01T00:00:00.000Z"},
    {253402300799999, "9999-12-31T23:59:59.999Z"},
    {UINT64_MAX, "9999-12-31T23:59:59.999Z"},
};

static void tells_times(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(times); i++) {
        char text[TEXT_TIME_SIZE];

        assert_string_equal(text_time(times[i].ms, text), times[i].text);
    }
}

static const struct {
    const char *name, *bytes, *utf8, *printable;
    size_t columns; /* of utf8 */
} texts[] = {
    {"plain", "a@b.c", "a@b.c", "a@b.c", 5},
    {"two, three and four bytes", "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80",
     "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80", 3},
    {"Latin-1", "\xfcml", "\xef\xbf\xbdml", "\\xfcml", 3},
    {"cut short", "a\xe2\x82", "a\xef\xbf\xbd\xef\xbf\xbd", "a\\xe2\\x82", 3},
    {"too long a spelling", "\xc0\xaf\xe0\x80\xaf",
     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "\\xc0\\xaf\\xe0\\x80\\xaf",
     5},
    {"surrogate", "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "\\xed\\xa0\\x80", 3},
    {"last character", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf", 1},
    {"beyond the last", "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
     "\\xf4\\x90\\x80\\x80", 4},
    {"newline and escape", "a\n\x1b[2J\x7f", "a\n\x1b[2J\x7f", "a\\x0a\\x1b[2J\\x7f", 7},
    {"C1",
     "\xc2\x9b"
     "2J\xc2\xa0",
     "\xc2\x9b"
     "2J\xc2\xa0",
     "\\xc2\\x9b"
     "2J\xc2\xa0",
     4},
};

static void repairs_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct buf utf8 = {0}, printable = {0};

        text_put_utf8(&utf8, slice_of(texts[i].bytes));
        text_put_printable(&printable, slice_of(texts[i].bytes));
        if (strcmp(buf_text(&utf8), texts[i].utf8) != 0 ||
            strcmp(buf_text(&printable), texts[i].printable) != 0 ||
            text_columns(buf_slice(&utf8)) != texts[i].columns)
            fail_msg("%s: %s, %s", texts[i].name, buf_text(&utf8), buf_text(&printable));
        buf_free(&utf8);
        buf_free(&printable);
    }
}

#define AT(last)                                                                                   \
    {                                                                                              \
        .family = 4, .ip = {10, 0, 0, last}, .port = 9100                                          \
    }

static const struct {
    struct event event;
    const char *text, *json;
} events[] = {
    {{.id = EVENT_NODE_UP, .node = "a@10.0.0.2", .address = AT(2)},
     "2026-11-22T16:57:16.123Z info linked with a@10.0.0.2 at 10.0.0.2:9100\n",
     "{\"time\":\"2026-11-22T16:57:16.123Z\",\"level\":\"info\",\"event\":\"node_up\","
     "\"text\":\"linked with a@10.0.0.2 at 10.0.0.2:9100\",\"node\":\"a@10.0.0.2\","
     "\"address\":\"10.0.0.2:9100\"}\n"},
    {{.id = EVENT_DIAL_FAILED,
      .address = AT(3),
      .stage = STAGE_TCP_REFUSED,
      .reason = "port closed"},
     "2026-11-22T16:57:16.123Z warning 10.0.0.3:9100: tcp-refused: port closed\n",
     "{\"time\":\"2026-11-22T16:57:16.123Z\",\"level\":\"warning\",\"event\":\"dial_failed\","
     "\"text\":\"10.0.0.3:9100: tcp-refused: port "
     "closed\",\"address\":\"10.0.0.3:9100\","
     "\"stage\":\"tcp-refused\",\"reason\":\"port closed\"}\n"},
    {{.id = EVENT_DIAL_FAILED, .node = "a@gone.x", .stage = STAGE_DNS, .reason = "NXDOMAIN"},
     "2026-11-22T16:57:16.123Z warning a@gone.x: dns: NXDOMAIN\n",
     "{\"time\":\"2026-11-22T16:57:16.123Z\",\"level\":\"warning\",\"event\":\"dial_failed\","
     "\"text\":\"a@gone.x: dns: NXDOMAIN\",\"node\":\"a@gone.x\",\"stage\":\"dns\","
     "\"reason\":\"NXDOMAIN\"}\n"},
    {{.id = EVENT_DISCOVERY, .what = "dns:x", .number = 12},
     "2026-11-22T16:57:16.123Z info dns:x: 12 listed\n",
     "{\"time\":\"2026-11-22T16:57:16.123Z\",\"level\":\"info\",\"event\":\"discovery\","
     "\"text\":\"dns:x: 12 listed\",\"number\":12,\"what\":\"dns:x\"}\n"},
    {{.id = EVENT_LISTED, .what = "srv:x", .node = "a@b.x"},
     "2026-11-22T16:57:16.123Z info srv:x lists a@b.x\n",
     "{\"time\":\"2026-11-22T16:57:16.123Z\",\"level\":\"info\",\"event\":\"listed\","
     "\"text\":\"srv:x lists a@b.x\",\"node\":\"a@b.x\",\"what\":\"srv:x\"}\n"},
    {{.id = EVENT_DISCOVERY, .what = "epmd:", .number = 3},
     "2026-11-22T16:57:16.123Z info epmd: 3 listed\n",
     "{\"time\":\"2026-11-22T16:57:16.123Z\",\"level\":\"info\",\"event\":\"discovery\","
     "\"text\":\"epmd: 3 listed\",\"number\":3,\"what\":\"epmd:\"}\n"},
    {{.id = EVENT_LISTED, .what = "epmd:", .node = "a@10.0.0.4", .address = AT(4)},
     "2026-11-22T16:57:16.123Z info epmd: lists a@10.0.0.4 at port 9100\n",
     "{\"time\":\"2026-11-22T16:57:16.123Z\",\"level\":\"info\",\"event\":\"listed\","
     "\"text\":\"epmd: lists a@10.0.0.4 at port 9100\",\"node\":\"a@10.0.0.4\","
     "\"address\":\"10.0.0.4:9100\",\"what\":\"epmd:\"}\n"},
    {{.id = EVENT_UNLISTED,
      .what = "srv:x",
      .node = "a@b.x",
      .address = AT(4),
      .reason = "its link stays"},
     "2026-11-22T16:57:16.123Z info srv:x no longer lists a@b.x at 10.0.0.4:9100: its link stays\n",
     "{\"time\":\"2026-11-22T16:57:16.123Z\",\"level\":\"info\",\"event\":\"unlisted\","
     "\"text\":\"srv:x no longer lists a@b.x at 10.0.0.4:9100: its link "
     "stays\",\"node\":\"a@b.x\","
     "\"address\":\"10.0.0.4:9100\",\"what\":\"srv:x\",\"reason\":\"its link stays\"}\n"},
    {{.id = EVENT_LISTED, .what = "dns:x", .address = AT(4)},
     "2026-11-22T16:57:16.123Z info dns:x lists 10.0.0.4:9100\n",
     "{\"time\":\"2026-11-22T16:57:16.123Z\",\"level\":\"info\",\"event\":\"listed\","
     "\"text\":\"dns:x lists 10.0.0.4:9100\",\"address\":\"10.0.0.4:9100\","
     "\"what\":\"dns:x\"}\n"},
    {{.id = EVENT_FATAL, .reason = "a\n2026 info forged \xff{node}"},
     "2026-11-22T16:57:16.123Z error a\\x0a2026 info forged \\xff{node}\n",
     "{\"time\":\"2026-11-22T16:57:16.123Z\",\"level\":\"error\",\"event\":\"fatal\","
     "\"text\":\"a\\\\x0a2026 info forged \\\\xff{node}\","
     "\"reason\":\"a\\n2026 info forged \xef\xbf\xbd{node}\"}\n"},
};

static void writes_log_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(events); i++) {
        struct buf text = {0}, json = {0};

        event_put_text(&text, &events[i].event, 1795366636123);
        event_put_json(&json, &events[i].event, 1795366636123);
        assert_string_equal(buf_text(&text), events[i].text);
        assert_string_equal(buf_text(&json), events[i].json);
        buf_free(&text);
        buf_free(&json);
    }
}

/* Every row of the table of events makes one line without a brace left in it. */
static void every_event_has_a_line(void **state)
{
    (void)state;
    for (enum event_id id = 0; id < EVENT_IDS; id++) {
        struct event e = {.id = id, .node = "n", .what = "w", .reason = "r"};
        struct buf text = {0};

        event_put_text(&text, &e, 0);
        if (strpbrk(buf_text(&text), "{}") != NULL || strchr(buf_text(&text), '\n') == NULL)
            fail_msg("%s", buf_text(&text));
        buf_free(&text);
    }
}

static void check_terminal(const char *name, void (*show)(struct buf *, const json_t *),
                           const char *expected)
{
    static struct sample sample;
    struct buf out = {0};

    assert_true(sample_get(&sample, name));
    json_t *cluster = api_cluster(&sample.snapshot);

    show(&out, cluster);
    assert_string_equal(buf_text(&out), expected);
    json_decref(cluster);
    buf_free(&out);
}

static void prints_nodes(void **state)
{
    (void)state;
    check_terminal(
        "missing", terminal_put_nodes,
        "NODE                 ADDRESS      STATE   VISIBLE  LISTED  OTP    SINCE                   "
        "  "
        "WHY\n"
        "erlclu@10.42.0.86    10.42.0.86   self    yes      -       -      "
        "2026-11-21T14:57:16.123Z  "
        "-\n"
        "erlclu@10.42.0.87    10.42.0.87   linked  yes      yes     25-27  "
        "2026-11-22T16:44:16.123Z  "
        "-\n"
        "erlclu@10.42.1.93    10.42.1.93   linked  yes      yes     25-27  "
        "2026-11-22T16:31:16.123Z  "
        "-\n"
        "erlclu@10.42.2.109   10.42.2.109  linked  yes      yes     25-27  "
        "2026-11-22T16:18:16.123Z  "
        "-\n"
        "erlclu@10.42.2.110   10.42.2.110  linked  yes      yes     29     "
        "2026-11-22T16:05:16.123Z  "
        "-\n"
        "erlclu@10.42.2.111   10.42.2.111  linked  yes      yes     25-27  "
        "2026-11-22T15:52:16.123Z  "
        "-\n"
        "observer@10.42.0.12  10.42.0.12   linked  no       no      28     "
        "2026-11-22T15:39:16.123Z  "
        "-\n"
        "erlclu@10.42.3.17    10.42.3.17   failed  -        yes     -      "
        "2026-11-22T15:26:16.123Z  "
        "cookie: erlclu@10.42.3.17 answered our challenge with the digest of another cookie\n"
        "erlclu@10.42.3.18    10.42.3.18   failed  -        yes     -      "
        "2026-11-22T15:13:16.123Z  "
        "tcp-timeout: no answer from 10.42.3.18:9100 within 7 s\n"
        "-                    10.42.3.19   failed  -        yes     -      "
        "2026-11-22T15:00:16.123Z  "
        "epmd-unknown: epmd at 10.42.3.19:4369 has no node called erlclu; it lists rabbit and "
        "worker\n");
    check_terminal("split", terminal_put_nodes,
                   "NODE               ADDRESS     STATE    VISIBLE  LISTED     OTP    SINCE       "
                   "              "
                   "WHY\n"
                   "erlclu@10.42.0.86  10.42.0.86  self     yes      -          -      "
                   "2026-11-21T14:57:16.123Z  "
                   "-\n"
                   "erlclu@10.42.0.87  10.42.0.87  linked   yes      yes        25-27  "
                   "2026-11-22T16:44:16.123Z  "
                   "-\n"
                   "erlclu@10.42.1.93  10.42.1.93  linked   yes      yes        25-27  "
                   "2026-11-22T16:31:16.123Z  "
                   "does not list this node\n"
                   "erlclu@10.42.2.1   10.42.2.1   leaving  -        yes        -      "
                   "2026-11-22T16:18:16.123Z  "
                   "tcp-refused: nothing listens at 10.42.2.1:9100\n"
                   "erlclu@10.42.2.9   10.42.2.9   linked   yes      no         25-27  "
                   "2026-11-22T16:05:16.123Z  "
                   "-\n"
                   "erlclu@10.42.9.1   10.42.9.1   failed   -        by a peer  -      "
                   "2026-11-22T15:52:16.123Z  "
                   "tcp-timeout: no answer from 10.42.9.1:9100 within 7 s\n"
                   "erlclu@10.42.9.2   10.42.9.2   failed   -        by a peer  -      "
                   "2026-11-22T15:39:16.123Z  "
                   "tcp-timeout: no answer from 10.42.9.2:9100 within 7 s\n");
}

#define DNS "dns:erlclu-headless.erlclu.svc.cluster.local"
#define SRV "srv:_dist._tcp.erlclu-headless.erlclu.svc.cluster.local"

static void prints_status(void **state)
{
    (void)state;
    check_terminal("draining", terminal_put_status,
                   "node     erlclu@10.42.0.86\nstate    draining: links stay until the end\n"
                   "nodes    6\nlisted   5\nlinked   5\nmissing  0\n"
                   "source   " DNS "  complete, 6 listed, this node among them\n");
    check_terminal("hostile", terminal_put_status,
                   "node     erlclu@10.42.0.86\nstate    ready\n"
                   "nodes    5\nlisted   5\nlinked   4\nmissing  1\n"
                   "source   dns:<b>\"'&.\\.\\x0a  complete, 3 listed, this node among them\n"
                   "source   dns:<b>\"'&.\\.\\x0a  complete, 3 listed, this node among them\n\n"
                   "{{node}}@{{#l}} is missing since 2026-11-22T15:52:16.123Z\n"
                   "  cookie: </p><script>x()</script>\\x0d\\x0a\n"
                   "  The cookies differ: compare --cookie-file or RELEASE_COOKIE here with "
                   "-setcookie there, trailing newline included.\n");
    check_terminal("split", terminal_put_status,
                   "node     erlclu@10.42.0.86\nstate    ready\n"
                   "nodes    4\nlisted   3\nlinked   3\nmissing  0\n"
                   "unlisted 1: erlclu@10.42.2.9\n"
                   "one-way  1: erlclu@10.42.1.93\n"
                   "unread   1: erlclu@10.42.1.93\n"
                   "islands  2\n"
                   "  of     4: erlclu@10.42.0.86, erlclu@10.42.0.87, erlclu@10.42.1.93, "
                   "erlclu@10.42.2.9\n"
                   "  of     2: erlclu@10.42.9.1, erlclu@10.42.9.2\n"
                   "source   " SRV "  complete, 3 listed, this node among them\n"
                   "source   gossip:  partial, 1 listed: gossip never lists everybody\n");
}

/* How a link ended is told before an attempt has failed, too. */
static void prints_how_a_link_ended(void **state)
{
    (void)state;
    struct peer_row peer = {.name = "a@h", .listed = true, .state = PEER_LOST, .since_ms = 1000};
    struct snapshot s = {.node = "b@h", .peers = &peer, .n_peers = 1};
    struct buf out = {0};

    snprintf(peer.reason, sizeof peer.reason, "the node closed the connection");
    json_t *cluster = api_cluster(&s);

    terminal_put_status(&out, cluster);
    assert_non_null(strstr(buf_text(&out),
                           "a@h is missing since 1970-01-01T00:00:01.000Z\n"
                           "  the node closed the connection\n  No attempt has failed yet"));
    json_decref(cluster);
    buf_free(&out);
}

/* Another node's document may lack anything. */
static void prints_what_there_is(void **state)
{
    (void)state;
    struct buf out = {0};
    json_t *odd =
        json_loads("{\"peers\": [7, {\"name\": \"x\\u001b@h\"}], \"missing\": [null]}", 0, NULL);

    terminal_put_nodes(&out, odd);
    assert_string_equal(buf_text(&out),
                        "NODE     ADDRESS  STATE  VISIBLE  LISTED  OTP  SINCE  WHY\n"
                        "-        -        self   yes      -       -    -      -\n"
                        "-        -        -      -        -       -    -      -\n"
                        "x\\x1b@h  -        -      -        -       -    -      -\n");
    buf_reset(&out);
    terminal_put_status(&out, odd);
    assert_non_null(strstr(buf_text(&out), "- is missing since -"));
    json_decref(odd);
    buf_free(&out);
}

/* Who has named a node himself has no use for what discovery should say. */
static void advice_to_who_asks_is_no_discovery(void **state)
{
    static const char *const words[] = {"discovery", "?base", "listed", "pod "};

    (void)state;
    for (size_t stage = 0; stage < STAGES; stage++)
        for (size_t i = 0; i < COUNT(words); i++)
            if (strstr(advice_on_asked((enum stage)stage), words[i]) != NULL)
                fail_msg("%s: %s", words[i], advice_on_asked((enum stage)stage));
    assert_non_null(strstr(advice_on_asked(STAGE_COOKIE), "--cookie-file"));
    assert_non_null(strstr(advice_on_asked(STAGE_EPMD_UNKNOWN), "erlclu names HOST"));
    assert_non_null(strstr(advice_on_asked(STAGE_NO_EPMD), "--port,"));
}

/* Stages that share a word share the exit status and the counter, and not the advice. */
static void stages_of_one_word(void **state)
{
    static const struct {
        enum stage stage, named;
        const char *advice;
    } rows[] = {
        {STAGE_SILENT, STAGE_CLOSED, "hangs"},
        {STAGE_NO_EPMD, STAGE_EPMD_UNKNOWN, "Something else listens"},
        {STAGE_NOT_ALLOWED, STAGE_FLAGS, "about to stop"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_string_equal(stage_text(rows[i].stage), stage_text(rows[i].named));
        assert_int_equal(exit_of_stage(rows[i].stage), exit_of_stage(rows[i].named));
        assert_non_null(strstr(advice_of(rows[i].stage), rows[i].advice));
        assert_null(strstr(advice_of(rows[i].named), rows[i].advice));
    }
    assert_int_equal(exit_of_stage(STAGE_HERE), EXIT_LOCAL);
}

/* A fault of our own shares a word with silence, and neither its advice nor a second counter. */
static void faults_of_our_own(void **state)
{
    struct peer_row peer = {
        .name = "a@h", .listed = true, .state = PEER_FAILED, .stage = STAGE_HERE};
    struct snapshot s = {.node = "b@h", .peers = &peer, .n_peers = 1};
    struct buf metrics = {0};

    (void)state;
    s.dial_failures[STAGE_TCP_TIMEOUT] = 3;
    s.dial_failures[STAGE_HERE] = 4;
    json_t *cluster = api_cluster(&s);
    const json_t *missing = json_array_get(json_object_get(cluster, "missing"), 0);
    const char *advice = json_string_value(json_object_get(missing, "advice"));

    assert_string_equal(json_string_value(json_object_get(missing, "stage")), "tcp-timeout");
    assert_non_null(strstr(advice, "limit of open files"));
    assert_null(strstr(advice, "NetworkPolicy"));
    metrics_put(&metrics, &s);
    assert_non_null(strstr(buf_text(&metrics), "failures_total{stage=\"tcp-timeout\"} 7\n"));
    json_decref(cluster);
    buf_free(&metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_times),
        cmocka_unit_test(repairs_texts),
        cmocka_unit_test(writes_log_lines),
        cmocka_unit_test(every_event_has_a_line),
        cmocka_unit_test(prints_nodes),
        cmocka_unit_test(prints_status),
        cmocka_unit_test(prints_how_a_link_ended),
        cmocka_unit_test(prints_what_there_is),
        cmocka_unit_test(faults_of_our_own),
        cmocka_unit_test(stages_of_one_word),
        cmocka_unit_test(advice_to_who_asks_is_no_discovery),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
