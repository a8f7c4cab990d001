/* SPDX-License-Identifier: Apache-2.0 */
#include "find/dns_answer.h"

#include <stdio.h>

#include "find/words.h"

#define RCODE_NXDOMAIN 3
/* Without a SOA nobody says how long an absence holds. */
#define NEGATIVE_TTL_S 5
/* How soon an answer that was cut to nothing is worth another look. */
#define CUT_TTL_S 5
/* No datagram is as long (we ask for 1232 bytes): what is, came over TCP. */
#define DATAGRAM_MAX 4096

/* What the resolver says without a reply. */
static const struct {
    const char *answer, *reason;
} statuses[] = {
    [DNS_TIMEOUT] = {"timeout", "no DNS server answered in time: is port 53, UDP and TCP, open to "
                                "the server that resolv.conf or --dns names (NetworkPolicy)?"},
    [DNS_REFUSED_CONN] = {"unreachable", "no DNS server could be reached: is the server that "
                                         "resolv.conf or --dns names running, and the way to it "
                                         "open?"},
    [DNS_NO_SERVER] = {"no server", "no DNS server is configured: resolv.conf has no nameserver "
                                    "line; --dns ADDR names one"},
    [DNS_BROKEN] = {"malformed", "the reply is no well-formed answer to the question: is there "
                                 "something else on the DNS port?"},
};

/* What servers say. A name of Kubernetes does not exist while no pod stands behind it. srv: of SRV
 * records, where that differs. */
static const struct {
    uint16_t rcode;
    const char *reason, *srv;
} rcodes[] = {
    {0,
     "the name exists, but without addresses: is the Service headless (clusterIP: None), and of "
     "this IP family?",
     "the name exists, but without SRV records: a Service without a named port has no SRV records; "
     "name the port (ports: [{name: dist, ...}]) and ask for _dist._tcp.SERVICE.NS.svc.ZONE"},
    {1, "the DNS server does not understand the query: is it a DNS server?", NULL},
    {2,
     "the DNS server cannot tell now (its upstream is down, or it is not yet in step with the "
     "Kubernetes API): asked again with back-off",
     NULL},
    {3,
     "no such name, or no pod is ready: check Service and namespace (the name is absolute), and "
     "set publishNotReadyAddresses: true so that starting pods find each other",
     "no such name, or no pod is ready: a Service without a named port has no SRV records; check "
     "Service, namespace and port name (_dist._tcp.SERVICE.NS.svc.ZONE), and set "
     "publishNotReadyAddresses: true so that starting pods find each other"},
    {5, "the DNS server refuses to answer us: check the nameserver of resolv.conf, or --dns", NULL},
};

static const char *rcode_reason(uint16_t rcode, uint16_t type)
{
    for (size_t i = 0; i < COUNT(rcodes); i++)
        if (rcodes[i].rcode == rcode)
            return type == DNS_TYPE_SRV && rcodes[i].srv != NULL ? rcodes[i].srv : rcodes[i].reason;
    return "the DNS server failed: look into its log";
}

static void no_reply(struct dns_answer *a, enum dns_status status)
{
    a->outcome = FAILED;
    a->reason = statuses[status].reason;
    text_set(a->word, sizeof a->word, slice_of(statuses[status].answer));
}

static const char too_many[] =
    "there are more records than a DNS message holds (64 KiB), and the others are left out: k8s: "
    "lists them all, and so do several Services with a SPEC each";

static void cut_short(struct dns_answer *a)
{
    a->outcome = CUT;
    a->reason =
        "the answer was cut short and TCP did not bring the rest: open TCP port 53 to the DNS "
        "server (NetworkPolicy); what did arrive is used";
    text_set(a->word, sizeof a->word, slice_of("truncated"));
}

void dns_answer_drop(struct dns_answer *a)
{
    a->outcome = CUT;
    a->reason = "more records than this node keeps or has memory for: the others are left out";
}

static void absent(struct dns_answer *a, const struct dns_reply *reply, enum outcome outcome)
{
    if (outcome == EMPTY)
        text_set(a->word, sizeof a->word, slice_of("NODATA"));
    a->outcome = outcome;
    a->ttl_s = reply->has_soa ? reply->soa_ttl : NEGATIVE_TTL_S;
}

static void judge_empty(struct dns_answer *a, const struct dns_reply *reply)
{
    if (!reply->truncated) {
        absent(a, reply, EMPTY);
        return;
    }
    cut_short(a);
    a->ttl_s = CUT_TTL_S;
}

static void judge(struct dns_answer *a, const struct dns_reply *reply)
{
    snprintf(a->word, sizeof a->word, "%s", dns_rcode_text(reply->rcode));
    if (strcmp(a->word, "RCODE") == 0)
        snprintf(a->word, sizeof a->word, "RCODE %u", (unsigned)reply->rcode);
    a->reason = rcode_reason(reply->rcode, reply->question_type);
    a->ttl_s = reply->ttl;
    a->outcome = reply->rcode == 0 ? FOUND : FAILED;
    if (reply->rcode == RCODE_NXDOMAIN)
        absent(a, reply, NO_NAME);
    else if (reply->rcode == 0 && reply->n_addrs + reply->n_services == 0)
        judge_empty(a, reply);
    else if (reply->rcode == 0 && reply->truncated)
        cut_short(a);
    else if (reply->rcode == 0 && reply->n_dropped > 0)
        dns_answer_drop(a);
}

void dns_answer_read(struct dns_answer *a, struct dns_reply *reply,
                     const struct source_query *query, enum dns_status status, clu_slice msg)
{
    *reply = (struct dns_reply){.ttl = UINT32_MAX};
    if (status != DNS_ANSWERED)
        no_reply(a, status);
    else if (dns_parse(reply, msg.data, msg.len, SOURCE_ENTRIES_MAX) != CLU_OK ||
             reply->question_type != query->type || !host_name_same(reply->question, query->name))
        no_reply(a, DNS_BROKEN);
    else
        judge(a, reply);
    if (reply->truncated && msg.len > DATAGRAM_MAX)
        a->reason = too_many;
    if (a->outcome != FOUND && a->outcome != CUT)
        dns_reply_free(reply);
}
