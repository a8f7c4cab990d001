/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/buf.h"
#include "find/hosts_text.h"

/* What is written in files, and what epmds list: file:, hosts: and epmd:; and the SPECs of gossip:.
 */

struct sim {
    struct source *source;
    struct rng rng;
    struct source_place place;
    uint64_t now;
    struct buf trace;
};

static void sim_start(struct sim *s, const char *spec)
{
    struct addr own = addr_v4(0x0a000001, 9100);
    char why[REASON_SIZE];

    *s = (struct sim){.now = 1000000};
    rng_init(&s->rng, 42);
    s->place = (struct source_place){.own_name = "me@10.0.0.1", .rng = &s->rng};
    assert_int_equal(source_new(&s->source, spec, &s->place, why), CLU_OK);
    source_start(s->source, &own, s->now);
}

static void sim_stop(struct sim *s)
{
    source_free(s->source);
    buf_free(&s->trace);
}

/* "complete a@h:0 b@h:9100: what is wrong" */
static void put_state(struct buf *out, struct source *s)
{
    struct source_row row;
    size_t n;
    const struct entry *e = source_entries(s, &n);

    source_row(s, 0, &row);
    buf_printf(out, "%s%s", result_kind_text(row.result), row.asking ? "..." : "");
    for (size_t i = 0; i < n; i++) {
        char ip[ADDR_TEXT_MAX];

        buf_printf(out, " %s at %s:%u", e[i].name, addr_ip_text(&e[i].addr, ip),
                   (unsigned)e[i].addr.port);
    }
    if (row.reason[0] != '\0')
        buf_printf(out, ": %s", row.reason);
    buf_put_byte(out, '\n');
}

static void give(struct sim *s, const struct given *given)
{
    if (source_given(s->source, given, s->now))
        put_state(&s->trace, s->source);
}

static void give_file(struct sim *s, const char *text, const char *why)
{
    clu_slice bytes = text == NULL ? (clu_slice){0} : slice_of(text);

    give(s, &(struct given){.kind = GIVEN_FILE, .bytes = bytes, .why = why, .path = "/f"});
}

static void sim_expect(struct sim *s, const char *text)
{
    if (strcmp(buf_text(&s->trace), text) != 0)
        fail_msg("the trace is\n%s", buf_text(&s->trace));
    buf_reset(&s->trace);
}

/* ---- SPECs ---- */

static const struct {
    const char *spec, *says; /* what is needed first; else the complaint */
} specs[] = {
    {"gossip:", "udp 0.0.0.0:45892 group 233.252.1.32 on 10.0.0.1 ttl 1"},
    {"gossip:239.1.2.3:5000?ttl=3&interface=10.0.0.9",
     "udp 0.0.0.0:5000 group 239.1.2.3 on 10.0.0.9 ttl 3"},
    {"gossip:?broadcast=1", "udp 0.0.0.0:45892 group  on  ttl 1"},
    {"gossip:10.0.0.255:7?broadcast=1", "udp 0.0.0.0:7 group  on  ttl 1"},
    {"gossip:?secret-file=/s", "file /s"},
    {"epmd:h", "names of h, types"},
    {"epmd:0:0:0:0:0:0:0:1", "names of ::1, types"},
    {"epmd:", "names of 127.0.0.1, types"},
    {"epmd:h?hidden=1", "names of h"},
    {"hosts:/f", "file /f"},
    {"file:/f", "file /f"},

    {"gossip:h", "gossip: takes an address, ADDR or ADDR:PORT, not \"h\""},
    {"gossip:10.0.0.1", "gossip: 10.0.0.1: no multicast address (224.0.0.0 to 239.255.255.255); "
                        "broadcast=1 sends to a broadcast address"},
    {"gossip:ff02::1", "gossip: ff02::1: libcluster's gossip is IPv4 only"},
    {"gossip:224.0.0.9?broadcast=1",
     "gossip: 224.0.0.9: a multicast address, and broadcast=1 sends to a broadcast address"},
    {"gossip:?broadcast=1&ttl=1",
     "gossip: 255.255.255.255: interface and ttl are of multicast: with broadcast=1 write the "
     "broadcast address of the network that is meant"},
    {"gossip:?broadcast=yes", "gossip: broadcast is 1 or 0, not \"yes\""},
    {"gossip:?ttl=256", "gossip: ttl is a number of routers from 0 to 255, not \"256\""},
    {"gossip:?ttl=-1", "gossip: ttl is a number of routers from 0 to 255, not \"-1\""},
    {"gossip:?ttl=", "gossip: ttl is a number of routers from 0 to 255, not \"\""},
    {"gossip:?interface=eth0", "gossip: interface is an IPv4 address of this host, not \"eth0\""},
    {"gossip:?secret-file=", "gossip: secret-file is the path of a file, not \"\""},
    {"gossip:?secret=x",
     "gossip: has no option \"secret\": it takes secret-file= interface= ttl= broadcast="},
    {"epmd:a b", "epmd: the host \"a b\" holds a byte that DNS names do not have (letters, "
                 "digits, '-' and '_' only)"},
    {"epmd:h:4369", "epmd: the host \"h:4369\" holds a byte that DNS names do not have (letters, "
                    "digits, '-' and '_' only)"},
    {"epmd:h?hidden=2", "epmd: hidden is 1 or 0, not \"2\""},
    {"hosts:", "hosts: names no file: write hosts:/root/.hosts.erlang"},
    {"file:", "file: names no file: write file:/etc/erlclu/peers"},
};

