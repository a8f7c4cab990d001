/* SPDX-License-Identifier: Apache-2.0 */
#include "find/source.h"

#include <stdlib.h>

#include "find/source_impl.h"
#include "find/words.h"

static const struct scheme *const schemes[] = {
    &scheme_dns,  &scheme_srv,   &scheme_k8s,  &scheme_gossip,
    &scheme_epmd, &scheme_hosts, &scheme_file, &scheme_static,
};

/* Cuts the text at the first `at`; what stands behind it, or NULL when there is none. */
static char *cut(char *text, char at)
{
    char *p = strchr(text, at);

    if (p != NULL)
        *p++ = '\0';
    return p;
}

static bool option_given(const struct spec *spec, const char *key)
{
    for (size_t i = 0; i < spec->n_options; i++)
        if (strcmp(spec->options[i].key, key) == 0)
            return true;
    return false;
}

static clu_error spec_options(struct spec *spec, char *text, char why[REASON_SIZE])
{
    for (char *next; text != NULL; text = next) {
        next = cut(text, '&');
        const char *value = cut(text, '=');

        if (value == NULL || text[0] == '\0' || spec->n_options == SPEC_OPTIONS_MAX) {
            say(why, "options of a SPEC are KEY=VALUE, at most %d, with & between: \"%.60s\"",
                SPEC_OPTIONS_MAX, text);
            return CLU_EBADARG;
        }
        if (option_given(spec, text)) {
            say(why, "the option \"%.40s\" of a SPEC stands there twice", text);
            return CLU_EBADARG;
        }
        spec->options[spec->n_options].key = text;
        spec->options[spec->n_options++].value = value;
    }
    return CLU_OK;
}

static clu_error no_scheme(const char *text, char why[REASON_SIZE])
{
    struct buf list = {0};

    for (size_t i = 0; i < COUNT(schemes); i++)
        buf_printf(&list, " %s:", schemes[i]->name);
    say(why, "\"%.80s\" is no SPEC: it begins with none of%s", text, buf_text(&list));
    buf_free(&list);
    return CLU_EBADARG;
}

static clu_error spec_parse(struct spec *spec, const char *text, char why[REASON_SIZE])
{
    *spec = (struct spec){.n_options = 0};
    if (!text_set(spec->text, sizeof spec->text, slice_of(text))) {
        say(why, "a SPEC has at most %d bytes: \"%.60s...\"", SPEC_SIZE - 1, text);
        return CLU_EBADARG;
    }
    char *body = cut(spec->text, ':');

    if (body == NULL)
        return no_scheme(text, why);
    spec->scheme = spec->text;
    spec->body = body;
    return spec_options(spec, cut(body, '?'), why);
}

static const struct scheme *find_scheme(const char *name)
{
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (strcmp(schemes[i]->name, name) == 0)
            return schemes[i];
    return NULL;
}

/* Names those that there are. */
static clu_error no_option(const struct scheme *scheme, const char *key, char why[REASON_SIZE])
{
    struct buf list = {0};

    for (size_t i = 0; i < scheme->n_options; i++)
        buf_printf(&list, " %s=", scheme->options[i].key);
    say(why, "%s: has no option \"%.40s\"%s%s", scheme->name, key,
        scheme->n_options == 0 ? "" : ": it takes", buf_text(&list));
    buf_free(&list);
    return CLU_EBADARG;
}

static clu_error set_option(struct source *s, const char *key, const char *value,
                            char why[REASON_SIZE])
{
    for (size_t i = 0; i < s->scheme->n_options; i++)
        if (strcmp(s->scheme->options[i].key, key) == 0)
            return s->scheme->options[i].set(s, value, why);
    return no_option(s->scheme, key, why);
}

clu_error source_set_flag(const struct source *s, bool *flag, const char *key, const char *value,
                          char why[REASON_SIZE])
{
    *flag = strcmp(value, "1") == 0;
    if (*flag || strcmp(value, "0") == 0)
        return CLU_OK;
    say(why, "%s: %s is 1 or 0, not \"%.40s\"", s->scheme->name, key, value);
    return CLU_EBADARG;
}

clu_error source_choose_family(const struct source *s, const char *value,
                               struct family_choice *choice, char why[REASON_SIZE])
{
    static const struct {
        const char *value;
        struct family_choice choice;
    } rows[] = {{"auto", {0, false}}, {"both", {0, true}}, {"4", {4, false}}, {"6", {6, false}}};

    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(rows[i].value, value) == 0) {
            *choice = rows[i].choice;
            return CLU_OK;
        }
    say(why, "%s: family is 4, 6, both or auto, not \"%.40s\"", s->scheme->name, value);
    return CLU_EBADARG;
}

static clu_error configure(struct source *s, const struct spec *spec, char why[REASON_SIZE])
{
    clu_error err = CLU_OK;

    if (s->scheme->init != NULL)
        s->scheme->init(s);
    for (size_t i = 0; err == CLU_OK && i < spec->n_options; i++)
        err = set_option(s, spec->options[i].key, spec->options[i].value, why);
    if (err == CLU_OK)
        err = s->scheme->open(s, spec->body, why);
    return err != CLU_OK ? err : source_check_name(s, why);
}

