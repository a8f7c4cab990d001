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

/* What the words make of a reply. */
struct build {
    struct buf answers, additional;
    uint16_t n_answers, n_additional, flags, type;
    uint32_t ttl;
    bool soa;
    enum dns_status status;
};

static void put_ip(struct buf *b, const struct addr *a, uint32_t ttl)
{
    dns_put_record(b, a->family == 4 ? DNS_TYPE_A : DNS_TYPE_AAAA, ttl, a->ip,
                   a->family == 4 ? 4 : 16);
}

/* TARGET/PORT or TARGET/PORT/ADDRESS: a record and its glue. */
static void put_service(struct build *w, const char *word)
{
    struct buf data = {0};
    char target[HOST_NAME_SIZE];
    const char *port = strchr(word, '/') + 1, *ip = strchr(port, '/');
    struct addr a;

    text_set(target, sizeof target, (clu_slice){(const uint8_t *)word, (size_t)(port - word) - 1});
    dns_put_u32(&data, 10); /* priority 0, weight 10 */
    dns_put_u16(&data, (uint16_t)strtoul(port, NULL, 10));
    dns_put_name(&data, target);
    dns_put_pointer(&w->answers, 12);
    dns_put_record(&w->answers, DNS_TYPE_SRV, w->ttl, data.data, (uint16_t)data.len);
    w->n_answers++;
    buf_free(&data);
    if (ip == NULL || !addr_parse_ip(&a, slice_of(ip + 1)))
        return;
    dns_put_name(&w->additional, target);
    put_ip(&w->additional, &a, w->ttl);
    w->n_additional++;
}

static void put_word(struct build *w, const char *word)
{
    struct addr a;

    for (size_t i = 0; i < COUNT(words_table); i++)
        if (strcmp(words_table[i].word, word) == 0) {
            w->status = words_table[i].status;
            w->flags |= words_table[i].flags;
            w->soa = words_table[i].soa;
        }
    if (strcmp(word, "cut") == 0)
        w->flags |= DNS_FLAG_TC;
    if (w->type == DNS_TYPE_SRV && strchr(word, '/') != NULL)
        put_service(w, word);
    if (!addr_parse_ip(&a, slice_of(word)))
        return;
    dns_put_pointer(&w->answers, 12);
    put_ip(&w->answers, &a, w->ttl);
    w->n_answers++;
}

enum dns_status dns_build(struct buf *b, const char *name, uint16_t type, const char *words)
{
    const char *ttl = strstr(words, "ttl=");
    struct build w = {.type = type,
                      .flags = DNS_FLAGS_REPLY,
                      .status = DNS_ANSWERED,
                      .ttl = ttl == NULL ? 30 : (uint32_t)strtoul(ttl + 4, NULL, 10)};

    for (const char *at = words; *at != '\0';) {
        char word[HOST_NAME_SIZE];
        size_t len = strcspn(at, " ");

        text_set(word, sizeof word, (clu_slice){(const uint8_t *)at, len});
        at += len + strspn(at + len, " ");
        put_word(&w, word);
    }
    dns_put_header(b, w.flags, 1, w.n_answers, w.soa, w.n_additional);
    dns_put_question(b, name, type);
    buf_put_slice(b, buf_slice(&w.answers));
    if (w.soa)
        put_soa(b);
    buf_put_slice(b, buf_slice(&w.additional));
    buf_free(&w.answers);
    buf_free(&w.additional);
    return w.status;
}