static void put_need(struct buf *out, const struct need *need)
{
    char at[ADDR_TEXT_MAX], group[ADDR_TEXT_MAX], interface[ADDR_TEXT_MAX];

    if (need->kind == NEED_UDP)
        buf_printf(out, "udp %s group %s on %s ttl %u", addr_text(&need->u.udp.bind, at),
                   addr_ip_text(&need->u.udp.group, group),
                   addr_ip_text(&need->u.udp.interface, interface), (unsigned)need->u.udp.ttl);
    else if (need->kind == NEED_FILE)
        buf_printf(out, "file %s%s", need->u.file.path, need->u.file.watch ? "" : " once");
    else
        buf_printf(out, "names of %s%s", need->u.names.host, need->u.names.types ? ", types" : "");
}

static void reads_specs(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(specs); i++) {
        struct addr own = addr_v4(0x0a000001, 9100);
        struct rng rng = {1};
        struct source_place place = {.own_name = "me@10.0.0.1", .rng = &rng};
        struct source *s;
        struct buf said = {0};
        struct need need;
        char why[REASON_SIZE] = "";

        if (source_new(&s, specs[i].spec, &place, why) == CLU_OK) {
            source_start(s, &own, 5);
            assert_true(source_deadline(s) <= 5 && source_need(s, 5, &need));
            put_need(&said, &need);
        }
        if (strcmp(s == NULL ? why : buf_text(&said), specs[i].says) != 0)
            fail_msg("%s: %s%s", specs[i].spec, why, buf_text(&said));
        source_free(s);
        buf_free(&said);
    }
}

/* ---- file: ---- */

static const struct {
    const char *name, *text, *says;
} files[] = {
    {"empty", "", "complete\n"},
    {"comments only", "# none yet\n\n   \t\n", "complete\n"},
    {"entries", "a@10.0.0.1\nb@pod-0.svc:9100 # the second\r\n\tc@fd00::1\n",
     "complete a@10.0.0.1 at 10.0.0.1:0 b@pod-0.svc at :9100 c@fd00::1 at fd00::1:0\n"},
    {"no line end", "a@h", "complete a@h at :0\n"},
    {"a bad line", "a@h\n\n# x\nb\nc@h:0\nd@h\n",
     "complete a@h at :0 d@h at :0: line 4 is left out: \"b\": a node name is NAME@HOST\n"},
    {"two in a line", "a@h b@h\nc@h#x\nd@h\n",
     "complete d@h at :0: line 1 is left out: one entry a line: NAME@HOST or NAME@HOST:PORT\n"},
};

