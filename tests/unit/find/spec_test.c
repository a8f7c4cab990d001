/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/buf.h"
#include "source_sim.h"
#include "find/words.h"

/* SPECs as people write them: what becomes of them, or what they are told. */

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

#define SCHEMES "dns: srv: k8s: gossip: epmd: hosts: file: static:"

static const struct {
    const char *spec;
    const char *says; /* accepted: what is asked for, or the entries; else the complaint */
} rows[] = {
    {"dns:a.b.svc.cluster.local", "asks a.b.svc.cluster.local."},
    {"dns:a.b.svc.cluster.local.", "asks a.b.svc.cluster.local."},
    {"dns:a.b?base=myapp", "asks a.b."},
    {"dns:a.b?base=*&family=6", "asks a.b."},
    {"dns:" L63 ".b", "asks " L63 ".b."},
    {"srv:_dist._tcp.a.b.svc.cluster.local", "asks _dist._tcp.a.b.svc.cluster.local."},
    {"static:a@10.0.0.1", "a@10.0.0.1 at 10.0.0.1:0"},
    {"static:a@10.0.0.1:9100,b@pod-0.svc:9100",
     "a@10.0.0.1 at 10.0.0.1:9100, b@pod-0.svc at :9100"},
    {"static:a@::1", "a@::1 at [::1]:0"},
    {"static:a@0:0:0:0:0:0:0:1", "a@::1 at [::1]:0"},
    {"static:a@[fd00::5]:9100", "a@fd00::5 at [fd00::5]:9100"},
    {"static:my_app-1@h", "my_app-1@h at :0"},

    {"", "\"\" is no SPEC: it begins with none of " SCHEMES},
    {"a.b.svc", "\"a.b.svc\" is no SPEC: it begins with none of " SCHEMES},
    {"redis:a", "\"redis:a\" is no SPEC: it begins with none of " SCHEMES},
    {"k8s:a/b", "k8s: there is no API server here: KUBERNETES_SERVICE_HOST, an IP address, and "
                "KUBERNETES_SERVICE_PORT tell pods where it is"},
    {"dns:", "dns: the name \"\" is empty"},
    {"dns:.", "dns: the name \".\" has an empty label (two dots in a row, or one at the front)"},
    {"dns:a..b", "dns: the name \"a..b\" has an empty label (two dots in a row, or one at the "
                 "front)"},
    {"dns:a b", "dns: the name \"a b\" holds a byte that DNS names do not have (letters, digits, "
                "'-' and '_' only)"},
    {"dns:a" L63 ".b", "dns: the name \"a" L63 ".b\" has a label longer than 63 bytes"},
    {"dns:" L63 "." L63 "." L63 "." L63,
     "dns: the name \"" L63 ".aaaaaaaaaaaaaaaa\" is longer than 253 bytes"},
    {"dns:10.0.0.1", "dns: takes a name, and 10.0.0.1 is an address: write static:NAME@10.0.0.1"},
    {"dns:a?colour=red", "dns: has no option \"colour\": it takes base= name= family="},
    {"dns:a?base=x&base=y", "the option \"base\" of a SPEC stands there twice"},
    {"dns:a?base", "options of a SPEC are KEY=VALUE, at most 8, with & between: \"base\""},
    {"dns:a?base=x&&", "options of a SPEC are KEY=VALUE, at most 8, with & between: \"\""},
    {"dns:a?base=a@b", "dns: the base \"a@b\" holds a byte that node names do not have (letters, "
                       "digits, '-' and '_' only); base=* learns the names"},
    {"dns:a?base=", "dns: the base \"\" is empty; base=* learns the names"},
    {"dns:a?family=5", "dns: family is 4, 6, both or auto, not \"5\""},
    {"static:", "static: \"\": a node name is NAME@HOST"},
    {"static:a@h,", "static: \"\": a node name is NAME@HOST"},
    {"static:h", "static: \"h\": a node name is NAME@HOST"},
    {"static:@h", "static: \"@h\": what stands before the @ is empty"},
    {"static:a@", "static: \"a@\": the host is empty"},
    {"static:a@b@c",
     "static: \"a@b@c\": the host holds a byte that DNS names do not have (letters, "
     "digits, '-' and '_' only)"},
    {"static:a@h:0", "static: \"a@h:0\": the port is no number from 1 to 65535"},
    {"static:a@h:65536", "static: \"a@h:65536\": the port is no number from 1 to 65535"},
    {"static:a@h:x", "static: \"a@h:x\": the port is no number from 1 to 65535"},
    {"static:a@h?base=b", "static: has no option \"base\""},
};

