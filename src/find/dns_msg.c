/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "find/dns_msg_impl.h"

#define FLAG_QR     0x8000u
#define FLAG_TC     0x0200u
#define OPCODE_MASK 0x7800u
#define RCODE_MASK  0x000fu

static clu_error outcome(const struct dns_in *in)
{
    return dns_failed(in) ? CLU_EPROTO : CLU_OK;
}

static clu_error read_header(struct dns_parser *p)
{
    dns_get_u16(&p->in); /* the id is the resolver's */
    uint16_t flags = dns_get_u16(&p->in);
    uint16_t questions = dns_get_u16(&p->in);

    for (size_t i = 0; i < SECTIONS; i++)
        p->counts[i] = dns_get_u16(&p->in);
    p->in.is_bad |= (flags & FLAG_QR) == 0 || (flags & OPCODE_MASK) != 0 || questions != 1;
    p->reply->truncated = (flags & FLAG_TC) != 0;
    p->reply->rcode = flags & RCODE_MASK;
    return outcome(&p->in);
}

static clu_error read_question(struct dns_parser *p)
{
    dns_get_name(&p->in, &p->name);
    p->reply->question_type = dns_get_u16(&p->in);
    p->in.is_bad |= dns_get_u16(&p->in) != DNS_CLASS_IN && !p->in.is_short;
    if (!dns_failed(&p->in))
        dns_name_text(&p->name, p->reply->question);
    return outcome(&p->in);
}

/* The types that matter, each in its section: the rest is passed over. */
static bool note_cname(struct dns_parser *p, const struct dns_record *rec)
{
    (void)rec;
    p->has_alias = true;
    return true;
}

static bool note_a(struct dns_parser *p, const struct dns_record *rec)
{
    (void)p;
    return rec->data_len == 4;
}

static bool note_aaaa(struct dns_parser *p, const struct dns_record *rec)
{
    (void)p;
    return rec->data_len == 16;
}

/* RFC 2782: three numbers, and a name of one byte at least. */
static bool note_srv(struct dns_parser *p, const struct dns_record *rec)
{
    (void)p;
    return rec->data_len >= 7;
}

/* RFC 2308 5: how long the absence holds is the smaller of the SOA's TTL and its MINIMUM, the last
 * of five numbers behind two names. */
static bool note_soa(struct dns_parser *p, const struct dns_record *rec)
{
    if (rec->data_len < 22)
        return false;
    uint32_t minimum = get_be32(p->in.msg + rec->data + rec->data_len - 4);

    p->reply->has_soa = true;
    p->reply->soa_ttl = rec->ttl < minimum ? rec->ttl : minimum;
    return true;
}

/* RFC 6891 6.1.3: the top eight bits of OPT's TTL stand above the header's four. */
static bool note_opt(struct dns_parser *p, const struct dns_record *rec)
{
    p->reply->rcode = (uint16_t)(p->reply->rcode | (rec->ttl >> 24) << 4);
    return true;
}

static const struct {
    enum dns_section section;
    uint16_t type;
    bool (*note)(struct dns_parser *p, const struct dns_record *rec);
} notes[] = {
    {ANSWER, DNS_TYPE_CNAME, note_cname},   {ANSWER, DNS_TYPE_A, note_a},
    {ANSWER, DNS_TYPE_AAAA, note_aaaa},     {ANSWER, DNS_TYPE_SRV, note_srv},
    {AUTHORITY, DNS_TYPE_SOA, note_soa},    {ADDITIONAL, DNS_TYPE_A, note_a},
    {ADDITIONAL, DNS_TYPE_AAAA, note_aaaa}, {ADDITIONAL, DNS_TYPE_OPT, note_opt},
};

static bool note_record(struct dns_parser *p, enum dns_section section,
                        const struct dns_record *rec)
{
    for (size_t i = 0; i < COUNT(notes); i++)
        if (notes[i].section == section && notes[i].type == rec->type &&
            (rec->class == DNS_CLASS_IN || rec->type == DNS_TYPE_OPT))
            return notes[i].note(p, rec);
    return true;
}

/* Passes all records once, so that every one of them is known to be whole. */
static clu_error check_records(struct dns_parser *p)
{
    struct dns_record rec;

    for (unsigned section = ANSWER; section < SECTIONS; section++) {
        p->starts[section] = p->in.pos;
        for (uint16_t i = 0; i < p->counts[section]; i++) {
            size_t before = p->in.pos;

            if (dns_get_record(&p->in, &rec) && note_record(p, section, &rec))
                continue;
            /* Servers may cut a truncated reply inside a record: what stands before it counts. */
            if (!p->reply->truncated || !p->in.is_short || p->in.is_bad)
                return CLU_EPROTO;
            p->in.len = before;
            p->in.is_short = false;
            return CLU_OK;
        }
    }
    return CLU_OK;
}

struct dns_walk dns_walk_section(const struct dns_parser *p, enum dns_section section)
{
    size_t start = p->starts[section];

    return (struct dns_walk){.in = {.msg = p->in.msg, .len = p->in.len, .pos = start},
                             .left = start == 0 ? 0 : p->counts[section]};
}

bool dns_walk_next(struct dns_walk *w, struct dns_record *rec)
{
    if (w->left == 0)
        return false;
    w->left--;
    return dns_get_record(&w->in, rec);
}

