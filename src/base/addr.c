/* SPDX-License-Identifier: Apache-2.0 */
#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>

bool addr_parse_ip(struct addr *a, clu_slice text)
{
    char copy[ADDR_TEXT_MAX];

    *a = (struct addr){0};
    if (!text_set(copy, sizeof copy, text) || strlen(copy) != text.len)
        return false;
    if (inet_pton(AF_INET, copy, a->ip) == 1)
        a->family = 4;
    else if (inet_pton(AF_INET6, copy, a->ip) == 1)
        a->family = 6;
    return a->family != 0;
}

static bool parse_port(struct addr *a, clu_slice text)
{
    uint32_t port = 0;

    if (text.len == 0 || text.len > 5)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        port = port * 10 + (uint32_t)(text.data[i] - '0');
    }
    a->port = (uint16_t)port;
    return port <= UINT16_MAX;
}

/* "[V6]" with what follows it. */
static bool parse_bracketed(struct addr *a, clu_slice text)
{
    const uint8_t *close = memchr(text.data, ']', text.len);

    if (close == NULL)
        return false;
    clu_slice ip = {text.data + 1, (size_t)(close - text.data) - 1};
    clu_slice rest = {close + 1, text.len - ip.len - 2};

    if (!addr_parse_ip(a, ip) || a->family != 6)
        return false;
    if (rest.len == 0)
        return true;
    return rest.data[0] == ':' && parse_port(a, (clu_slice){rest.data + 1, rest.len - 1});
}

bool addr_parse(struct addr *a, clu_slice text)
{
    if (text.len > 0 && text.data[0] == '[')
        return parse_bracketed(a, text);
    if (addr_parse_ip(a, text))
        return true;
    const uint8_t *colon = text.len == 0 ? NULL : memchr(text.data, ':', text.len);

    if (colon == NULL)
        return false;
    size_t ip_len = (size_t)(colon - text.data);

    return addr_parse_ip(a, (clu_slice){text.data, ip_len}) && a->family == 4 &&
           parse_port(a, (clu_slice){colon + 1, text.len - ip_len - 1});
}

const char *addr_ip_text(const struct addr *a, char out[ADDR_TEXT_MAX])
{
    out[0] = '\0';
    if (a->family != 0)
        inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->ip, out, ADDR_TEXT_MAX);
    return out;
}

const char *addr_text(const struct addr *a, char out[ADDR_TEXT_MAX])
{
    char ip[ADDR_TEXT_MAX];

    snprintf(out, ADDR_TEXT_MAX, a->family == 6 ? "[%.45s]:%u" : "%.45s:%u", addr_ip_text(a, ip),
             (unsigned)a->port);
    return out;
}

bool addr_is_loopback(const struct addr *a)
{
    static const uint8_t v6[16] = {[15] = 1};

    return a->family == 4 ? a->ip[0] == 127 : a->family == 6 && memcmp(a->ip, v6, 16) == 0;
}

bool addr_is_any(const struct addr *a)
{
    static const uint8_t zero[16];

    return a->family != 0 && memcmp(a->ip, zero, sizeof zero) == 0;
}

bool addr_same_ip(const struct addr *a, const struct addr *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
    return addr_same_ip(a, b) && a->port == b->port;
}

struct addr addr_v4(uint32_t ip, uint16_t port)
{
    struct addr a = {.family = 4, .port = port};

    put_be32(a.ip, ip);
    return a;
}
