/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "dist/handshake.h"

static const uint8_t seed[SHA256_LEN] = {1};

static void start(struct handshake *hs, struct crypto *crypto, uint8_t choice)
{
    struct handshake_options o = {
        .name = "us@127.0.0.1",
        .dynamic = (choice & 2) != 0,
        .creation = 7,
        .flags = DFLAGS_OFFERED | DFLAG_PUBLISHED,
        .cookie = slice_of("secret"),
        .crypto = crypto,
        .setup_ms = 7000,
        .length_size = (choice & 4) != 0 ? 4 : 2,
    };

    if (o.dynamic)
        o.name = HANDSHAKE_DYNAMIC_HOST;
    if ((choice & 1) != 0)
        handshake_dial(hs, &o, (choice & 8) != 0 ? "a@127.0.0.1" : NULL);
    else
        handshake_accept(hs, &o);
}

static void decide(struct handshake *hs, uint8_t choice)
{
    enum hs_status status = (enum hs_status)((choice >> 4) % (HS_STATUS_ALIVE + 1));

    handshake_answer(hs, status, slice_of("secret"), "x@host", 9);
    handshake_confirm(hs, (choice & 128) == 0);
    handshake_use_cookie(hs, slice_of("secret"));
}

/* Whatever a peer that does not know the cookie sends: it never gets in, no more is taken than was
 * given, no more is pending than there is room for, and a failure has its words. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct crypto *crypto; /* kept: to make one takes longer than a handshake */
    struct handshake hs;

    if (crypto == NULL)
        crypto = crypto_new(seed);
    if (size == 0)
        return 0;
    start(&hs, crypto, data[0]);
    for (size_t at = 1; at < size;) {
        size_t chunk = (size_t)min_u64(size - at, 1 + data[at] % 64u);
        size_t used = handshake_feed(&hs, data + at, chunk);

        assert(used <= chunk);
        assert(hs.out_sent <= hs.out_len && hs.out_len <= sizeof hs.out);
        handshake_sent(&hs, handshake_pending(&hs).len / 2);
        decide(&hs, data[0]);
        at += used > 0 ? used : chunk;
    }
    handshake_closed(&hs);
    assert(hs.state == HS_FAILED || hs.state == HS_WAIT_INBOUND);
    assert((hs.state == HS_FAILED) == (hs.failure != HS_FAIL_NONE && hs.reason[0] != '\0'));
    assert(hs.peer[0] == '\0' || hs.peer_dynamic || name_is_of_node(slice_of(hs.peer)));
    return 0;
}