static void reads_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        struct sim s;

        sim_start(&s, "file:/f");
        give_file(&s, files[i].text, NULL);
        if (strcmp(buf_text(&s.trace), files[i].says) != 0)
            fail_msg("%s: %s", files[i].name, buf_text(&s.trace));
        sim_stop(&s);
    }
}

/* Bytes that are no text are a bad line, whatever they are. */
static void passes_bytes(void **state)
{
    struct sim s;
    static const char text[] = "a@h\0x\n\xff\xfe@h\nb@h\n";

    (void)state;
    sim_start(&s, "file:/f");
    give(&s, &(struct given){.kind = GIVEN_FILE,
                             .bytes = {(const uint8_t *)text, sizeof text - 1},
                             .path = "/f"});
    sim_expect(&s, "complete b@h at :0: line 1 is left out: it is longer than a node name can be, "
                   "or no text\n");
    sim_stop(&s);
}

static void follows_a_file(void **state)
{
    struct sim s;
    struct need need;
    struct source_row row;

    (void)state;
    sim_start(&s, "file:/f");
    assert_true(source_need(s.source, s.now, &need));
    assert_false(source_need(s.source, s.now, &need));
    assert_true(source_deadline(s.source) == NEVER);
    assert_true(source_stands(s.source));
    give_file(&s, NULL, "No such file or directory");
    give_file(&s, "a@h\n", NULL);
    s.now += 1000;
    give_file(&s, "a@h\n", NULL);
    source_row(s.source, 0, &row);
    assert_int_equal(row.changed_ms, 1000000);
    give_file(&s, NULL, "No such file or directory");
    give_file(&s, "", NULL);
    sim_expect(&s, "failed: cannot read /f: No such file or directory\n"
                   "complete a@h at :0\n"
                   "complete a@h at :0\n"
                   "failed a@h at :0: cannot read /f: No such file or directory\n"
                   "complete\n");
    sim_stop(&s);
}

static void bounds_files(void **state)
{
    struct sim s;
    struct buf text = {0};
    size_t n;

    (void)state;
    for (unsigned i = 0; i <= SOURCE_ENTRIES_MAX; i++)
        buf_printf(&text, "a%u@h\n", i);
    sim_start(&s, "file:/f");
    give_file(&s, buf_text(&text), NULL);
    source_entries(s.source, &n);
    assert_int_equal(n, SOURCE_ENTRIES_MAX);
    assert_string_equal(source_reason(s.source),
                        "line 8193 is left out: a source lists 8192 nodes at most");
    buf_free(&text);
    sim_stop(&s);
}

/* ---- epmd: and hosts: ---- */

/* The needs that are due, in words. */
static void step(struct sim *s)
{
    struct need need;

    buf_printf(&s->trace, "[%5u]", (unsigned)(s->now - 1000000));
    while (source_deadline(s->source) <= s->now && source_need(s->source, s->now, &need)) {
        buf_put_byte(&s->trace, ' ');
        put_need(&s->trace, &need);
    }
    buf_put_byte(&s->trace, '\n');
}

static void step_due(struct sim *s)
{
    s->now = max_u64(s->now, source_deadline(s->source));
    assert_true(s->now != NEVER);
    step(s);
}

static const struct epmd_entry three[] = {
    {.name = "a", .port = 4001, .type = EPMD_TYPE_VISIBLE},
    {.name = "h", .port = 4002, .type = EPMD_TYPE_HIDDEN},
    {.name = "u", .port = 4003}, /* nobody could say what it is */
};

static void give_names(struct sim *s, const char *host, const char *ip,
                       const struct epmd_entry *names, size_t n)
{
    struct given given = {.kind = GIVEN_NAMES, .host = host, .names = names, .n_names = n};

    assert_true(addr_parse_ip(&given.addr, slice_of(ip)));
    give(s, &given);
}

static void give_no_names(struct sim *s, const char *host, const char *why)
{
    give(s, &(struct given){.kind = GIVEN_NAMES, .host = host, .why = why});
}

