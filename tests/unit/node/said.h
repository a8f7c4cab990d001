/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_NODE_SAID_H
#define TESTS_NODE_SAID_H

#include "../dist/drain.h"
#include "base/buf.h"

/* What goes over a channel, in Erlang's syntax. */

/* What is longer is not spelt out. */
#define SAID_MAX (128u << 10)

static inline void print_term(struct buf *out, clu_slice term, const clu_refs *refs)
{
    clu_reader r = {.pos = term.data, .end = term.data + term.len, .refs = refs};
    clu_writer text;

    if (term.len > SAID_MAX) {
        buf_put_text(out, "large");
        return;
    }
    clu_writer_init(&text);
    assert_int_equal(clu_print(&r, &text), CLU_OK);
    buf_put(out, text.data, text.len);
    clu_writer_free(&text);
}

/* channel_said: what the channel has pending, as the peer reads it: "control" or "control payload"
 * a line. */
static inline const char *channel_said(struct channel *c, struct channel *peer, struct buf *said)
{
    struct buf out = {0};
    struct frame frame;

    take_all(c, &out, 0);
    buf_reset(said);
    channel_feed(peer, out.data, out.len, 0);
    while (channel_next(peer, &frame)) {
        print_term(said, frame.control, frame.refs);
        if (frame.payload.len > 0) {
            buf_put_byte(said, ' ');
            print_term(said, frame.payload, frame.refs);
        }
        buf_put_byte(said, '\n');
    }
    assert_int_equal(peer->err, CLU_OK);
    buf_free(&out);
    return buf_text(said);
}

#endif
