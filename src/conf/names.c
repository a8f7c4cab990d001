/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/names.h"

#define TOO_LONG "has more than 255 bytes"

static const char *check_alive(clu_slice given)
{
    static const char *const says[NAME_FAULTS] = {
        [NAME_EMPTY] = "has nothing before the @",
        [NAME_BAD_BYTE] = "may have letters, digits, - and _ before the @, as every Erlang node",
    };
    return says[name_base_fault(given)];
}

/* An address in its one spelling, or a host name as it is. */
static const char *set_host(char host[HOST_NAME_SIZE], const char *given)
{
    static const char no_host[] = "needs an IP address or a host name behind the @";
    static const char *const says[NAME_FAULTS] = {
        [NAME_EMPTY] = "has nothing behind the @",
        [NAME_TOO_LONG] = TOO_LONG,
        [NAME_BAD_BYTE] = no_host,
        [NAME_EMPTY_LABEL] = no_host,
        [NAME_LONG_LABEL] = no_host,
    };
    char ip[ADDR_TEXT_MAX];
    struct addr addr;
    bool is_ip = addr_parse_ip(&addr, slice_of(given));

    text_set(host, HOST_NAME_SIZE, slice_of(is_ip ? addr_ip_text(&addr, ip) : given));
    return is_ip ? NULL : says[name_host_fault(slice_of(given))];
}

const char *names_make(char out[NODE_NAME_SIZE], const char *given, const struct addr *here)
{
    char host[HOST_NAME_SIZE], ip[ADDR_TEXT_MAX];
    clu_slice alive = {(const uint8_t *)given, strcspn(given, "@")};
    const char *behind = given[alive.len] == '@' ? given + alive.len + 1 : addr_ip_text(here, ip);
    const char *wrong = check_alive(alive);

    if (wrong == NULL)
        wrong = set_host(host, behind);
    if (wrong != NULL)
        return wrong;
    return name_make(out, alive, host) ? NULL : TOO_LONG;
}

bool names_is_long(const char *name)
{
    return strpbrk(name_host(name), ".:") != NULL;
}
