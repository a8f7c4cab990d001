/* SPDX-License-Identifier: Apache-2.0 */
#include "dns_parts.h"

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

const struct dns_sample dns_shapes[] = {
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
