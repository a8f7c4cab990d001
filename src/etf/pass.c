/* SPDX-License-Identifier: Apache-2.0
 *
 * Passing over terms: check, skip and raw reading share one function, so that they cannot disagree.
 */
#include "etf/etf.h"
#include "etf/funs.h"
#include "etf/quick.h"
#include "etf/utf8.h"

/* What follows the head of a term that was just passed. */
struct head {
    uint64_t terms;     /* terms inside it; 0 for a leaf */
    const uint8_t *end; /* where the terms must end (NEW_FUN says it twice); NULL: wherever */
};

/* What a rule is told. */
struct tagged {
    clu_reader *r;          /* stands behind the payload; what is wrong is said to it */
    const uint8_t *payload; /* as the layout says */
    uint32_t n;             /* the length */
    struct head *head;      /* filled in from the layout; a rule may correct it */
};

typedef void pass_rule(const struct tagged *t);

static pass_rule pass_utf8, pass_latin1, pass_cache_ref, pass_float, pass_float_text, pass_list,
    pass_bits, pass_big, pass_words, pass_export, pass_fun, pass_new_fun, pass_record,
    refuse_compressed, refuse_local;

/* How the bytes behind a tag are laid out: a length n of `width` bytes; `atoms` atoms; `fixed` and
 * n times `unit` bytes, which are the payload; what the rule takes; `more` and n times `terms`
 * terms.
 */
static const struct layout {
    bool known;
    uint8_t width, atoms, fixed, unit, terms, more;
    pass_rule *rule;
} layouts[256] = {
    [ETF_SMALL_INTEGER] = {true, .fixed = 1},
    [ETF_INTEGER] = {true, .fixed = 4},
    [ETF_SMALL_BIG] = {true, .width = 1, .fixed = 1, .unit = 1, .rule = pass_big},
    [ETF_LARGE_BIG] = {true, .width = 4, .fixed = 1, .unit = 1, .rule = pass_big},
    [ETF_NEW_FLOAT] = {true, .fixed = 8, .rule = pass_float},
    [ETF_FLOAT] = {true, .fixed = ETF_FLOAT_TEXT, .rule = pass_float_text},
    [ETF_ATOM] = {true, .width = 2, .unit = 1, .rule = pass_latin1},
    [ETF_SMALL_ATOM] = {true, .width = 1, .unit = 1, .rule = pass_latin1},
    [ETF_ATOM_UTF8] = {true, .width = 2, .unit = 1, .rule = pass_utf8},
    [ETF_SMALL_ATOM_UTF8] = {true, .width = 1, .unit = 1, .rule = pass_utf8},
    [ETF_ATOM_CACHE_REF] = {true, .fixed = 1, .rule = pass_cache_ref},
    [ETF_SMALL_TUPLE] = {true, .width = 1, .terms = 1},
    [ETF_LARGE_TUPLE] = {true, .width = 4, .terms = 1},
    [ETF_NIL] = {.known = true},
    [ETF_STRING] = {true, .width = 2, .unit = 1},
    [ETF_LIST] = {true, .width = 4, .terms = 1, .more = 1, .rule = pass_list},
    [ETF_MAP] = {true, .width = 4, .terms = 2},
    [ETF_BINARY] = {true, .width = 4, .unit = 1},
    [ETF_BIT_BINARY] = {true, .width = 4, .fixed = 1, .unit = 1, .rule = pass_bits},
    [ETF_PID] = {true, .atoms = 1, .fixed = 9},
    [ETF_NEW_PID] = {true, .atoms = 1, .fixed = 12},
    [ETF_PORT] = {true, .atoms = 1, .fixed = 5},
    [ETF_NEW_PORT] = {true, .atoms = 1, .fixed = 8},
    [ETF_V4_PORT] = {true, .atoms = 1, .fixed = 12},
    [ETF_REFERENCE] = {true, .atoms = 1, .fixed = 5},
    [ETF_NEW_REFERENCE] = {true, 2, .atoms = 1, .fixed = 1, .unit = 4, .rule = pass_words},
    [ETF_NEWER_REFERENCE] = {true, 2, .atoms = 1, .fixed = 4, .unit = 4, .rule = pass_words},
    [ETF_EXPORT] = {true, .atoms = 2, .fixed = 2, .rule = pass_export},
    [ETF_FUN] = {true, .width = 4, .terms = 1, .rule = pass_fun},
    [ETF_NEW_FUN] = {true, .width = 4, .fixed = 25, .rule = pass_new_fun},
    [ETF_NATIVE_RECORD] = {true, .width = 4, .fixed = 1, .terms = 1, .rule = pass_record},
    [ETF_COMPRESSED] = {true, .rule = refuse_compressed},
    [ETF_LOCAL] = {true, .rule = refuse_local},
};

