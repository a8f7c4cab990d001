/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_DNS_MSG_IMPL_H
#define FIND_DNS_MSG_IMPL_H

#include "find/addr_set.h"
#include "find/dns_msg.h"

/* What the parts of the reader of replies share: only dns_*.c include this. */

#define DNS_CLASS_IN  1
#define DNS_TYPE_OPT  41
#define DNS_WIRE_NAME 255

struct dns_in {
    const uint8_t *msg;
    size_t len, pos;
    bool is_short; /* the message ended before what was wanted */
    bool is_bad;   /* what is there breaks a rule */
};

/* A name as on the wire, lower case, without compression: names that are equal are equal bytes. */
struct dns_name {
    size_t len;
    uint8_t bytes[DNS_WIRE_NAME];
};

struct dns_record {
    struct dns_name owner;
    uint16_t type, class;
    uint32_t ttl;
    size_t data; /* offset of its data in the message */
    uint16_t data_len;
};

enum dns_section { ANSWER, AUTHORITY, ADDITIONAL, SECTIONS };

struct dns_parser {
    struct dns_in in;
    uint16_t counts[SECTIONS];
    size_t starts[SECTIONS]; /* offset of each section; 0: the message was cut before it */
    struct dns_name name;    /* what is looked for: the question's name, or its alias */
    uint32_t ttl;            /* smallest of the aliases and records used */
    bool has_alias;          /* there is a CNAME among the answers */
    size_t max;              /* records to keep */
    struct addr_set addrs;
    struct dns_reply *reply;
};

uint16_t dns_get_u16(struct dns_in *in);
uint32_t dns_get_u32(struct dns_in *in);
void dns_get_name(struct dns_in *in, struct dns_name *name);
bool dns_get_record(struct dns_in *in, struct dns_record *rec);
/* dns_failed: something was short or bad: nothing more can be read. */
bool dns_failed(const struct dns_in *in);
bool dns_name_equal(const struct dns_name *a, const struct dns_name *b);
/* dns_name_text: lower case, without a final dot; "" is the root. */
void dns_name_text(const struct dns_name *name, char out[HOST_NAME_SIZE]);

/* The records of a section, one after the other; all of them were checked before. */
struct dns_walk {
    struct dns_in in;
    uint16_t left;
};
struct dns_walk dns_walk_section(const struct dns_parser *p, enum dns_section section);
bool dns_walk_next(struct dns_walk *w, struct dns_record *rec);
/* dns_is_answer: the record is of this type, and the name that is looked for owns it. */
bool dns_is_answer(const struct dns_parser *p, const struct dns_record *rec, uint16_t type);
/* dns_note_ttl: a record of this TTL is used. */
static inline void dns_note_ttl(struct dns_parser *p, uint32_t ttl)
{
    if (ttl < p->ttl)
        p->ttl = ttl;
}
/* dns_record_ip: the address of an A or AAAA record. */
struct addr dns_record_ip(const struct dns_parser *p, const struct dns_record *rec);
/* dns_collect_services: the SRV records and what the additional section says of their targets. */
CLU_MUST_USE clu_error dns_collect_services(struct dns_parser *p);

#endif
