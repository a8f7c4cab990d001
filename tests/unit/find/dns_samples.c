/* SPDX-License-Identifier: Apache-2.0 */
#include "dns_parts.h"

#include <stdio.h>

static void put_cname(struct buf *b, const char *owner, uint32_t ttl, const char *target)
{
    struct buf name = {0};

    dns_put_name(&name, target);
    dns_put_name(b, owner);
    dns_put_record(b, DNS_TYPE_CNAME, ttl, name.data, (uint16_t)name.len);
    buf_free(&name);
}

static void two_and_a_double(struct buf *b)
{
    head(b, 3);
    put_a(b, FIRST, 30, ip1);
    put_a(b, FIRST, 5, ip2);
    put_a(b, FIRST, 30, ip1);
}

static void no_pointers(struct buf *b)
{
    head(b, 1);
    dns_put_name(b, NAME);
    dns_put_record(b, DNS_TYPE_A, 7, ip1, 4);
}

static void other_case(struct buf *b)
{
    dns_put_header(b, DNS_FLAGS_REPLY, 1, 1, 0, 0);
    dns_put_question(b, "eRLCLU-Headless.ERLCLU.svc.cluster.local", DNS_TYPE_A);
    dns_put_name(b, "ERLclu-headless.erlclu.SVC.cluster.local");
    dns_put_record(b, DNS_TYPE_A, 7, ip1, 4);
}

static void other_owner(struct buf *b)
{
    head(b, 2);
    dns_put_name(b, "other.example");
    dns_put_record(b, DNS_TYPE_A, 1, ip1, 4);
    put_a(b, FIRST, 9, ip2);
}

static void other_class(struct buf *b)
{
    head(b, 1);
    dns_put_pointer(b, FIRST);
    dns_put_u16(b, DNS_TYPE_A);
    dns_put_u16(b, 3); /* CHAOS */
    dns_put_u32(b, 30);
    dns_put_u16(b, 4);
    buf_put(b, ip1, 4);
}

static void huge_ttl(struct buf *b)
{
    head(b, 1);
    put_a(b, FIRST, 0x80000001, ip1);
}

static void aliases(struct buf *b)
{
    head(b, 3);
    put_cname(b, NAME, 20, "a.example");
    put_cname(b, "a.example", 40, "b.example");
    dns_put_name(b, "b.example");
    dns_put_record(b, DNS_TYPE_A, 30, ip1, 4);
}

static void aliases_shuffled(struct buf *b)
{
    head(b, 3);
    dns_put_name(b, "b.example");
    dns_put_record(b, DNS_TYPE_A, 30, ip1, 4);
    put_cname(b, "a.example", 40, "b.example");
    put_cname(b, NAME, 20, "a.example");
}

static void alias_to_nothing(struct buf *b)
{
    head(b, 1);
    put_cname(b, NAME, 20, "a.example");
}

static void alias_loop(struct buf *b)
{
    head(b, 2);
    put_cname(b, NAME, 20, "a.example");
    put_cname(b, "a.example", 20, NAME);
}

static void chain_of(struct buf *b, unsigned hops)
{
    char from[32] = "", to[32];

    head(b, (uint16_t)(hops + 1));
    for (unsigned i = 0; i < hops; i++) {
        snprintf(to, sizeof to, "h%u.example", i);
        put_cname(b, i == 0 ? NAME : from, 20, to);
        memcpy(from, to, sizeof to);
    }
    dns_put_name(b, from);
    dns_put_record(b, DNS_TYPE_A, 30, ip1, 4);
}

static void longest_chain(struct buf *b)
{
    chain_of(b, DNS_CNAMES_MAX);
}

static void chain_too_long(struct buf *b)
{
    chain_of(b, DNS_CNAMES_MAX + 1);
}

static void alias_with_more_data(struct buf *b)
{
    head(b, 1);
    dns_put_pointer(b, FIRST);
    dns_put_record(b, DNS_TYPE_CNAME, 20,
                   "\x01"
                   "a\0zz",
                   5);
}