bool dns_is_answer(const struct dns_parser *p, const struct dns_record *rec, uint16_t type)
{
    return rec->type == type && rec->class == DNS_CLASS_IN && dns_name_equal(&rec->owner, &p->name);
}

/* The alias that the present name has. */
static bool find_alias(const struct dns_parser *p, struct dns_record *rec)
{
    struct dns_walk w = dns_walk_section(p, ANSWER);

    while (dns_walk_next(&w, rec))
        if (dns_is_answer(p, rec, DNS_TYPE_CNAME))
            return true;
    return false;
}

static void note_alias(struct dns_parser *p)
{
    char text[HOST_NAME_SIZE];

    dns_name_text(&p->name, text);
    buf_put_text(&p->reply->aliases, text);
    buf_put_text(&p->reply->aliases, ".\n");
}

/* Follows the CNAMEs from the question's name, in whatever order they stand in. */
static clu_error follow_aliases(struct dns_parser *p)
{
    if (!p->has_alias)
        return CLU_OK;
    for (unsigned hops = 0; hops <= DNS_CNAMES_MAX; hops++) {
        struct dns_record rec;

        if (!find_alias(p, &rec))
            return CLU_OK;
        struct dns_in in = {.msg = p->in.msg, .len = rec.data + rec.data_len, .pos = rec.data};

        dns_get_name(&in, &p->name);
        if (dns_failed(&in) || in.pos != in.len)
            return CLU_EPROTO;
        dns_note_ttl(p, rec.ttl);
        note_alias(p);
        if (p->reply->aliases.err != CLU_OK)
            return p->reply->aliases.err;
    }
    return CLU_EPROTO; /* more than any server hands out in earnest, or a loop */
}

struct addr dns_record_ip(const struct dns_parser *p, const struct dns_record *rec)
{
    struct addr a = {.family = rec->data_len == 4 ? 4 : 6};

    memcpy(a.ip, p->in.msg + rec->data, rec->data_len);
    return a;
}

static clu_error keep_addr(struct dns_parser *p, const struct dns_record *rec)
{
    struct addr a = dns_record_ip(p, rec);

    dns_note_ttl(p, rec->ttl);
    if (p->addrs.n < p->max) {
        clu_error err = addr_set_add(&p->addrs, &a);

        return err == CLU_EEXIST ? CLU_OK : err;
    }
    p->reply->n_dropped += !addr_set_has(&p->addrs, &a);
    return CLU_OK;
}

static clu_error collect_addrs(struct dns_parser *p)
{
    uint16_t type = p->reply->question_type;
    struct dns_walk w = dns_walk_section(p, ANSWER);
    struct dns_record rec;
    clu_error err = CLU_OK;

    while (err == CLU_OK && dns_walk_next(&w, &rec))
        if (dns_is_answer(p, &rec, type))
            err = keep_addr(p, &rec);
    p->reply->n_addrs = p->addrs.n;
    p->reply->addrs = addr_set_take(&p->addrs);
    return err;
}

static clu_error collect(struct dns_parser *p)
{
    static const struct {
        uint16_t type;
        clu_error (*collect)(struct dns_parser *p);
    } rows[] = {
        {DNS_TYPE_A, collect_addrs},
        {DNS_TYPE_AAAA, collect_addrs},
        {DNS_TYPE_SRV, dns_collect_services},
    };
    clu_error err = CLU_OK;

    for (size_t i = 0; err == CLU_OK && i < COUNT(rows); i++)
        if (rows[i].type == p->reply->question_type)
            err = rows[i].collect(p);
    p->reply->ttl = p->reply->n_addrs + p->reply->n_services > 0 ? p->ttl : UINT32_MAX;
    return err;
}

clu_error dns_parse(struct dns_reply *r, const uint8_t *data, size_t len, size_t max)
{
    static clu_error (*const steps[])(struct dns_parser *) = {
        read_header, read_question, check_records, follow_aliases, collect,
    };
    struct dns_parser p = {
        .in = {.msg = data, .len = len}, .ttl = UINT32_MAX, .max = max, .reply = r};
    clu_error err = CLU_OK;

    *r = (struct dns_reply){.ttl = UINT32_MAX};
    for (size_t i = 0; err == CLU_OK && i < COUNT(steps); i++)
        err = steps[i](&p);
    if (err != CLU_OK)
        dns_reply_free(r);
    return err;
}

void dns_reply_free(struct dns_reply *r)
{
    free(r->addrs);
    free(r->services);
    buf_free(&r->aliases);
    *r = (struct dns_reply){.ttl = UINT32_MAX};
}

const char *dns_rcode_text(uint16_t rcode)
{
    /* IANA, "DNS RCODEs" */
    static const char *const texts[] = {
        "NOERROR", "FORMERR",        "SERVFAIL",         "NXDOMAIN", "NOTIMP",
        "REFUSED", "YXDOMAIN",       "YXRRSET",          "NXRRSET",  "NOTAUTH",
        "NOTZONE", [16] = "BADVERS", [23] = "BADCOOKIE",
    };

    return rcode < COUNT(texts) && texts[rcode] != NULL ? texts[rcode] : "RCODE";
}
