/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "find/k8s_impl.h"

/* ---- what is listed ---- */

static bool has_own_family(const struct k8s_source *k)
{
    for (size_t i = 0; i < k->set.n_listed; i++)
        if (k->set.listed[i].endpoint.addr.family == k->source.own.family)
            return true;
    return false;
}

/* A dual-stack pod has an endpoint in each family, but its node has one name, and that is made of
 * our family as ours is. 0: all. */
static uint8_t wanted_family(const struct k8s_source *k)
{
    if (k->family.both || k->family.only != 0)
        return k->family.only;
    return has_own_family(k) ? k->source.own.family : 0;
}

static void add_entry(struct source *s, const struct k8s_endpoint *endpoint)
{
    struct entry *e = &s->entries[s->n_entries++];

    *e = (struct entry){.addr = endpoint->addr, .terminating = endpoint->terminating};
    source_name(s, e, endpoint->hostname[0] == '\0' ? NULL : endpoint->hostname, NULL);
    s->row.sees_us = s->row.sees_us || addr_same_ip(&e->addr, &s->own);
}

static clu_error make_entries(struct k8s_source *k)
{
    struct source *s = &k->source;
    uint8_t family = wanted_family(k);
    size_t room = min_u64(k->set.n_listed, SOURCE_ENTRIES_MAX);
    struct entry *entries = realloc(s->entries, (room + 1) * sizeof *entries);

    if (entries == NULL)
        return CLU_ENOMEM;
    s->entries = entries;
    s->n_entries = 0;
    s->row.sees_us = false;
    for (size_t i = 0; i < k->set.n_listed && s->n_entries < room; i++) {
        const struct k8s_endpoint *e = &k->set.listed[i].endpoint;

        if (family == 0 || e->addr.family == family)
            add_entry(s, e);
    }
    return CLU_OK;
}

clu_error k8s_refresh(struct k8s_source *k, uint64_t now_ms, bool *changed)
{
    clu_error err = k8s_set_refresh(&k->set, now_ms, changed);

    k->stale = k->stale || *changed;
    *changed = false;
    if (err == CLU_OK && k->stale)
        err = make_entries(k);
    if (err != CLU_OK || !k->stale)
        return err;
    k->stale = false;
    *changed = true;
    k->source.row.changed_ms = now_ms;
    return CLU_OK;
}

/* Nothing that has this label: with a Service there is one slice at least. */
static void say_nothing(struct k8s_source *k)
{
    struct source *s = &k->source;

    if (k->kind == &k8s_slices)
        say(s->row.reason,
            "namespace %s has no EndpointSlice of a Service %s: is there such a "
            "Service, with a selector?",
            s->service.ns, s->service.name);
    else
        say(s->row.reason, "namespace %s has no Pod with these labels", s->service.ns);
}

/* Of those listed, how many have no port of the name that was asked for. */
static size_t count_portless(const struct k8s_source *k)
{
    size_t n = 0;

    for (size_t i = 0; k->port.name[0] != '\0' && i < k->source.n_entries; i++)
        n += k->source.entries[i].addr.port == 0;
    return n;
}

static void say_what_is_wrong(struct k8s_source *k, uint64_t now_ms)
{
    struct source *s = &k->source;
    size_t n_listed = k->set.n_listed, n_portless = count_portless(k);
    char ip[ADDR_TEXT_MAX];

    if (k->set.n_refused > 0 || n_listed > SOURCE_ENTRIES_MAX)
        say(s->row.reason, "only %zu endpoints are listed: that is the limit", s->n_entries);
    else if (n_portless > 0)
        say(s->row.reason, "%zu of them have no port named %s: epmd is asked for it there",
            n_portless, k->port.name);
    else if (s->row.sees_us || !source_wants_us(s) || now_ms < k->started_ms + K8S_SELF_SEEN_MS)
        return;
    else if (!source_explain_loopback(s))
        say(s->row.reason,
            "our own address %s is not among them, so others cannot find us there: does the "
            "selector match this pod?",
            addr_ip_text(&s->own, ip));
}

bool k8s_told(struct k8s_source *k, uint64_t now_ms)
{
    struct source_row *row = &k->source.row;
    bool empty = map_count(&k->set.objects) == 0;

    row->result = empty ? RESULT_NEGATIVE : RESULT_COMPLETE;
    row->reason[0] = '\0';
    row->last_ms = now_ms;
    text_set(row->answer, sizeof row->answer, slice_of(k->watching ? "watching" : "listed"));
    if (empty)
        say_nothing(k);
    else
        say_what_is_wrong(k, now_ms);
    return true;
}

