/* SPDX-License-Identifier: Apache-2.0
 *
 * discover: what was found, as text, as dig +short prints it, or as JSON.
 */
#include <string.h>

#include "base/scan.h"
#include "cli/discover.h"
#include "view/api.h"
#include "view/fields.h"
#include "view/text.h"

static const char *type_word(uint16_t type)
{
    return type == DNS_TYPE_AAAA ? "AAAA" : type == DNS_TYPE_SRV ? "SRV" : "A";
}

static size_t count_records(const struct dns_reply *r)
{
    return r->n_addrs + r->n_services;
}

/* ---- text ---- */

static void put_found(void *out, const struct found *f)
{
    char address[ADDR_TEXT_MAX] = "-";

    if (f->addr.family != 0)
        f->addr.port == 0 ? addr_ip_text(&f->addr, address) : addr_text(&f->addr, address);
    buf_printf(out, "  %-15s  ", address);
    if (f->name[0] == '\0')
        buf_put_text(out, "(name: learnt at the handshake)");
    else
        text_put_printable(out, slice_of(f->name));
    buf_put_text(out, f->terminating ? " (its pod is going)\n" : "\n");
}

/* Each is the target of the one before it: it may be the last one that has no records. */
static void put_aliases(struct buf *out, const struct dns_reply *r)
{
    clu_slice rest = buf_slice(&r->aliases), line;

    while (scan_line(&rest, &line) && line.len > 0)
        buf_printf(out, "    an alias of %.*s\n", (int)line.len, (const char *)line.data);
}

static void put_reply(struct buf *out, const struct dns_reply *r)
{
    bool services = r->question_type == DNS_TYPE_SRV, one = count_records(r) == 1;

    buf_printf(out, "  %s %s: %s, %zu %s", r->question, type_word(r->question_type),
               dns_rcode_text(r->rcode), count_records(r),
               services ? one ? "target" : "targets"
               : one    ? "address"
                        : "addresses");
    if (count_records(r) > 0)
        buf_printf(out, ", TTL %u s", (unsigned)r->ttl);
    else if (r->has_soa)
        buf_printf(out, ", to be asked again in %u s", (unsigned)r->soa_ttl);
    buf_put_text(out, r->truncated ? ", cut short\n" : "\n");
    put_aliases(out, r);
    for (size_t i = 0; i < r->n_services; i++)
        buf_printf(out, "    %s port %u\n", r->services[i].target, (unsigned)r->services[i].port);
}

static void put_silence(struct buf *out, const struct discovery *d, const struct source_row *s)
{
    uint32_t ms = d->conf->timeout_given ? d->conf->timeout_ms : DISCOVER_LISTEN_MS;

    if (discover_is_spoken(s))
        buf_printf(out, ": nobody was heard in %g s", ms / 1000.0);
    else
        buf_put_text(out, ": no answer in time");
}

/* SPECs may end in a colon: no other stands behind them. */
static void put_source(struct buf *out, const struct discovery *d, const struct source_row *s)
{
    text_put_printable(out, slice_of(s->spec));
    buf_printf(out, "  %s", result_kind_text(s->result));
    if (s->result == RESULT_WAITING) {
        put_silence(out, d, s);
    } else if (s->reason[0] != '\0') {
        buf_put_text(out, ": ");
        text_put_printable(out, slice_of(s->reason));
    }
    buf_put_byte(out, '\n');
}

static int print_text(const struct discovery *d)
{
    struct buf out = {0};

    for (size_t i = 0; i < d->snapshot->n_sources; i++) {
        put_source(&out, d, &d->snapshot->sources[i]);
        for (size_t k = 0; k < d->n_replies; k++)
            if (discover_spec_of(d->snapshot, &d->replies[k]) == i)
                put_reply(&out, &d->replies[k]);
        discover_each(d, i, &out, put_found);
    }
    return program_print(&out);
}

/* ---- --short ---- */

static void put_address(void *out, const struct found *f)
{
    char text[ADDR_TEXT_MAX];

    if (f->addr.family != 0 && !f->is_known)
        buf_printf(out, "%s\n", addr_ip_text(&f->addr, text));
}

static bool has_ipv4(const struct discovery *d, size_t source)
{
    for (size_t i = 0; i < d->n_replies; i++)
        if (d->replies[i].question_type == DNS_TYPE_A && d->replies[i].n_addrs > 0 &&
            discover_spec_of(d->snapshot, &d->replies[i]) == source)
            return true;
    return false;
}

/* dig asks for A records unless told otherwise, so that is what is printed where there are any,
 * unless the SPEC wants both families. */
