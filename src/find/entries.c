/* SPDX-License-Identifier: Apache-2.0 */
#include "find/entries.h"

#include "find/words.h"

static clu_error bad(const char *item, const char *part, const char *problem, char why[REASON_SIZE])
{
    say(why, "\"%.60s\": %s %s", item, part, problem);
    return CLU_EBADARG;
}

/* Splits HOST[:PORT] where the colon is not one of an IPv6 literal's; an address goes to e->addr,
 * whose text is the host part of names, as inet_ntop spells it. */
static bool parse_host(struct entry *e, const char *text, char host[HOST_NAME_SIZE])
{
    char digits[ADDR_TEXT_MAX] = "0.0.0.0";
    const char *colon = strchr(text, ':');
    struct addr port;

    if (addr_parse(&e->addr, slice_of(text))) {
        addr_ip_text(&e->addr, host);
        return true;
    }
    if (!text_set(host, HOST_NAME_SIZE, (clu_slice){(const uint8_t *)text, strcspn(text, ":")}))
        return false;
    if (colon == NULL)
        return true;
    return text_set(digits + 7, sizeof digits - 7, slice_of(colon)) &&
           addr_parse(&port, slice_of(digits)) && (e->addr.port = port.port) != 0;
}

clu_error entry_parse(struct entry *e, const char *item, char why[REASON_SIZE])
{
    const char *at = strchr(item, '@');
    char base[NODE_NAME_SIZE], host[HOST_NAME_SIZE];

    *e = (struct entry){0};
    if (at == NULL)
        return bad(item, "a node name", "is NAME@HOST", why);
    if (!text_set(base, sizeof base, (clu_slice){(const uint8_t *)item, (size_t)(at - item)}))
        return bad(item, "the name", "is longer than 255 bytes", why);
    const char *problem = node_base_problem(base);

    if (problem != NULL)
        return bad(item, "what stands before the @", problem, why);
    if (!parse_host(e, at + 1, host))
        return bad(item, "the port", "is no number from 1 to 65535", why);
    if (e->addr.family == 0 && (problem = host_name_problem(host)) != NULL)
        return bad(item, "the host", problem, why);
    if (!name_make(e->name, slice_of(base), host))
        return bad(item, "the name", "is longer than 255 bytes", why);
    return CLU_OK;
}

bool entry_named(struct entry *e, clu_slice name)
{
    char base[NODE_NAME_SIZE];

    *e = (struct entry){0};
    if (memchr(name.data, '\0', name.len) != NULL || !text_set(e->name, sizeof e->name, name))
        return false;
    const char *at = strchr(e->name, '@');

    if (at == NULL)
        return false;
    text_set(base, sizeof base, (clu_slice){name.data, (size_t)(at - e->name)});
    return node_base_problem(base) == NULL &&
           (addr_parse_ip(&e->addr, slice_of(at + 1)) || host_name_problem(at + 1) == NULL);
}

bool entries_same(const struct entry *a, size_t n_a, const struct entry *b, size_t n_b)
{
    if (n_a != n_b)
        return false;
    for (size_t i = 0; i < n_a; i++)
        if (strcmp(a[i].name, b[i].name) != 0 || !addr_equal(&a[i].addr, &b[i].addr))
            return false;
    return true;
}
