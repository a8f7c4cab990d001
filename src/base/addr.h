/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include "base/base.h"

/* An IP address and a port, as values: comparable, printable, without a system header. */
struct addr {
    uint8_t family; /* 4, 6, or 0 for none */
    uint8_t ip[16]; /* network order; 4 bytes used for family 4, the rest zero */
    uint16_t port;
};

/* Bytes of the longest text of addr_text: "[v6]:port" and its zero. */
#define ADDR_TEXT_MAX 56

/* addr_parse_ip: a literal IPv4 or IPv6 address, without brackets or port; false otherwise. */
bool addr_parse_ip(struct addr *a, clu_slice text);
/* addr_parse: "ADDR", "ADDR:PORT", "[V6]", "[V6]:PORT"; port 0 when none is given. */
bool addr_parse(struct addr *a, clu_slice text);
/* addr_ip_text: as inet_ntop spells it (the spelling of node names); "" for none. Returns out. */
const char *addr_ip_text(const struct addr *a, char out[ADDR_TEXT_MAX]);
/* addr_text: "10.0.0.1:4369" or "[::1]:4369". Returns out. */
const char *addr_text(const struct addr *a, char out[ADDR_TEXT_MAX]);
bool addr_is_loopback(const struct addr *a);
/* addr_is_any: 0.0.0.0 or ::. */
bool addr_is_any(const struct addr *a);
bool addr_same_ip(const struct addr *a, const struct addr *b);
/* addr_equal: the same address and port. */
bool addr_equal(const struct addr *a, const struct addr *b);
/* addr_v4: a.b.c.d in host order. */
struct addr addr_v4(uint32_t ip, uint16_t port);

#endif