static void describe(struct buf *out, struct source *s)
{
    struct source_row row;
    size_t n;
    const struct entry *e;

    source_start(s, &(struct addr){0}, 5);
    source_row(s, 0, &row);
    if (row.asked[0] != '\0')
        buf_printf(out, "asks %s", row.asked);
    e = source_entries(s, &n);
    for (size_t i = 0; i < n; i++) {
        char text[ADDR_TEXT_MAX];

        buf_printf(out, "%s%s at %s", i == 0 ? "" : ", ", e[i].name, addr_text(&e[i].addr, text));
    }
}

static void reads_specs(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct source *s;
        struct buf said = {0};
        char why[REASON_SIZE] = "";
        clu_error err = source_new(&s, rows[i].spec,
                                   &(struct source_place){.own_name = "erlclu@10.0.0.9"}, why);

        if (err == CLU_OK)
            describe(&said, s);
        else
            buf_put_text(&said, why);
        if (strcmp(buf_text(&said), rows[i].says) != 0)
            fail_msg("%s: %s", rows[i].spec, buf_text(&said));
        if ((s == NULL) != (err != CLU_OK))
            fail_msg("%s: %s, and a source", rows[i].spec, clu_strerror(err));
        source_free(s);
        buf_free(&said);
    }
}

static void refuses_long_specs(void **state)
{
    char spec[2 * SPEC_SIZE], why[REASON_SIZE];
    struct source *s;

    (void)state;
    memset(spec, 'a', sizeof spec - 1);
    spec[sizeof spec - 1] = '\0';
    assert_int_equal(source_new(&s, spec, &(struct source_place){.own_name = ""}, why),
                     CLU_EBADARG);
    assert_null(s);
    assert_non_null(strstr(why, "at most 383 bytes"));
}

/* A static source needs nobody: it is complete from the start and never asks. */
static void static_is_complete(void **state)
{
    struct source *s;
    struct need need;
    struct source_row row;
    char why[REASON_SIZE];

    (void)state;
    assert_int_equal(source_new(&s, "static:a@h,b@h", &(struct source_place){.own_name = ""}, why),
                     CLU_OK);
    assert_int_equal(source_result(s), RESULT_WAITING);
    source_start(s, &(struct addr){0}, 7);
    assert_int_equal(source_result(s), RESULT_COMPLETE);
    assert_string_equal(source_reason(s), "");
    source_poke(s, 8);
    assert_true(source_deadline(s) == NEVER);
    assert_false(source_need(s, 9, &need));
    assert_false(give_records(s, DNS_TYPE_A, DNS_TIMEOUT, (clu_slice){NULL, 0}, 9));
    source_row(s, 1000, &row);
    assert_int_equal(row.n_addresses, 2);
    assert_int_equal(row.changed_ms, 1007);
    assert_int_equal(row.next_ms, 0);
    source_free(s);
}

static const struct {
    const char *a, *b;
    bool same;
} pairs[] = {
    {"a.b", "A.B.", true}, {"a.b", "a.c", false}, {"a", "a.b", false},
    {"", "", true},        {"", ".", false},
};

static void compares_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++)
        if (host_name_same(pairs[i].a, pairs[i].b) != pairs[i].same)
            fail_msg("\"%s\" and \"%s\"", pairs[i].a, pairs[i].b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_specs),
        cmocka_unit_test(refuses_long_specs),
        cmocka_unit_test(static_is_complete),
        cmocka_unit_test(compares_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