static inline uint32_t load_length(const uint8_t *p, size_t width)
{
    switch (width) {
    case 0: return 0;
    case 1: return *p;
    case 2: return get_be16(p);
    default: return get_be32(p);
    }
}

/* Passes a tag, which the caller has seen, its length and its payload, where no atoms stand between
 * them; the payload, or NULL. One step for all: it is what check and skip spend their time on. */
static inline const uint8_t *pass_flat(clu_reader *r, const struct layout *lay, uint32_t *n)
{
    const uint8_t *length = r->pos + 1;
    size_t room = (size_t)(r->end - length);

    *n = room < lay->width ? 0 : load_length(length, lay->width);
    uint64_t size = lay->fixed + (uint64_t)*n * lay->unit;

    if (room < lay->width + size) {
        clu_reader_fail(r, CLU_ETRUNC);
        return NULL;
    }
    r->pos = length + lay->width + size;
    return length + lay->width;
}

/* Whether a term of this type stands here; if not, what should hold one is malformed. */
static bool expect(clu_reader *r, clu_type type)
{
    if (!clu_reader_has(r, 1))
        clu_reader_fail(r, CLU_ETRUNC);
    else if (clu_type_of_tag[*r->pos] != type)
        clu_reader_fail(r, CLU_ETERM);
    return r->err == CLU_OK;
}

static void pass_atom(clu_reader *r)
{
    if (!expect(r, CLU_TYPE_ATOM))
        return;
    const struct layout *lay = &layouts[*r->pos];
    uint32_t n;
    const uint8_t *text = pass_flat(r, lay, &n);

    if (text != NULL)
        lay->rule(&(struct tagged){.r = r, .payload = text, .n = n});
}

/* What a fun says of its module holds small integers only. */
static void pass_small(clu_reader *r)
{
    if (!expect(r, CLU_TYPE_INTEGER))
        return;
    uint8_t tag = *r->pos;

    if (tag != ETF_SMALL_INTEGER && tag != ETF_INTEGER)
        clu_reader_fail(r, CLU_ETERM);
    clu_reader_take(r, (size_t)1 + layouts[tag].fixed);
}

/* A length, the atoms, and then the payload: what pids, references and exports are made of. */
static const uint8_t *pass_named(clu_reader *r, const struct layout *lay, uint32_t *n)
{
    const uint8_t *tag = clu_reader_take(r, (size_t)1 + lay->width);

    *n = tag == NULL ? 0 : load_length(tag + 1, lay->width);
    for (size_t i = 0; i < lay->atoms; i++)
        pass_atom(r);
    return clu_reader_take(r, (size_t)lay->fixed + (size_t)*n * lay->unit);
}

static void pass_pid(clu_reader *r)
{
    uint32_t n;

    if (expect(r, CLU_TYPE_PID))
        pass_named(r, &layouts[*r->pos], &n);
}

static inline struct head head_of(const struct layout *lay, uint32_t n)
{
    return (struct head){(uint64_t)n * lay->terms + lay->more, NULL};
}

static struct head pass_ruled(clu_reader *r, const struct layout *lay)
{
    uint32_t n;
    const uint8_t *payload = lay->atoms > 0 ? pass_named(r, lay, &n) : pass_flat(r, lay, &n);
    struct head head = head_of(lay, n);

