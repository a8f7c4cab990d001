/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "dist/flags.h"
#include "node/node.h"
#include "../unit/dist/drain.h"

/* What a node answers is whole, and no peer would cut the link for it. */
static void check_answers(struct channel *channel)
{
    struct buf out = {0};
    struct channel peer;
    struct frame f;

    take_all(channel, &out, 0);
    channel_init(&peer, channel->flags, 60000, 4, 0);
    channel_feed(&peer, out.data, out.len, 0);
    while (channel_next(&peer, &f)) {
        struct control c;
        const char *what = NULL;

        assert(control_parse(&c, f.control, f.payload, f.refs, &what) == CLU_OK);
    }
    assert(peer.err == CLU_OK);
    channel_fini(&peer);
    buf_free(&out);
}

/* One signal from a peer: read or refused with words, then answered. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t flags = size % 2 == 0 ? DFLAGS_OFFERED : DFLAGS_MANDATORY_25;
    struct clu_node node;
    struct node_link link;
    struct channel channel;
    struct control c;
    const char *what = NULL;
    size_t used = 0, message = 0;

    if (clu_check(data, size, NULL, &used) != CLU_OK)
        return 0;
    if (used < size && clu_check(data + used, size - used, NULL, &message) != CLU_OK)
        return 0;
    clu_slice control = {data, used}, payload = {data + used, message};

    if (control_parse(&c, control, payload, NULL, &what) != CLU_OK) {
        assert(what != NULL);
        return 0;
    }
    channel_init(&channel, flags, 60000, 4, 0);
    if (node_init(&node, "us@h", 5, false) != CLU_OK ||
        node_link_up(&node, &link, &channel, "p@h", 3, flags) != CLU_OK)
        abort();
    if (node_receive(&node, &link, &c, &what) != CLU_OK)
        assert(what != NULL);
    else
        node_turn(&node, 0);
    check_answers(&channel);
    node_link_down(&node, &link, "connection_closed");
    channel_fini(&channel);
    node_fini(&node);
    return 0;
}