static void alias_cut_by_its_length(struct buf *b)
{
    head(b, 1);
    dns_put_pointer(b, FIRST);
    dns_put_record(b, DNS_TYPE_CNAME, 20, "\x01", 1);
}

static void v6(struct buf *b)
{
    struct addr a;

    addr_parse_ip(&a, slice_of("fd00::5"));
    dns_put_header(b, DNS_FLAGS_REPLY, 1, 2, 0, 0);
    dns_put_question(b, NAME, DNS_TYPE_AAAA);
    dns_put_pointer(b, FIRST);
    dns_put_record(b, DNS_TYPE_AAAA, 4, a.ip, 16);
    put_a(b, FIRST, 1, ip1); /* not asked for */
}

/* One SRV record with this data. */
static void put_srv(struct buf *b, const char *data, uint16_t len)
{
    dns_put_header(b, DNS_FLAGS_REPLY, 1, 1, 0, 0);
    dns_put_question(b, "_dist._tcp.x.example", DNS_TYPE_SRV);
    dns_put_pointer(b, FIRST);
    dns_put_record(b, DNS_TYPE_SRV, 30, data, len);
}

static void srv_to_nobody(struct buf *b)
{
    put_srv(b, "\0\0\0\1\x23\x8c\0", 7); /* RFC 2782: a target of "." */
}

static void srv_compressed(struct buf *b)
{
    put_srv(b, "\0\0\0\1\x23\x8c\1A\xc0\x17", 10); /* the "x.example" of the question */
}

static void srv_too_short(struct buf *b)
{
    put_srv(b, "\0\0\0\1\x23\x8c", 6);
}

static void srv_with_more_data(struct buf *b)
{
    put_srv(b, "\0\0\0\1\x23\x8c\1a\0z", 10);
}

static void srv_cut_by_its_length(struct buf *b)
{
    put_srv(b, "\0\0\0\1\x23\x8c\1", 7);
}

static void glue_of_three_bytes(struct buf *b)
{
    dns_put_header(b, DNS_FLAGS_REPLY, 1, 0, 0, 1);
    dns_put_question(b, "_dist._tcp.x.example", DNS_TYPE_SRV);
    dns_put_pointer(b, FIRST);
    dns_put_record(b, DNS_TYPE_A, 30, ip1, 3);
}

static void soa(struct buf *b, uint32_t ttl, uint16_t flags, uint16_t len)
{
    static const uint8_t data[22] = {[20] = 1, [21] = 44}; /* MINIMUM 300 */

    dns_put_header(b, flags, 1, 0, 1, 0);
    dns_put_question(b, NAME, DNS_TYPE_A);
    dns_put_pointer(b, FIRST);
    dns_put_record(b, DNS_TYPE_SOA, ttl, data, len);
}

static void nodata(struct buf *b)
{
    soa(b, 60, DNS_FLAGS_REPLY, 22);
}

static void nxdomain(struct buf *b)
{
    soa(b, 3600, DNS_FLAGS_REPLY | 3, 22);
}

static void soa_too_short(struct buf *b)
{
    soa(b, 60, DNS_FLAGS_REPLY, 21);
}

static void soa_of_rcode(struct buf *b, uint8_t extended, uint16_t rcode)
{
    dns_put_header(b, (uint16_t)(DNS_FLAGS_REPLY | rcode), 1, 0, 0, 1);
    dns_put_question(b, NAME, DNS_TYPE_A);
    buf_put_byte(b, 0);
    dns_put_u16(b, 41);
    dns_put_u16(b, 1232); /* OPT: the class is the size that the server takes */
    dns_put_u32(b, (uint32_t)extended << 24);
    dns_put_u16(b, 0);
}

static void opt_plain(struct buf *b)
{
    soa_of_rcode(b, 0, 2);
}

static void opt_badvers(struct buf *b)
{
    soa_of_rcode(b, 1, 0);
}

static void unknown_rcode(struct buf *b)
{
    soa_of_rcode(b, 255, 15);
}

static void cut(struct buf *b)
{
    dns_put_header(b, DNS_FLAGS_REPLY | DNS_FLAG_TC, 1, 9, 0, 0);
    dns_put_question(b, NAME, DNS_TYPE_A);
    put_a(b, FIRST, 30, ip1);
    put_a(b, FIRST, 30, ip2);
    b->len -= 2; /* inside the second record */
}

