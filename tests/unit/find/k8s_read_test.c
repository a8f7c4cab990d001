/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "find/k8s_set.h"
#include "k8s_sim.h"

/* What is read of the objects, by SPEC; and which SPECs there are. */

#define SLICE(more) "{\"metadata\":{\"name\":\"a\"}," more "}"
#define ENDS(list)  "\"addressType\":\"IPv4\",\"endpoints\":[" list "]"
#define PORTS       "\"ports\":[{\"name\":\"http\",\"port\":80},{\"name\":\"dist\",\"port\":4370}],"
#define BOTH                                                                                       \
    SLICE(ENDS(KS_AT("10.0.0.2")))                                                                 \
    ",{\"metadata\":{\"name\":\"six\"},\"addressType\":\"IPv6\",\"endpoints\":[" KS_AT(            \
        "fd00::2") "]}"
#define POD(name, status)                                                                          \
    "{\"metadata\":{\"name\":\"" name "\"},\"spec\":{\"hostname\":\"" name                         \
    "\",\"containers\":[{},{\"ports\":[{\"name\":\"dist\",\"containerPort\":9100}]}]},"            \
    "\"status\":{" status "}}"
#define RUNS(ip) "\"phase\":\"Running\",\"podIPs\":[{\"ip\":\"" ip "\"}]"
#define PODS     "k8s:prod/pods?selector=app=x"

static const struct {
    const char *name, *spec, *own, *items, *entries;
} rows[] = {
    {"not ready is listed", "k8s:prod/app", NULL,
     SLICE(
         ENDS("{\"addresses\":[\"10.0.0.2\"],\"conditions\":{\"ready\":false,\"serving\":false}}")),
     "10.0.0.2:0 erlclu@10.0.0.2\n"},
    {"no conditions", "k8s:prod/app", NULL, SLICE(ENDS("{\"addresses\":[\"10.0.0.2\"]}")),
     "10.0.0.2:0 erlclu@10.0.0.2\n"},
    {"null for all", "k8s:prod/app", NULL,
     SLICE("\"addressType\":null,\"endpoints\":null,\"ports\":null"), ""},
    {"the first address counts", "k8s:prod/app", NULL,
     SLICE(ENDS("{\"addresses\":[\"10.0.0.2\",\"10.0.0.3\"]}")), "10.0.0.2:0 erlclu@10.0.0.2\n"},
    {"what is no endpoint", "k8s:prod/app", NULL,
     SLICE(ENDS(
         "7,null,{},{\"addresses\":[]},{\"addresses\":[\"example.org\"]},{\"addresses\":[7]}")),
     ""},
    {"FQDN", "k8s:prod/app", NULL,
     SLICE("\"addressType\":\"FQDN\",\"endpoints\":[" KS_AT("10.0.0.2") "]"), ""},
    {"sorted, and each once", "k8s:prod/app", NULL,
     SLICE(ENDS(KS_AT("10.0.0.4") "," KS_AT("10.0.0.2") "," KS_AT("10.0.0.4"))),
     "10.0.0.2:0 erlclu@10.0.0.2\n10.0.0.4:0 erlclu@10.0.0.4\n"},
    {"a port by name", "k8s:prod/app?port=dist", NULL, SLICE(PORTS ENDS(KS_AT("10.0.0.2"))),
     "10.0.0.2:4370 erlclu@10.0.0.2\n"},
    {"a port that is not there", "k8s:prod/app?port=x", NULL, SLICE(PORTS ENDS(KS_AT("10.0.0.2"))),
     "10.0.0.2:0 erlclu@10.0.0.2\n"},
    {"a port by number", "k8s:prod/app?port=4369", NULL, SLICE(PORTS ENDS(KS_AT("10.0.0.2"))),
     "10.0.0.2:4369 erlclu@10.0.0.2\n"},
    {"ports do not count by themselves", "k8s:prod/app", NULL, SLICE(PORTS ENDS(KS_AT("10.0.0.2"))),
     "10.0.0.2:0 erlclu@10.0.0.2\n"},
    {"both families without one of our own", "k8s:prod/app", NULL, BOTH,
     "10.0.0.2:0 erlclu@10.0.0.2\n[fd00::2]:0 erlclu@fd00::2\n"},
    {"our own family", "k8s:prod/app", "fd00::1", BOTH, "[fd00::2]:0 erlclu@fd00::2\n"},
    {"the other where there is none of ours", "k8s:prod/app", "fd00::1",
     SLICE(ENDS(KS_AT("10.0.0.2"))), "10.0.0.2:0 erlclu@10.0.0.2\n"},
    {"family=both", "k8s:prod/app?family=both", "10.0.0.1", BOTH,
     "10.0.0.2:0 erlclu@10.0.0.2\n[fd00::2]:0 erlclu@fd00::2\n"},
    {"family=6", "k8s:prod/app?family=6", "10.0.0.1", BOTH, "[fd00::2]:0 erlclu@fd00::2\n"},
    {"family=6 where there is none", "k8s:prod/app?family=6", "10.0.0.1",
     SLICE(ENDS(KS_AT("10.0.0.2"))), ""},
    {"base", "k8s:prod/app?base=my", NULL, SLICE(ENDS(KS_AT("10.0.0.2"))),
     "10.0.0.2:0 my@10.0.0.2\n"},
    {"names that are learnt", "k8s:prod/app?base=*", NULL, SLICE(ENDS(KS_AT("10.0.0.2"))),
     "10.0.0.2:0 \n"},
    {"template", "k8s:prod/app?name={base}@{hostname}.{service}.{ns}.svc.{zone}", NULL,
     SLICE(ENDS("{\"addresses\":[\"10.0.0.2\"],\"hostname\":\"app-0\"}")),
     "10.0.0.2:0 erlclu@app-0.app.prod.svc.z.test\n"},
    {"template without a hostname there", "k8s:prod/app?name={base}@{hostname}.x", NULL,
     SLICE(ENDS(KS_AT("10.0.0.2"))), "10.0.0.2:0 \n"},
    {"pods", PODS, NULL, POD("a", RUNS("10.0.0.2")) "," POD("b", RUNS("10.0.0.3")),
     "10.0.0.2:0 erlclu@10.0.0.2\n10.0.0.3:0 erlclu@10.0.0.3\n"},
    {"pods that do not run", PODS, NULL,
     POD("a", "\"phase\":\"Pending\"") "," POD(
         "b", "\"phase\":\"Failed\",\"podIPs\":[{\"ip\":\"10.0.0.3\"}]") "," POD("c", ""),
     ""},
    {"a pod that goes", PODS, NULL,
     "{\"metadata\":{\"name\":\"a\",\"deletionTimestamp\":\"2026-11-22T20:00:00Z\"},\"status\":"
     "{" RUNS("10.0.0.2") "}}",
     "10.0.0.2:0 erlclu@10.0.0.2 going\n"},
    {"a pod's port", PODS "&port=dist", NULL, POD("a", RUNS("10.0.0.2")),
     "10.0.0.2:9100 erlclu@10.0.0.2\n"},
    {"a pod of two families", PODS, "10.0.0.1",
     POD("a", "\"phase\":\"Running\",\"podIPs\":[{\"ip\":\"10.0.0.2\"},{\"ip\":\"fd00::2\"},{}]"),
     "10.0.0.2:0 erlclu@10.0.0.2\n"},
    {"a zero byte in what is not ours", "k8s:prod/app", NULL,
     SLICE("\"x\":\"a\\u0000b\"," ENDS(KS_AT("10.0.0.2"))), "10.0.0.2:0 erlclu@10.0.0.2\n"},
};