    if (lay->rule != NULL && payload != NULL)
        lay->rule(&(struct tagged){r, payload, n, &head});
    return head;
}

/* What its row in the table says all about. */
static inline struct head pass_plain(clu_reader *r, const struct layout *lay)
{
    uint32_t n;

    pass_flat(r, lay, &n);
    return head_of(lay, n);
}

/* Passes a tag and all that is not a term of its own, obeying every rule that the format has for
 * it. The caller knows of no error. */
static struct head pass_head(clu_reader *r)
{
    const struct layout *lay = r->pos == r->end ? NULL : &layouts[*r->pos];

    if (lay == NULL || !lay->known) {
        clu_reader_fail(r, lay == NULL ? CLU_ETRUNC : CLU_ETAG);
        return (struct head){0, NULL};
    }
    bool ruled = lay->rule != NULL || lay->atoms > 0;
    struct head head = ruled ? pass_ruled(r, lay) : pass_plain(r, lay);

    /* Every term takes a byte: a count that the input cannot hold is found before it is walked. */
    if (head.terms > (size_t)(r->end - r->pos))
        clu_reader_fail(r, CLU_ETRUNC);
    return head;
}

/* ---- rules ---- */

static void pass_utf8(const struct tagged *t)
{
    size_t chars;

    if (!utf8_count((clu_slice){t->payload, t->n}, &chars) || chars > CLU_ATOM_CHARS_MAX)
        clu_reader_fail(t->r, CLU_EATOM);
}

static void pass_latin1(const struct tagged *t)
{
    if (t->n > CLU_ATOM_CHARS_MAX)
        clu_reader_fail(t->r, CLU_EATOM);
}

static void pass_cache_ref(const struct tagged *t)
{
    if (t->r->refs == NULL || *t->payload >= t->r->refs->n)
        clu_reader_fail(t->r, CLU_EATOM);
}

/* Infinities and what is not a number are no terms. */
static void pass_float(const struct tagged *t)
{
    if ((get_be16(t->payload) & 0x7ff0) == 0x7ff0)
        clu_reader_fail(t->r, CLU_ETERM);
}

static void pass_float_text(const struct tagged *t)
{
    double value;

    if (etf_read_float_text(t->payload, &value) != CLU_OK)
        clu_reader_fail(t->r, CLU_ETERM);
}

/* A list of no elements is NIL: with this tag a reader could not tell whether a tail follows. */
static void pass_list(const struct tagged *t)
{
    if (t->n == 0)
        clu_reader_fail(t->r, CLU_ETERM);
}

/* A last byte there must be, and 1 to 8 bits of it. */
static void pass_bits(const struct tagged *t)
{
    if (t->n == 0 || *t->payload == 0 || *t->payload > 8)
        clu_reader_fail(t->r, CLU_ETERM);
}

static void pass_big(const struct tagged *t)
{
    if (*t->payload > 1) /* the sign */
        clu_reader_fail(t->r, CLU_ETERM);
}

static void pass_words(const struct tagged *t)
{
    if (t->n < 1 || t->n > CLU_REF_WORDS_MAX)
        clu_reader_fail(t->r, CLU_ETERM);
}

/* The arity is a SMALL_INTEGER. */
static void pass_export(const struct tagged *t)
{
    if (*t->payload != ETF_SMALL_INTEGER)
        clu_reader_fail(t->r, CLU_ETERM);
}

/* Pid, Module, Index, Uniq, and n free variables. */
static void pass_fun(const struct tagged *t)
{
    pass_pid(t->r);
    pass_atom(t->r);
    pass_small(t->r);
    pass_small(t->r);
}

/* Size, Arity:1, Uniq:16, Index:4, NumFree:4, Module, OldIndex, OldUniq, Pid, NumFree variables.
 * Size counts itself and all behind it. The Pid is left to be passed as one of the terms, so that
 * the size is compared also where no variable follows. */
