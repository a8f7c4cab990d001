/* SPDX-License-Identifier: Apache-2.0
 *
 * discover: one round of all sources, as a node would ask them. The sources say how their round
 * ended; the replies themselves are read once more here, for the order of their addresses.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/cli.h"
#include "find/dns_msg.h"
#include "net/drive.h"
#include "net/system.h"
#include "view/api.h"
#include "view/fields.h"

/* Addresses of one reply that are shown. */
#define ADDRESSES_MAX 16384
/* Two families of every SPEC, and room for a second look. */
#define REPLIES_MAX (4 * SETTINGS_SPECS_MAX)

struct discovery {
    struct drive drive;
    struct dns_reply replies[REPLIES_MAX];
    size_t n_replies;
    const struct snapshot *snapshot; /* the machine's, of the end */
};

/* ---- asking ---- */

static void on_reply(void *arg, enum dns_status status, clu_slice msg)
{
    struct discovery *d = arg;

    /* What is no reply shows in its source's result. */
    if (status == DNS_ANSWERED && d->n_replies < REPLIES_MAX &&
        dns_parse(&d->replies[d->n_replies], msg.data, msg.len, ADDRESSES_MAX) == CLU_OK)
        d->n_replies++;
}

static void on_turned(void *arg)
{
    struct discovery *d = arg;
    const struct snapshot *s;

    /* A source may list what it has before its other family has answered. */
    if (loop_is_resolving(d->drive.loop))
        return;
    s = machine_snapshot(d->drive.machine, system_now_ms());
    for (size_t i = 0; s != NULL && i < s->n_sources; i++)
        if (s->sources[i].result == RESULT_WAITING)
            return;
    loop_exit(d->drive.loop, EXIT_DONE);
}

/* The first SPEC that asks for the name; names of a search list that led nowhere go first. */
static size_t spec_of(const struct snapshot *s, const struct dns_reply *r)
{
    size_t len = strlen(r->question);

    for (size_t i = 0; i < s->n_sources; i++)
        if (strncasecmp(s->sources[i].asked, r->question, len) == 0 &&
            strcmp(s->sources[i].asked + len, ".") == 0)
            return i;
    return 0;
}

static int by_spec_and_type(const void *a, const void *b, void *snapshot)
{
    const struct dns_reply *x = a, *y = b;
    size_t at_x = spec_of(snapshot, x), at_y = spec_of(snapshot, y);

    if (at_x != at_y)
        return at_x < at_y ? -1 : 1;
    return (x->question_type > y->question_type) - (x->question_type < y->question_type);
}

static int look(struct discovery *d, const struct conf *c)
{
    if (!drive_limit(&d->drive, c, EXIT_DONE))
        return program_fail(EXIT_LOCAL, "%s", clu_strerror(CLU_ENOMEM));
    loop_start(d->drive.loop);
    program_progress("DNS");
    (void)loop_run(d->drive.loop);
    program_progress(NULL);
    d->snapshot = machine_snapshot(d->drive.machine, system_now_ms());
    if (d->snapshot == NULL)
        return program_fail(EXIT_LOCAL, "%s", clu_strerror(CLU_ENOMEM));
    qsort_r(d->replies, d->n_replies, sizeof d->replies[0], by_spec_and_type,
            (void *)(uintptr_t)d->snapshot);
    return EXIT_DONE;
}

/* ---- what was found ---- */

static bool is_in(const struct dns_reply *replies, size_t n, const struct addr *a)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < replies[i].n_addrs; k++)
            if (addr_same_ip(&replies[i].addrs[k], a))
                return true;
    return false;
}

typedef void entry_fn(void *arg, const struct addr *a, const char *name);

