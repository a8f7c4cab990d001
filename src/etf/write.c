/* SPDX-License-Identifier: Apache-2.0 */
#include "etf/etf.h"
#include "etf/utf8.h"

#include <stdlib.h>

#define FIRST_CAP 64

void clu_writer_init(clu_writer *w)
{
    *w = (clu_writer){0};
}

void clu_writer_fixed(clu_writer *w, void *data, size_t cap)
{
    *w = (clu_writer){.data = data, .cap = cap, .fixed = true};
}

void clu_writer_free(clu_writer *w)
{
    if (!w->fixed)
        free(w->data);
    *w = (clu_writer){0};
}

void clu_writer_reset(clu_writer *w)
{
    w->len = 0;
    w->err = CLU_OK;
}

void clu_writer_fail(clu_writer *w, clu_error err)
{
    if (w->err == CLU_OK)
        w->err = err;
}

/* The next size that holds n more bytes: doubled, so that appending costs a constant each. */
static size_t next_cap(const clu_writer *w, size_t n)
{
    size_t cap = w->cap < FIRST_CAP ? FIRST_CAP : w->cap;

    while (cap - w->len < n && cap <= SIZE_MAX / 2)
        cap *= 2;
    return cap - w->len < n ? 0 : cap;
}

uint8_t *clu_writer_grow(clu_writer *w, size_t n)
{
    if (w->err != CLU_OK)
        return NULL;
    if (w->fixed) {
        w->err = CLU_ESIZE;
        return NULL;
    }
    size_t cap = next_cap(w, n);
    uint8_t *data = cap == 0 ? NULL : realloc(w->data, cap);

    if (data == NULL) {
        w->err = CLU_ENOMEM;
        return NULL;
    }
    w->data = data;
    w->cap = cap;
    w->len += n;
    return data + w->len - n;
}

/* A tag and one byte more. */
static void put_pair(clu_writer *w, uint8_t tag, uint8_t byte)
{
    uint8_t *p = clu_writer_add(w, 2);

    if (p != NULL) {
        p[0] = tag;
        p[1] = byte;
    }
}

static void put_u8(clu_writer *w, uint8_t byte)
{
    clu_put_bytes(w, &byte, 1);
}

static void put_u32(clu_writer *w, uint32_t value)
{
    uint8_t *p = clu_writer_add(w, 4);

    if (p != NULL)
        put_be32(p, value);
}

/* A tag and a length of two bytes. */
static void put_head16(clu_writer *w, uint8_t tag, size_t n)
{
    uint8_t *p = clu_writer_add(w, 3);

    if (p != NULL) {
        p[0] = tag;
        put_be16(p + 1, (uint16_t)n);
    }
}

/* ---- numbers ---- */

static void put_magnitude(clu_writer *w, uint64_t magnitude, bool negative)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(magnitude >> 8 * i);
    clu_put_big(w, (clu_slice){bytes, sizeof bytes}, negative);
}

void clu_put_int_any(clu_writer *w, int64_t value)
{
    put_magnitude(w, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0);
}

void clu_put_uint(clu_writer *w, uint64_t value)
{
    if (value <= INT32_MAX)
        clu_put_int(w, (int64_t)value);
    else
        put_magnitude(w, value, false);
}

/* Whether the number has one of the small tags, and then which. */
static bool is_int32(clu_slice magnitude, bool negative, int64_t *value)
{
    uint32_t n = 0;

    if (magnitude.len > 4)
        return false;
    for (size_t i = magnitude.len; i > 0; i--)
        n = n << 8 | magnitude.data[i - 1];
    *value = negative ? -(int64_t)n : n;
    return *value >= INT32_MIN && *value <= INT32_MAX;
}

void clu_put_big(clu_writer *w, clu_slice magnitude, bool negative)
{
    int64_t small;

    while (magnitude.len > 0 && magnitude.data[magnitude.len - 1] == 0)
        magnitude.len--;
    if (is_int32(magnitude, negative, &small)) {
        clu_put_int(w, small);
        return;
    }
    if (magnitude.len <= UINT8_MAX)
        put_pair(w, ETF_SMALL_BIG, (uint8_t)magnitude.len);
    else
        clu_put_head(w, ETF_LARGE_BIG, magnitude.len);
    put_u8(w, negative);
    clu_put_bytes(w, magnitude.data, magnitude.len);
}

void clu_put_float(clu_writer *w, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    if ((bits >> 52 & 0x7ff) == 0x7ff) {
        clu_writer_fail(w, CLU_ERANGE);
        return;
    }
    uint8_t *p = clu_writer_add(w, 9);

    if (p != NULL) {
        p[0] = ETF_NEW_FLOAT;
        put_be64(p + 1, bits);
    }
}

/* ---- atoms and what holds one ---- */

