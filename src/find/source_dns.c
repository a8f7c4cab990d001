/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "find/dns_family.h"
#include "find/source_polled.h"

/* dns:NAME: the A and AAAA records of one absolute name. Each family is a query of its own: merged,
 * "A timed out, AAAA has nothing" would read as "nothing is there". */

struct dns_source {
    struct polled polled;
    struct dns_family families[2]; /* that of our own address first */
    bool both;                     /* list both families even where our own has addresses */
    bool stale;                    /* the entries do not show all changes yet */
};

static struct dns_source *dns_of(struct source *s)
{
    return (struct dns_source *)s;
}

/* What is listed. A complete round replaces it, a partial one adds to it. */

static void note_change(struct dns_source *d, bool news)
{
    d->polled.changed |= news;
    d->stale |= news;
}

static bool prefers_first(const struct dns_source *d)
{
    return !d->both && d->polled.source.own.family == d->families[0].number;
}

/* Whether only the first family's addresses are listed: a dual-stack pod stands in both answers,
 * but its node has one name, and that is made of our family as ours is. */
static bool first_alone(const struct dns_source *d)
{
    return prefers_first(d) && d->families[0].listed.n > 0;
}

static void add_entries(struct source *s, const struct addr_set *set)
{
    for (size_t i = 0; i < set->n && s->n_entries < SOURCE_ENTRIES_MAX; i++) {
        struct entry *e = &s->entries[s->n_entries++];

        *e = (struct entry){.addr = set->items[i]};
        source_name(s, e, NULL, NULL);
    }
}

static void refresh_entries(struct dns_source *d)
{
    struct source *s = &d->polled.source;
    size_t n = d->families[0].listed.n + d->families[1].listed.n;
    struct entry *entries = d->stale ? realloc(s->entries, (n + 1) * sizeof *entries) : NULL;

    if (entries == NULL)
        return; /* nothing to do, or no memory: then at the next round */
    s->entries = entries;
    s->n_entries = 0;
    add_entries(s, &d->families[0].listed);
    if (!first_alone(d))
        add_entries(s, &d->families[1].listed);
    d->stale = false;
}

/* Rounds. */

/* A family that is empty again and again is left out while the other one has addresses. */
static bool is_asked(const struct dns_source *d, size_t i, uint64_t now_ms)
{
    const struct dns_family *f = &d->families[i], *other = &d->families[1 - i];
    bool quiet = dns_family_is_quiet(f, now_ms) && other->wanted && other->answer.outcome == FOUND;

    return f->wanted && !quiet;
}

static void begin_round(struct dns_source *d, uint64_t now_ms)
{
    bool asked[] = {is_asked(d, 0, now_ms), is_asked(d, 1, now_ms)};

    for (size_t i = 0; i < 2; i++)
        dns_family_begin(&d->families[i], asked[i]);
}

/* The family that decides about the reason. */
static const struct dns_family *worst(const struct dns_source *d)
{
    const struct dns_family *f = d->families;

    return f[1].answer.outcome > f[0].answer.outcome ? &f[1] : &f[0];
}

/* What the answers say. Where only the first family is listed, its answer alone makes the list:
 * some servers refuse AAAA for ever. */
static enum result_kind answered_kind(const struct dns_source *d)
{
    if (prefers_first(d) && d->families[0].answer.outcome == FOUND)
        return RESULT_COMPLETE;
    bool some = d->families[0].found.n + d->families[1].found.n > 0;

    if (worst(d)->answer.outcome >= CUT)
        return some ? RESULT_PARTIAL : RESULT_FAILED;
    return some ? RESULT_COMPLETE : RESULT_NEGATIVE;
}