/* "myapp" of "myapp@10.0.0.1"; "" of a name that is not there yet. */
static void base_of(char out[NODE_NAME_SIZE], const char *name)
{
    text_set(out, NODE_NAME_SIZE, (clu_slice){(const uint8_t *)name, strcspn(name, "@")});
}

clu_error source_new(struct source **out, const char *text, const struct source_place *place,
                     char why[REASON_SIZE])
{
    struct spec spec;

    *out = NULL;
    if (spec_parse(&spec, text, why) != CLU_OK)
        return CLU_EBADARG;
    const struct scheme *scheme = find_scheme(spec.scheme);

    if (scheme == NULL)
        return no_scheme(text, why);
    struct source *s = calloc(1, scheme->size);

    if (s == NULL) {
        say(why, "out of memory");
        return CLU_ENOMEM;
    }
    s->scheme = scheme;
    text_set(s->row.spec, sizeof s->row.spec, slice_of(text));
    s->place = place;
    base_of(s->base, place->own_name);
    if (scheme->template != NULL)
        text_set(s->template, sizeof s->template, slice_of(scheme->template));
    clu_error err = configure(s, &spec, why);

    if (err != CLU_OK) {
        source_free(s);
        return err;
    }
    *out = s;
    return CLU_OK;
}

void source_free(struct source *s)
{
    if (s == NULL)
        return;
    if (s->scheme->close != NULL)
        s->scheme->close(s);
    free(s->entries);
    free(s);
}

void source_count(struct source *s, uint64_t begun_ms, uint64_t now_ms)
{
    s->row.rounds[s->row.result]++;
    s->row.took_ms = now_ms - begun_ms;
    s->row.took_total_ms += s->row.took_ms;
}

/* Who listens at all addresses under a name that is none does not know which is its own. */
bool source_wants_us(const struct source *s)
{
    return s->own.family != 0 && !addr_is_any(&s->own) && !s->place->hidden;
}

bool source_explain_loopback(struct source *s)
{
    char ip[ADDR_TEXT_MAX];
    size_t i = 0;

    while (i < s->n_entries &&
           (s->entries[i].addr.family == 0 || addr_is_loopback(&s->entries[i].addr)))
        i++;
    if (i == s->n_entries || !addr_is_loopback(&s->own))
        return false;
    say(s->row.reason,
        "this node is at %s, where no other host finds it: set MY_POD_IP to the address of this "
        "pod (status.podIP), or give a name with an address that others reach",
        addr_ip_text(&s->own, ip));
    return true;
}

bool source_lists_us(const struct source *s)
{
    for (size_t i = 0; i < s->n_entries; i++)
        if (strcmp(s->entries[i].name, s->place->own_name) == 0)
            return s->place->own_name[0] != '\0';
    return false;
}

void source_start(struct source *s, const struct addr *own, uint64_t now_ms)
{
    s->own = *own;
    s->scheme->start(s, now_ms);
}

void source_poke(struct source *s, uint64_t now_ms)
{
    if (s->scheme->poke != NULL)
        s->scheme->poke(s, now_ms);
}

uint64_t source_deadline(const struct source *s)
{
    return s->scheme->deadline == NULL ? NEVER : s->scheme->deadline(s);
}

bool source_tick(struct source *s, uint64_t now_ms)
{
    return s->scheme->tick != NULL && s->scheme->tick(s, now_ms);
}

bool source_stands(const struct source *s)
{
    return s->scheme->stands || source_deadline(s) == NEVER;
}

bool source_adds_only(const struct source *s)
{
    return s->scheme->adds_only;
}

void source_calm(struct source *s, uint64_t since_ms)
{
    if (s->scheme->calm != NULL)
        s->scheme->calm(s, since_ms);
}

bool source_need(struct source *s, uint64_t now_ms, struct need *need)
{
    return s->scheme->need != NULL && s->scheme->need(s, now_ms, need);
}

bool source_given(struct source *s, const struct given *given, uint64_t now_ms)
{
    return s->scheme->given != NULL && s->scheme->given(s, given, now_ms);
}

bool source_guesses(const struct source *s)
{
    return s->scheme->guesses && !s->named;
}

enum result_kind source_result(const struct source *s)
{
    return s->row.result;
}

const char *source_reason(const struct source *s)
{
    return s->row.reason;
}

const struct entry *source_entries(const struct source *s, size_t *n)
{
    *n = s->n_entries;
    return s->entries;
}

static void to_wall(uint64_t *ms, uint64_t offset)
{
    *ms = *ms == 0 || *ms == NEVER ? 0 : *ms + offset;
}

void source_row(const struct source *s, uint64_t wall_offset_ms, struct source_row *row)
{
    *row = s->row;
    row->next_ms = source_deadline(s);
    row->n_addresses = (uint32_t)s->n_entries;
    to_wall(&row->last_ms, wall_offset_ms);
    to_wall(&row->next_ms, wall_offset_ms);
    to_wall(&row->changed_ms, wall_offset_ms);
}
