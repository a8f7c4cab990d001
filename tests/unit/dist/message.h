/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DIST_MESSAGE_H
#define TESTS_DIST_MESSAGE_H

#include <string.h>

#include "bytes.h"
#include "dist/channel.h"
#include "dist/flags.h"
#include "drain.h"

/* What the tests of headers and fragments share. */

/* open_channel: with headers and fragments, unless flags are taken away. */
static inline void open_channel(struct channel *c, uint64_t without)
{
    channel_init(c, DFLAGS_OFFERED & ~without, 60000, 4, 0);
}

/* put_frame: a frame of these bytes behind its length. */
static inline void put_frame(struct buf *out, clu_slice content)
{
    buf_put_be32(out, (uint32_t)content.len);
    buf_put_slice(out, content);
}

/* put_atoms: {Op, Name1, Name2, ...} and, when len is not 0, a binary of len bytes `fill`. */
static inline clu_error put_atoms(struct channel *c, uint64_t sender, int op, size_t len,
                                  uint8_t fill)
{
    static const char *const names[] = {"erlclu@10.42.0.4", "", "rex", "features_request"};
    clu_writer w;

    channel_begin(c, &w, sender);
    clu_put_tuple(&w, 2);
    clu_put_int(&w, op);
    clu_put_atom_text(&w, names[op % 4]);
    if (len > 0) {
        channel_payload(c, &w);
        clu_put_tuple(&w, 2);
        clu_put_atom_text(&w, names[(op + 1) % 4]);
        clu_put_head(&w, ETF_BINARY, len);
        uint8_t *p = clu_writer_add(&w, len);

        if (p != NULL)
            memset(p, fill, len);
    }
    return channel_end(c, &w);
}

/* print_frame: control and payload as text; binaries above 8 bytes as their length and first byte.
 */
static inline void print_term(struct buf *out, clu_slice term, const clu_refs *refs)
{
    clu_reader r = {.pos = term.data, .end = term.data + term.len, .refs = refs};
    clu_writer text;

    clu_writer_init(&text);
    if (clu_print(&r, &text) == CLU_OK)
        buf_put(out, text.data, text.len);
    else
        buf_put_text(out, "?");
    clu_writer_free(&text);
}

#endif
