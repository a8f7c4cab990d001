/* SPDX-License-Identifier: Apache-2.0 */
#include "find/dns_msg_impl.h"

#define HEADER_LEN    12
#define LABEL_LEN_MAX 63
/* The two top bits of a label's length, both set: the rest is an offset. */
#define POINTER_BITS 0xc0u

/* Take n bytes, or fail for good. Every read of the message goes through here. */
static const uint8_t *take(struct dns_in *in, size_t n)
{
    if (in->is_short || in->is_bad)
        return NULL;
    if (in->len - in->pos < n) {
        in->is_short = true;
        return NULL;
    }
    const uint8_t *p = in->msg + in->pos;

    in->pos += n;
    return p;
}

static uint8_t get_u8(struct dns_in *in)
{
    const uint8_t *p = take(in, 1);

    return p == NULL ? 0 : p[0];
}

uint16_t dns_get_u16(struct dns_in *in)
{
    const uint8_t *p = take(in, 2);

    return p == NULL ? 0 : get_be16(p);
}

uint32_t dns_get_u32(struct dns_in *in)
{
    const uint8_t *p = take(in, 4);

    return p == NULL ? 0 : get_be32(p);
}

bool dns_failed(const struct dns_in *in)
{
    return in->is_short || in->is_bad;
}

/* Appends a label, the empty one at the end of a name included. */
static void get_label(struct dns_in *in, uint8_t len, struct dns_name *name)
{
    const uint8_t *p = take(in, len);

    if (p == NULL)
        return;
    if (len > LABEL_LEN_MAX || name->len + 1 + len > DNS_WIRE_NAME) {
        in->is_bad = true;
        return;
    }
    name->bytes[name->len++] = len;
    for (size_t i = 0; i < len; i++) /* RFC 4343: only ASCII letters have a case */
        name->bytes[name->len++] = p[i] >= 'A' && p[i] <= 'Z' ? (uint8_t)(p[i] | 0x20) : p[i];
}

/* Jumps to "a prior occurrence of the same name" (RFC 1035 4.1.4). Taken at its word, before all
 * that this name was read from so far: that alone forbids loops. */
static void jump(struct dns_in *in, uint8_t high, size_t *lowest)
{
    size_t to = (size_t)(high & ~POINTER_BITS) << 8 | get_u8(in);

    if (dns_failed(in))
        return;
    in->is_bad = to < HEADER_LEN || to >= *lowest;
    in->pos = *lowest = to;
}

void dns_get_name(struct dns_in *in, struct dns_name *name)
{
    struct dns_in at = *in;
    size_t lowest = in->pos, end = 0; /* end: behind the name's first piece */
    unsigned jumps = 0;
    uint8_t head;

    name->len = 0;
    do {
        head = get_u8(&at);
        if (head < POINTER_BITS) {
            get_label(&at, head, name);
            continue;
        }
        if (end == 0)
            end = at.pos + 1;
        jump(&at, head, &lowest);
        at.is_bad |= ++jumps > DNS_POINTERS_MAX;
    } while (head != 0 && !dns_failed(&at));
    in->pos = end != 0 ? end : at.pos;
    in->is_short |= at.is_short;
    in->is_bad |= at.is_bad;
}

bool dns_get_record(struct dns_in *in, struct dns_record *rec)
{
    dns_get_name(in, &rec->owner);
    rec->type = dns_get_u16(in);
    rec->class = dns_get_u16(in);
    rec->ttl = dns_get_u32(in);
    rec->data_len = dns_get_u16(in);
    rec->data = in->pos;
    take(in, rec->data_len);
    if (rec->type != DNS_TYPE_OPT && rec->ttl > INT32_MAX)
        rec->ttl = 0; /* RFC 2181 8: 31 bits; one with the top bit set counts as zero */
    return !dns_failed(in);
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* As text; a byte that no host name has becomes '?', so that it never equals what was asked. */
void dns_name_text(const struct dns_name *name, char out[HOST_NAME_SIZE])
{
    size_t n = 0;

    for (size_t at = 0; at < name->len && name->bytes[at] != 0; at += (size_t)name->bytes[at] + 1) {
        if (n > 0)
            out[n++] = '.';
        for (size_t i = 1; i <= name->bytes[at]; i++) {
            uint8_t c = name->bytes[at + i];

            out[n++] = c > ' ' && c < 0x7f && c != '.' ? (char)c : '?';
        }
    }
    out[n] = '\0';
}
