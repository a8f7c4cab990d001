/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/values.h"

#include <stdio.h>
#include <stdlib.h>

#include "conf/cookie.h"
#include "conf/hosts.h"
#include "conf/names.h"
#include "conf/resolv.h"
#include "conf/scan.h"
#include "model/event.h"

/* As many peers as a node keeps. */
#define NODES_MAX  16384
#define NOT_A_PORT "is not a port: 1 to 65535 is allowed"

static clu_slice text_of(const struct given *g)
{
    return slice_of(g->text);
}

/* The place of the word in a list; n when it is not there. */
static size_t find_word(const char *const *words, size_t n, const char *text)
{
    size_t i = 0;

    while (i < n && strcmp(words[i], text) != 0)
        i++;
    return i;
}

/* ---- types ---- */

CONF_SETTER(set_flag)
{
    (void)l;
    (void)g;
    *(bool *)field = true;
    return NULL;
}

CONF_SETTER(set_json)
{
    l->out->tagged = g->text[0] != '\0';
    *(bool *)field = true;
    return NULL;
}

CONF_SETTER(set_port)
{
    uint32_t port;

    (void)l;
    if (!text_number(text_of(g), 1, UINT16_MAX, &port))
        return NOT_A_PORT;
    *(uint16_t *)field = (uint16_t)port;
    return NULL;
}

CONF_SETTER(set_duration)
{
    (void)l;
    if (!text_duration(text_of(g), field))
        return "is not a time: 5, 0.5, 500ms, 10s, 1m, at most a day";
    return NULL;
}

CONF_SETTER(set_count)
{
    (void)l;
    if (!text_number(text_of(g), 1, NODES_MAX, field))
        return "is no number of nodes: 1 to 16384 is allowed";
    return NULL;
}

/* The numbers of "{127,0,0,1}"; how many, 0 when it is no such tuple. */
static size_t parse_tuple(clu_slice text, uint32_t parts[8])
{
    if (text.len < 3 || text.data[0] != '{' || text.data[text.len - 1] != '}')
        return 0;
    clu_slice rest = {text.data + 1, text.len - 2};

    for (size_t n = 0; n < 8;) {
        const uint8_t *comma = memchr(rest.data, ',', rest.len);
        size_t len = comma == NULL ? rest.len : (size_t)(comma - rest.data);

        if (!text_number((clu_slice){rest.data, len}, 0, UINT16_MAX, &parts[n++]))
            return 0;
        if (comma == NULL)
            return n;
        rest = (clu_slice){comma + 1, rest.len - len - 1};
    }
    return 0;
}

/* inet:ip_address(): four numbers of a byte, or eight of two. */
static bool parse_ip_tuple(struct addr *a, clu_slice text)
{
    uint32_t parts[8];
    size_t n = parse_tuple(text, parts);

    *a = (struct addr){.family = n == 8 ? 6 : 4};
    for (size_t i = 0; n == 8 && i < n; i++)
        put_be16(a->ip + 2 * i, (uint16_t)parts[i]);
    for (size_t i = 0; n == 4 && i < n; i++) {
        if (parts[i] > UINT8_MAX)
            return false;
        a->ip[i] = (uint8_t)parts[i];
    }
    return n == 4 || n == 8;
}

CONF_SETTER(set_ip)
{
    struct addr *to = field, a;

    (void)l;
    if (!addr_parse_ip(&a, text_of(g)) && !parse_ip_tuple(&a, text_of(g)))
        return "is not an IP address";
    a.port = to->port;
    *to = a;
    return NULL;
}

/* "HOST:PORT", the host from the hosts file: no look-up may delay the reading of options. */
static bool parse_named(struct addr *to, const char *text, const struct hosts_file *hosts)
{
    const char *colon = strrchr(text, ':');
    char host[HOST_NAME_SIZE];
    uint32_t port;

    if (colon == NULL || !text_number(slice_of(colon + 1), 1, UINT16_MAX, &port))
        return false;
    text_set(host, sizeof host, (clu_slice){(const uint8_t *)text, (size_t)(colon - text)});
    const struct host_entry *e = hosts_find(hosts, host);

    if (e == NULL)
        return false;
    *to = e->addr;
    to->port = (uint16_t)port;
    return true;
}

CONF_SETTER(set_endpoint)
{
    struct addr a;

    if (!(addr_parse(&a, text_of(g)) && a.port != 0) && !parse_named(&a, g->text, &l->out->hosts))
        return "is not ADDR:PORT: an IP address or a name of the hosts file, and a port";
    *(struct addr *)field = a;
    return NULL;
}

/* ---- settings ---- */

