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

/* ---- functions and servers that peers call ---- */

static clu_call *pending; /* the last call that was put off */

static void reply_late(void)
{
    if (pending == NULL)
        return;
    clu_put_atom_text(clu_reply_begin(pending), "late");
    assert(clu_reply_end(pending) == CLU_OK);
    pending = NULL;
}

static clu_error put_off(clu_call *call)
{
    reply_late();
    pending = call;
    return CLU_PENDING;
}

/* m:f(Word): what it does with its call. */
static clu_error function(clu_call *call, clu_reader *args, void *arg)
{
    (void)arg;
    if (clu_peek_type(args) == CLU_TYPE_LIST)
        clu_get_list(args);
    clu_reader word = *args;
    clu_slice what = clu_get_atom(&word);

    if (slice_is(what, "later"))
        return put_off(call);
    if (slice_is(what, "live"))
        clu_become(call, NULL, NULL, NULL);
    if (slice_is(what, "leave"))
        clu_exit(clu_call_self(call), "left");
    if (slice_is(what, "live") || slice_is(what, "leave"))
        return CLU_OK;
    if (slice_is(what, "full"))
        return CLU_ENOMEM;
    clu_put_term(slice_is(what, "throw") ? clu_raise_begin(call, "throw") : clu_reply_begin(call),
                 args);
    return clu_reply_end(call);
}

static const clu_server served = {.call = function};

static bool populate(struct clu_node *n)
{
    clu_export(n, "m", "f", 1, function, NULL);
    clu_export(n, "m", "f", 0, function, NULL);
    clu_serve(n, "served", &served, NULL);
    clu_spawn(n, &(clu_spawn_options){.name = "box"});
    return n->err == CLU_OK;
}

/* ---- signals ---- */

/* The next signal and how many bytes it takes; 0: there is none. Its payload is the term behind it,
 * where it has one. */
static size_t next_signal(struct control *c, const uint8_t *data, size_t size)
{
    const char *what = NULL;
    size_t used = 0, message = 0;

    if (clu_check(data, size, NULL, &used) != CLU_OK)
        return 0;
    if (used < size && clu_check(data + used, size - used, NULL, &message) == CLU_OK &&
        control_parse(c, (clu_slice){data, used}, (clu_slice){data + used, message}, NULL, &what) ==
            CLU_OK)
        return used + message;
    if (control_parse(c, (clu_slice){data, used}, (clu_slice){NULL, 0}, NULL, &what) == CLU_OK)
        return used;
    assert(what != NULL);
    return 0;
}

static void receive_all(struct clu_node *node, struct node_link *link, const uint8_t *data,
                        size_t size)
{
    struct control c;
    size_t used;

    while ((used = next_signal(&c, data, size)) > 0) {
        const char *what = NULL;

        if (node_receive(node, link, &c, &what) != CLU_OK) {
            assert(what != NULL);
            return;
        }
        node_turn(node, 0);
        data += used;
        size -= used;
    }
}

/* Signals from a peer: read or refused with words, then answered. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t flags = size % 2 == 0 ? DFLAGS_OFFERED : DFLAGS_MANDATORY_25;
    struct clu_node node;
    struct node_link link;
    struct channel channel;

    channel_init(&channel, flags, 60000, 4, 0);
    if (node_init(&node, "us@h", 5, false) != CLU_OK ||
        node_link_up(&node, &link, &channel, "p@h", 3, flags) != CLU_OK || !populate(&node))
        abort();
    receive_all(&node, &link, data, size);
    reply_late();
    node_turn(&node, 0);
    check_answers(&channel);
    node_link_down(&node, &link, "connection_closed");
    node_turn(&node, 0);
    channel_fini(&channel);
    node_fini(&node);
    return 0;
}
