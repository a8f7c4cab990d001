/* SPDX-License-Identifier: Apache-2.0
 *
 * etf: the External Term Format, bytes to values and text and back.
 *   knows: tags and their layouts, UTF-8, Erlang's syntax, big integers, floats to the last bit.
 *   must not know: distribution headers (a reader is handed its atoms), nodes, sockets.
 * No tree of terms and no recursion: who only passes over a term counts the terms to come; text
 * keeps a container a level on a stack of CLU_DEPTH_MAX.
 */
#ifndef ETF_ETF_H
#define ETF_ETF_H

#include "base/base.h"

/* A length of the wire and some bytes more must be a size: nothing here is built for 32 bits. */
_Static_assert(sizeof(size_t) > sizeof(uint32_t), "sizes hold any length of the format");

/* Bytes of FLOAT_EXT's text. */
#define ETF_FLOAT_TEXT 31

/* etf_get_atom: an atom of any tag; Latin-1 is converted into buf, or CLU_EATOM when buf is NULL
 * and conversion is needed. */
clu_slice etf_get_atom(clu_reader *r, uint8_t *buf);
/* As the public ones; the node's Latin-1 is converted into buf. */
clu_pid etf_get_pid(clu_reader *r, uint8_t *buf);
clu_ref etf_get_ref(clu_reader *r, uint8_t *buf);
clu_port etf_get_port(clu_reader *r, uint8_t *buf);
/* Two names, whatever their tags, and where they are converted. */
struct names {
    clu_slice module, name;
    uint8_t buf[2][CLU_ATOM_BYTES_MAX];
};
/* etf_get_export: the arity. etf_get_record: the fields. */
uint8_t etf_get_export(clu_reader *r, struct names *names);
size_t etf_get_record(clu_reader *r, struct names *names, bool *exported);
/* etf_copy_leaf: copies a term that holds no others, whatever its tag, in the one encoding that the
 * put functions choose; references to the atoms of a header become atoms. Only names in Latin-1
 * within pids, references, ports and funs stay as they are: no node of today has one, and no cache.
 * CLU_ETAG for containers, and for funs with an environment. After an error nothing is put. */
void etf_copy_leaf(clu_reader *r, clu_writer *w);
/* etf_read_float_text: the text of a FLOAT_EXT, which ends in zeros. */
CLU_MUST_USE clu_error etf_read_float_text(const uint8_t text[ETF_FLOAT_TEXT], double *value);

#endif
