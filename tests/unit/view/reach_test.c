/* SPDX-License-Identifier: Apache-2.0
 *
 * What `wait --reachable` decides, and what it says when it was in vain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "view/reach.h"

#define NODES_MAX 3

/* A list of one source: "10.0.0.1" per node; the state of each by its letter: Reachable, Failed,
 * Dialling, Terminating. */
static const struct {
    const char *name, *own, *addresses[NODES_MAX], *states;
    enum result_kind result;
    bool sees_us;
    size_t n;
    bool is_first;
    const char *why;
} rows[] = {
    {"one of two",
     "10.0.0.1",
     {"10.0.0.2", "10.0.0.3"},
     "RF",
     RESULT_COMPLETE,
     true,
     1,
     true,
     "1 of 2 wanted nodes is reachable; n@10.0.0.3: tcp-refused: nobody"},
    {"none has answered",
     "10.0.0.2",
     {"10.0.0.1"},
     "D",
     RESULT_COMPLETE,
     true,
     0,
     false,
     "0 of 2 wanted nodes are reachable; n@10.0.0.1 has not answered yet"},
    {"alone",
     "10.0.0.1",
     {NULL},
     "",
     RESULT_COMPLETE,
     true,
     0,
     true,
     "dns:x lists only this pod (10.0.0.1): nothing else can be reached; use --or-first"},
    {"alone, its own address as a row",
     "10.0.0.1",
     {"10.0.0.1"},
     "F",
     RESULT_COMPLETE,
     true,
     0,
     true,
     "dns:x lists only this pod (10.0.0.1): nothing else can be reached; use --or-first"},
    {"alone, under another name",
     "10.0.0.1",
     {"10.0.0.1"},
     "F",
     RESULT_COMPLETE,
     false,
     0,
     true,
     "dns:x lists only this pod (10.0.0.1): nothing else can be reached; use --or-first"},
    {"another node of this pod",
     "10.0.0.1",
     {"10.0.0.1"},
     "R",
     RESULT_COMPLETE,
     true,
     1,
     true,
     "1 of 2 wanted nodes is reachable"},
    {"not listed ourselves",
     "10.0.0.1",
     {"10.0.0.2"},
     "F",
     RESULT_COMPLETE,
     false,
     0,
     false,
     "0 of 2 wanted nodes are reachable; n@10.0.0.2: tcp-refused: nobody"},
    {"a partial answer makes nobody first",
     "10.0.0.1",
     {"10.0.0.2"},
     "F",
     RESULT_PARTIAL,
     true,
     0,
     false,
     "0 of 2 wanted nodes are reachable; n@10.0.0.2: tcp-refused: nobody; dns:x  partial: why"},
    {"a failed look-up",
     "10.0.0.1",
     {NULL},
     "",
     RESULT_FAILED,
     false,
     0,
     false,
     "0 of 2 wanted nodes are reachable; dns:x  failed: why"},
    {"nothing listed",
     "10.0.0.1",
     {NULL},
     "",
     RESULT_COMPLETE,
     false,
     0,
     false,
     "0 of 2 wanted nodes are reachable; dns:x lists nobody (complete)"},
    {"outside of a pod",
     "",
     {"10.0.0.2"},
     "R",
     RESULT_COMPLETE,
     false,
     1,
     false,
     "1 of 2 wanted nodes is reachable"},
    {"the lower one goes",
     "10.0.0.2",
     {"10.0.0.1", "10.0.0.3"},
     "TF",
     RESULT_COMPLETE,
     true,
     0,
     true,
     "0 of 2 wanted nodes are reachable; n@10.0.0.1 has not answered yet"},
    {"by number, not by text",
     "10.0.0.9",
     {"10.0.0.10"},
     "F",
     RESULT_COMPLETE,
     true,
     0,
     true,
     "0 of 2 wanted nodes are reachable; n@10.0.0.10: tcp-refused: nobody"},
    {"an address not known yet",
     "10.0.0.1",
     {""},
     "D",
     RESULT_COMPLETE,
     true,
     0,
     false,
     "0 of 2 wanted nodes are reachable; n@ has not answered yet"},
    {"IPv6",
     "fd00::2",
     {"fd00::1", "fd00::3"},
     "RR",
     RESULT_COMPLETE,
     true,
     2,
     false,
     "2 of 2 wanted nodes are reachable"},
};

static void fill_peer(struct peer_row *p, const char *address, char state)
{
    *p = (struct peer_row){.listed = true, .sources = 1, .state = PEER_DIALLING};
    (void)addr_parse_ip(&p->address, slice_of(address));
    snprintf(p->name, sizeof p->name, "n@%s", address);
    if (state == 'R')
        p->state = PEER_REACHABLE;
    if (state == 'T')
        p->terminating = true;
    if (state != 'F')
        return;
    p->state = PEER_FAILED;
    p->stage = STAGE_TCP_REFUSED;
    snprintf(p->reason, sizeof p->reason, "nobody");
}

static void fill_source(struct source_row *source, size_t i, size_t n)
{
    *source = (struct source_row){.result = rows[i].result, .sees_us = rows[i].sees_us};
    source->n_addresses = (uint32_t)(n + rows[i].sees_us);
    snprintf(source->spec, sizeof source->spec, "dns:x");
    if (rows[i].result != RESULT_COMPLETE)
        snprintf(source->reason, sizeof source->reason, "why");
}

static void decides(void **state)
{
    static struct peer_row peers[NODES_MAX];
    static struct source_row source;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct snapshot s = {.peers = peers, .sources = &source, .n_sources = 1};
        struct addr own = {0};
        struct buf why = {0};

        for (; s.n_peers < strlen(rows[i].states); s.n_peers++)
            fill_peer(&peers[s.n_peers], rows[i].addresses[s.n_peers], rows[i].states[s.n_peers]);
        fill_source(&source, i, s.n_peers);
        (void)addr_parse_ip(&own, slice_of(rows[i].own));
        reach_put_why(&why, &s, &own, 2);
        if (reach_count(&s) != rows[i].n || reach_is_first(&s, &own) != rows[i].is_first ||
            strcmp(buf_text(&why), rows[i].why) != 0)
            fail_msg("%s: %zu %d %s", rows[i].name, reach_count(&s), reach_is_first(&s, &own),
                     buf_text(&why));
        buf_free(&why);
    }
}

static void names_them(void **state)
{
    static struct peer_row peers[NODES_MAX];
    struct snapshot s = {.peers = peers, .n_peers = NODES_MAX};
    struct buf out = {0};

    (void)state;
    for (size_t i = 0; i < NODES_MAX; i++)
        fill_peer(&peers[i], (const char *[]){"10.0.0.1", "10.0.0.2", "10.0.0.3"}[i], "RFR"[i]);
    peers[2].name[0] = '\0';
    reach_put_names(&out, &s);
    assert_string_equal(buf_text(&out), "n@10.0.0.1, 10.0.0.3");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decides),
        cmocka_unit_test(names_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
