/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIEW_MUSTACHE_OPS_H
#define VIEW_MUSTACHE_OPS_H

#include "view/mustache.h"

/* A compiled template is a flat program: the compiler writes it, the renderer runs it. Only these
 * two include this file. */
enum op_kind {
    OP_TEXT,     /* text: up to a line of the template, as it stands */
    OP_VALUE,    /* text: a name; its value, escaped */
    OP_RAW,      /* the same, not escaped */
    OP_SECTION,  /* text: a name; other: its OP_END */
    OP_INVERTED, /* the same */
    OP_END,      /* other: the opening op */
    OP_PARTIAL,  /* text: a name */
    OP_DONE,     /* the end of the template */
    OP_KINDS
};

struct op {
    enum op_kind kind;
    uint32_t other;
    /* First of what its line shows: a partial's indentation goes before it. */
    bool starts_line;
    clu_slice text;
    /* OP_PARTIAL alone in its line: the white space before it. */
    clu_slice indent;
};

struct mustache {
    struct op *ops;
    uint32_t n_ops, cap_ops;
    uint8_t *source; /* what the slices of the ops point into */
    size_t source_len;
};

#endif
