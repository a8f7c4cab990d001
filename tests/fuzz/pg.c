/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include <erlclu/pg.h>

#include "../unit/dist/drain.h"
#include "dist/flags.h"
#include "node/node.h"

/* A scope of pg hears messages from a peer's: each a length in two bytes, then a term. The first
 * bit of the length says whether a process of ours joins or leaves the group that the term names,
 * instead. */

struct fuzz {
    struct clu_node node;
    struct node_link link;
    struct channel channel;
    clu_process *process;
};

/* Nothing but pg's own messages goes to a scope. */
static bool is_pg(clu_reader r)
{
    static const char *const words[] = {"discover", "join", "leave", "update", "$gen_cast"};

    clu_get_tuple(&r);
    clu_slice word = clu_get_atom(&r);

    for (size_t i = 0; i < COUNT(words); i++)
        if (slice_is(word, words[i]))
            return true;
    return false;
}

/* What the peer reads is whole. Pids are of its choice: it may ask for answers to its scope (sys);
 * what goes to the name does so by our own. */
static void check_sent(struct fuzz *f)
{
    struct buf out = {0};
    struct channel peer;
    struct frame frame;

    take_all(&f->channel, &out, 0);
    channel_init(&peer, f->channel.flags, 60000, 4, 0);
    channel_feed(&peer, out.data, out.len, 0);
    while (channel_next(&peer, &frame)) {
        struct control c;
        const char *what = NULL;

        assert(control_parse(&c, frame.control, frame.payload, frame.refs, &what) == CLU_OK);
        if (c.op == OP_REG_SEND)
            assert(is_pg((clu_reader){.pos = frame.payload.data,
                                      .end = frame.payload.data + frame.payload.len,
                                      .refs = frame.refs}));
    }
    assert(peer.err == CLU_OK);
    channel_fini(&peer);
    buf_free(&out);
}

static void hear(struct fuzz *f, clu_slice message)
{
    static const char name[] = "pubs";
    struct control c = {.op = OP_REG_SEND,
                        .from = {.node = slice_of("p@h"), .id = 7, .creation = 3},
                        .to_is_name = true,
                        .to_name = slice_of(name),
                        .payload = message,
                        .has_payload = true};
    const char *what = NULL;

    if (f->link.remote != NULL && node_receive(&f->node, &f->link, &c, &what) != CLU_OK)
        assert(what != NULL);
}

static void join_or_leave(struct fuzz *f, clu_slice group)
{
    size_t before = clu_pg_members(&f->node, "pubs", group, NULL, NULL);

    if (clu_pg_leave(f->process, "pubs", group) == CLU_OK)
        assert(clu_pg_members(&f->node, "pubs", group, NULL, NULL) == before - 1);
    else if (clu_pg_join(f->process, "pubs", group) == CLU_OK)
        assert(clu_pg_members(&f->node, "pubs", group, NULL, NULL) == before + 1);
}

static void step(struct fuzz *f, const uint8_t *data, size_t len, bool ours)
{
    if (clu_check(data, len, NULL, NULL) != CLU_OK)
        return;
    if (ours)
        join_or_leave(f, (clu_slice){data, len});
    else
        hear(f, (clu_slice){data, len});
    node_turn(&f->node, 0);
}

static bool add_group(clu_slice group, size_t members, size_t local, void *arg)
{
    clu_pg_info *sum = arg;

    assert(members > 0 && local <= members);
    assert(clu_check(group.data, group.len, NULL, NULL) == CLU_OK);
    sum->memberships += members;
    sum->local += local;
    return true;
}

static void check_sums(struct fuzz *f)
{
    clu_pg_info info, sum = {0};

    if (!clu_pg_get_info(&f->node, "pubs", &info)) /* sys:terminate */
        return;
    assert(clu_pg_groups(&f->node, "pubs", add_group, &sum) == info.groups);
    assert(sum.memberships == info.memberships && sum.local == info.local);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz f;

    channel_init(&f.channel, DFLAGS_OFFERED | DFLAG_PUBLISHED, 60000, 4, 0);
    if (node_init(&f.node, "us@h", 5, false) != CLU_OK ||
        node_link_up(&f.node, &f.link, &f.channel, "p@h", 3, f.channel.flags) != CLU_OK ||
        clu_pg_start(&f.node, "pubs") != CLU_OK)
        abort();
    f.process = clu_spawn(&f.node, &(clu_spawn_options){0});
    clu_pg_monitor(f.process, "pubs", NULL);
    for (size_t at = 0; size - at >= 2;) {
        size_t len = get_be16(data + at) & 0x7fff;
        bool ours = (data[at] & 0x80) != 0;

        at += 2;
        if (len > size - at)
            break;
        step(&f, data + at, len, ours);
        at += len;
    }
    check_sums(&f);
    check_sent(&f);
    node_link_down(&f.node, &f.link, "connection_closed");
    node_turn(&f.node, 0);
    check_sums(&f);
    channel_fini(&f.channel);
    node_fini(&f.node);
    return 0;
}
