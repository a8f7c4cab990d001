/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies of what holds no other terms, each by its get function and its put function.
 */
#include "etf/etf.h"

static void copy_atom(clu_reader *r, clu_writer *w)
{
    uint8_t utf8[CLU_ATOM_BYTES_MAX];

    clu_put_atom(w, clu_get_atom_utf8(r, utf8));
}

static void copy_integer(clu_reader *r, clu_writer *w)
{
    uint8_t small[8];
    bool negative;
    clu_slice magnitude = clu_get_big(r, &negative, small);

    clu_put_big(w, magnitude, negative);
}

static void copy_float(clu_reader *r, clu_writer *w)
{
    clu_put_float(w, clu_get_float(r));
}

static void copy_bits(clu_reader *r, clu_writer *w)
{
    uint8_t last_bits;
    clu_slice bytes = clu_get_bitstring(r, &last_bits);

    if (last_bits == 8)
        clu_put_binary(w, bytes.data, bytes.len);
    else
        clu_put_bitstring(w, bytes.data, bytes.len, last_bits);
}

static void copy_pid(clu_reader *r, clu_writer *w)
{
    clu_pid pid = clu_get_pid(r);

    clu_put_pid(w, &pid);
}

static void copy_ref(clu_reader *r, clu_writer *w)
{
    clu_ref ref = clu_get_ref(r);

    clu_put_ref(w, &ref);
}

static void copy_port(clu_reader *r, clu_writer *w)
{
    clu_port port = clu_get_port(r);

    clu_put_port(w, &port);
}

static void copy_export(clu_reader *r, clu_writer *w)
{
    struct names names;
    uint8_t arity = etf_get_export(r, &names);

    clu_put_export(w, names.module, names.name, arity);
}

void etf_copy_leaf(clu_reader *r, clu_writer *w)
{
    static void (*const copies[])(clu_reader *, clu_writer *) = {
        [CLU_TYPE_INTEGER] = copy_integer, [CLU_TYPE_FLOAT] = copy_float,
        [CLU_TYPE_ATOM] = copy_atom,       [CLU_TYPE_BINARY] = copy_bits,
        [CLU_TYPE_BITSTRING] = copy_bits,  [CLU_TYPE_PID] = copy_pid,
        [CLU_TYPE_PORT] = copy_port,       [CLU_TYPE_REF] = copy_ref,
        [CLU_TYPE_EXPORT] = copy_export,
    };
    clu_type type = clu_peek_type(r);
    clu_reader start = *r;
    size_t len = w->len;
    clu_error err = w->err;

    if (type >= COUNT(copies) || copies[type] == NULL) {
        clu_reader_fail(r, CLU_ETAG);
        return;
    }
    copies[type](r, w);
    if (r->err == CLU_OK)
        return;
    w->len = len; /* of what was put behind an error */
    w->err = err;
    /* Its node has a name in Latin-1, which is then no reference to a header. */
    if (r->err == CLU_EATOM && type != CLU_TYPE_ATOM && type != CLU_TYPE_EXPORT) {
        *r = start;
        clu_put_raw(w, clu_get_raw(r));
    }
}
