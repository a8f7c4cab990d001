/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "dist/channel.h"

/* What a channel made of its input. */
struct trace {
    uint64_t messages, bytes, sum;
    clu_error err;
};

static uint64_t sum_of(uint64_t sum, clu_slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        sum = sum * 31 + bytes.data[i];
    return sum;
}

static void drain(struct channel *c, struct trace *t)
{
    struct frame f;

    while (channel_next(c, &f)) {
        size_t used = 0;

        assert(clu_check(f.control.data, f.control.len, f.refs, &used) == CLU_OK);
        assert(used == f.control.len);
        t->messages++;
        t->bytes += f.control.len + f.payload.len;
        t->sum = sum_of(sum_of(t->sum, f.control), f.payload);
    }
    t->err = c->err;
    assert((c->err != CLU_OK) == (c->what != NULL));
}

static struct trace read_at_once(const uint8_t *data, size_t size)
{
    struct channel c;
    struct trace t = {0};

    channel_init(&c, 0, 60000, 4, 0);
    channel_feed(&c, data, size, 0);
    drain(&c, &t);
    assert(c.partial.cap <= 2 * size + 128); /* memory follows the bytes */
    channel_fini(&c);
    return t;
}

/* As a socket would hand it over, `chunk` bytes at most a turn. */
static struct trace read_in_pieces(const uint8_t *data, size_t size, size_t chunk)
{
    uint8_t *scratch = malloc(chunk);
    struct channel c;
    struct trace t = {0};

    channel_init(&c, 0, 60000, 4, 0);
    while (size > 0 && c.err == CLU_OK) {
        struct iovec iov[2];
        size_t places = channel_space(&c, scratch, chunk, iov), got = 0;

        assert(places >= 1 && places <= 2);
        for (size_t i = 0; i < places && got < chunk; i++) {
            size_t part = (size_t)min_u64(min_u64(iov[i].iov_len, size), chunk - got);

            if (part > 0)
                memcpy(iov[i].iov_base, data, part);
            data += part;
            size -= part;
            got += part;
        }
        channel_got(&c, got, scratch, 0);
        drain(&c, &t);
    }
    channel_fini(&c);
    free(scratch);
    return t;
}

/* A stream means the same however it is cut. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct trace whole = read_at_once(data + 1, size - 1);
    struct trace cut = read_in_pieces(data + 1, size - 1, 1 + data[0]);

    assert(whole.messages == cut.messages && whole.bytes == cut.bytes && whole.sum == cut.sum);
    assert(whole.err == cut.err);
    return 0;
}