static void put_entries(struct buf *out, const struct source *source)
{
    size_t n;
    const struct entry *e = source_entries(source, &n);

    for (size_t i = 0; i < n; i++) {
        char text[ADDR_TEXT_MAX];

        buf_printf(out, "%s %s%s\n", addr_text(&e[i].addr, text), e[i].name,
                   e[i].terminating ? " going" : "");
    }
}

static void reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct k8s_sim s;
        struct buf list = {0}, found = {0};

        ks_begin(&s, rows[i].spec, rows[i].own);
        buf_printf(&list, "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[%s]}",
                   rows[i].items);
        ks_answer(&s, 200, buf_text(&list));
        put_entries(&found, s.source);
        if (strcmp(buf_text(&found), rows[i].entries) != 0)
            fail_msg("%s: %s", rows[i].name, buf_text(&found));
        buf_free(&list);
        buf_free(&found);
        ks_end(&s);
    }
}

/* What is wrong with a SPEC; NULL: nothing. */
static const struct {
    const char *spec, *why;
} specs[] = {
    {"k8s:prod/app", NULL},
    {"k8s:app", NULL},
    {"k8s:prod/pods", NULL}, /* a Service may have that name */
    {"k8s:prod/pods?selector=app=x,tier+in+(a,b)&port=dist&family=4&base=x", NULL},
    {"k8s:pods?selector=a", NULL},
    {"k8s:", "k8s: \"\" is no Service's name: write k8s:NAMESPACE/SERVICE or "
             "k8s:NAMESPACE/pods?selector=app=x"},
    {"k8s:/app", "k8s: \"/app\" does not begin with the name of a namespace: write "
                 "k8s:NAMESPACE/SERVICE"},
    {"k8s:a.b/app", "k8s: \"a.b/app\" does not begin with the name of a namespace: write "
                    "k8s:NAMESPACE/SERVICE"},
    {"k8s:prod/a/b", "k8s: \"a/b\" is no Service's name: write k8s:NAMESPACE/SERVICE or "
                     "k8s:NAMESPACE/pods?selector=app=x"},
    {"k8s:prod/app.prod", "k8s: \"app.prod\" is no Service's name: write k8s:NAMESPACE/SERVICE or "
                          "k8s:NAMESPACE/pods?selector=app=x"},
    {"k8s:prod/app?selector=a=b", "k8s: a selector selects pods: write "
                                  "k8s:NAMESPACE/pods?selector=..."},
    {"k8s:prod/pods?selector=", "k8s: the selector is empty or too long: \"\""},
    {"k8s:prod/app?port=", "k8s: port is the name that a port has there, or a number from 1 to "
                           "65535, not \"\""},
    {"k8s:prod/app?port=0", "k8s: port is the name that a port has there, or a number from 1 to "
                            "65535, not \"0\""},
    {"k8s:prod/app?port=65536",
     "k8s: port is the name that a port has there, or a number from 1 to "
     "65535, not \"65536\""},
    {"k8s:prod/app?port=a.b", "k8s: port is the name that a port has there, or a number from 1 to "
                              "65535, not \"a.b\""},
    {"k8s:prod/app?family=5", "k8s: family is 4, 6, both or auto, not \"5\""},
    {"k8s:prod/app?x=y", "k8s: has no option \"x\": it takes base= name= family= port= selector="},
};