static void pass_new_fun(const struct tagged *t)
{
    const uint8_t *size = t->payload - 4;

    if (t->n > (size_t)(t->r->end - size)) {
        clu_reader_fail(t->r, CLU_ETRUNC);
        return;
    }
    pass_atom(t->r);
    pass_small(t->r);
    pass_small(t->r);
    if (clu_peek_type(t->r) != CLU_TYPE_PID)
        clu_reader_fail(t->r, CLU_ETERM);
    t->head->end = size + t->n;
    t->head->terms = 1 + (uint64_t)get_be32(t->payload + 21);
}

/* Flags:1 (1: exported, else 0) is the payload; Module, Name, n field names, and n values. */
static void pass_record(const struct tagged *t)
{
    if (*t->payload > 1)
        clu_reader_fail(t->r, CLU_ETERM);
    pass_atom(t->r);
    pass_atom(t->r);
    for (uint32_t i = 0; i < t->n && t->r->err == CLU_OK; i++)
        pass_atom(t->r);
}

static void refuse_compressed(const struct tagged *t)
{
    clu_reader_fail(t->r, CLU_ECOMPRESSED);
}

static void refuse_local(const struct tagged *t)
{
    clu_reader_fail(t->r, CLU_ELOCAL);
}

/* ---- walks ---- */

/* The last term of a fun has ended, and maybe with it others around it: how many terms are still to
 * come then. */
static uint64_t leave_funs(clu_reader *r, const uint8_t *start, struct funs *funs)
{
    uint64_t left = 0;

    for (; left == 0 && funs->n > 0; funs->n--) {
        const struct open_fun *fun = funs_last(funs);

        if (fun->at != (size_t)(r->pos - start))
            clu_reader_fail(r, CLU_ETERM);
        left = fun->left;
    }
    return left;
}

/* The next head of a run, and whether it is a fun: what is left is then what the fun has. */
static void enter(clu_reader *r, const uint8_t *start, struct run *run, struct funs *funs)
{
    struct head head = pass_head(r);

    if (head.end == NULL) {
        run->left += head.terms - 1;
        return;
    }
    if (!funs_push(funs, run->left - 1, (size_t)(head.end - start)))
        clu_reader_fail(r, CLU_ENOMEM);
    run->left = head.terms;
}

/* What a run from start on has left, heads that are looked at in full by turns with runs. */
static __attribute__((noinline)) void pass_rest(clu_reader *r, const uint8_t *start, struct run run)
{
    struct funs funs;

    funs_init(&funs);
    for (r->pos = run.pos; r->err == CLU_OK && (run.left > 0 || funs.n > 0); r->pos = run.pos) {
        if (run.left > 0)
            enter(r, start, &run, &funs);
        else
            run.left = leave_funs(r, start, &funs);
        run.pos = r->pos;
        if (r->err == CLU_OK)
            pass_run(&run, r->refs, r->end);
    }
    funs_free(&funs);
}

clu_error clu_check(const void *data, size_t len, const clu_refs *refs, size_t *used)
{
    const uint8_t *start = data == NULL ? (const uint8_t *)"" : data;
    clu_reader in = {.pos = start, .end = start + len, .refs = refs};
    struct run run = {start, 1};

    pass_run(&run, refs, in.end);
    if (run.left > 0)
        pass_rest(&in, start, run);
    else
        in.pos = run.pos;
    if (used != NULL)
        *used = (size_t)(in.pos - start);
    else if (in.pos != in.end)
        clu_reader_fail(&in, CLU_ETERM);
    return in.err;
}

void clu_skip_term(clu_reader *r)
{
    struct run run = {r->pos, 1};

    while (run.left > 0 && r->err == CLU_OK) {
        pass_run(&run, r->refs, r->end);
        r->pos = run.pos;
        if (run.left > 0) {
            run.left += pass_head(r).terms;
            run.left--;
            run.pos = r->pos;
        }
    }
}

clu_slice clu_get_raw(clu_reader *r)
{
    const uint8_t *start = r->pos;

    clu_skip_term(r);
    if (r->err != CLU_OK)
        return (clu_slice){0};
    return (clu_slice){start, (size_t)(r->pos - start)};
}
