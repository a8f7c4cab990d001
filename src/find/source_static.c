/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "find/source_impl.h"
#include "find/words.h"

/* static:NAME@HOST[:PORT],...: nodes named once and for all. */

static clu_error bad_name(const char *item, const char *part, const char *problem,
                          char why[REASON_SIZE])
{
    say(why, "static: \"%.60s\": %s %s", item, part, problem);
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

static clu_error add_name(struct source *s, const char *item, char why[REASON_SIZE])
{
    struct entry *e = &s->entries[s->n_entries];
    const char *at = strchr(item, '@');
    char base[NODE_NAME_SIZE], host[HOST_NAME_SIZE];

    if (at == NULL)
        return bad_name(item, "a node name", "is NAME@HOST", why);
    if (!text_set(base, sizeof base, (clu_slice){(const uint8_t *)item, (size_t)(at - item)}))
        return bad_name(item, "the name", "is longer than 255 bytes", why);
    const char *problem = node_base_problem(base);

    if (problem != NULL)
        return bad_name(item, "what stands before the @", problem, why);
    if (!parse_host(e, at + 1, host))
        return bad_name(item, "the port", "is no number from 1 to 65535", why);
    if (e->addr.family == 0 && (problem = host_name_problem(host)) != NULL)
        return bad_name(item, "the host", problem, why);
    if (!node_name_make(e->name, base, host))
        return bad_name(item, "the name", "is longer than 255 bytes", why);
    s->n_entries++;
    return CLU_OK;
}

static clu_error static_open(struct source *s, const char *body, char why[REASON_SIZE])
{
    size_t n = 1;
    clu_error err = CLU_OK;

    for (const char *p = body; (p = strchr(p, ',')) != NULL; p++)
        n++;
    s->entries = calloc(n, sizeof *s->entries);
    if (s->entries == NULL)
        return CLU_ENOMEM;
    for (const char *item = body; err == CLU_OK && item != NULL;) {
        char text[SPEC_SIZE];
        size_t len = strcspn(item, ",");

        text_set(text, sizeof text, (clu_slice){(const uint8_t *)item, len});
        err = add_name(s, text, why);
        item = item[len] == ',' ? item + len + 1 : NULL;
    }
    return err;
}

/* What was written is all there is: complete from the first moment. */
static void static_start(struct source *s, uint64_t now_ms)
{
    s->row.result = RESULT_COMPLETE;
    s->row.last_ms = s->row.changed_ms = now_ms;
}

const struct scheme scheme_static = {
    .name = "static",
    .size = sizeof(struct source),
    .open = static_open,
    .start = static_start,
};
