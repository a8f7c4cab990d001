/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DIST_PLAIN_H
#define TESTS_DIST_PLAIN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "bytes.h"
#include "dist/channel.h"
#include "dist/flags.h"
#include "drain.h"

/* Channels without headers and fragments, which header_test.c and fragments_test.c look at. */

#define TICKTIME  60000
#define INTENSITY 4
#define PLAIN     (DFLAGS_OFFERED & ~(DFLAG_DIST_HDR_ATOM_CACHE | DFLAG_FRAGMENTS))

static inline struct channel channel(void)
{
    struct channel c;

    channel_init(&c, PLAIN, TICKTIME, INTENSITY, 0);
    return c;
}

#define TICK "\0\0\0\0"
/* a control message with payload */
#define PAID                                                                                       \
    "\0\0\0\x0bp\x83h\x01"                                                                         \
    "a\x06"                                                                                        \
    "\x83w\x02hi"

/* drain: "control/payload" lengths a message, behind what stands in trace. */
static inline void drain(struct channel *c, char *trace, size_t size)
{
    struct frame f;

    while (channel_next(c, &f)) {
        size_t used = strlen(trace);

        assert_int_equal(f.control.data[0], ETF_SMALL_TUPLE);
        snprintf(trace + used, size - used, "%zu/%zu ", f.control.len, f.payload.len);
    }
}

static inline clu_error put_message(struct channel *c, size_t payload_len)
{
    clu_writer w;

    channel_begin(c, &w, 0);
    clu_put_tuple(&w, 1);
    clu_put_int(&w, 6);
    if (payload_len > 0) {
        uint8_t *bytes = calloc(1, payload_len);

        channel_payload(c, &w);
        clu_put_binary(&w, bytes, payload_len);
        free(bytes);
    }
    return channel_end(c, &w);
}

#endif