/* How long the round's result holds: the shortest of the answers that made it. */
static uint32_t round_ttl(const struct dns_source *d, enum result_kind kind)
{
    uint32_t ttl = UINT32_MAX;

    for (size_t i = 0; i < 2; i++) {
        const struct dns_family *f = &d->families[i];
        bool counts = kind == RESULT_NEGATIVE ? f->answer.outcome != NOT_ASKED : f->found.n > 0;

        if (counts && f->answer.ttl_s < ttl)
            ttl = f->answer.ttl_s;
    }
    return ttl == UINT32_MAX ? 0 : ttl;
}

/* The families whose doubts count, the first ones of the array. */
static size_t n_counted(const struct dns_source *d)
{
    return first_alone(d) ? 1 : 2;
}

static bool is_doubted(const struct dns_source *d)
{
    for (size_t i = 0; i < n_counted(d); i++)
        if (trust_doubts(&d->families[i].trust))
            return true;
    return false;
}

static bool sees_us(const struct dns_source *d)
{
    return addr_set_has(&d->families[0].listed, &d->polled.source.own) ||
           addr_set_has(&d->families[1].listed, &d->polled.source.own);
}

static const char *type_text(uint16_t type)
{
    return type == DNS_TYPE_A ? "A" : "AAAA";
}

static void explain_doubt(struct dns_source *d)
{
    size_t n_gone = 0, n_listed = 0;

    for (size_t i = 0; i < n_counted(d); i++) {
        n_gone += d->families[i].n_gone;
        n_listed += d->families[i].n_before;
    }
    polled_explain_doubt(&d->polled, n_gone, n_listed);
}

/* answered: what the answers said, which is not always believed. */
static void explain(struct dns_source *d, enum result_kind answered, bool doubted, uint64_t now_ms)
{
    const struct dns_answer *a = &worst(d)->answer;
    struct source_row *row = &d->polled.source.row;

    text_set(row->answer, sizeof row->answer,
             slice_of(answered == RESULT_COMPLETE ? "NOERROR" : a->word));
    if (doubted)
        explain_doubt(d);
    else if (answered == RESULT_COMPLETE)
        polled_explain_us(&d->polled, now_ms);
    else if (answered == RESULT_PARTIAL)
        polled_explain_answer(&d->polled, type_text(worst(d)->type), a);
    else
        polled_explain_answer(&d->polled, NULL, a);
}

static void apply(struct dns_source *d, enum result_kind answered, uint64_t now_ms)
{
    bool replaces = answered == RESULT_COMPLETE || answered == RESULT_NEGATIVE;

    for (size_t i = 0; i < 2; i++) {
        struct dns_family *f = &d->families[i];
        bool tells = f->answer.outcome != NOT_ASKED && f->answer.outcome < CUT;

        note_change(d, replaces && tells ? dns_family_replace(f, now_ms) : dns_family_add(f));
        dns_family_end(f, now_ms);
    }
    refresh_entries(d);
}

static bool end_round(struct dns_source *d, uint64_t now_ms)
{
    enum result_kind answered = answered_kind(d);

    apply(d, answered, now_ms);
    bool is_empty = d->families[0].listed.n + d->families[1].listed.n == 0;
    enum result_kind kind = polled_believe(&d->polled, answered, is_doubted(d), is_empty);
    struct round_end end = {.kind = kind,
                            .doubted = answered == RESULT_COMPLETE && kind == RESULT_PARTIAL,
                            .ttl_s = round_ttl(d, answered),
                            .sees_us = sees_us(d)};

    polled_end(&d->polled, &end, now_ms);
    explain(d, answered, end.doubted, now_ms);
    return true;
}

/* New addresses of our own family need not wait for the other family's answer. */
static bool list_early(struct dns_source *d, struct dns_family *f, uint64_t now_ms)
{
    struct source_row *row = &d->polled.source.row;
    bool news = f == &d->families[0] && dns_family_add(f);

    if (!news)
        return false;
    note_change(d, news);
    refresh_entries(d);
    row->changed_ms = now_ms;
    row->result = RESULT_PARTIAL;
    row->asking = true;
    row->reason[0] = '\0'; /* nothing is wrong: the round goes on */
    return true;
}