/* Several names may be listed at one address: of several SPECs. */
static void each_name(const struct discovery *d, const struct addr *a, void *arg, entry_fn *fn)
{
    bool found = false;

    for (size_t i = 0; i < d->snapshot->n_peers; i++) {
        const struct peer_row *p = &d->snapshot->peers[i];

        if (!p->listed || !addr_same_ip(&p->address, a))
            continue;
        fn(arg, a, p->name);
        found = true;
    }
    if (!found)
        fn(arg, a, "");
}

/* Every entry once: those of the replies in their order, then what other sources list. */
static void each_entry(const struct discovery *d, void *arg, entry_fn *fn)
{
    for (size_t i = 0; i < d->n_replies; i++)
        for (size_t k = 0; k < d->replies[i].n_addrs; k++)
            if (!is_in(d->replies, i, &d->replies[i].addrs[k]))
                each_name(d, &d->replies[i].addrs[k], arg, fn);
    for (size_t i = 0; i < d->snapshot->n_peers; i++) {
        const struct peer_row *p = &d->snapshot->peers[i];

        if (p->listed && !is_in(d->replies, d->n_replies, &p->address))
            fn(arg, &p->address, p->name);
    }
}

static void count_entry(void *arg, const struct addr *a, const char *name)
{
    size_t *n = arg;

    (void)a;
    (void)name;
    (*n)++;
}

static bool has_failed(const struct discovery *d)
{
    for (size_t i = 0; i < d->snapshot->n_sources; i++)
        if (d->snapshot->sources[i].result == RESULT_FAILED ||
            d->snapshot->sources[i].result == RESULT_WAITING)
            return true;
    return false;
}

static int verdict(const struct discovery *d)
{
    size_t n = 0;

    each_entry(d, &n, count_entry);
    if (n > 0)
        return EXIT_DONE;
    return has_failed(d) ? EXIT_DNS : EXIT_NO;
}

/* ---- printing ---- */

static const char *type_word(uint16_t type)
{
    return type == DNS_TYPE_AAAA ? "AAAA" : type == DNS_TYPE_SRV ? "SRV" : "A";
}

static void put_address(void *out, const struct addr *a, const char *name)
{
    char text[ADDR_TEXT_MAX];

    (void)name;
    if (a->family != 0)
        buf_printf(out, "%s\n", addr_ip_text(a, text));
}

static void put_entry(void *out, const struct addr *a, const char *name)
{
    char text[ADDR_TEXT_MAX];

    buf_printf(out, "  %-15s  %s\n", a->family == 0 ? "-" : addr_ip_text(a, text),
               name[0] == '\0' ? "(name: learnt at the handshake)" : name);
}

static void put_reply(struct buf *out, const struct dns_reply *r)
{
    buf_printf(out, "  %s %s: %s, %zu addresses", r->question, type_word(r->question_type),
               dns_rcode_text(r->rcode), r->n_addrs);
    if (r->n_addrs > 0)
        buf_printf(out, ", TTL %u s", (unsigned)r->ttl);
    else if (r->has_soa)
        buf_printf(out, ", to be asked again in %u s", (unsigned)r->soa_ttl);
    buf_put_text(out, r->truncated ? ", cut short: TCP failed\n" : "\n");
}

static void put_source(struct buf *out, const struct source_row *s)
{
    static const char *const words[] = {
#define X(id, word) [id] = word,
        RESULT_KIND_MAP(X)
#undef X
    };

    buf_printf(out, "%s: %s", s->spec, words[s->result]);
    if (s->reason[0] != '\0')
        buf_printf(out, ": %s", s->reason);
    buf_put_byte(out, '\n');
}

static int print_text(const struct discovery *d)
{
    struct buf out = {0};

    for (size_t i = 0; i < d->snapshot->n_sources; i++)
        put_source(&out, &d->snapshot->sources[i]);
    for (size_t i = 0; i < d->n_replies; i++)
        put_reply(&out, &d->replies[i]);
    each_entry(d, &out, put_entry);
    return program_print(&out);
}