static void cut_inside_a_pointer(struct buf *b)
{
    dns_put_header(b, DNS_FLAGS_REPLY | DNS_FLAG_TC, 1, 9, 0, 0);
    dns_put_question(b, NAME, DNS_TYPE_A);
    put_a(b, FIRST, 30, ip1);
    buf_put_byte(b, 0xc0);
}

static void cut_and_bad(struct buf *b)
{
    dns_put_header(b, DNS_FLAGS_REPLY | DNS_FLAG_TC, 1, 1, 0, 0);
    dns_put_question(b, NAME, DNS_TYPE_A);
    dns_put_pointer(b, 0x3fff);
    dns_put_record(b, DNS_TYPE_A, 30, ip1, 4);
}

static void a_of_five_bytes(struct buf *b)
{
    head(b, 1);
    dns_put_pointer(b, FIRST);
    dns_put_record(b, DNS_TYPE_A, 30, "12345", 5);
}

static void aaaa_of_four_bytes(struct buf *b)
{
    head(b, 1);
    dns_put_pointer(b, FIRST);
    dns_put_record(b, DNS_TYPE_AAAA, 30, ip1, 4);
}

const struct dns_sample dns_samples[] = {
    {"two addresses and a double", two_and_a_double, "NOERROR 10.0.0.1 10.0.0.2 ttl=5"},
    {"names without compression", no_pointers, "NOERROR 10.0.0.1 ttl=7"},
    {"case does not count", other_case, "NOERROR 10.0.0.1 ttl=7"},
    {"records of other names are not ours", other_owner, "NOERROR 10.0.0.2 ttl=9"},
    {"records of other classes are not ours", other_class, "NOERROR"},
    {"a TTL has 31 bits", huge_ttl, "NOERROR 10.0.0.1 ttl=0"},
    {"aliases are followed, their TTL counts", aliases, "NOERROR 10.0.0.1 ttl=20"},
    {"aliases in any order", aliases_shuffled, "NOERROR 10.0.0.1 ttl=20"},
    {"an alias to nothing", alias_to_nothing, "NOERROR"},
    {"aliases in a loop", alias_loop, NULL},
    {"the longest chain of aliases", longest_chain, "NOERROR 10.0.0.1 ttl=20"},
    {"a chain of aliases too long", chain_too_long, NULL},
    {"an alias with bytes behind the name", alias_with_more_data, NULL},
    {"an alias whose name ends outside", alias_cut_by_its_length, NULL},
    {"AAAA, and an A that nobody wanted", v6, "NOERROR fd00::5 ttl=4"},
    {"a service that is not there", srv_to_nobody, "NOERROR"},
    {"an SRV record's target compressed", srv_compressed, "NOERROR a.x.example:9100 ttl=30"},
    {"an SRV record too short", srv_too_short, NULL},
    {"an SRV record with bytes behind the target", srv_with_more_data, NULL},
    {"an SRV record whose target ends outside", srv_cut_by_its_length, NULL},
    {"glue of three bytes", glue_of_three_bytes, NULL},
    {"no data: the SOA's TTL", nodata, "NOERROR soa=60"},
    {"no name: the SOA's MINIMUM", nxdomain, "NXDOMAIN soa=300"},
    {"an SOA too short", soa_too_short, NULL},
    {"OPT without an extended rcode", opt_plain, "SERVFAIL"},
    {"OPT extends the rcode", opt_badvers, "BADVERS"},
    {"an rcode without a name", unknown_rcode, "RCODE"},
    {"truncated inside a record", cut, "NOERROR cut 10.0.0.1 ttl=30"},
    {"truncated inside a pointer", cut_inside_a_pointer, "NOERROR cut 10.0.0.1 ttl=30"},
    {"truncated is no excuse for nonsense", cut_and_bad, NULL},
    {"an A of five bytes", a_of_five_bytes, NULL},
    {"an AAAA of four bytes", aaaa_of_four_bytes, NULL},
    {NULL, NULL, NULL},
};
