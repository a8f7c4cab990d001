/* SPDX-License-Identifier: Apache-2.0 */
#include "find/dns_msg.h"

#include <stdlib.h>

#include "find/addr_set.h"

#define HEADER_LEN 12
#define CLASS_IN   1
#define TYPE_OPT   41

#define FLAG_QR     0x8000u
#define FLAG_TC     0x0200u
#define OPCODE_MASK 0x7800u
#define RCODE_MASK  0x000fu

#define LABEL_MAX     63
#define WIRE_NAME_MAX 255
/* Type 3 of the two top bits of a label's length: the rest is an offset. */
#define POINTER_BITS 0xc0u

struct reader {
    const uint8_t *msg;
    size_t len, pos;
    bool is_short; /* the message ended before what was wanted */
    bool is_bad;   /* what is there breaks a rule */
};

/* A name as on the wire, lower case, without compression: names that are equal are equal bytes. */
struct name {
    size_t len;
    uint8_t bytes[WIRE_NAME_MAX];
};

struct record {
    struct name owner;
    uint16_t type, class;
    uint32_t ttl;
    size_t data; /* offset of its data in the message */
    uint16_t data_len;
};

enum section { ANSWER, AUTHORITY, ADDITIONAL, SECTIONS };

struct parser {
    struct reader in;
    uint16_t counts[SECTIONS];
    size_t answers;   /* offset of the first answer */
    struct name name; /* what is looked for: the question's name, or its alias */
    uint32_t ttl;     /* smallest of the aliases and addresses used */
    bool has_alias;   /* there is a CNAME among the answers */
    size_t max_addrs;
    struct addr_set addrs;
    struct dns_reply *reply;
};

/* Take n bytes, or fail for good. Every read of the message goes through here. */
static const uint8_t *take(struct reader *in, size_t n)
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

static uint8_t get_u8(struct reader *in)
{
    const uint8_t *p = take(in, 1);

    return p == NULL ? 0 : p[0];
}

static uint16_t get_u16(struct reader *in)
{
    const uint8_t *p = take(in, 2);

    return p == NULL ? 0 : get_be16(p);
}

static uint32_t get_u32(struct reader *in)
{
    const uint8_t *p = take(in, 4);

    return p == NULL ? 0 : get_be32(p);
}

static bool failed(const struct reader *in)
{
    return in->is_short || in->is_bad;
}

/* Appends a label, the empty one at the end of a name included. */
static void get_label(struct reader *in, uint8_t len, struct name *name)
{
    const uint8_t *p = take(in, len);

    if (p == NULL)
        return;
    if (len > LABEL_MAX || name->len + 1 + len > WIRE_NAME_MAX) {
        in->is_bad = true;
        return;
    }
    name->bytes[name->len++] = len;
    for (size_t i = 0; i < len; i++) /* RFC 4343: only ASCII letters have a case */
        name->bytes[name->len++] = p[i] >= 'A' && p[i] <= 'Z' ? (uint8_t)(p[i] | 0x20) : p[i];
}

/* Jumps to "a prior occurrence of the same name" (RFC 1035 4.1.4). Taken at its word, before all
 * that this name was read from so far: that alone forbids loops. */
static void jump(struct reader *in, uint8_t high, size_t *lowest)
{
    size_t to = (size_t)(high & ~POINTER_BITS) << 8 | get_u8(in);

    if (failed(in))
        return;
    in->is_bad = to < HEADER_LEN || to >= *lowest;
    in->pos = *lowest = to;
}

static void get_name(struct reader *in, struct name *name)
{
    struct reader at = *in;
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
    } while (head != 0 && !failed(&at));
    in->pos = end != 0 ? end : at.pos;
    in->is_short |= at.is_short;
    in->is_bad |= at.is_bad;
}