static bool is_shown(const struct discovery *d, size_t source, const struct dns_reply *r)
{
    return discover_spec_of(d->snapshot, r) == source &&
           (r->question_type == DNS_TYPE_A || !has_ipv4(d, source) ||
            strstr(d->snapshot->sources[source].spec, "family=both") != NULL);
}

/* Whether a reply before this one, or a source before this one, has the address. */
static bool is_printed(const struct discovery *d, size_t source, size_t reply, const struct addr *a)
{
    const uint32_t before = (UINT32_C(1) << source) - 1;

    for (size_t i = 0; i < reply; i++)
        for (size_t k = 0; k < d->replies[i].n_addrs; k++)
            if (addr_same_ip(&d->replies[i].addrs[k], a))
                return true;
    for (size_t i = 0; i < d->snapshot->n_peers && before != 0; i++)
        if ((d->snapshot->peers[i].sources & before) != 0 &&
            addr_same_ip(&d->snapshot->peers[i].address, a))
            return true;
    return false;
}

/* What was not printed yet. */
static void put_news(struct buf *out, const struct discovery *d, size_t source, size_t reply)
{
    const struct dns_reply *r = &d->replies[reply];
    bool is_news = false;

    for (size_t k = 0; k < r->n_addrs; k++) {
        const struct found f = {.addr = r->addrs[k]};

        if (is_printed(d, source, reply, &r->addrs[k]))
            continue;
        if (!is_news)
            buf_put_slice(out, buf_slice(&r->aliases));
        is_news = true;
        put_address(out, &f);
    }
}

/* As dig +short: the targets of aliases, then the addresses, in the order of the answer. */
static int print_short(const struct discovery *d)
{
    struct buf out = {0};

    for (size_t i = 0; i < d->snapshot->n_sources; i++) {
        bool is_dns = strncmp(d->snapshot->sources[i].spec, "dns:", 4) == 0;

        for (size_t k = 0; k < d->n_replies && is_dns; k++)
            if (is_shown(d, i, &d->replies[k]))
                put_news(&out, d, i, k);
        if (!is_dns)
            discover_each(d, i, &out, put_address);
    }
    return program_print(&out);
}

/* ---- --json ---- */

static json_t *service_json(const struct dns_service *s)
{
    return put(put(json_object(), "target", show_text(s->target)), "port", json_integer(s->port));
}

/* Without their final dots, as the other names here. */
static json_t *aliases_json(const struct dns_reply *r)
{
    clu_slice rest = buf_slice(&r->aliases), line;
    json_t *aliases = json_array();

    while (scan_line(&rest, &line) && line.len > 0)
        aliases = append(aliases, json_stringn((const char *)line.data, line.len - 1));
    return aliases;
}

static json_t *reply_json(const struct dns_reply *r)
{
    json_t *j = put(json_object(), "name", show_text(r->question));
    json_t *addresses = json_array(), *services = json_array();

    for (size_t i = 0; i < r->n_addrs; i++)
        addresses = append(addresses, show_ip(&r->addrs[i]));
    for (size_t i = 0; i < r->n_services; i++)
        services = append(services, service_json(&r->services[i]));
    j = put(j, "type", json_string(type_word(r->question_type)));
    j = put(j, "aliases", aliases_json(r));
    j = put(j, "rcode", json_string(dns_rcode_text(r->rcode)));
    j = put(j, "ttl", count_records(r) > 0 ? show_u32(&r->ttl) : json_null());
    j = put(j, "truncated", json_boolean(r->truncated));
    return put(put(j, "addresses", addresses), "services", services);
}

static void append_found(void *arg, const struct found *f)
{
    json_t **nodes = arg;
    json_t *node;

    if (f->is_known)
        return;
    node = put(json_object(), "address", show_ip(&f->addr));
    node = put(node, "port", show_port(&f->addr));
    node = put(node, "name", show_text(f->name));
    *nodes = append(*nodes, put(node, "terminating", json_boolean(f->terminating)));
}

static int print_json(const struct discovery *d)
{
    json_t *replies = json_array(), *nodes = json_array();

    for (size_t i = 0; i < d->n_replies; i++)
        replies = append(replies, reply_json(&d->replies[i]));
    for (size_t i = 0; i < d->snapshot->n_sources; i++)
        discover_each(d, i, &nodes, append_found);
    return program_print_json(
        put(put(api_discovery(d->snapshot), "replies", replies), "nodes", nodes));
}

int discover_print(const struct discovery *d)
{
    return d->conf->json ? print_json(d) : d->conf->short_ ? print_short(d) : print_text(d);
}
