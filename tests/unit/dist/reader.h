/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DIST_READER_H
#define TESTS_DIST_READER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "message.h"

#define KIB 1024u
#define MIB (1024u * KIB)

/* A channel and what came out of it, a line a frame: its part, its control, what of a payload. */
struct fixture {
    struct channel c;
    struct buf seen;
};

static inline void setup(struct fixture *f)
{
    *f = (struct fixture){0};
    open_channel(&f->c, 0);
}

static inline void teardown(struct fixture *f)
{
    channel_fini(&f->c);
    buf_free(&f->seen);
}

/* A payload {Atom, Binary}: the atom, the size of the binary and the byte it is full of. */
static inline void print_payload(struct buf *out, const struct frame *f)
{
    clu_reader r = {
        .pos = f->payload.data, .end = f->payload.data + f->payload.len, .refs = f->refs};

    clu_get_tuple(&r);
    clu_slice name = clu_get_atom(&r);
    clu_slice bytes = clu_get_binary(&r);

    if (r.err != CLU_OK || r.pos != r.end) {
        buf_put_text(out, " ?");
        return;
    }
    for (size_t i = 1; i < bytes.len; i++)
        if (bytes.data[i] != bytes.data[0])
            fail_msg("byte %zu is not as byte 0", i);
    buf_printf(out, " %.*s %zu", (int)name.len, (const char *)name.data, bytes.len);
    if (bytes.len > 0)
        buf_printf(out, " %c", bytes.data[0]);
}

static inline void drain(struct fixture *f)
{
    static const char *const parts[] = {"", "first ", "part ", "last "};
    struct frame frame;

    while (channel_next(&f->c, &frame)) {
        buf_put_text(&f->seen, parts[frame.part]);
        print_term(&f->seen, frame.control, frame.refs);
        if (frame.too_big)
            buf_put_text(&f->seen, " too big");
        else if (frame.part != FRAME_WHOLE)
            buf_printf(&f->seen, " %u/%u %.*s", (unsigned)frame.stream, (unsigned)frame.sequence,
                       (int)frame.payload.len, (const char *)frame.payload.data);
        else if (frame.payload.len > 0)
            print_payload(&f->seen, &frame);
        buf_put_byte(&f->seen, '\n');
    }
}

static inline void feed(struct fixture *f, const void *data, size_t len)
{
    channel_feed(&f->c, data, len, 0);
    drain(f);
}

static inline const char *seen(struct fixture *f)
{
    return buf_text(&f->seen);
}

#endif