/* The environment holds several, separated by spaces. */
CONF_SETTER(set_spec)
{
    struct settings *s = &l->out->settings;
    clu_slice rest = text_of(g), word;

    (void)field;
    while (scan_word(&rest, &word)) {
        if (s->n_specs == SETTINGS_SPECS_MAX)
            return "is one SPEC too many: 16 are allowed";
        if (!text_set(s->specs[s->n_specs++], SPEC_SIZE, word))
            return "is too long for a SPEC: 383 bytes are allowed";
    }
    return NULL;
}

CONF_SETTER(set_name)
{
    return names_make(field, g->text, &l->here);
}

static const char *read_cookie_file(struct loading *l, const struct given *g, struct cookie *cookie)
{
    char source[sizeof cookie->source];
    char *path = l->out->settings.cookie_file;
    struct buf text = {0};
    const char *wrong = "";

    snprintf(source, sizeof source, "%.13s %.49s", g->where, g->text);
    if (conf_read(l, g->text, g->where, &text)) {
        wrong = cookie_set(cookie, buf_slice(&text), source);
        if (wrong != NULL)
            conf_say(l, "%s: %.200s %s", g->where, g->text, wrong);
        if (!text_set(path, FILE_SIZE, slice_of(g->text)))
            path[0] = '\0'; /* readable once, too long to be read again */
    }
    buf_free(&text);
    return wrong == NULL ? NULL : "";
}

/* On the command line stands a file's name: a cookie there would be seen by all who list
 * processes. */
CONF_SETTER(set_cookie)
{
    if (g->source == SOURCE_COMMAND_LINE)
        return read_cookie_file(l, g, field);
    return cookie_set(field, text_of(g), g->where);
}

/* "NODE COOKIE" */
CONF_SETTER(set_peer_cookie)
{
    struct settings *s = &l->out->settings;
    struct peer_cookie *all = s->peer_cookies;
    const char *blank = strchr(g->text, ' ');

    (void)field;
    if (s->n_peer_cookies == SETTINGS_COOKIES_MAX)
        return "is one -setcookie NODE COOKIE too many: 64 are allowed";
    all = reallocarray(all, s->n_peer_cookies + 1, sizeof *all);
    if (all == NULL || blank == NULL) {
        conf_no_memory(l);
        return "";
    }
    s->peer_cookies = all;
    struct peer_cookie *row = &all[s->n_peer_cookies];

    if (!text_set(row->node, sizeof row->node,
                  (clu_slice){(const uint8_t *)g->text, (size_t)(blank - g->text)}))
        return "sets a cookie for a node whose name is too long";
    const char *wrong = cookie_set(&row->cookie, slice_of(blank + 1), g->where);

    s->n_peer_cookies += wrong == NULL;
    return wrong;
}

CONF_SETTER(set_proto_dist)
{
    (void)l;
    (void)field;
    if (strcmp(g->text, "inet_tcp") == 0 || strcmp(g->text, "inet6_tcp") == 0)
        return NULL; /* the address of the own name says which */
    return "is no protocol that erlclu speaks: inet_tcp and inet6_tcp are allowed";
}

CONF_SETTER(set_start_epmd)
{
    (void)l;
    if (strcmp(g->text, "false") == 0)
        *(enum epmd_mode *)field = EPMD_EXTERNAL;
    return NULL;
}

CONF_SETTER(set_listen_port)
{
    struct settings *s = &l->out->settings;

    (void)field;
    s->listen_max = 0;
    return set_port(l, g, &s->listen_min);
}

/* -erl_epmd_port: everybody's port, listened at and dialled, and no epmd. */
CONF_SETTER(set_epmd_less_port)
{
    struct settings *s = &l->out->settings;

    s->epmd = EPMD_NONE;
    return set_listen_port(l, g, field);
}

CONF_SETTER(set_epmd)
{
    static const char *const words[] = {
        [EPMD_AUTO] = "auto",
        [EPMD_EMBEDDED] = "embedded",
        [EPMD_EXTERNAL] = "external",
        [EPMD_NONE] = "none",
    };
    size_t mode = find_word(words, COUNT(words), g->text);

    (void)l;
    if (mode == COUNT(words))
        return "is not auto, embedded, external or none";
    *(enum epmd_mode *)field = (enum epmd_mode)mode;
    return NULL;
}

static bool set_seconds(const struct given *g, uint32_t max, uint32_t *ms)
{
    uint32_t seconds;

    if (!text_number(text_of(g), 1, max, &seconds))
        return false;
    *ms = seconds * 1000;
    return true;
}

CONF_SETTER(set_ticktime)
{
    (void)l;
    return set_seconds(g, 86400, field) ? NULL : "is no net_ticktime: 1 to 86400 is allowed";
}

CONF_SETTER(set_tick_intensity)
{
    (void)l;
    if (!text_number(text_of(g), 4, 1000, field))
        return "is no net_tickintensity: 4 to 1000 is allowed";
    return NULL;
}

