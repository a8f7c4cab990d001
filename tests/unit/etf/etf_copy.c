/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/etf/etf_copy.h"

/* Each copies a leaf, or the head of a container: how many terms follow. */

/* By the narrowest function that takes the number. */
static uint64_t copy_integer(clu_reader *r, clu_writer *w)
{
    uint8_t small[8];
    bool negative;
    clu_reader as_int = *r, as_uint = *r;
    int64_t value = clu_get_int(&as_int);
    uint64_t natural = clu_get_uint(&as_uint);
    clu_slice magnitude = clu_get_big(r, &negative, small);

    if (as_int.err == CLU_OK)
        clu_put_int(w, value);
    else if (as_uint.err == CLU_OK)
        clu_put_uint(w, natural);
    else
        clu_put_big(w, magnitude, negative);
    return 0;
}

static uint64_t copy_float(clu_reader *r, clu_writer *w)
{
    clu_put_float(w, clu_get_float(r));
    return 0;
}

static uint64_t copy_atom(clu_reader *r, clu_writer *w)
{
    uint8_t utf8[CLU_ATOM_BYTES_MAX];

    clu_put_atom(w, clu_get_atom_utf8(r, utf8));
    return 0;
}

static uint64_t copy_tuple(clu_reader *r, clu_writer *w)
{
    size_t arity = clu_get_tuple(r);

    clu_put_tuple(w, arity);
    return arity;
}

static uint64_t copy_list(clu_reader *r, clu_writer *w)
{
    if (*r->pos == ETF_STRING) {
        clu_put_string(w, clu_get_string(r));
        return 0;
    }
    if (*r->pos == ETF_NIL) {
        clu_get_nil(r);
        clu_put_nil(w);
        return 0;
    }
    size_t n = clu_get_list(r);

    clu_put_list(w, n);
    return (uint64_t)n + 1;
}

static uint64_t copy_map(clu_reader *r, clu_writer *w)
{
    size_t pairs = clu_get_map(r);

    clu_put_map(w, pairs);
    return 2 * (uint64_t)pairs;
}

static uint64_t copy_binary(clu_reader *r, clu_writer *w)
{
    clu_slice bytes = clu_get_binary(r);

    clu_put_binary(w, bytes.data, bytes.len);
    return 0;
}

static uint64_t copy_bits(clu_reader *r, clu_writer *w)
{
    uint8_t last_bits;
    clu_slice bytes = clu_get_bitstring(r, &last_bits);

    clu_put_bitstring(w, bytes.data, bytes.len, last_bits);
    return 0;
}

static uint64_t copy_fun(clu_reader *r, clu_writer *w)
{
    clu_put_raw(w, clu_get_fun(r));
    return 0;
}

static void put_pid(clu_reader *r, clu_writer *w)
{
    clu_pid pid = clu_get_pid(r);

    clu_put_pid(w, &pid);
}

static void put_port(clu_reader *r, clu_writer *w)
{
    clu_port port = clu_get_port(r);

    clu_put_port(w, &port);
}

static void put_ref(clu_reader *r, clu_writer *w)
{
    clu_ref ref = clu_get_ref(r);

    clu_put_ref(w, &ref);
}

static void put_export(clu_reader *r, clu_writer *w)
{
    clu_slice module, function;
    uint8_t arity;

    clu_get_export(r, &module, &function, &arity);
    clu_put_export(w, module, function, arity);
}

/* What holds atoms that have no room to be converted in: as bytes, where they are in Latin-1. */
static uint64_t copy_named(clu_reader *r, clu_writer *w, void (*put)(clu_reader *, clu_writer *))
{
    clu_reader start = *r;
    size_t len = w->len;

    put(r, w);
    if (r->err == CLU_EATOM) {
        *r = start;
        w->len = len;
        w->err = CLU_OK;
        clu_put_raw(w, clu_get_raw(r));
    }
    return 0;
}

static uint64_t copy_pid(clu_reader *r, clu_writer *w)
{
    return copy_named(r, w, put_pid);
}

static uint64_t copy_port(clu_reader *r, clu_writer *w)
{
    return copy_named(r, w, put_port);
}

static uint64_t copy_ref(clu_reader *r, clu_writer *w)
{
    return copy_named(r, w, put_ref);
}

static uint64_t copy_export(clu_reader *r, clu_writer *w)
{
    return copy_named(r, w, put_export);
}

static uint64_t copy_record(clu_reader *r, clu_writer *w)
{
    clu_slice module, name;
    bool exported;
    clu_reader start = *r;
    size_t n = clu_get_record(r, &module, &name, &exported);

    if (r->err == CLU_EATOM) {
        *r = start;
        clu_put_raw(w, clu_get_raw(r));
        return 0;
    }
    clu_put_record(w, module, name, exported, n);
    return 2 * (uint64_t)n;
}

static uint64_t copy_nothing(clu_reader *r, clu_writer *w)
{
    (void)w;
    clu_skip_term(r); /* says what is wrong */
    clu_reader_fail(r, CLU_ETAG);
    return 0;
}

void etf_copy(clu_reader *r, clu_writer *w)
{
    static uint64_t (*const copies[])(clu_reader *, clu_writer *) = {
        [CLU_TYPE_NONE] = copy_nothing,   [CLU_TYPE_INTEGER] = copy_integer,
        [CLU_TYPE_FLOAT] = copy_float,    [CLU_TYPE_ATOM] = copy_atom,
        [CLU_TYPE_TUPLE] = copy_tuple,    [CLU_TYPE_LIST] = copy_list,
        [CLU_TYPE_MAP] = copy_map,        [CLU_TYPE_BINARY] = copy_binary,
        [CLU_TYPE_BITSTRING] = copy_bits, [CLU_TYPE_PID] = copy_pid,
        [CLU_TYPE_PORT] = copy_port,      [CLU_TYPE_REF] = copy_ref,
        [CLU_TYPE_FUN] = copy_fun,        [CLU_TYPE_EXPORT] = copy_export,
        [CLU_TYPE_RECORD] = copy_record,
    };

    for (uint64_t left = 1; left > 0 && r->err == CLU_OK; left--)
        left += copies[clu_peek_type(r)](r, w);
}
