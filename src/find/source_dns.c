/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "find/dns_family.h"
#include "find/schedule.h"
#include "find/source_impl.h"
#include "find/words.h"

/* dns:NAME: the A and AAAA records of one absolute name. Each family is a query of its own: merged,
 * "A timed out, AAAA has nothing" would read as "nothing is there". */

/* Our own address should be in the answer by then: endpoints reach DNS within a few seconds. */
#define SELF_SEEN_MS 10000
/* The start burst ends when the answer has not changed for this many rounds. */
#define UNCHANGED_ROUNDS 2

struct dns_source {
    struct source source;
    char name[HOST_NAME_SIZE]; /* without a final dot */
    struct schedule when;
    struct dns_family families[2]; /* that of our own address first */
    bool both;                     /* list both families even where our own has addresses */
    bool running;                  /* a round is under way */
    bool changed;                  /* the present round changed what is listed */
    bool stale;                    /* the entries do not show that yet */
    unsigned unchanged;            /* complete rounds in a row that changed nothing */
};

static struct dns_source *dns_of(struct source *s)
{
    return (struct dns_source *)s;
}

/* What is listed. A complete round replaces it, a partial one adds to it. */

static void add_listed(struct dns_source *d, struct dns_family *f)
{
    for (size_t i = 0; i < f->found.n && f->listed.n < SOURCE_ENTRIES_MAX; i++)
        if (addr_set_add(&f->listed, &f->found.items[i]) == CLU_OK)
            d->changed = d->stale = true;
}

static void replace_listed(struct dns_source *d, struct dns_family *f)
{
    struct addr_set before = f->listed;

    if (addr_set_same(&f->found, &f->listed))
        return;
    f->listed = f->found;
    f->found = before;
    d->changed = d->stale = true;
}

static bool prefers_first(const struct dns_source *d)
{
    return !d->both && d->source.own.family == d->families[0].number;
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
    struct source *s = &d->source;
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
    bool quiet = dns_family_is_quiet(f, now_ms) && other->wanted && other->outcome == FOUND;

    return f->wanted && !quiet;
}

static void begin_round(struct dns_source *d, uint64_t now_ms)
{
    bool asked[] = {is_asked(d, 0, now_ms), is_asked(d, 1, now_ms)};

    for (size_t i = 0; i < 2; i++)
        dns_family_begin(&d->families[i], asked[i]);
    d->running = true;
    d->changed = false;
    schedule_begun(&d->when);
}

/* The family that decides about the reason. */
static const struct dns_family *worst(const struct dns_source *d)
{
    const struct dns_family *f = d->families;

    return f[1].outcome > f[0].outcome ? &f[1] : &f[0];
}

/* Where only the first family is listed, its answer alone makes the list: some servers refuse AAAA
 * for ever. */
static enum result_kind round_kind(const struct dns_source *d)
{
    if (prefers_first(d) && d->families[0].outcome == FOUND)
        return RESULT_COMPLETE;
    bool some = d->families[0].found.n + d->families[1].found.n > 0;

    if (worst(d)->outcome >= CUT)
        return some ? RESULT_PARTIAL : RESULT_FAILED;
    return some ? RESULT_COMPLETE : RESULT_NEGATIVE;
}

/* How long the round's result holds: the shortest of the answers that made it. */
static uint32_t round_ttl(const struct dns_source *d, enum result_kind kind)
{
    uint32_t ttl = UINT32_MAX;

    for (size_t i = 0; i < 2; i++) {
        const struct dns_family *f = &d->families[i];
        bool counts = kind == RESULT_NEGATIVE ? f->outcome != NOT_ASKED : f->found.n > 0;

        if (counts && f->ttl_s < ttl)
            ttl = f->ttl_s;
    }
    return ttl;
}

static bool sees_us(const struct dns_source *d)
{
    return addr_set_has(&d->families[0].listed, &d->source.own) ||
           addr_set_has(&d->families[1].listed, &d->source.own);
}

/* A complete answer may still show that others will not find us. */
static void explain_complete(struct dns_source *d, uint64_t now_ms)
{
    struct source *s = &d->source;
    char ip[ADDR_TEXT_MAX];

    text_set(s->row.answer, sizeof s->row.answer, slice_of("NOERROR"));
    s->row.reason[0] = '\0';
    if (!s->row.sees_us && s->own.family != 0 && now_ms >= d->when.start_ms + SELF_SEEN_MS)
        say(s->row.reason,
            "our own address %s is not in the answer, so others cannot find us there: does the "
            "Service's selector match this pod, and is publishNotReadyAddresses: true set?",
            addr_ip_text(&s->own, ip));
}

static const char *type_text(uint16_t type)
{
    return type == DNS_TYPE_A ? "A" : "AAAA";
}

static void explain(struct dns_source *d, enum result_kind kind, uint64_t now_ms)
{
    const struct dns_family *f = worst(d);
    struct source_row *row = &d->source.row;

    if (kind == RESULT_COMPLETE) {
        explain_complete(d, now_ms);
        return;
    }
    text_set(row->answer, sizeof row->answer, slice_of(f->answer));
    if (kind == RESULT_PARTIAL)
        say(row->reason, "%s records: %s", type_text(f->type), f->reason);
    else
        say(row->reason, "%s", f->reason);
}

