/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading atoms, and the terms that hold one: pids, ports, references, funs, records. */
#include "etf/etf.h"
#include "etf/utf8.h"

/* Takes the tag if it is of this type, else refuses; 0 after a failure. */
static uint8_t take_tag(clu_reader *r, clu_type type)
{
    if (!clu_reader_has(r, 1))
        clu_reader_fail(r, CLU_ETRUNC);
    else if (clu_type_of_tag[*r->pos] == type)
        return *r->pos++;
    else
        clu_reader_fail(r, CLU_ETYPE);
    return 0;
}

static uint32_t take_be32(clu_reader *r)
{
    const uint8_t *p = clu_reader_take(r, 4);

    return p == NULL ? 0 : get_be32(p);
}

static uint32_t take_be16(clu_reader *r)
{
    const uint8_t *p = clu_reader_take(r, 2);

    return p == NULL ? 0 : get_be16(p);
}

static uint32_t take_u8(clu_reader *r)
{
    const uint8_t *p = clu_reader_take(r, 1);

    return p == NULL ? 0 : *p;
}

/* ---- atoms ---- */

static clu_slice get_cached(clu_reader *r)
{
    uint32_t i = take_u8(r);

    if (r->err == CLU_OK && r->refs != NULL && i < r->refs->n)
        return r->refs->atoms[i];
    clu_reader_fail(r, CLU_EATOM);
    return (clu_slice){0};
}

static clu_slice take_text(clu_reader *r, size_t n)
{
    const uint8_t *p = clu_reader_take(r, n);

    return (clu_slice){p, p == NULL ? 0 : n};
}

/* Latin-1 is UTF-8 as long as it is ASCII. */
static clu_slice convert(clu_reader *r, clu_slice latin1, uint8_t *buf)
{
    size_t len = 0;

    if (clu_is_ascii(latin1.data, latin1.len))
        return latin1;
    if (buf == NULL || latin1.len > CLU_ATOM_CHARS_MAX) {
        clu_reader_fail(r, CLU_EATOM);
        return (clu_slice){0};
    }
    for (size_t i = 0; i < latin1.len; i++)
        len += utf8_put(buf + len, latin1.data[i]);
    return (clu_slice){buf, len};
}

clu_slice etf_get_atom(clu_reader *r, uint8_t *buf)
{
    switch (take_tag(r, CLU_TYPE_ATOM)) {
    case ETF_SMALL_ATOM_UTF8: return take_text(r, take_u8(r));
    case ETF_ATOM_UTF8: return take_text(r, take_be16(r));
    case ETF_ATOM_CACHE_REF: return get_cached(r);
    case ETF_SMALL_ATOM: return convert(r, take_text(r, take_u8(r)), buf);
    case ETF_ATOM: return convert(r, take_text(r, take_be16(r)), buf);
    default: return (clu_slice){0};
    }
}

/* The text of an atom that stands so many bytes on, with as many behind it, if it is of a tag that
 * is sent (ATOM: by term_to_binary until OTP 25) and can be borrowed: so nothing of the term need
 * be looked at twice. The bytes before it are there. Where it ends; NULL: it is none of these. */
static inline const uint8_t *peek_name(const clu_reader *r, size_t at, size_t behind,
                                       clu_slice *name)
{
    const uint8_t *p = r->pos + at;
    size_t room = (size_t)(r->end - p);

    if (room < 3)
        return NULL;
    if (*p == ETF_ATOM_CACHE_REF) {
        if (r->refs == NULL || p[1] >= r->refs->n || room - 2 < behind)
            return NULL;
        *name = r->refs->atoms[p[1]];
        return p + 2;
    }
    bool is_latin1 = *p == ETF_ATOM && p[1] == 0;

    *name = is_latin1 ? (clu_slice){p + 3, p[2]} : (clu_slice){p + 2, p[1]};
    if ((!is_latin1 && *p != ETF_SMALL_ATOM_UTF8) ||
        (size_t)(r->end - name->data) < name->len + behind)
        return NULL;
    return !is_latin1 || clu_is_ascii_of(name->data, name->len, (size_t)(r->end - name->data))
               ? slice_end(*name)
               : NULL;
}

clu_slice clu_get_atom_any(clu_reader *r)
{
    clu_slice text;

    if (clu_reader_has(r, 2) && *r->pos == ETF_ATOM_CACHE_REF && r->refs != NULL &&
        r->pos[1] < r->refs->n) {
        r->pos += 2;
        return r->refs->atoms[r->pos[-1]];
    }
    const uint8_t *end = r->err != CLU_OK ? NULL : peek_name(r, 0, 0, &text);

    if (end == NULL)
        return etf_get_atom(r, NULL);
    r->pos = end;
    return text;
}

clu_slice clu_get_atom_utf8(clu_reader *r, uint8_t buf[CLU_ATOM_BYTES_MAX])
{
    return etf_get_atom(r, buf);
}

/* ---- pids, ports, references ---- */

static clu_pid get_any_pid(clu_reader *r, uint8_t *buf)
{
    uint8_t tag = take_tag(r, CLU_TYPE_PID);
    clu_pid pid = {.node = etf_get_atom(r, buf)};

    pid.id = take_be32(r);
    pid.serial = take_be32(r);
    pid.creation = tag == ETF_PID ? take_u8(r) : take_be32(r);
    return pid;
}

/* By way of a pointer, which is written to as the fields come: a structure that is returned would
 * be copied in pieces larger than it was written in, for which the processor has to wait. */