static bool is_open(const struct dns_source *d)
{
    const struct dns_family *f = d->families;

    return f[0].due || f[1].due || f[0].waiting || f[1].waiting;
}

static void dns_start(struct source *s, uint64_t now_ms)
{
    struct dns_source *d = dns_of(s);

    if (s->own.family == 6) {
        struct dns_family first = d->families[0];

        d->families[0] = d->families[1];
        d->families[1] = first;
    }
    polled_start(s, now_ms);
}

static uint64_t dns_deadline(const struct source *s)
{
    const struct dns_family *f = ((const struct dns_source *)s)->families;

    return f[0].due || f[1].due ? 0 : polled_deadline(s);
}

static bool dns_need(struct source *s, uint64_t now_ms, struct need *need)
{
    struct dns_source *d = dns_of(s);

    if (polled_begin(&d->polled, now_ms))
        begin_round(d, now_ms);
    for (size_t i = 0; i < 2; i++) {
        struct dns_family *f = &d->families[i];

        if (!f->due)
            continue;
        f->due = false;
        f->waiting = true;
        polled_query(&d->polled, f->type, need);
        return true;
    }
    return false;
}

static struct dns_family *waiting_for(struct dns_source *d, uint16_t type)
{
    for (size_t i = 0; i < 2; i++)
        if (d->families[i].type == type && d->families[i].waiting)
            return &d->families[i];
    return NULL;
}

static bool dns_given(struct source *s, const struct given *given, uint64_t now_ms)
{
    struct dns_source *d = dns_of(s);
    struct dns_family *f = waiting_for(d, given->type);

    if (f == NULL)
        return false;
    dns_family_answer(f, d->polled.name, given->dns, given->bytes);
    s->row.failures += f->answer.outcome == FAILED;
    if (f->answer.outcome != FAILED)
        s->row.last_ms = now_ms;
    return is_open(d) ? list_early(d, f, now_ms) : end_round(d, now_ms);
}

/* The SPEC. */

static clu_error set_family(struct source *s, const char *value, char why[REASON_SIZE])
{
    struct dns_source *d = dns_of(s);
    struct family_choice choice;
    clu_error err = source_choose_family(s, value, &choice, why);

    if (err != CLU_OK)
        return err;
    for (size_t i = 0; i < COUNT(d->families); i++)
        d->families[i].wanted = choice.only == 0 || choice.only == d->families[i].number;
    d->both = choice.both || choice.only != 0;
    return CLU_OK;
}

static void dns_init(struct source *s)
{
    struct dns_source *d = dns_of(s);

    d->families[0] = (struct dns_family){.type = DNS_TYPE_A, .number = 4, .wanted = true};
    d->families[1] = (struct dns_family){.type = DNS_TYPE_AAAA, .number = 6, .wanted = true};
    polled_init(s);
}

static void dns_close(struct source *s)
{
    struct dns_source *d = dns_of(s);

    for (size_t i = 0; i < 2; i++)
        dns_family_free(&d->families[i]);
}

static const struct source_option options[] = {
    {"base", source_set_base}, {"name", source_set_name}, {"family", set_family}};

const struct scheme scheme_dns = {
    .name = "dns",
    .guesses = true,
    .parts = PART_BIT(PART_BASE) | PART_BIT(PART_IP) | PART_BIT(PART_DASHED) |
             PART_BIT(PART_SERVICE) | PART_BIT(PART_NS) | PART_BIT(PART_ZONE),
    .template = "{base}@{ip}",
    .size = sizeof(struct dns_source),
    .options = options,
    .n_options = COUNT(options),
    .init = dns_init,
    .open = polled_open,
    .close = dns_close,
    .start = dns_start,
    .poke = polled_poke,
    .calm = polled_calm,
    .deadline = dns_deadline,
    .need = dns_need,
    .given = dns_given,
};