static void apply(struct dns_source *d, enum result_kind kind)
{
    for (size_t i = 0; i < 2; i++) {
        struct dns_family *f = &d->families[i];

        if (kind == RESULT_COMPLETE && f->outcome != NOT_ASKED && f->outcome < CUT)
            replace_listed(d, f);
        else if (kind == RESULT_COMPLETE || kind == RESULT_PARTIAL)
            add_listed(d, f);
    }
    refresh_entries(d);
}

static bool end_round(struct dns_source *d, uint64_t now_ms)
{
    struct source_row *row = &d->source.row;
    enum result_kind kind = round_kind(d);
    uint32_t ttl_s = round_ttl(d, kind);

    apply(d, kind);
    for (size_t i = 0; i < 2; i++)
        dns_family_end(&d->families[i], now_ms);
    if (d->changed)
        row->changed_ms = now_ms;
    row->result = kind;
    row->sees_us = sees_us(d);
    row->ttl_s = ttl_s == UINT32_MAX ? 0 : ttl_s;
    d->unchanged = d->changed ? 0 : d->unchanged + (kind == RESULT_COMPLETE);
    d->running = false;
    row->asking = false;
    explain(d, kind, now_ms);
    schedule_ended(&d->when, kind, row->ttl_s, row->sees_us && d->unchanged >= UNCHANGED_ROUNDS,
                   now_ms);
    return true;
}

/* New addresses of our own family need not wait for the other family's answer. */
static bool list_early(struct dns_source *d, const struct dns_family *f, uint64_t now_ms)
{
    struct source_row *row = &d->source.row;

    if (f != &d->families[0])
        return false;
    bool before = d->changed;

    add_listed(d, &d->families[0]);
    if (d->changed == before)
        return false;
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
    schedule_start(&d->when, s->place->rng, now_ms);
}

static void dns_poke(struct source *s, uint64_t now_ms)
{
    schedule_poke(&dns_of(s)->when, now_ms);
}

static uint64_t dns_deadline(const struct source *s)
{
    const struct dns_source *d = (const struct dns_source *)s;

    if (!d->running)
        return schedule_deadline(&d->when);
    return d->families[0].due || d->families[1].due ? 0 : NEVER;
}

static bool dns_need(struct source *s, uint64_t now_ms, struct need *need)
{
    struct dns_source *d = dns_of(s);

    if (!d->running && schedule_deadline(&d->when) <= now_ms)
        begin_round(d, now_ms);
    for (size_t i = 0; i < 2; i++) {
        struct dns_family *f = &d->families[i];

        if (!f->due)
            continue;
        f->due = false;
        f->waiting = true;
        s->row.queries++;
        need->kind = NEED_RECORDS;
        need->u.records.type = f->type;
        text_set(need->u.records.name, sizeof need->u.records.name, slice_of(d->name));
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
    dns_family_answer(f, d->name, given->dns, given->bytes);
    s->row.failures += f->outcome == FAILED;
    if (f->outcome != FAILED)
        s->row.last_ms = now_ms;
    return is_open(d) ? list_early(d, f, now_ms) : end_round(d, now_ms);
}

/* The SPEC. */

static clu_error set_family(struct source *s, const char *value, char why[REASON_SIZE])
{
    static const struct {
        const char *value;
        bool v4, v6, both;
    } rows[] = {
        {"4", true, false, true},
        {"6", false, true, true},
        {"both", true, true, true},
        {"auto", true, true, false},
    };
    struct dns_source *d = dns_of(s);

    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(rows[i].value, value) == 0) {
            d->families[0].wanted = rows[i].v4;
            d->families[1].wanted = rows[i].v6;
            d->both = rows[i].both;
            return CLU_OK;
        }
    say(why, "dns: family is 4, 6, both or auto, not \"%.40s\"", value);
    return CLU_EBADARG;
}

static void dns_init(struct source *s)
{
    struct dns_source *d = dns_of(s);

    d->families[0] = (struct dns_family){.type = DNS_TYPE_A, .number = 4, .wanted = true};
    d->families[1] = (struct dns_family){.type = DNS_TYPE_AAAA, .number = 6, .wanted = true};
    d->when.next_ms = d->when.poke_ms = NEVER;
}

static clu_error dns_open(struct source *s, const char *body, char why[REASON_SIZE])
{
    return source_absolute(s, body, dns_of(s)->name, why);
}

static void dns_close(struct source *s)
{
    struct dns_source *d = dns_of(s);

    for (size_t i = 0; i < 2; i++) {
        addr_set_free(&d->families[i].found);
        addr_set_free(&d->families[i].listed);
    }
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
    .open = dns_open,
    .close = dns_close,
    .start = dns_start,
    .poke = dns_poke,
    .deadline = dns_deadline,
    .need = dns_need,
    .given = dns_given,
};