static void read_pid(clu_reader *r, uint8_t *buf, clu_pid *pid)
{
    bool usual = clu_reader_has(r, 1) && *r->pos == ETF_NEW_PID;
    const uint8_t *p = usual ? peek_name(r, 1, 12, &pid->node) : NULL;

    if (p == NULL) {
        *pid = get_any_pid(r, buf);
        return;
    }
    pid->id = get_be32(p);
    pid->serial = get_be32(p + 4);
    pid->creation = get_be32(p + 8);
    r->pos = p + 12;
}

clu_pid etf_get_pid(clu_reader *r, uint8_t *buf)
{
    clu_pid pid;

    read_pid(r, buf, &pid);
    return pid;
}

void clu_read_pid(clu_reader *r, clu_pid *pid)
{
    read_pid(r, NULL, pid);
}

static void get_words(clu_reader *r, clu_ref *ref, uint32_t n)
{
    if (n < 1 || n > CLU_REF_WORDS_MAX) {
        clu_reader_fail(r, CLU_ETERM);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        ref->words[i] = take_be32(r);
    ref->n = n;
}

/* REFERENCE is the oldest form, its only word before the creation. */
static clu_ref get_old_ref(clu_reader *r, uint8_t *buf)
{
    clu_ref ref = {.node = etf_get_atom(r, buf)};

    get_words(r, &ref, 1);
    ref.creation = take_u8(r);
    return ref;
}

static clu_ref get_any_ref(clu_reader *r, uint8_t *buf)
{
    uint8_t tag = take_tag(r, CLU_TYPE_REF);

    if (tag == ETF_REFERENCE)
        return get_old_ref(r, buf);
    uint32_t n = take_be16(r);
    clu_ref ref = {.node = etf_get_atom(r, buf)};

    ref.creation = tag == ETF_NEW_REFERENCE ? take_u8(r) : take_be32(r);
    get_words(r, &ref, n);
    return ref;
}

static void read_ref(clu_reader *r, uint8_t *buf, clu_ref *ref)
{
    size_t n = clu_reader_has(r, 3) && *r->pos == ETF_NEWER_REFERENCE ? get_be16(r->pos + 1) : 0;
    bool usual = n >= 1 && n <= CLU_REF_WORDS_MAX;
    const uint8_t *p = usual ? peek_name(r, 3, 4 + 4 * n, &ref->node) : NULL;

    if (p == NULL) {
        *ref = get_any_ref(r, buf);
        return;
    }
    ref->creation = get_be32(p);
    ref->n = (uint32_t)n;
    p += 4;
    memset(ref->words, 0, sizeof ref->words);
    for (size_t i = 0; i < n; i++, p += 4)
        ref->words[i] = get_be32(p);
    r->pos = p;
}

clu_ref etf_get_ref(clu_reader *r, uint8_t *buf)
{
    clu_ref ref;

    read_ref(r, buf, &ref);
    return ref;
}

void clu_read_ref(clu_reader *r, clu_ref *ref)
{
    read_ref(r, NULL, ref);
}

clu_port etf_get_port(clu_reader *r, uint8_t *buf)
{
    uint8_t tag = take_tag(r, CLU_TYPE_PORT);
    clu_port port = {.node = etf_get_atom(r, buf)};

    port.id = take_be32(r);
    if (tag == ETF_V4_PORT)
        port.id = port.id << 32 | take_be32(r);
    port.creation = tag == ETF_PORT ? take_u8(r) : take_be32(r);
    return port;
}

clu_port clu_get_port(clu_reader *r)
{
    return etf_get_port(r, NULL);
}

/* ---- funs and records ---- */

static uint8_t get_export(clu_reader *r, struct names *names, uint8_t *buf, uint8_t *buf2)
{
    take_tag(r, CLU_TYPE_EXPORT);
    names->module = etf_get_atom(r, buf);
    names->name = etf_get_atom(r, buf2);
    if (take_tag(r, CLU_TYPE_INTEGER) != ETF_SMALL_INTEGER)
        clu_reader_fail(r, CLU_ETERM);
    return (uint8_t)take_u8(r);
}

uint8_t etf_get_export(clu_reader *r, struct names *names)
{
    return get_export(r, names, names->buf[0], names->buf[1]);
}

void clu_get_export(clu_reader *r, clu_slice *module, clu_slice *function, uint8_t *arity)
{
    struct names names;

    *arity = get_export(r, &names, NULL, NULL);
    *module = names.module;
    *function = names.name;
}

clu_slice clu_get_fun(clu_reader *r)
{
    if (clu_peek_type(r) == CLU_TYPE_FUN)
        return clu_get_raw(r);
    take_tag(r, CLU_TYPE_FUN); /* says what is wrong */
    return (clu_slice){0};
}

static size_t get_record(clu_reader *r, struct names *names, uint8_t *buf, uint8_t *buf2,
                         bool *exported)
{
    take_tag(r, CLU_TYPE_RECORD);
    size_t n = take_be32(r);

    *exported = (take_u8(r) & 1) != 0;
    names->module = etf_get_atom(r, buf);
    names->name = etf_get_atom(r, buf2);
    /* A name and a value take two bytes at least. */
    if (r->err == CLU_OK && (size_t)(r->end - r->pos) / 2 < n)
        clu_reader_fail(r, CLU_ETRUNC);
    return r->err == CLU_OK ? n : 0;
}

size_t etf_get_record(clu_reader *r, struct names *names, bool *exported)
{
    return get_record(r, names, names->buf[0], names->buf[1], exported);
}

size_t clu_get_record(clu_reader *r, clu_slice *module, clu_slice *name, bool *exported)
{
    struct names names;
    size_t n = get_record(r, &names, NULL, NULL, exported);

    *module = names.module;
    *name = names.name;
    return n;
}
