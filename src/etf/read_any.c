/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading whatever stands there: what the inline half of clu_get_any leaves.
 */
#include "etf/etf.h"

/* The term that a clu_get function takes, if there was no error before; else no term. */
static clu_type taken(const clu_reader *r, clu_value *value, clu_type type)
{
    return value->type = r->err == CLU_OK ? type : CLU_TYPE_NONE;
}

static clu_type get_any_integer(clu_reader *r, clu_value *value)
{
    clu_reader start = *r;

    value->as.integer = clu_get_int(r);
    if (r->err != CLU_ERANGE)
        return taken(r, value, CLU_TYPE_INTEGER);
    *r = start;
    return value->type = CLU_TYPE_BIG;
}

static clu_type get_any_list(clu_reader *r, clu_value *value)
{
    if (*r->pos == ETF_STRING) {
        value->as.bytes = clu_get_string(r);
        return taken(r, value, CLU_TYPE_STRING);
    }
    value->as.n = clu_get_list(r);
    return taken(r, value, CLU_TYPE_LIST);
}

/* Kept out of the other, which is to be no more than it says. */
static __attribute__((noinline)) clu_type get_any_value(clu_reader *r, clu_value *value,
                                                        clu_type type)
{
    switch (type) {
    case CLU_TYPE_INTEGER: return get_any_integer(r, value);
    case CLU_TYPE_FLOAT: value->as.real = clu_get_float(r); break;
    case CLU_TYPE_ATOM: value->as.bytes = clu_get_atom(r); break;
    case CLU_TYPE_BINARY: value->as.bytes = clu_get_binary(r); break;
    case CLU_TYPE_TUPLE: value->as.n = clu_get_tuple(r); break;
    case CLU_TYPE_MAP: value->as.n = clu_get_map(r); break;
    case CLU_TYPE_LIST: return get_any_list(r, value);
    default: clu_skip_term(r); break; /* says what is wrong */
    }
    return taken(r, value, type);
}

clu_type clu_get_any_rest(clu_reader *r, clu_value *value)
{
    clu_type type = clu_peek_type(r);

    if (type > CLU_TYPE_BINARY)
        return value->type = type;
    return get_any_value(r, value, type);
}

bool clu_is_ascii_any(const uint8_t *text, size_t n)
{
    return clu_is_ascii(text, n);
}
