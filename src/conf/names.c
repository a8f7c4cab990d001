/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/names.h"

#include <stdio.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

static const char *check_alive(const char *given, size_t len)
{
    if (len == 0)
        return "has nothing before the @";
    if (strspn(given, LETTERS) < len)
        return "may have letters, digits, - and _ before the @, as every Erlang node";
    return NULL;
}

/* An address in its one spelling, or a host name as it is. */
static const char *set_host(char host[HOST_NAME_SIZE], const char *given)
{
    char ip[ADDR_TEXT_MAX];
    struct addr addr;

    if (given[0] == '\0')
        return "has nothing behind the @";
    if (addr_parse_ip(&addr, slice_of(given)))
        text_set(host, HOST_NAME_SIZE, slice_of(addr_ip_text(&addr, ip)));
    else if (given[strspn(given, LETTERS ".")] != '\0')
        return "needs an IP address or a host name behind the @";
    else if (!text_set(host, HOST_NAME_SIZE, slice_of(given)))
        return "has more than 255 bytes";
    return NULL;
}

const char *names_make(char out[NODE_NAME_SIZE], const char *given, const struct addr *here)
{
    char host[HOST_NAME_SIZE], ip[ADDR_TEXT_MAX];
    size_t alive_len = strcspn(given, "@");
    const char *behind = given[alive_len] == '@' ? given + alive_len + 1 : addr_ip_text(here, ip);
    const char *wrong = check_alive(given, alive_len);

    if (wrong == NULL)
        wrong = set_host(host, behind);
    if (wrong != NULL)
        return wrong;
    int n = snprintf(out, NODE_NAME_SIZE, "%.*s@%s", (int)alive_len, given, host);

    return n > NODE_NAME_MAX ? "has more than 255 bytes" : NULL;
}

const char *names_host(const char *name)
{
    const char *at = strchr(name, '@');

    return at == NULL ? "" : at + 1;
}

bool names_is_long(const char *name)
{
    return strpbrk(names_host(name), ".:") != NULL;
}
