/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a term is the one that the text of a clu_match holds, however it is encoded.
 */
#include "etf/etf.h"
#include "etf/pattern.h"

static bool same_integer(clu_reader *r, clu_reader *literal)
{
    uint8_t small_a[8], small_b[8];
    bool negative_a, negative_b;
    clu_slice a = clu_get_big(r, &negative_a, small_a);
    clu_slice b = clu_get_big(literal, &negative_b, small_b);

    return slice_equal(a, b) && (negative_a == negative_b || a.len == 0);
}

bool literal_is_atom(clu_reader *r, clu_slice text)
{
    uint8_t utf8[CLU_ATOM_BYTES_MAX];

    return slice_equal(clu_get_atom_utf8(r, utf8), text);
}

bool literal_is_rest(clu_list *list, clu_reader *literal)
{
    clu_list wanted = clu_get_elements(literal);
    clu_reader *a, *b;

    while ((b = clu_list_next(&wanted)) != NULL) {
        a = clu_list_next(list);
        if (a == NULL || clu_peek_type(a) != CLU_TYPE_INTEGER || !same_integer(a, b))
            return false;
    }
    return clu_list_end(list) == CLU_OK;
}

static bool same_list(clu_reader *r, clu_reader *literal)
{
    clu_list list = clu_get_elements(r);

    return literal_is_rest(&list, literal);
}

bool literal_is_term(clu_reader *r, clu_slice term)
{
    clu_reader literal;

    clu_reader_init(&literal, term.data, term.len);
    clu_type type = clu_peek_type(&literal);

    if (clu_peek_type(r) != type)
        return false;
    switch (type) {
    case CLU_TYPE_INTEGER: return same_integer(r, &literal);
    case CLU_TYPE_FLOAT: return clu_get_float(r) == clu_get_float(&literal);
    case CLU_TYPE_ATOM: return literal_is_atom(r, clu_get_atom(&literal));
    case CLU_TYPE_BINARY: return slice_equal(clu_get_binary(r), clu_get_binary(&literal));
    case CLU_TYPE_LIST: return same_list(r, &literal);
    default: return false; /* bit strings: no directive has them either */
    }
}
