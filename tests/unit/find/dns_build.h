/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FIND_DNS_BUILD_H
#define TESTS_FIND_DNS_BUILD_H

#include "base/buf.h"
#include "find/dns_msg.h"

/* DNS replies for tests, built from words. */

#define DNS_FLAGS_REPLY 0x8180 /* QR, RD, RA */
#define DNS_FLAG_TC     0x0200

/* dns_put_header: counts are those of question, answer, authority and additional section. */
void dns_put_header(struct buf *b, uint16_t flags, uint16_t qd, uint16_t an, uint16_t ns,
                    uint16_t ar);
/* dns_put_name: labels between dots, as they are, without compression. */
void dns_put_name(struct buf *b, const char *name);
/* dns_put_pointer: a name, or its end, that stands at this offset. */
void dns_put_pointer(struct buf *b, uint16_t offset);
void dns_put_question(struct buf *b, const char *name, uint16_t type);
/* dns_put_record: what follows the owner's name. */
void dns_put_record(struct buf *b, uint16_t type, uint32_t ttl, const void *data, uint16_t len);
void dns_put_u16(struct buf *b, uint16_t v);
void dns_put_u32(struct buf *b, uint32_t v);

/* dns_build: a whole reply to a question of this name and type, from words: an rcode ("nxdomain",
 * "servfail", "refused"), or "nodata", or addresses; for SRV TARGET/PORT, or TARGET/PORT/ADDRESS,
 * whose address becomes glue; "ttl=N" for all of them, else 30; "cut" sets TC. Returns how it
 * ended: "timeout", "unreachable", "noserver" and "garbage" leave no message. */
enum dns_status dns_build(struct buf *b, const char *name, uint16_t type, const char *words);

#endif
