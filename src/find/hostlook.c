/* SPDX-License-Identifier: Apache-2.0 */
#include "find/hostlook.h"

#include <stdio.h>

#include "find/words.h"

/* resolv.conf(5): without the file, one dot makes a name absolute at first. */
static const struct resolv_conf no_conf = {.ndots = 1};

static bool is_absolute(const char *host)
{
    size_t len = strlen(host);

    return len > 0 && host[len - 1] == '.';
}

static size_t dots(const char *host)
{
    size_t n = 0;

    for (; *host != '\0'; host++)
        n += *host == '.';
    return n;
}

/* resolv.conf(5): a name with ndots dots is tried as it is first, and with the search list then;
 * one with less, the other way round. The index of the name as it is among the candidates. */
static size_t bare_place(const struct hostlook *h)
{
    return dots(h->host) >= h->conf->ndots || is_absolute(h->host) ? 0 : h->conf->n_search;
}

static size_t n_candidates(const struct hostlook *h)
{
    return is_absolute(h->host) ? 1 : h->conf->n_search + 1;
}

/* The candidate's name, absolute, without a final dot; false when it is no DNS name (too long). */
static bool candidate_name(const struct hostlook *h, char out[HOST_NAME_SIZE])
{
    size_t bare = bare_place(h), i = h->candidate;
    clu_slice host;
    char text[2 * HOST_NAME_SIZE];

    if (i == bare)
        snprintf(text, sizeof text, "%s", h->host);
    else
        snprintf(text, sizeof text, "%s.%s", h->host, h->conf->search[i < bare ? i : i - 1]);
    host = slice_of(text);
    while (host.len > 1 && text[host.len - 1] == '.')
        host.len--;
    return text_set(out, HOST_NAME_SIZE, host) && host_name_problem(out) == NULL;
}

/* Adds to the reason, which begins with the host; a list that does not fit ends in dots. */
static void tell(struct hostlook *h, const char *name, const char *what)
{
    bool only = n_candidates(h) == 1;
    size_t len = strlen(h->reason);
    const char *between = h->candidate == 0 ? ": " : ", ";
    int n = snprintf(h->reason + len, sizeof h->reason - len, "%s%s%s%s", between, only ? "" : name,
                     only ? "" : " ", what);

    if (n >= 0 && (size_t)n >= sizeof h->reason - len)
        memcpy(h->reason + sizeof h->reason - 4, "...", 4);
}

static uint16_t type_of(uint8_t family)
{
    return family == 6 ? DNS_TYPE_AAAA : DNS_TYPE_A;
}

static uint16_t other_type(uint16_t type)
{
    return type == DNS_TYPE_A ? DNS_TYPE_AAAA : DNS_TYPE_A;
}

/* From the present candidate to the first one that is a name, or gives up. */
static void settle(struct hostlook *h)
{
    char name[HOST_NAME_SIZE];

    h->type = type_of(h->family);
    while (h->candidate < n_candidates(h) && !candidate_name(h, name)) {
        tell(h, name, "is no DNS name");
        h->candidate++;
    }
    h->done = h->candidate >= n_candidates(h);
}

static void give_up(struct hostlook *h, const char *why)
{
    h->done = true;
    say(h->reason, "no address for %.100s: %s", h->host, why);
}

static const struct host_entry *in_hosts(const struct hosts_file *hosts, const char *host,
                                         uint8_t family)
{
    for (size_t i = 0; i < hosts->n; i++)
        if (host_name_same(hosts->entries[i].name, host) &&
            (family == 0 || hosts->entries[i].addr.family == family))
            return &hosts->entries[i];
    return NULL;
}

/* RFC 6761 6.3: what no hosts file needs to say, and an empty root has none. */
static struct addr localhost(uint8_t family)
{
    return family == 6 ? (struct addr){.family = 6, .ip = {[15] = 1}} : addr_v4(0x7f000001, 0);
}

/* What needs no query; true when that was the answer. */
static bool look_here(struct hostlook *h, const struct hosts_file *hosts)
{
    const struct host_entry *entry = NULL;

    if (addr_parse_ip(&h->addr, slice_of(h->host)))
        return true;
    if (hosts != NULL)
        entry = in_hosts(hosts, h->host, h->family);
    if (hosts != NULL && entry == NULL)
        entry = in_hosts(hosts, h->host, 0);
    if (entry != NULL)
        h->addr = entry->addr;
    else if (host_name_same(h->host, "localhost"))
        h->addr = localhost(h->family);
    h->addr.port = 0;
    return h->addr.family != 0;
}

void hostlook_start(struct hostlook *h, const char *host, uint8_t family,
                    const struct resolv_conf *conf, const struct hosts_file *hosts)
{
    *h = (struct hostlook){.family = family, .conf = conf == NULL ? &no_conf : conf};
    const char *problem = text_set(h->host, sizeof h->host, slice_of(host))
                              ? host_name_problem(host)
                              : "is longer than 255 bytes";

    h->done = look_here(h, hosts);
    if (h->done)
        return;
    if (problem != NULL) {
        give_up(h, problem);
        return;
    }
    say(h->reason, "no address for %s", h->host);
    settle(h);
}

bool hostlook_query(struct hostlook *h, struct source_query *q)
{
    if (h->done || h->waiting)
        return false;
    candidate_name(h, q->name);
    q->type = h->type;
    h->waiting = true;
    return true;
}

/* What the resolver says without a reply ends the look-up: the next names would meet the same. */
static const char *const statuses[] = {
    [DNS_TIMEOUT] = "no DNS server answered in time",
    [DNS_REFUSED_CONN] = "no DNS server could be reached",
    [DNS_NO_SERVER] = "no DNS server is configured (resolv.conf, --dns)",
    [DNS_BROKEN] = "a reply that is no DNS message",
};

static void no_reply(struct hostlook *h, const char *name, enum dns_status status)
{
    tell(h, name, statuses[status]);
    if (status == DNS_TIMEOUT || status == DNS_REFUSED_CONN)
        say_servers(h->reason, "", h->conf);
    h->done = true;
}

/* A reply without the address: the name's other type is next, or the next name. */
static void not_here(struct hostlook *h, const char *name, uint16_t rcode)
{
    bool exists = rcode == 0;

    if (exists && h->type == type_of(h->family)) {
        h->type = other_type(h->type);
        return;
    }
    tell(h, name, exists ? "has no address" : dns_rcode_text(rcode));
    h->candidate++;
    settle(h);
    if (h->done)
        say_servers(h->reason, "", h->conf);
}

void hostlook_answer(struct hostlook *h, enum dns_status status, clu_slice msg)
{
    struct dns_reply reply = {0};
    char name[HOST_NAME_SIZE];

    if (!h->waiting)
        return;
    h->waiting = false;
    candidate_name(h, name);
    if (status == DNS_ANSWERED && dns_parse(&reply, msg.data, msg.len, 1) != CLU_OK)
        status = DNS_BROKEN;
    if (status == DNS_ANSWERED &&
        (reply.question_type != h->type || !host_name_same(reply.question, name)))
        status = DNS_BROKEN;
    if (status != DNS_ANSWERED)
        no_reply(h, name, status);
    else if (reply.n_addrs > 0) {
        h->addr = reply.addrs[0];
        h->done = true;
    } else
        not_here(h, name, reply.rcode);
    dns_reply_free(&reply);
}
