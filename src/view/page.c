/* SPDX-License-Identifier: Apache-2.0 */
#include "view/page.h"

#include <stdio.h>

#include "view/api.h"
#include "view/fields.h"
#include "view/verdict.h"

/* Made from page.html by embed.py. */
extern const unsigned char page_html[];
extern const size_t page_html_len;

clu_slice page_template(void)
{
    return (clu_slice){page_html, page_html_len};
}

/* Peers, this node aside. */
struct counts {
    uint32_t listed, going, linked, missing, unlisted, one_way, not_reading;
};

/* Listed and not linked, and that is no fault: its pod is going. */
static bool is_going(const struct snapshot *s, const struct peer_row *p)
{
    return peer_is_listed(s, p) && p->state != PEER_LINKED && !peer_is_missing(s, p);
}

static struct counts count_peers(const struct snapshot *s)
{
    struct counts n = {
        .listed = peers_count(s, peer_is_listed),
        .missing = peers_count(s, peer_is_missing),
        .unlisted = peers_count(s, peer_is_unlisted),
        .one_way = peers_count(s, peer_is_one_way),
        .not_reading = peers_count(s, peer_is_not_reading),
    };

    for (size_t i = 0; i < s->n_peers; i++)
        n.linked += s->peers[i].state == PEER_LINKED;
    for (size_t i = 0; i < s->n_peers; i++)
        n.going += is_going(s, &s->peers[i]);
    return n;
}

/* The state of the cluster in one sentence, for whoever has one second. */
static json_t *summary(const struct snapshot *s, const struct counts *n)
{
    char text[128];

    if (n->missing > 0)
        snprintf(text, sizeof text, "%u of %u listed peers %s missing.", n->missing, n->listed,
                 n->missing == 1 ? "is" : "are");
    else if (s->n_islands > 1)
        snprintf(text, sizeof text, "The cluster is in %u pieces that do not see each other.",
                 s->n_islands);
    else if (n->going > 0)
        snprintf(text, sizeof text, "%u of %u listed peers %s linked, %u %s leaving.",
                 n->listed - n->going, n->listed, n->listed - n->going == 1 ? "is" : "are",
                 n->going, n->going == 1 ? "is" : "are");
    else if (n->listed == 1)
        snprintf(text, sizeof text, "The one listed peer is linked.");
    else if (n->listed > 1)
        snprintf(text, sizeof text, "All %u listed peers are linked.", n->listed);
    else if (n->linked > 0)
        snprintf(text, sizeof text, "%u %s linked; %s.", n->linked,
                 n->linked == 1 ? "peer is" : "peers are",
                 s->n_sources == 0 ? "no discovery is configured" : "discovery lists none");
    else if (s->n_sources == 0)
        snprintf(text, sizeof text, "This node is alone: no discovery is configured.");
    else
        snprintf(text, sizeof text, "Discovery lists no peer yet.");
    return json_string(text);
}

/* A source that says why its answer is not what it should be: the cause stands above the peers that
 * are missing for it. */
static bool has_trouble(const struct snapshot *s)
{
    for (size_t i = 0; i < s->n_sources; i++)
        if (s->sources[i].reason[0] != '\0')
            return true;
    return false;
}

static const char *health(const struct snapshot *s, const struct counts *n)
{
    if (n->missing > 0 || n->one_way > 0 || n->not_reading > 0 || s->n_islands > 1 ||
        has_trouble(s) || !is_ready(s))
        return "warn";
    return n->linked > 0 ? "ok" : "idle";
}

/* "2026-11-22T16:57:16.123Z" as "2026-11-22 16:57:16", under the same key with _text. */
static bool add_short_time(json_t *row, const char *key)
{
    const char *time = json_string_value(json_object_get(row, key));
    char name[32], text[32];

    if (time == NULL)
        return true;
    snprintf(name, sizeof name, "%s_text", key);
    snprintf(text, sizeof text, "%.10s %.8s", time, time + 11);
    return json_object_set_new(row, name, json_string(text)) == 0;
}

static const struct {
    const char *rows, *time;
} times[] = {
    {"missing", "since"},
    {"peers", "since"},
    {"sources", "last"},
    {"sources", "next"},
};

static json_t *add_short_times(json_t *page)
{
    bool done = add_short_time(page, "started") && add_short_time(page, "as_of");

    for (size_t i = 0; i < COUNT(times); i++) {
        json_t *rows = json_object_get(page, times[i].rows);

        for (size_t k = 0; k < json_array_size(rows); k++)
            done = done && add_short_time(json_array_get(rows, k), times[i].time);
    }
    if (done)
        return page;
    json_decref(page);
    return NULL;
}

/* Whether a peer is visible is known while it is linked. */
static json_t *add_linked(json_t *page, const struct snapshot *s)
{
    json_t *rows = json_object_get(page, "peers");
    bool done = page != NULL;

    for (size_t i = 0; i < json_array_size(rows); i++)
        done = done && json_object_set_new(json_array_get(rows, i), "is_linked",
                                           json_boolean(s->peers[i].state == PEER_LINKED)) == 0;
    if (done)
        return page;
    json_decref(page);
    return NULL;
}

json_t *page_context(const struct snapshot *s)
{
    struct counts n = count_peers(s);
    json_t *page = put(api_cluster(s), "sources", api_sources(s));

    page = put(page, "cookie", show_text(s->cookie != NULL ? s->cookie : COOKIE_HIDDEN));
    page = put(page, "summary", summary(s, &n));
    page = put(page, "health", json_string(health(s, &n)));
    page = put(page, "is_ready", json_boolean(is_ready(s)));
    page = put(page, "has_trouble", json_boolean(has_trouble(s)));
    page = put(page, "has_missing", json_boolean(n.missing > 0));
    page = put(page, "has_unlisted", json_boolean(n.unlisted > 0));
    page = put(page, "has_one_way", json_boolean(n.one_way > 0));
    page = put(page, "has_not_reading", json_boolean(n.not_reading > 0));
    page = put(page, "has_islands", json_boolean(s->n_islands > 1));
    page = put(page, "has_peers", json_boolean(s->n_peers > 0));
    page = put(page, "has_sources", json_boolean(s->n_sources > 0));
    page = put(page, "n_nodes",
               json_integer((json_int_t)json_array_size(json_object_get(page, "nodes"))));
    page = put(page, "n_listed", json_integer(n.listed));
    page = put(page, "n_linked", json_integer(n.linked));
    page = put(page, "n_missing", json_integer(n.missing));
    return add_short_times(add_linked(page, s));
}
