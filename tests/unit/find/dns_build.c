/* SPDX-License-Identifier: Apache-2.0 */
#include "dns_build.h"

#include <stdio.h>
#include <stdlib.h>

void dns_put_u16(struct buf *b, uint16_t v)
{
    uint8_t bytes[2];

    put_be16(bytes, v);
    buf_put(b, bytes, sizeof bytes);
}

void dns_put_u32(struct buf *b, uint32_t v)
{
    uint8_t bytes[4];

    put_be32(bytes, v);
    buf_put(b, bytes, sizeof bytes);
}

void dns_put_header(struct buf *b, uint16_t flags, uint16_t qd, uint16_t an, uint16_t ns,
                    uint16_t ar)
{
    const uint16_t words[] = {0x1234, flags, qd, an, ns, ar};

    for (size_t i = 0; i < COUNT(words); i++)
        dns_put_u16(b, words[i]);
}

static void put_labels(struct buf *b, const char *name)
{
    while (*name != '\0') {
        size_t len = strcspn(name, ".");

        buf_put_byte(b, (uint8_t)len);
        buf_put(b, name, len);
        name += len + (name[len] == '.');
    }
}

void dns_put_name(struct buf *b, const char *name)
{
    put_labels(b, name);
    buf_put_byte(b, 0);
}

void dns_put_pointer(struct buf *b, uint16_t offset)
{
    dns_put_u16(b, 0xc000 | offset);
}

void dns_put_question(struct buf *b, const char *name, uint16_t type)
{
    dns_put_name(b, name);
    dns_put_u16(b, type);
    dns_put_u16(b, 1);
}

void dns_put_record(struct buf *b, uint16_t type, uint32_t ttl, const void *data, uint16_t len)
{
    dns_put_u16(b, type);
    dns_put_u16(b, 1);
    dns_put_u32(b, ttl);
    dns_put_u16(b, len);
    buf_put(b, data, len);
}

/* An SOA of the root as Kubernetes' DNS server gives one: TTL 5, MINIMUM 5. */
static void put_soa(struct buf *b)
{
    static const uint8_t data[22] = {[21] = 5};

    dns_put_pointer(b, 12);
    dns_put_record(b, DNS_TYPE_SOA, 5, data, sizeof data);
}

static const struct {
    const char *word;
    enum dns_status status;
    uint16_t flags; /* rcode */
    bool soa;
} words_table[] = {
    {"timeout", DNS_TIMEOUT, 0, false},    {"unreachable", DNS_REFUSED_CONN, 0, false},
    {"noserver", DNS_NO_SERVER, 0, false}, {"garbage", DNS_BROKEN, 0, false},
    {"nodata", DNS_ANSWERED, 0, true},     {"nxdomain", DNS_ANSWERED, 3, true},
    {"servfail", DNS_ANSWERED, 2, false},  {"refused", DNS_ANSWERED, 5, false},
};

enum dns_status dns_build(struct buf *b, const char *name, uint16_t type, const char *words)
{
    struct buf records = {0};
    enum dns_status status = DNS_ANSWERED;
    uint16_t flags = DNS_FLAGS_REPLY, n = 0;
    bool soa = false;
    const char *ttl_word = strstr(words, "ttl=");
    uint32_t ttl = ttl_word == NULL ? 30 : (uint32_t)strtoul(ttl_word + 4, NULL, 10);

    for (const char *at = words; *at != '\0';) {
        char word[ADDR_TEXT_MAX];
        size_t len = strcspn(at, " ");
        struct addr a;

        text_set(word, sizeof word, (clu_slice){(const uint8_t *)at, len});
        at += len + strspn(at + len, " ");
        for (size_t i = 0; i < COUNT(words_table); i++)
            if (strcmp(words_table[i].word, word) == 0) {
                status = words_table[i].status;
                flags |= words_table[i].flags;
                soa = words_table[i].soa;
            }
        if (strcmp(word, "cut") == 0)
            flags |= DNS_FLAG_TC;
        if (!addr_parse_ip(&a, slice_of(word)))
            continue;
        dns_put_pointer(&records, 12);
        dns_put_record(&records, type, ttl, a.ip, a.family == 4 ? 4 : 16);
        n++;
    }
    dns_put_header(b, flags, 1, n, soa, 0);
    dns_put_question(b, name, type);
    buf_put_slice(b, buf_slice(&records));
    if (soa)
        put_soa(b);
    buf_free(&records);
    return status;
}