/* ---- documents ---- */

static const json_t *metadata(const json_t *object)
{
    return json_object_get(object, "metadata");
}

/* The version of the newest thing seen, whatever it was. */
static void take_version(struct k8s_source *k, const json_t *object)
{
    const char *version = k8s_text(metadata(object), "resourceVersion");

    if (version[0] != '\0')
        text_set(k->version, sizeof k->version, slice_of(version));
}

static clu_error put_object(struct k8s_source *k, const json_t *object)
{
    struct k8s_object o = {.n = 0};
    const char *name = k8s_text(metadata(object), "name");

    if (name[0] == '\0' || !text_set(o.name, sizeof o.name, slice_of(name)))
        return CLU_EPROTO;
    clu_error err = k->kind->read(&o, object, &k->port);

    return err == CLU_OK ? k8s_set_put(&k->set, &o) : err;
}

/* A page of the list is whole. */
static clu_error read_page(struct k8s_source *k, const json_t *list)
{
    const json_t *items = json_object_get(list, "items");
    clu_error err = CLU_OK;

    take_version(k, list);
    if (!text_set(k->page, sizeof k->page, slice_of(k8s_text(metadata(list), "continue"))) ||
        !json_is_object(metadata(list)))
        return CLU_EPROTO;
    for (size_t i = 0; err == CLU_OK && i < json_array_size(items); i++)
        err = put_object(k, json_array_get(items, i));
    return err;
}

static bool list_ended(struct k8s_source *k, uint64_t now_ms)
{
    bool changed = false;

    k8s_set_end(&k->set);
    if (k8s_refresh(k, now_ms, &changed) != CLU_OK)
        return k8s_no_memory(k, now_ms);
    k->failures = 0;
    k->watching = k->version[0] != '\0';
    k8s_again(k, k->watching ? now_ms : now_ms + K8S_RETRY_MAX_MS);
    k8s_told(k, now_ms);
    source_count(&k->source, k->list_ms, now_ms);
    return true;
}

static bool page_ended(struct k8s_source *k, uint64_t now_ms)
{
    char why[REASON_SIZE];
    json_t *list = k8s_json(buf_slice(&k->text), why);

    if (list == NULL)
        return k8s_failed(k, now_ms, "its list is no JSON: %.200s", why);
    clu_error err = read_page(k, list);

    json_decref(list);
    if (err != CLU_OK)
        return k8s_failed(k, now_ms, "its list cannot be read: %s", clu_strerror(err));
    if (k->page[0] == '\0')
        return list_ended(k, now_ms);
    k8s_again(k, now_ms); /* for the next page */
    return false;
}

/* ---- events of a watch ---- */

/* Each is true when there is something to tell; k8s_again then ended the watch, too. */

static bool on_put(struct k8s_source *k, const json_t *object, uint64_t now_ms)
{
    clu_error err = put_object(k, object);

    take_version(k, object);
    return err != CLU_OK &&
           k8s_failed(k, now_ms, "its event cannot be read: %s", clu_strerror(err));
}

static bool on_deleted(struct k8s_source *k, const json_t *object, uint64_t now_ms)
{
    (void)now_ms;
    k8s_set_remove(&k->set, k8s_text(metadata(object), "name"));
    take_version(k, object);
    return false;
}

static bool on_bookmark(struct k8s_source *k, const json_t *object, uint64_t now_ms)
{
    (void)now_ms;
    take_version(k, object);
    return false;
}

/* Whatever it is: where the watch stands is not sure any more. */
static bool on_error(struct k8s_source *k, const json_t *status, uint64_t now_ms)
{
    uint32_t code = k8s_number(status, "code", UINT16_MAX);

    k->watching = false;
    return k8s_refused(k, (uint16_t)code, k8s_text(status, "message"), now_ms);
}

static const struct {
    const char *type;
    bool (*on)(struct k8s_source *k, const json_t *object, uint64_t now_ms);
} events[] = {
    {"ADDED", on_put},         {"MODIFIED", on_put}, {"DELETED", on_deleted},
    {"BOOKMARK", on_bookmark}, {"ERROR", on_error},
};

