/* SPDX-License-Identifier: Apache-2.0 */
#include "dns_samples.h"

#include <stdio.h>

#define NAME  DNS_SAMPLE_NAME
#define FIRST 12 /* offset of the question's name */

static const uint8_t ip1[] = {10, 0, 0, 1}, ip2[] = {10, 0, 0, 2};

static void head(struct buf *b, uint16_t an)
{
    dns_put_header(b, DNS_FLAGS_REPLY, 1, an, 0, 0);
    dns_put_question(b, NAME, DNS_TYPE_A);
}

static void put_a(struct buf *b, uint16_t owner, uint32_t ttl, const uint8_t ip[4])
{
    dns_put_pointer(b, owner);
    dns_put_record(b, DNS_TYPE_A, ttl, ip, 4);
}

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

static void trailing_bytes(struct buf *b)
{
    head(b, 1);
    put_a(b, FIRST, 30, ip1);
    buf_put_text(b, "padding");
}

static void odd_bytes(struct buf *b)
{
    dns_put_header(b, DNS_FLAGS_REPLY, 1, 1, 0, 0);
    buf_put(b,
            "\x03"
            "a.b\x02\x01\xff\0",
            8);
    dns_put_u16(b, DNS_TYPE_A);
    dns_put_u16(b, 1);
    put_a(b, FIRST, 30, ip1);
}

static void root_question(struct buf *b)
{
    dns_put_header(b, DNS_FLAGS_REPLY, 1, 0, 0, 0);
    dns_put_question(b, "", DNS_TYPE_A);
}

static void empty(struct buf *b)
{
    (void)b;
}

static void header_only(struct buf *b)
{
    dns_put_header(b, DNS_FLAGS_REPLY, 1, 0, 0, 0);
}

static void no_question(struct buf *b)
{
    dns_put_header(b, DNS_FLAGS_REPLY | 1, 0, 0, 0, 0);
}

static void a_query(struct buf *b)
{
    dns_put_header(b, 0x0100, 1, 0, 0, 0);
    dns_put_question(b, NAME, DNS_TYPE_A);
}

static void other_opcode(struct buf *b)
{
    dns_put_header(b, DNS_FLAGS_REPLY | 0x2800, 1, 0, 0, 0);
    dns_put_question(b, NAME, DNS_TYPE_A);
}

static void question_class(struct buf *b)
{
    dns_put_header(b, DNS_FLAGS_REPLY, 1, 0, 0, 0);
    dns_put_name(b, NAME);
    dns_put_u16(b, DNS_TYPE_A);
    dns_put_u16(b, 3);
}

static void count_lies(struct buf *b)
{
    head(b, 2);
    put_a(b, FIRST, 30, ip1);
}

static void data_too_long(struct buf *b)
{
    head(b, 1);
    dns_put_pointer(b, FIRST);
    dns_put_record(b, DNS_TYPE_A, 30, ip1, 4);
    b->data[b->len - 5] = 200;
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

static void owner_points(struct buf *b, int to)
{
    head(b, 1);
    dns_put_pointer(b, (uint16_t)(to < 0 ? (int)b->len : to));
    dns_put_record(b, DNS_TYPE_A, 30, ip1, 4);
}

static void points_at_itself(struct buf *b)
{
    owner_points(b, -1);
}

static void points_forward(struct buf *b)
{
    owner_points(b, 0x3fff);
}

static void points_into_the_header(struct buf *b)
{
    owner_points(b, 4);
}

/* A label before a pointer to that label: every jump is followed by the same jump. */
static void points_in_a_circle(struct buf *b)
{
    head(b, 1);
    uint16_t at = (uint16_t)b->len;

    buf_put(b,
            "\x01"
            "a",
            2);
    dns_put_pointer(b, at);
    dns_put_record(b, DNS_TYPE_A, 30, ip1, 4);
}

/* Pointers in front of pointers, in the data of a record that is passed over. */
static void pointer_chain(struct buf *b, unsigned n)
{
    struct buf data = {0};
    uint16_t at;

    dns_put_header(b, DNS_FLAGS_REPLY, 1, 2, 0, 0);
    dns_put_question(b, "a", DNS_TYPE_A);
    dns_put_pointer(b, FIRST);
    at = (uint16_t)(b->len + 10);
    for (unsigned i = 0; i < n; i++)
        dns_put_pointer(&data, i == 0 ? FIRST : (uint16_t)(at + 2 * (i - 1)));
    dns_put_record(b, 16, 30, data.data, (uint16_t)data.len);
    dns_put_pointer(b, (uint16_t)(at + 2 * (n - 1)));
    dns_put_record(b, DNS_TYPE_A, 30, ip1, 4);
    buf_free(&data);
}

static void most_pointers(struct buf *b)
{
    pointer_chain(b, DNS_POINTERS_MAX - 1);
}

static void too_many_pointers(struct buf *b)
{
    pointer_chain(b, DNS_POINTERS_MAX);
}

static void reserved_label_type(struct buf *b)
{
    dns_put_header(b, DNS_FLAGS_REPLY, 1, 0, 0, 0);
    buf_put_byte(b, 0x41);
    for (int i = 0; i < 0x41; i++)
        buf_put_byte(b, 'a');
    buf_put_byte(b, 0);
    dns_put_u32(b, 0x00010001);
}

static void put_long_name(struct buf *b, size_t labels, const char *last)
{
    for (size_t i = 0; i < labels; i++)
        buf_put(b,
                "\x31"
                "1234567890123456789012345678901234567890123456789",
                50);
    dns_put_name(b, last);
}

static void longest_name(struct buf *b)
{
    dns_put_header(b, DNS_FLAGS_REPLY, 1, 0, 0, 0);
    put_long_name(b, 5, "abc"); /* 250 + 4 + 1 = 255 octets */
    dns_put_u32(b, 0x00010001);
}

static void name_too_long(struct buf *b)
{
    dns_put_header(b, DNS_FLAGS_REPLY, 1, 0, 0, 0);
    put_long_name(b, 5, "abcd");
    dns_put_u32(b, 0x00010001);
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
    {"bytes behind the last record", trailing_bytes, "NOERROR 10.0.0.1 ttl=30"},
    {"labels with odd bytes", odd_bytes, "NOERROR 10.0.0.1 ttl=30"},
    {"the root", root_question, "NOERROR"},
    {"nothing", empty, NULL},
    {"a header alone", header_only, NULL},
    {"no question", no_question, NULL},
    {"a query", a_query, NULL},
    {"an update's reply", other_opcode, NULL},
    {"a question of another class", question_class, NULL},
    {"fewer records than the header says", count_lies, NULL},
    {"data longer than the message", data_too_long, NULL},
    {"an A of five bytes", a_of_five_bytes, NULL},
    {"an AAAA of four bytes", aaaa_of_four_bytes, NULL},
    {"a pointer at itself", points_at_itself, NULL},
    {"a pointer forward", points_forward, NULL},
    {"a pointer into the header", points_into_the_header, NULL},
    {"pointers in a circle", points_in_a_circle, NULL},
    {"as many pointers as allowed", most_pointers, "NOERROR 10.0.0.1 ttl=30"},
    {"one pointer more", too_many_pointers, NULL},
    {"a reserved type of label", reserved_label_type, NULL},
    {"the longest name", longest_name, "NOERROR"},
    {"a name of 256 octets", name_too_long, NULL},
    {NULL, NULL, NULL},
};
