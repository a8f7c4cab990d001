/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DIST_FRAGMENTS_H
#define TESTS_DIST_FRAGMENTS_H

#include "reader.h"

/* Messages in fragments, as their bytes and as a reader is fed with them. */

#define FIRST(sequence, fragment)                                                                  \
    "\x83"                                                                                         \
    "E\0\0\0\0\0\0\0" sequence "\0\0\0\0\0\0\0" fragment
#define NEXT(sequence, fragment)                                                                   \
    "\x83"                                                                                         \
    "F\0\0\0\0\0\0\0" sequence "\0\0\0\0\0\0\0" fragment
/* A header with one atom, new in slot 7, which the next also names; a tuple {Atom}. */
#define A_FOO                                                                                      \
    "\x01\x08\x07\x03"                                                                             \
    "foo"                                                                                          \
    "h\x01R\0"
#define A_BAR                                                                                      \
    "\x01\x08\x07\x03"                                                                             \
    "bar"                                                                                          \
    "h\x01R\0"
/* {Atom, Binary of 6} */
#define PAYLOAD_1 "h\2R\0m\0\0\0"
#define PAYLOAD_2 "\6xx"
#define PAYLOAD_3 "xxxx"

/* FRAME: feeds the reader f of the function around it with one frame. */
#define FRAME(text)                                                                                \
    do {                                                                                           \
        static const clu_slice content = BYTES(text);                                              \
        struct buf stream = {0};                                                                   \
                                                                                                   \
        put_frame(&stream, content);                                                               \
        feed(&f, stream.data, stream.len);                                                         \
        buf_free(&stream);                                                                         \
    } while (0)

static inline uint8_t fill(uint64_t sequence)
{
    return (uint8_t)('w' + sequence % 3);
}

/* A fragment with so many bytes of a payload, all of its sequence's letter; begin is what stands in
 * front of them. */
static inline void put_fragment(struct buf *out, uint8_t kind, uint64_t sequence, uint64_t fragment,
                                clu_slice begin, size_t payload)
{
    uint8_t *p;

    buf_put_be32(out, (uint32_t)(18 + begin.len + payload));
    buf_put_byte(out, ETF_VERSION);
    buf_put_byte(out, kind);
    p = buf_space(out, 16);
    put_be64(p, sequence);
    put_be64(p + 8, fragment);
    buf_add(out, 16);
    buf_put_slice(out, begin);
    memset(buf_space(out, payload), fill(sequence), payload);
    buf_add(out, payload);
}

/* put_first, put_next: the control message is {6}. */
static inline void put_first(struct buf *out, uint64_t sequence, uint64_t fragments, size_t payload)
{
    static const uint8_t begin[] = {0, 'h', 1, 'a', 6};

    put_fragment(out, 69, sequence, fragments, (clu_slice){begin, sizeof begin}, payload);
}

static inline void put_next(struct buf *out, uint64_t sequence, uint64_t fragment, size_t payload)
{
    put_fragment(out, 70, sequence, fragment, (clu_slice){NULL, 0}, payload);
}

#endif