static void specs_are_checked(void **state)
{
    struct rng rng = {1};
    struct kubernetes kubernetes = {.api = {.family = 4, .port = 443}};
    const struct source_place place = {
        .own_name = "a@10.0.0.1", .kubernetes = &kubernetes, .rng = &rng};

    (void)state;
    for (size_t i = 0; i < COUNT(specs); i++) {
        struct source *source;
        char why[REASON_SIZE] = "";
        clu_error err = source_new(&source, specs[i].spec, &place, why);
        bool is_fine = specs[i].why == NULL;

        if ((err == CLU_OK) != is_fine || (!is_fine && strcmp(why, specs[i].why) != 0))
            fail_msg("%s: %s", specs[i].spec, why);
        source_free(source);
    }
}

static void no_cluster(void **state)
{
    struct rng rng = {1};
    struct kubernetes kubernetes = {.account = ""};
    const struct source_place places[] = {
        {.own_name = "a@b", .rng = &rng},
        {.own_name = "a@b", .rng = &rng, .kubernetes = &kubernetes}};

    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        struct source *source;
        char why[REASON_SIZE] = "";

        assert_int_equal(source_new(&source, "k8s:prod/app", &places[i], why), CLU_EBADARG);
        assert_string_equal(why, "k8s: there is no API server here: KUBERNETES_SERVICE_HOST, an IP "
                                 "address, and KUBERNETES_SERVICE_PORT tell pods where it is");
    }
}

/* More than is kept is refused and counted, never half of an object. */
static void limits(void **state)
{
    struct k8s_set set = {.n_listed = 0};
    bool changed;

    (void)state;
    for (unsigned i = 0; i < K8S_OBJECTS_MAX + 5; i++) {
        struct k8s_object o = {.endpoints = calloc(1, sizeof *o.endpoints), .n = 1};

        snprintf(o.name, sizeof o.name, "o%u", i);
        o.endpoints[0].addr = addr_v4(i, 0);
        assert_int_equal(k8s_set_put(&set, &o), CLU_OK);
    }
    assert_int_equal(set.n_refused, 5);
    assert_int_equal(k8s_set_refresh(&set, 0, &changed), CLU_OK);
    assert_true(changed);
    assert_int_equal(set.n_listed, K8S_OBJECTS_MAX);
    struct k8s_object big = {.name = "o1", .n = K8S_TOTAL_MAX};

    big.endpoints = calloc(big.n, sizeof *big.endpoints);
    assert_int_equal(k8s_set_put(&set, &big), CLU_OK);
    assert_int_equal(set.n_refused, 6);
    assert_int_equal(set.n_endpoints, K8S_OBJECTS_MAX - 1);
    k8s_set_fini(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(specs_are_checked),
        cmocka_unit_test(no_cluster),
        cmocka_unit_test(limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