static bool has_ipv4(const struct discovery *d)
{
    for (size_t i = 0; i < d->n_replies; i++)
        if (d->replies[i].question_type == DNS_TYPE_A && d->replies[i].n_addrs > 0)
            return true;
    return false;
}

/* dig asks for A records unless told otherwise, so that is what is printed where there are any,
 * unless the SPEC wants both families. */
static bool is_shown(const struct discovery *d, const struct conf *c, const struct dns_reply *r)
{
    if (r->question_type == DNS_TYPE_A || !has_ipv4(d))
        return true;
    for (size_t i = 0; i < c->settings.n_specs; i++)
        if (strstr(c->settings.specs[i], "family=both") != NULL)
            return true;
    return false;
}

/* What no reply before this one had. */
static void put_news(struct buf *out, const struct discovery *d, size_t reply)
{
    const struct dns_reply *r = &d->replies[reply];
    bool is_news = false;

    for (size_t k = 0; k < r->n_addrs; k++) {
        if (is_in(d->replies, reply, &r->addrs[k]))
            continue;
        if (!is_news)
            buf_put_slice(out, buf_slice(&r->aliases));
        is_news = true;
        put_address(out, &r->addrs[k], "");
    }
}

/* As dig +short: the targets of aliases, then the addresses, in the order of the answer. */
static int print_short(const struct discovery *d, const struct conf *c)
{
    struct buf out = {0};

    for (size_t i = 0; i < d->n_replies; i++) {
        const struct dns_reply *r = &d->replies[i];

        if (is_shown(d, c, r))
            put_news(&out, d, i);
    }
    for (size_t i = 0; i < d->snapshot->n_peers; i++) {
        const struct peer_row *p = &d->snapshot->peers[i];

        if (p->listed && !is_in(d->replies, d->n_replies, &p->address))
            put_address(&out, &p->address, "");
    }
    return program_print(&out);
}

static json_t *reply_json(const struct dns_reply *r)
{
    json_t *j = put(json_object(), "name", show_text(r->question));
    json_t *addresses = json_array();

    for (size_t i = 0; i < r->n_addrs; i++)
        addresses = append(addresses, show_ip(&r->addrs[i]));
    j = put(j, "type", json_string(type_word(r->question_type)));
    j = put(j, "rcode", json_string(dns_rcode_text(r->rcode)));
    j = put(j, "ttl", r->n_addrs > 0 ? show_u32(&r->ttl) : json_null());
    j = put(j, "truncated", json_boolean(r->truncated));
    return put(j, "addresses", addresses);
}

static void append_entry(void *arg, const struct addr *a, const char *name)
{
    json_t **nodes = arg;
    json_t *node = put(json_object(), "address", show_ip(a));

    *nodes = append(*nodes, put(node, "name", show_text(name)));
}

static int print_json(const struct discovery *d)
{
    json_t *replies = json_array(), *nodes = json_array();

    for (size_t i = 0; i < d->n_replies; i++)
        replies = append(replies, reply_json(&d->replies[i]));
    each_entry(d, &nodes, append_entry);
    return program_print_json(
        put(put(api_discovery(d->snapshot), "replies", replies), "nodes", nodes));
}

static int print(const struct discovery *d, const struct conf *c)
{
    int status = c->json ? print_json(d) : c->short_ ? print_short(d, c) : print_text(d);

    return status != EXIT_DONE ? status : verdict(d);
}

int discover_main(const struct conf *c)
{
    struct discovery d = {0};
    const struct loop_hooks hooks = {.reply = on_reply, .turned = on_turned, .arg = &d};
    int status = drive_open(&d.drive, c, &hooks);

    if (status == EXIT_DONE)
        status = look(&d, c);
    if (status == EXIT_DONE)
        status = print(&d, c);
    for (size_t i = 0; i < d.n_replies; i++)
        dns_reply_free(&d.replies[i]);
    drive_close(&d.drive);
    return status;
}
