/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/resolv.h"

#include <strings.h>

#include "conf/scan.h"

/* What the C library allows at most. */
#define NDOTS_MAX 15

/* "10.96.0.10", and what other resolvers allow: "10.96.0.10:5353", "[fd00::a]:5353". */
static void read_nameserver(struct resolv_conf *conf, clu_slice rest)
{
    clu_slice word;
    struct addr server;

    if (conf->n_servers < RESOLV_SERVERS_MAX && scan_word(&rest, &word) &&
        addr_parse(&server, word))
        conf->servers[conf->n_servers++] = server;
}

static void add_search(struct resolv_conf *conf, clu_slice name)
{
    if (name.len > 0 && name.data[name.len - 1] == '.')
        name.len--;
    if (name.len == 0 || conf->n_search == RESOLV_SEARCH_MAX)
        return; /* "." is the root: names are tried as they stand anyway */
    if (memchr(name.data, 0, name.len) == NULL &&
        text_set(conf->search[conf->n_search], HOST_NAME_SIZE, name))
        conf->n_search++;
}

/* The last line of search and domain wins. */
static void read_search(struct resolv_conf *conf, clu_slice rest)
{
    clu_slice word;

    conf->n_search = 0;
    while (scan_word(&rest, &word))
        add_search(conf, word);
}

static void read_domain(struct resolv_conf *conf, clu_slice rest)
{
    clu_slice word;

    conf->n_search = 0;
    if (scan_word(&rest, &word))
        add_search(conf, word);
}

static void read_options(struct resolv_conf *conf, clu_slice rest)
{
    static const char ndots[] = "ndots:";
    clu_slice word;
    uint32_t n;

    while (scan_word(&rest, &word)) {
        if (!slice_starts(word, ndots))
            continue;
        clu_slice digits = {word.data + sizeof ndots - 1, word.len - sizeof ndots + 1};

        if (text_number(digits, 0, UINT32_MAX, &n))
            conf->ndots = (uint8_t)min_u64(n, NDOTS_MAX);
    }
}

static const struct {
    const char *word;
    void (*read)(struct resolv_conf *conf, clu_slice rest);
} directives[] = {
    {"nameserver", read_nameserver},
    {"search", read_search},
    {"domain", read_domain},
    {"options", read_options},
};

static void read_line(struct resolv_conf *conf, clu_slice line)
{
    clu_slice word;

    if (!scan_word(&line, &word))
        return;
    for (size_t i = 0; i < COUNT(directives); i++)
        if (slice_is(word, directives[i].word))
            directives[i].read(conf, line);
}

/* A pod's search list begins with NAMESPACE.svc.ZONE. */
static void find_zone(struct resolv_conf *conf)
{
    static const char svc[] = ".svc.";

    for (size_t i = 0; i < conf->n_search; i++) {
        const char *name = conf->search[i], *dot = strchr(name, '.');

        if (dot == NULL || dot == name || strncasecmp(dot, svc, sizeof svc - 1) != 0)
            continue;
        text_set(conf->namespace_, sizeof conf->namespace_,
                 (clu_slice){(const uint8_t *)name, (size_t)(dot - name)});
        text_set(conf->zone, sizeof conf->zone, slice_of(dot + sizeof svc - 1));
        return;
    }
}

void resolv_parse(struct resolv_conf *conf, clu_slice text)
{
    clu_slice line;

    *conf = (struct resolv_conf){.ndots = 1};
    while (scan_line(&text, &line))
        read_line(conf, line);
    find_zone(conf);
    if (conf->n_servers == 0) {
        struct addr here = addr_v4(0x7f000001, 0);

        resolv_use_server(conf, &here);
    }
}

void resolv_use_server(struct resolv_conf *conf, const struct addr *server)
{
    conf->servers[0] = *server;
    conf->n_servers = 1;
}