/* All five seconds or so; later and later while it fails, which leaves the list as it is. */
static void polls_an_epmd(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s, "epmd:h");
    step(&s);
    give_names(&s, "h", "10.0.0.9", three, 3);
    step_due(&s);
    give_no_names(&s, "h", "10.0.0.9:4369 refused the connection");
    step_due(&s);
    give_no_names(&s, "h", "10.0.0.9:4369 refused the connection");
    step_due(&s);
    give_names(&s, "h", "10.0.0.9", three, 1);
    step_due(&s);
    give_names(&s, "h", "10.0.0.9", NULL, 0);
    sim_expect(&s, "[    0] names of h, types\n"
                   "complete a@h at 10.0.0.9:4001 u@h at 10.0.0.9:4003\n"
                   "[ 5750] names of h, types\n"
                   "failed a@h at 10.0.0.9:4001 u@h at 10.0.0.9:4003: h: 10.0.0.9:4369 refused the "
                   "connection\n"
                   "[ 6000] names of h, types\n"
                   "failed a@h at 10.0.0.9:4001 u@h at 10.0.0.9:4003: h: 10.0.0.9:4369 refused the "
                   "connection\n"
                   "[ 6871] names of h, types\n"
                   "complete a@h at 10.0.0.9:4001\n"
                   "[12521] names of h, types\n"
                   "complete\n");
    sim_stop(&s);
}

/* Ourselves are left out, hidden nodes are wanted, and a name that is none is told. */
static void lists_this_host(void **state)
{
    struct sim s;
    static const struct epmd_entry names[] = {
        {.name = "me", .port = 9100, .type = EPMD_TYPE_VISIBLE},
        {.name = "h", .port = 4002, .type = EPMD_TYPE_HIDDEN},
        {.name = "a b", .port = 4003},
    };

    (void)state;
    sim_start(&s, "epmd:?hidden=1");
    step(&s);
    give_names(&s, "127.0.0.1", "127.0.0.1", names, COUNT(names));
    give_names(&s, "127.0.0.1", "127.0.0.1", names, 1); /* nobody asked */
    sim_expect(&s, "[    0] names of 127.0.0.1\n"
                   "complete h@10.0.0.1 at 10.0.0.1:4002: the epmd of 127.0.0.1 lists \"a b\", "
                   "which is no name of a node\n");
    sim_stop(&s);
}

/* The hosts that answer are listed at once; one that does not leaves a doubt. */
static void polls_hosts(void **state)
{
    struct sim s;

    (void)state;
    sim_start(&s, "hosts:/f");
    step(&s);
    give_file(&s, "'one'.\ntwo. % here\n'10.0.0.3'.\n", NULL);
    step(&s);
    give_names(&s, "two", "10.0.0.2", three, 1);
    give_no_names(&s, "one", "no such name");
    give_names(&s, "10.0.0.3", "10.0.0.3", three, 1);
    give_file(&s, "two.\n", NULL);
    step(&s);
    give_names(&s, "two", "10.0.0.2", three, 1);
    give_file(&s, NULL, "No such file or directory");
    step_due(&s);
    give_names(&s, "two", "10.0.0.2", three, 1);
    give_file(&s, "%%\n", NULL);
    step(&s);
    assert_true(source_deadline(s.source) == NEVER);
    sim_expect(&s, "[    0] file /f\n"
                   "[    0] names of one, types names of two, types names of 10.0.0.3, types\n"
                   "partial... a@two at 10.0.0.2:4001\n"
                   "partial a@two at 10.0.0.2:4001 a@10.0.0.3 at 10.0.0.3:4001: one: no such name\n"
                   "[    0] names of two, types\n"
                   "complete a@two at 10.0.0.2:4001\n"
                   "complete a@two at 10.0.0.2:4001: cannot read /f: No such file or directory\n"
                   "[ 5900] names of two, types\n"
                   "complete a@two at 10.0.0.2:4001: cannot read /f: No such file or directory\n"
                   "complete\n"
                   "[ 5900]\n");
    sim_stop(&s);
}