/* Kinds of events that are not known are passed over. */
static bool read_event(struct k8s_source *k, clu_slice line, uint64_t now_ms)
{
    char why[REASON_SIZE];
    json_t *event = k8s_json(line, why);
    bool told = false;

    if (event == NULL)
        return k8s_failed(k, now_ms, "an event of its watch is no JSON: %.200s", why);
    k->failures = 0; /* it talks sense */
    for (size_t i = 0; i < COUNT(events); i++)
        if (strcmp(events[i].type, k8s_text(event, "type")) == 0)
            told = events[i].on(k, json_object_get(event, "object"), now_ms);
    json_decref(event);
    return told;
}

/* The next whole line of what came; from is where to look for its end. */
static bool next_line(const struct k8s_source *k, size_t begin, size_t from, clu_slice *line)
{
    const uint8_t *text = k->text.data;
    const uint8_t *end = from < k->text.len ? memchr(text + from, '\n', k->text.len - from) : NULL;

    if (end == NULL)
        return false;
    *line = (clu_slice){text + begin, (size_t)(end - text) - begin};
    return true;
}

/* The first `seen` bytes are known to hold no end of a line. */
static bool read_lines(struct k8s_source *k, size_t seen, uint64_t now_ms)
{
    size_t begin = 0;
    bool told = false;

    for (clu_slice line;
         k->step == STEP_ANSWER && next_line(k, begin, max_u64(begin, seen), &line);) {
        told = line.len > 0 && read_event(k, line, now_ms);
        begin += line.len + 1;
    }
    buf_drop(&k->text, begin);
    return told;
}

/* ---- the answer ---- */

static bool is_watch(const struct k8s_source *k)
{
    return k->watching && k->status == 200;
}

/* A watch that begins shows that the server is well again. */
bool k8s_head(struct k8s_source *k, const struct given *given, uint64_t now_ms)
{
    if (k->step != STEP_ANSWER)
        return false;
    k->status = given->status;
    k->retry_after_s = given->retry_after_s;
    if (k->status == 200)
        k->renewed = false;
    if (!is_watch(k))
        return false;
    bool was_well = k->source.row.result != RESULT_FAILED;

    k8s_told(k, now_ms);
    return !was_well;
}

static bool watch_body(struct k8s_source *k, clu_slice bytes, uint64_t now_ms)
{
    size_t seen = k->text.len;

    buf_put_slice(&k->text, bytes);
    if (k->text.err != CLU_OK)
        return k8s_no_memory(k, now_ms);
    bool told = read_lines(k, seen, now_ms), goes_on = k->step == STEP_ANSWER;

    if (goes_on && k->text.len > K8S_TEXT_MAX)
        return k8s_failed(k, now_ms, "an event of its watch is longer than %u MiB",
                          K8S_TEXT_MAX >> 20);
    bool changed = false;
    clu_error err = k8s_refresh(k, now_ms, &changed);

    if (err != CLU_OK && goes_on)
        return k8s_no_memory(k, now_ms);
    if (changed && goes_on)
        k8s_told(k, now_ms);
    return told || changed;
}

bool k8s_body(struct k8s_source *k, const struct given *given, uint64_t now_ms)
{
    if (k->step != STEP_ANSWER)
        return false;
    if (is_watch(k))
        return watch_body(k, given->bytes, now_ms);
    size_t room = k->status == 200 ? K8S_TEXT_MAX : K8S_ERROR_MAX;

    if (k->text.len + given->bytes.len <= room)
        buf_put_slice(&k->text, given->bytes);
    else if (k->status == 200)
        return k8s_failed(k, now_ms, "a page of its list is longer than %u MiB",
                          K8S_TEXT_MAX >> 20);
    return false;
}

/* The server ends a watch every few minutes: the next one goes on where it was. */
static bool watch_ended(struct k8s_source *k, uint64_t now_ms)
{
    k8s_again(k, max_u64(now_ms, k->asked_ms + K8S_GAP_MS));
    return false;
}

static bool status_ended(struct k8s_source *k, uint64_t now_ms)
{
    char why[REASON_SIZE];
    json_t *status = k8s_json(buf_slice(&k->text), why); /* NULL: it has no message */
    bool told = k8s_refused(k, k->status, k8s_text(status, "message"), now_ms);

    json_decref(status);
    return told;
}

bool k8s_end(struct k8s_source *k, const struct given *given, uint64_t now_ms)
{
    if (k->step != STEP_ANSWER)
        return false;
    k->step = STEP_PAUSE; /* nothing is left to cancel */
    if (given->why != NULL)
        return k8s_lost(k, now_ms, "%s", given->why);
    if (k->status != 200)
        return status_ended(k, now_ms);
    return is_watch(k) ? watch_ended(k, now_ms) : page_ended(k, now_ms);
}
