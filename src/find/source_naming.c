/* SPDX-License-Identifier: Apache-2.0 */
#include "find/source_impl.h"
#include "find/words.h"

/* What the schemes share that make names of addresses: ?base= and ?name=, and the name of a Service
 * as people write it. */

static bool is_learn(const char *value)
{
    return strcmp(value, "*") == 0;
}

clu_error source_set_base(struct source *s, const char *value, char why[REASON_SIZE])
{
    const char *problem = node_base_problem(value);

    if (is_learn(value)) {
        s->template[0] = '\0';
        return CLU_OK;
    }
    if (problem != NULL) {
        say(why, "%s: the base \"%.60s\" %s; base=* learns the names", s->scheme->name, value,
            problem);
        return CLU_EBADARG;
    }
    text_set(s->base, sizeof s->base, slice_of(value));
    s->named = true;
    return CLU_OK;
}

clu_error source_set_name(struct source *s, const char *value, char why[REASON_SIZE])
{
    char problem[REASON_SIZE] = "is longer than 255 bytes";

    if (is_learn(value)) {
        s->template[0] = '\0';
        return CLU_OK;
    }
    if (template_check(value, s->scheme->parts, problem) == CLU_OK &&
        text_set(s->template, sizeof s->template, slice_of(value)))
        return CLU_OK;
    say(why, "%s: the name \"%.60s\" %.280s", s->scheme->name, value, problem);
    return CLU_EBADARG;
}

clu_error source_check_name(const struct source *s, char why[REASON_SIZE])
{
    const struct {
        enum part part;
        const char *value, *text;
    } rows[] = {
        {PART_SERVICE, s->service.name, "{service}"},
        {PART_NS, s->service.ns, "{ns}"},
        {PART_ZONE, s->service.zone, "{zone}"},
    };
    unsigned uses = template_uses(s->template);

    for (size_t i = 0; i < COUNT(rows); i++)
        if ((uses & PART_BIT(rows[i].part)) != 0 && rows[i].value[0] == '\0') {
            say(why,
                "%s: nothing tells %s of ?name=: the name that is asked for is not "
                "SERVICE.NS.svc.ZONE, and resolv.conf has no search entry NS.svc.ZONE",
                s->scheme->name, rows[i].text);
            return CLU_EBADARG;
        }
    return CLU_OK;
}

void source_name(const struct source *s, struct entry *e, const char *hostname, const char *target)
{
    char ip[ADDR_TEXT_MAX], dashed[ADDR_TEXT_MAX];
    const struct name_parts parts = {{
        [PART_BASE] = s->base,
        [PART_IP] = addr_ip_text(&e->addr, ip),
        [PART_DASHED] = address_dashed(&e->addr, dashed),
        [PART_HOSTNAME] = hostname,
        [PART_SERVICE] = s->service.name,
        [PART_NS] = s->service.ns,
        [PART_ZONE] = s->service.zone,
        [PART_TARGET] = target,
    }};

    template_name(s->template, &parts, e->name);
}

/* The cluster's zone, "" where nothing tells it. */
static const char *zone_of(const struct source *s)
{
    return s->place->resolv == NULL ? "" : s->place->resolv->zone;
}

/* "a.b.svc" lacks the zone, which the cluster's resolv.conf tells: cluster.local is only the most
 * usual one. */
static clu_error complete(const struct source *s, char name[HOST_NAME_SIZE], char why[REASON_SIZE])
{
    static const char suffix[] = ".svc";
    const char *zone = zone_of(s);
    size_t len = strlen(name);

    if (len < sizeof suffix || strcmp(name + len + 1 - sizeof suffix, suffix) != 0)
        return CLU_OK;
    if (zone[0] == '\0') {
        say(why,
            "%s: \"%.80s\" lacks the cluster's zone, and resolv.conf has no search entry "
            "NS.svc.ZONE that tells it: write the whole name (in most clusters "
            "%.80s.cluster.local)",
            s->scheme->name, name, name);
        return CLU_EBADARG;
    }
    name[len++] = '.';
    if (text_set(name + len, HOST_NAME_SIZE - len, slice_of(zone)) &&
        host_name_problem(name) == NULL)
        return CLU_OK;
    say(why, "%s: the name \"%.80s\" is longer than 253 bytes with the zone %.80s", s->scheme->name,
        name, zone);
    return CLU_EBADARG;
}

clu_error source_absolute(struct source *s, const char *body, char name[HOST_NAME_SIZE],
                          char why[REASON_SIZE])
{
    const char *problem = host_name_problem(body);
    struct addr literal;

    if (addr_parse(&literal, slice_of(body))) {
        say(why, "%s: takes a name, and %.60s is an address: write static:NAME@%.60s",
            s->scheme->name, body, body);
        return CLU_EBADARG;
    }
    if (problem != NULL) {
        say(why, "%s: the name \"%.80s\" %s", s->scheme->name, body, problem);
        return CLU_EBADARG;
    }
    size_t len = strlen(body);
    bool whole = body[len - 1] == '.';

    text_set(name, HOST_NAME_SIZE, (clu_slice){(const uint8_t *)body, len - whole});
    if (!whole && complete(s, name, why) != CLU_OK)
        return CLU_EBADARG;
    len = strlen(name);
    memcpy(s->row.asked, name, len);
    s->row.asked[len] = '.'; /* at most 253 bytes are before it: host_name_problem */
    if (!service_name_parse(name, &s->service) && s->place->resolv != NULL) {
        text_set(s->service.ns, sizeof s->service.ns, slice_of(s->place->resolv->namespace_));
        text_set(s->service.zone, sizeof s->service.zone, slice_of(zone_of(s)));
    }
    return CLU_OK;
}