static bool get_record(struct reader *in, struct record *rec)
{
    get_name(in, &rec->owner);
    rec->type = get_u16(in);
    rec->class = get_u16(in);
    rec->ttl = get_u32(in);
    rec->data_len = get_u16(in);
    rec->data = in->pos;
    take(in, rec->data_len);
    if (rec->type != TYPE_OPT && rec->ttl > INT32_MAX)
        rec->ttl = 0; /* RFC 2181 8: 31 bits; one with the top bit set counts as zero */
    return !failed(in);
}

static bool name_equal(const struct name *a, const struct name *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* As text; a byte that no host name has becomes '?', so that it never equals what was asked. */
static void name_text(const struct name *name, char out[HOST_NAME_SIZE])
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

static clu_error outcome(const struct reader *in)
{
    return failed(in) ? CLU_EPROTO : CLU_OK;
}

static clu_error read_header(struct parser *p)
{
    get_u16(&p->in); /* the id is the resolver's */
    uint16_t flags = get_u16(&p->in);
    uint16_t questions = get_u16(&p->in);

    for (size_t i = 0; i < SECTIONS; i++)
        p->counts[i] = get_u16(&p->in);
    p->in.is_bad |= (flags & FLAG_QR) == 0 || (flags & OPCODE_MASK) != 0 || questions != 1;
    p->reply->truncated = (flags & FLAG_TC) != 0;
    p->reply->rcode = flags & RCODE_MASK;
    return outcome(&p->in);
}

static clu_error read_question(struct parser *p)
{
    get_name(&p->in, &p->name);
    p->reply->question_type = get_u16(&p->in);
    p->in.is_bad |= get_u16(&p->in) != CLASS_IN && !p->in.is_short;
    if (!failed(&p->in))
        name_text(&p->name, p->reply->question);
    p->answers = p->in.pos;
    return outcome(&p->in);
}

/* The types that matter, each in its section: the rest is passed over. */
static bool note_cname(struct parser *p, const struct record *rec)
{
    (void)rec;
    p->has_alias = true;
    return true;
}

static bool note_a(struct parser *p, const struct record *rec)
{
    (void)p;
    return rec->data_len == 4;
}

static bool note_aaaa(struct parser *p, const struct record *rec)
{
    (void)p;
    return rec->data_len == 16;
}

/* RFC 2308 5: how long the absence holds is the smaller of the SOA's TTL and its MINIMUM, the last
 * of five numbers behind two names. */
static bool note_soa(struct parser *p, const struct record *rec)
{
    if (rec->data_len < 22)
        return false;
    uint32_t minimum = get_be32(p->in.msg + rec->data + rec->data_len - 4);

    p->reply->has_soa = true;
    p->reply->soa_ttl = rec->ttl < minimum ? rec->ttl : minimum;
    return true;
}

/* RFC 6891 6.1.3: the top eight bits of OPT's TTL stand above the header's four. */
static bool note_opt(struct parser *p, const struct record *rec)
{
    p->reply->rcode = (uint16_t)(p->reply->rcode | (rec->ttl >> 24) << 4);
    return true;
}

static const struct {
    enum section section;
    uint16_t type;
    bool (*note)(struct parser *p, const struct record *rec);
} notes[] = {
    {ANSWER, DNS_TYPE_CNAME, note_cname}, {ANSWER, DNS_TYPE_A, note_a},
    {ANSWER, DNS_TYPE_AAAA, note_aaaa},   {AUTHORITY, DNS_TYPE_SOA, note_soa},
    {ADDITIONAL, TYPE_OPT, note_opt},
};

static bool note_record(struct parser *p, enum section section, const struct record *rec)
{
    for (size_t i = 0; i < COUNT(notes); i++)
        if (notes[i].section == section && notes[i].type == rec->type &&
            (rec->class == CLASS_IN || rec->type == TYPE_OPT))
            return notes[i].note(p, rec);
    return true;
}

/* Passes all records once, so that every one of them is known to be whole. */
static clu_error check_records(struct parser *p)
{
    struct record rec;

    for (unsigned section = ANSWER; section < SECTIONS; section++)
        for (uint16_t i = 0; i < p->counts[section]; i++) {
            size_t before = p->in.pos;

            if (get_record(&p->in, &rec) && note_record(p, section, &rec))
                continue;
            /* Servers may cut a truncated reply inside a record: what stands before it counts. */
            if (!p->reply->truncated || !p->in.is_short || p->in.is_bad)
                return CLU_EPROTO;
            p->in.len = before;
            p->in.is_short = false;
            return CLU_OK;
        }
    return CLU_OK;
}

/* The next answer of this type that the present name owns. *at and *n are the walk's state. */
static bool next_answer(const struct parser *p, uint16_t type, size_t *at, uint16_t *n,
                        struct record *rec)
{
    struct reader in = {.msg = p->in.msg, .len = p->in.len, .pos = *at};
    bool found = false;

    while (!found && *n < p->counts[ANSWER] && get_record(&in, rec)) {
        ++*n;
        found = rec->type == type && rec->class == CLASS_IN && name_equal(&rec->owner, &p->name);
    }
    *at = in.pos;
    return found;
}

static void note_alias(struct parser *p)
{
    char text[HOST_NAME_SIZE];

    name_text(&p->name, text);
    buf_put_text(&p->reply->aliases, text);
    buf_put_text(&p->reply->aliases, ".\n");
}

/* Follows the CNAMEs from the question's name, in whatever order they stand in. */
static clu_error follow_aliases(struct parser *p)
{
    if (!p->has_alias)
        return CLU_OK;
    for (unsigned hops = 0; hops <= DNS_CNAMES_MAX; hops++) {
        size_t at = p->answers;
        uint16_t n = 0;
        struct record rec;

        if (!next_answer(p, DNS_TYPE_CNAME, &at, &n, &rec))
            return CLU_OK;
        struct reader in = {.msg = p->in.msg, .len = rec.data + rec.data_len, .pos = rec.data};

        get_name(&in, &p->name);
        if (failed(&in) || in.pos != in.len)
            return CLU_EPROTO;
        p->ttl = rec.ttl < p->ttl ? rec.ttl : p->ttl;
        note_alias(p);
        if (p->reply->aliases.err != CLU_OK)
            return p->reply->aliases.err;
    }
    return CLU_EPROTO; /* more than any server hands out in earnest, or a loop */
}

static clu_error keep_addr(struct parser *p, const struct record *rec)
{
    struct addr a = {.family = rec->data_len == 4 ? 4 : 6};

    memcpy(a.ip, p->in.msg + rec->data, rec->data_len);
    p->ttl = rec->ttl < p->ttl ? rec->ttl : p->ttl;
    if (p->addrs.n < p->max_addrs) {
        clu_error err = addr_set_add(&p->addrs, &a);

        return err == CLU_EEXIST ? CLU_OK : err;
    }
    p->reply->n_dropped += !addr_set_has(&p->addrs, &a);
    return CLU_OK;
}

static clu_error collect_addrs(struct parser *p)
{
    uint16_t type = p->reply->question_type;
    size_t at = p->answers;
    uint16_t n = 0;
    struct record rec;
    clu_error err = CLU_OK;

    if (type != DNS_TYPE_A && type != DNS_TYPE_AAAA)
        return CLU_OK;
    while (err == CLU_OK && next_answer(p, type, &at, &n, &rec))
        err = keep_addr(p, &rec);
    p->reply->ttl = p->addrs.n > 0 ? p->ttl : UINT32_MAX;
    p->reply->n_addrs = p->addrs.n;
    p->reply->addrs = addr_set_take(&p->addrs);
    return err;
}

clu_error dns_parse(struct dns_reply *r, const uint8_t *data, size_t len, size_t max_addrs)
{
    static clu_error (*const steps[])(struct parser *) = {
        read_header, read_question, check_records, follow_aliases, collect_addrs,
    };
    struct parser p = {
        .in = {.msg = data, .len = len}, .ttl = UINT32_MAX, .max_addrs = max_addrs, .reply = r};
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
