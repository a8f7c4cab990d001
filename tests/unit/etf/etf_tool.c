/* SPDX-License-Identifier: Apache-2.0
 *
 * The codec behind a port of the VM: a 4-byte length, then one byte that says what to do, then the
 * input; the answer is a length, 'o' or 'e', then the output or the error's text. tests/erl/etf/
 * compares the answers with the VM's own. */
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"

/* More than any request of the tests. */
#define REQUEST_MAX (1u << 24)

/* Copies the term at the reader's place, every value by its get function and its put function. */
static void copy_term(clu_reader *r, clu_writer *w);

static void copy_integer(clu_reader *r, clu_writer *w)
{
    uint8_t small[8];
    bool negative;
    clu_reader start = *r;
    int64_t value = clu_get_int(r);

    if (r->err == CLU_OK) {
        clu_put_int(w, value);
        return;
    }
    *r = start;
    uint64_t natural = clu_get_uint(r);

    if (r->err == CLU_OK) {
        clu_put_uint(w, natural);
        return;
    }
    *r = start;
    clu_slice magnitude = clu_get_big(r, &negative, small);

    clu_put_big(w, magnitude, negative);
}

static void copy_atom(clu_reader *r, clu_writer *w)
{
    uint8_t utf8[CLU_ATOM_BYTES_MAX];

    clu_put_atom(w, clu_get_atom_utf8(r, utf8));
}

static uint64_t copy_list(clu_reader *r, clu_writer *w)
{
    if (*r->pos == ETF_STRING) {
        clu_put_string(w, clu_get_string(r));
        return 0;
    }
    size_t n = clu_get_list(r);

    clu_put_list(w, n);
    if (n == 0)
        clu_put_nil(w);
    return n == 0 ? 0 : (uint64_t)n + 1;
}

static uint64_t copy_record(clu_reader *r, clu_writer *w)
{
    clu_slice module, name;
    bool exported;
    size_t n = clu_get_record(r, &module, &name, &exported);

    clu_put_record(w, module, name, exported, n);
    return 2 * (uint64_t)n;
}

static void copy_bits(clu_reader *r, clu_writer *w)
{
    uint8_t last_bits;
    clu_slice bytes = clu_get_bitstring(r, &last_bits);

    clu_put_bitstring(w, bytes.data, bytes.len, last_bits);
}

static void copy_export(clu_reader *r, clu_writer *w)
{
    clu_slice module, function;
    uint8_t arity;
    clu_reader start = *r;

    clu_get_export(r, &module, &function, &arity);
    if (r->err == CLU_OK) {
        clu_put_export(w, module, function, arity);
        return;
    }
    *r = start; /* an atom in Latin-1 */
    clu_put_raw(w, clu_get_raw(r));
}

/* Copies a leaf, or the head of a container: how many terms follow. */
static uint64_t copy_head(clu_reader *r, clu_writer *w)
{
    switch (clu_peek_type(r)) {
    case CLU_TYPE_INTEGER: copy_integer(r, w); return 0;
    case CLU_TYPE_FLOAT: clu_put_float(w, clu_get_float(r)); return 0;
    case CLU_TYPE_ATOM: copy_atom(r, w); return 0;
    case CLU_TYPE_LIST: return copy_list(r, w);
    case CLU_TYPE_BINARY: {
        clu_slice bytes = clu_get_binary(r);

        clu_put_binary(w, bytes.data, bytes.len);
        return 0;
    }
    case CLU_TYPE_BITSTRING: copy_bits(r, w); return 0;
    case CLU_TYPE_PID: clu_put_pid(w, &(clu_pid[]){clu_get_pid(r)}[0]); return 0;
    case CLU_TYPE_PORT: clu_put_port(w, &(clu_port[]){clu_get_port(r)}[0]); return 0;
    case CLU_TYPE_REF: clu_put_ref(w, &(clu_ref[]){clu_get_ref(r)}[0]); return 0;
    case CLU_TYPE_FUN: clu_put_raw(w, clu_get_fun(r)); return 0;
    case CLU_TYPE_EXPORT: copy_export(r, w); return 0;
    case CLU_TYPE_RECORD: return copy_record(r, w);
    case CLU_TYPE_TUPLE: {
        size_t arity = clu_get_tuple(r);

        clu_put_tuple(w, arity);
        return arity;
    }
    case CLU_TYPE_MAP: {
        size_t pairs = clu_get_map(r);

        clu_put_map(w, pairs);
        return 2 * (uint64_t)pairs;
    }
    case CLU_TYPE_NONE: break;
    }
    clu_skip_term(r); /* says what is wrong */
    return 0;
}

static void copy_term(clu_reader *r, clu_writer *w)
{
    uint64_t left = 1;

    while (left > 0 && r->err == CLU_OK)
        left += copy_head(r, w) - 1;
}

/* The reader stands behind the version byte of a term that the check accepts. */
static clu_error open_term(clu_reader *r, clu_slice input)
{
    clu_reader_init(r, input.data, input.len);
    clu_get_version(r);
    if (r->err != CLU_OK)
        return r->err;
    return clu_check(r->pos, (size_t)(r->end - r->pos), NULL, NULL);
}

static clu_error recode(clu_slice input, clu_writer *out)
{
    clu_reader r;
    clu_error err = open_term(&r, input);

    if (err != CLU_OK)
        return err;
    clu_put_version(out);
    copy_term(&r, out);
    if (r.err == CLU_OK && r.pos != r.end)
        return CLU_ETRUNC;
    return r.err != CLU_OK ? r.err : out->err;
}

static clu_error print(clu_slice input, clu_writer *out)
{
    clu_reader r;
    clu_error err = open_term(&r, input);

    if (err == CLU_OK)
        err = clu_print(&r, out);
    return err == CLU_OK && r.pos != r.end ? CLU_ETRUNC : err;
}

static clu_error parse(clu_slice input, clu_writer *out)
{
    size_t at;

    clu_put_version(out);
    return clu_parse((const char *)input.data, input.len, out, &at, NULL);
}

static const struct {
    char name;
    clu_error (*run)(clu_slice input, clu_writer *out);
} commands[] = {{'r', recode}, {'p', print}, {'t', parse}};

static void serve(clu_slice request, clu_writer *out)
{
    clu_error err = CLU_EBADARG;

    clu_put_bytes(out, "\0\0\0\0o", 5);
    for (size_t i = 0; i < COUNT(commands); i++)
        if (request.data[0] == (uint8_t)commands[i].name)
            err = commands[i].run((clu_slice){request.data + 1, request.len - 1}, out);
    if (err != CLU_OK) {
        clu_writer_reset(out);
        clu_put_bytes(out, "\0\0\0\0e", 5);
        clu_put_bytes(out, clu_strerror(err), strlen(clu_strerror(err)));
    }
    if (out->err != CLU_OK)
        abort();
    clu_store_be32(out->data, (uint32_t)(out->len - 4));
}

int main(void)
{
    clu_writer out;
    uint8_t head[4];

    clu_writer_init(&out);
    while (fread(head, 1, sizeof head, stdin) == sizeof head) {
        uint32_t len = clu_load_be32(head);
        /* A block of the exact size: under ASan a read behind it is seen. */
        uint8_t *data = len == 0 || len > REQUEST_MAX ? NULL : malloc(len);

        if (data == NULL || fread(data, 1, len, stdin) != len)
            abort();
        clu_writer_reset(&out);
        serve((clu_slice){data, len}, &out);
        free(data);
        fwrite(out.data, 1, out.len, stdout);
        fflush(stdout);
    }
    clu_writer_free(&out);
    return 0;
}