CONF_SETTER(set_setup_time)
{
    (void)l;
    return set_seconds(g, 120, field) ? NULL : "is no net_setuptime: 1 to 120 is allowed";
}

/* Ten minutes: longer than any terminationGracePeriodSeconds that makes sense. */
CONF_SETTER(set_shutdown)
{
    (void)l;
    if (!text_number(text_of(g), 0, 600000, field))
        return "is no delay in milliseconds: 0 to 600000 is allowed";
    return NULL;
}

CONF_SETTER(set_cookie_overlap)
{
    (void)l;
    if (!text_number(text_of(g), 0, 86400, field))
        return "is no time in seconds: 0 to 86400 is allowed";
    *(uint32_t *)field *= 1000;
    return NULL;
}

/* "http://ADDR:PORT/", as the log tells it and people copy it, is ADDR:PORT. */
static clu_slice without_scheme(clu_slice text)
{
    static const char scheme[] = "http://";
    size_t len = sizeof scheme - 1;

    if (!slice_starts(text, scheme))
        return text;
    text = (clu_slice){text.data + len, text.len - len};
    text.len -= text.len > 0 && text.data[text.len - 1] == '/';
    return text;
}

CONF_SETTER(set_http)
{
    char place[HOST_NAME_SIZE + 8];
    struct given of_place = *g;
    uint32_t port;

    if (text_number(text_of(g), 1, UINT16_MAX, &port)) {
        conf_say(l, "%s: `%s` is a port alone: ADDR:PORT is wanted, as 127.0.0.1:%s", g->where,
                 g->text, g->text);
        return "";
    }
    if (strcmp(g->text, "none") == 0) {
        *(struct addr *)field = (struct addr){0};
        return NULL;
    }
    if (!text_set(place, sizeof place, without_scheme(text_of(g))))
        place[0] = '\0';
    of_place.text = place;
    return set_endpoint(l, &of_place, field);
}

CONF_SETTER(set_template)
{
    if (!text_set(field, sizeof l->out->settings.template_file, text_of(g)))
        return "is too long for a file name";
    return NULL;
}

/* "after:5m"; a second at least, as links are cut one a second. */
static bool parse_after(clu_slice text, uint32_t *ms)
{
    if (!slice_starts(text, "after:"))
        return false;
    return text_duration((clu_slice){text.data + 6, text.len - 6}, ms) && *ms >= 1000;
}

CONF_SETTER(set_prune)
{
    static const char *const words[] = {
        [PRUNE_WHEN_DOWN] = "when_down",
        [PRUNE_NEVER] = "never",
    };
    size_t prune = find_word(words, COUNT(words), g->text);

    if (prune == COUNT(words)) {
        if (!parse_after(text_of(g), &l->out->settings.prune_ms))
            return "is not never, when_down or after:TIME, where TIME is 1s, 5m, at most a day";
        prune = PRUNE_AFTER;
    }
    *(enum prune *)field = (enum prune)prune;
    return NULL;
}

CONF_SETTER(set_dist_port)
{
    l->out->settings.epmd = EPMD_NONE;
    return set_port(l, g, field);
}

CONF_SETTER(set_dns)
{
    struct addr server;

    (void)field;
    if (!addr_parse(&server, text_of(g)))
        return "is not ADDR or ADDR:PORT";
    resolv_use_server(&l->out->resolv, &server);
    return NULL;
}

CONF_SETTER(set_timeout)
{
    const char *wrong = set_duration(l, g, field);

    l->out->timeout_given = true;
    if (wrong == NULL && *(uint32_t *)field == 0)
        return "leaves no time: 1ms is the least";
    return wrong;
}

CONF_SETTER(set_log_level)
{
    static const char *const words[] = {
        [LEVEL_DEBUG] = "debug", [LEVEL_INFO] = "info", [LEVEL_WARNING] = "warning",
        [LEVEL_ERROR] = "error", [LEVEL_NONE] = "none",
    };
    /* Who runs a node wants to hear of it; who has one within a program may have other means. */
    bool library = l->in->command == CMD_LIBRARY;
    size_t n = library ? COUNT(words) : LEVEL_NONE;
    size_t level = find_word(words, n, g->text);

    if (level == n)
        return library ? "is not debug, info, warning, error or none"
                       : "is not debug, info, warning or error";
    *(uint8_t *)field = (uint8_t)level;
    return NULL;
}

CONF_SETTER(set_log_format)
{
    static const char *const words[] = {"text", "json"};
    size_t format = find_word(words, COUNT(words), g->text);

    (void)l;
    if (format == COUNT(words))
        return "is not text or json";
    *(bool *)field = format == 1;
    return NULL;
}