/* Many hosts are asked a few at a time. */
static void asks_a_few_at_once(void **state)
{
    struct sim s;
    struct buf text = {0};
    struct need need;
    size_t n = 0;

    (void)state;
    for (unsigned i = 0; i < 20; i++)
        buf_printf(&text, "h%u.\n", i);
    sim_start(&s, "hosts:/f");
    step(&s);
    give_file(&s, buf_text(&text), NULL);
    while (source_need(s.source, s.now, &need))
        n++;
    assert_int_equal(n, EPMD_HOSTS_AT_ONCE);
    assert_true(source_deadline(s.source) == NEVER);
    give_no_names(&s, "h0", "no");
    assert_true(source_deadline(s.source) == 0);
    assert_true(source_need(s.source, s.now, &need));
    assert_string_equal(need.u.names.host, "h8");
    assert_false(source_need(s.source, s.now, &need));
    buf_free(&text);
    sim_stop(&s);
}

/* ---- .hosts.erlang ---- */

static const struct {
    const char *name, *text, *hosts, *why;
} texts[] = {
    {"the manual's", "'super.eua.ericsson.se'.\n'renat.eua.ericsson.se'.\n\n",
     "super.eua.ericsson.se renat.eua.ericsson.se ", ""},
    {"empty", "", "", ""},
    {"blanks and comments", " % a\n\t\r\n%b", "", ""},
    {"bare atoms", "localhost. other . 'a-b'.", "localhost other a-b ", ""},
    {"twice", "a. 'a'. b.", "a b ", ""},
    {"addresses", "'10.0.0.1'. '0:0::1'.", "10.0.0.1 ::1 ", ""},
    {"a text", "a.\n\"b\".\nc.\n", "a c ", "line 2 is left out: a host is an atom: 'pod-0.svc'."},
    {"no full stop", "a.\nb\n", "a ",
     "line 2 is left out: no Erlang term with a full stop behind it: write 'pod-0.svc'."},
    {"no quotes", "a.\nx.y.z.\nc.\n", "a c ",
     "line 2 is left out: no Erlang term with a full stop behind it: write 'pod-0.svc'."},
    {"no host", "'a b'.\nc.\n", "c ",
     "line 1 is left out: the host 'a b' holds a byte that DNS names do not have (letters, "
     "digits, '-' and '_' only)"},
    {"no end of the quotes", "'a.\nb.\n", "b ",
     "line 1 is left out: no Erlang term with a full stop behind it: write 'pod-0.svc'."},
};

static void reads_hosts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct epmd_host *hosts;
        struct buf said = {0};
        char why[REASON_SIZE];
        size_t n;

        assert_int_equal(hosts_text_read(slice_of(texts[i].text), &hosts, &n, why), CLU_OK);
        for (size_t k = 0; k < n; k++)
            buf_printf(&said, "%s ", hosts[k].host);
        if (strcmp(buf_text(&said), texts[i].hosts) != 0 || strcmp(why, texts[i].why) != 0)
            fail_msg("%s: %s\"%s\"", texts[i].name, buf_text(&said), why);
        buf_free(&said);
        free(hosts);
    }
}

static void bounds_hosts(void **state)
{
    struct buf text = {0};
    struct epmd_host *hosts;
    char why[REASON_SIZE];
    size_t n;

    (void)state;
    for (unsigned i = 0; i <= EPMD_HOSTS_MAX; i++)
        buf_printf(&text, "h%u.\n", i);
    assert_int_equal(hosts_text_read(buf_slice(&text), &hosts, &n, why), CLU_OK);
    assert_int_equal(n, EPMD_HOSTS_MAX);
    assert_string_equal(why, "line 257 is left out: 256 hosts are asked at most");
    free(hosts);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_specs),        cmocka_unit_test(reads_files),
        cmocka_unit_test(passes_bytes),       cmocka_unit_test(follows_a_file),
        cmocka_unit_test(bounds_files),       cmocka_unit_test(polls_an_epmd),
        cmocka_unit_test(lists_this_host),    cmocka_unit_test(polls_hosts),
        cmocka_unit_test(asks_a_few_at_once), cmocka_unit_test(reads_hosts),
        cmocka_unit_test(bounds_hosts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
