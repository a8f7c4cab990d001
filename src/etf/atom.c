/* SPDX-License-Identifier: Apache-2.0 */
#include "etf/etf.h"

/* FNV-1a, 32 bits: short texts, and nobody who could choose them to collide gains anything. */
#define FNV_BASIS 2166136261u
#define FNV_PRIME 16777619u

uint32_t clu_atom_hash(clu_slice text)
{
    uint32_t hash = FNV_BASIS;

    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ text.data[i]) * FNV_PRIME;
    return hash;
}

clu_atom clu_atom_new(const char *text)
{
    clu_slice name = slice_of(text);
    clu_atom atom = {.hash = clu_atom_hash(name)};
    clu_writer w;

    clu_writer_init(&w);
    clu_put_atom(&w, name);
    atom.err = w.err;
    if (w.err != CLU_OK) {
        clu_writer_free(&w);
        return atom;
    }
    atom.term = w.data;
    atom.len = (uint16_t)w.len;
    atom.head = (uint8_t)(w.len - name.len);
    return atom;
}

void clu_atom_free(clu_atom *atom)
{
    clu_writer w = {.data = atom->term};

    clu_writer_free(&w);
    *atom = (clu_atom){.err = CLU_EATOM};
}
