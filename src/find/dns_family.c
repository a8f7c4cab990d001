/* SPDX-License-Identifier: Apache-2.0 */
#include "find/dns_family.h"

#include <stdio.h>

#include "find/schedule.h"
#include "find/words.h"

#define RCODE_NXDOMAIN 3
/* Without a SOA nobody says how long an absence holds. */
#define NEGATIVE_TTL_S 5
/* A family that came back empty this often in a row is asked only now and then: single-stack
 * clusters need half the queries. */
#define EMPTY_ROW      3
#define EMPTY_PROBE_MS 60000

/* What the resolver says without a reply. */
static const struct {
    const char *answer, *reason;
} statuses[] = {
    [DNS_TIMEOUT] = {"timeout", "no DNS server answered in time: is port 53, UDP and TCP, open to "
                                "the server of resolv.conf (NetworkPolicy)?"},
    [DNS_REFUSED_CONN] = {"unreachable", "no DNS server could be reached: is the server of "
                                         "resolv.conf running, and the way to it open?"},
    [DNS_NO_SERVER] = {"no server", "no DNS server is configured: resolv.conf has no nameserver "
                                    "line; --dns ADDR names one"},
    [DNS_BROKEN] = {"malformed", "the reply is no well-formed answer to the question: is there "
                                 "something else on the DNS port?"},
};

/* What servers say. A name of Kubernetes does not exist while no pod stands behind it. */
static const struct {
    uint16_t rcode;
    const char *reason;
} rcodes[] = {
    {0, "the name exists, but without addresses: is the Service headless (clusterIP: None), and of "
        "this IP family?"},
    {1, "the DNS server does not understand the query: is it a DNS server?"},
    {2, "the DNS server cannot tell now (its upstream is down, or it is not yet in step with the "
        "Kubernetes API): asked again with back-off"},
    {3, "no such name, or no pod is ready: check Service and namespace (the name is absolute), and "
        "set publishNotReadyAddresses: true so that starting pods find each other"},
    {5, "the DNS server refuses to answer us: check the nameserver of resolv.conf, or --dns"},
};

static const char *rcode_reason(uint16_t rcode)
{
    for (size_t i = 0; i < COUNT(rcodes); i++)
        if (rcodes[i].rcode == rcode)
            return rcodes[i].reason;
    return "the DNS server failed: look into its log";
}

static const char cut_reason[] =
    "the answer was cut short and TCP did not bring the rest: open TCP port 53 to the DNS server "
    "(NetworkPolicy); what did arrive is used";

static enum outcome no_reply(struct dns_family *f, enum dns_status status)
{
    text_set(f->answer, sizeof f->answer, slice_of(statuses[status].answer));
    f->reason = statuses[status].reason;
    return FAILED;
}

static enum outcome cut_short(struct dns_family *f, uint32_t ttl_s)
{
    text_set(f->answer, sizeof f->answer, slice_of("truncated"));
    f->reason = cut_reason;
    f->ttl_s = ttl_s;
    return CUT;
}

static enum outcome absent(struct dns_family *f, const struct dns_reply *reply,
                           enum outcome outcome)
{
    if (outcome == EMPTY)
        text_set(f->answer, sizeof f->answer, slice_of("NODATA"));
    f->ttl_s = reply->has_soa ? reply->soa_ttl : NEGATIVE_TTL_S;
    return outcome;
}

static enum outcome present(struct dns_family *f, const struct dns_reply *reply)
{
    bool whole = !reply->truncated && reply->n_dropped == 0;

    f->ttl_s = reply->ttl;
    for (size_t i = 0; i < reply->n_addrs; i++)
        whole &= addr_set_add(&f->found, &reply->addrs[i]) != CLU_ENOMEM;
    return whole ? FOUND : cut_short(f, reply->ttl);
}

static enum outcome judge_reply(struct dns_family *f, const struct dns_reply *reply)
{
    snprintf(f->answer, sizeof f->answer, "%s", dns_rcode_text(reply->rcode));
    if (strcmp(f->answer, "RCODE") == 0)
        snprintf(f->answer, sizeof f->answer, "RCODE %u", (unsigned)reply->rcode);
    f->reason = rcode_reason(reply->rcode);
    if (reply->rcode == RCODE_NXDOMAIN)
        return absent(f, reply, NO_NAME);
    if (reply->rcode != 0)
        return FAILED;
    if (reply->n_addrs > 0)
        return present(f, reply);
    return reply->truncated ? cut_short(f, POLL_MAX_MS / 1000) : absent(f, reply, EMPTY);
}

static enum outcome read_answer(struct dns_family *f, const char *name, enum dns_status status,
                                clu_slice msg)
{
    struct dns_reply reply;

    if (status != DNS_ANSWERED)
        return no_reply(f, status);
    if (dns_parse(&reply, msg.data, msg.len, SOURCE_ENTRIES_MAX) != CLU_OK)
        return no_reply(f, DNS_BROKEN);
    bool ours = reply.question_type == f->type && host_name_same(reply.question, name);
    enum outcome outcome = ours ? judge_reply(f, &reply) : no_reply(f, DNS_BROKEN);

    dns_reply_free(&reply);
    return outcome;
}

void dns_family_begin(struct dns_family *f, bool asked)
{
    f->due = asked;
    f->outcome = NOT_ASKED;
    addr_set_clear(&f->found);
}

void dns_family_answer(struct dns_family *f, const char *name, enum dns_status status,
                       clu_slice msg)
{
    f->waiting = false;
    f->outcome = read_answer(f, name, status, msg);
}

void dns_family_end(struct dns_family *f, uint64_t now_ms)
{
    if (f->outcome == NOT_ASKED)
        return;
    f->empties = f->outcome == EMPTY || f->outcome == NO_NAME ? f->empties + 1 : 0;
    f->probe_ms = now_ms + EMPTY_PROBE_MS;
}

bool dns_family_is_quiet(const struct dns_family *f, uint64_t now_ms)
{
    return f->empties >= EMPTY_ROW && now_ms < f->probe_ms;
}
