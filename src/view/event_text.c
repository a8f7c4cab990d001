/* SPDX-License-Identifier: Apache-2.0 */
#include "view/event_text.h"

#include "view/fields.h"
#include "view/text.h"

static const struct {
    const char *word;
    enum event_level level;
    const char *sentence;
} events[EVENT_IDS] = {
#define X(id, word, level, sentence) [id] = {word, level, sentence},
    EVENT_MAP(X)
#undef X
};

enum event_level event_level(enum event_id id)
{
    return events[id].level;
}

const char *event_level_word(enum event_level level)
{
    static const char *const words[] = {
        [LEVEL_DEBUG] = "debug",
        [LEVEL_INFO] = "info",
        [LEVEL_WARNING] = "warning",
        [LEVEL_ERROR] = "error",
    };

    return words[level];
}

static void put_text(struct buf *out, const void *at)
{
    text_put_printable(out, slice_of(at));
}

static void put_address(struct buf *out, const void *at)
{
    const struct addr *a = at;
    char text[ADDR_TEXT_MAX];

    if (a->family != 0)
        buf_put_text(out, a->port == 0 ? addr_ip_text(a, text) : addr_text(a, text));
}

static void put_stage(struct buf *out, const void *at)
{
    buf_put_text(out, stage_text(*(const enum stage *)at));
}

static void put_count(struct buf *out, const void *at)
{
    buf_printf(out, "%llu", (unsigned long long)*(const uint64_t *)at);
}

/* A node, and what its name does not tell of where it is said to be: "a@10.0.0.2 at port 9100". */
static void put_place(struct buf *out, const void *at)
{
    const struct event *e = at;
    char ip[ADDR_TEXT_MAX];
    bool is_host = strcmp(name_host(e->node), addr_ip_text(&e->address, ip)) == 0;

    put_text(out, e->node);
    if (e->address.family == 0)
        return;
    if (is_host && e->address.port != 0)
        buf_printf(out, " at port %u", (unsigned)e->address.port);
    else if (!is_host) {
        buf_put_text(out, e->node[0] == '\0' ? "" : " at ");
        put_address(out, &e->address);
    }
}

/* The fields of an event, as sentences name them between braces. */
static const struct {
    const char *name;
    size_t offset;
    void (*put)(struct buf *out, const void *at);
} fields[] = {
    {"node", offsetof(struct event, node), put_text},
    {"address", offsetof(struct event, address), put_address},
    {"stage", offsetof(struct event, stage), put_stage},
    {"number", offsetof(struct event, number), put_count},
    {"what", offsetof(struct event, what), put_text},
    {"place", 0, put_place},
    {"reason", offsetof(struct event, reason), put_text},
};

/* What an event does not know is said so: "refused unknown from 10.0.0.7: ..." */
static void put_field(struct buf *out, const struct event *e, clu_slice name)
{
    size_t before = out->len;

    for (size_t i = 0; i < COUNT(fields); i++)
        if (slice_is(name, fields[i].name))
            fields[i].put(out, (const uint8_t *)e + fields[i].offset);
    if (out->len == before)
        buf_put_text(out, "unknown");
}

void event_put_sentence(struct buf *out, const struct event *e)
{
    const char *p = events[e->id].sentence;

    for (;;) {
        const char *open = strchrnul(p, '{');
        const char *close = strchrnul(open, '}');

        buf_put(out, p, (size_t)(open - p));
        if (*close == '\0')
            return;
        put_field(out, e, (clu_slice){(const uint8_t *)open + 1, (size_t)(close - open - 1)});
        p = close + 1;
        if (*p == ':' && out->len > 0 && out->data[out->len - 1] == ':')
            p++; /* SPECs may end in a colon */
    }
}

void event_put_text(struct buf *out, const struct event *e, uint64_t wall_ms)
{
    char time[TEXT_TIME_SIZE];

    buf_printf(out, "%s %s ", text_time(wall_ms, time), event_level_word(event_level(e->id)));
    event_put_sentence(out, e);
    buf_put_byte(out, '\n');
}

static const struct field json_fields[] = {
    {"node", offsetof(struct event, node), show_text},
    {"address", offsetof(struct event, address), show_address},
    {"stage", offsetof(struct event, stage), show_stage},
    {"number", offsetof(struct event, number), show_u64_known},
    {"what", offsetof(struct event, what), show_text},
    {"reason", offsetof(struct event, reason), show_text},
};

/* The fields that say something. */
static json_t *known_fields(json_t *line, const struct event *e)
{
    for (size_t i = 0; i < COUNT(json_fields) && line != NULL; i++) {
        json_t *value = json_fields[i].value((const uint8_t *)e + json_fields[i].offset);

        if (json_is_null(value))
            json_decref(value);
        else
            line = put(line, json_fields[i].key, value);
    }
    return line;
}

static json_t *json_line(const struct event *e, uint64_t wall_ms)
{
    struct buf sentence = {0};
    json_t *line = put(json_object(), "time", show_time(&wall_ms));

    event_put_sentence(&sentence, e);
    line = put(line, "level", json_string(event_level_word(event_level(e->id))));
    line = put(line, "event", json_string(events[e->id].word));
    const char *text = buf_text(&sentence);

    line = put(line, "text", sentence.err == CLU_OK ? show_text(text) : NULL);
    buf_free(&sentence);
    return known_fields(line, e);
}

void event_put_json(struct buf *out, const struct event *e, uint64_t wall_ms)
{
    clu_error err = json_put(out, json_line(e, wall_ms), JSON_COMPACT);

    if (err != CLU_OK)
        out->err = err;
}