void clu_put_atom(clu_writer *w, clu_slice text)
{
    int ref = w->atoms == NULL ? -1 : w->atoms->find(w->atoms, text);
    size_t chars;

    if (ref >= 0) {
        put_pair(w, ETF_ATOM_CACHE_REF, (uint8_t)ref);
        return;
    }
    if (!utf8_count(text, &chars) || chars > CLU_ATOM_CHARS_MAX) {
        clu_writer_fail(w, CLU_EATOM);
        return;
    }
    if (text.len <= UINT8_MAX)
        put_pair(w, ETF_SMALL_ATOM_UTF8, (uint8_t)text.len);
    else
        put_head16(w, ETF_ATOM_UTF8, text.len);
    clu_put_bytes(w, text.data, text.len);
}

void clu_put_atom_text(clu_writer *w, const char *text)
{
    clu_put_atom(w, slice_of(text));
}

void clu_put_atom_of(clu_writer *w, const clu_atom *atom)
{
    if (atom->term == NULL)
        clu_writer_fail(w, atom->err);
    else if (w->atoms != NULL)
        clu_put_atom(w, clu_atom_text(atom));
    else
        clu_put_bytes(w, atom->term, atom->len);
}

void clu_put_pid(clu_writer *w, const clu_pid *pid)
{
    put_u8(w, ETF_NEW_PID);
    clu_put_atom(w, pid->node);
    uint8_t *p = clu_writer_add(w, 12);

    if (p == NULL)
        return;
    put_be32(p, pid->id);
    put_be32(p + 4, pid->serial);
    put_be32(p + 8, pid->creation);
}

void clu_put_ref(clu_writer *w, const clu_ref *ref)
{
    if (ref->n < 1 || ref->n > CLU_REF_WORDS_MAX) {
        clu_writer_fail(w, CLU_EBADARG);
        return;
    }
    put_head16(w, ETF_NEWER_REFERENCE, ref->n);
    clu_put_atom(w, ref->node);
    put_u32(w, ref->creation);
    for (size_t i = 0; i < ref->n; i++)
        put_u32(w, ref->words[i]);
}

/* The older form as long as it will do: peers that did not offer DFLAG_V4_NC read no other. */
void clu_put_port(clu_writer *w, const clu_port *port)
{
    bool wide = port->id >> 28 != 0;

    put_u8(w, wide ? ETF_V4_PORT : ETF_NEW_PORT);
    clu_put_atom(w, port->node);
    if (wide)
        put_u32(w, (uint32_t)(port->id >> 32));
    put_u32(w, (uint32_t)port->id);
    put_u32(w, port->creation);
}

void clu_put_export(clu_writer *w, clu_slice module, clu_slice function, uint8_t arity)
{
    put_u8(w, ETF_EXPORT);
    clu_put_atom(w, module);
    clu_put_atom(w, function);
    put_pair(w, ETF_SMALL_INTEGER, arity);
}

void clu_put_record(clu_writer *w, clu_slice module, clu_slice name, bool exported, size_t n)
{
    clu_put_head(w, ETF_NATIVE_RECORD, n);
    put_u8(w, exported);
    clu_put_atom(w, module);
    clu_put_atom(w, name);
}

/* ---- containers and bytes ---- */

void clu_put_tuple_any(clu_writer *w, size_t arity)
{
    clu_put_head(w, ETF_LARGE_TUPLE, arity);
}

void clu_put_string(clu_writer *w, clu_slice bytes)
{
    if (bytes.len == 0) {
        clu_put_nil(w);
    } else if (bytes.len <= UINT16_MAX) {
        put_head16(w, ETF_STRING, bytes.len);
        clu_put_bytes(w, bytes.data, bytes.len);
    } else {
        clu_put_list(w, bytes.len);
        for (size_t i = 0; i < bytes.len; i++)
            put_pair(w, ETF_SMALL_INTEGER, bytes.data[i]);
        clu_put_nil(w);
    }
}

void clu_lend_binary(clu_writer *w, const void *data, size_t len, clu_release_fn *release,
                     void *arg)
{
    clu_put_head(w, ETF_BINARY, len);
    if (w->err == CLU_OK && w->lender != NULL &&
        w->lender->lend(w->lender, w, (clu_slice){data, len}, release, arg))
        return;
    clu_put_bytes(w, data, len);
    if (release != NULL)
        release(arg);
}

void clu_put_bitstring(clu_writer *w, const void *data, size_t len, uint8_t last_bits)
{
    if (last_bits == 8 || len == 0) {
        clu_put_binary(w, data, len);
        return;
    }
    if (last_bits == 0 || last_bits > 8) {
        clu_writer_fail(w, CLU_EBADARG);
        return;
    }
    clu_put_head(w, ETF_BIT_BINARY, len);
    put_u8(w, last_bits);
    uint8_t *p = clu_writer_add(w, len);

    if (p != NULL) {
        memcpy(p, data, len);
        p[len - 1] &= (uint8_t)(0xff << (8 - last_bits));
    }
}

void clu_put_raw(clu_writer *w, clu_slice term)
{
    clu_put_bytes(w, term.data, term.len);
}
