/* SPDX-License-Identifier: Apache-2.0
 *
 * What the node's global wants of the mesh: links cut, people told.
 */
#include <stdio.h>

#include "mesh/internal.h"

/* The other node's name stands between the two. */
static const struct {
    const char *begin, *end;
} sentences[] = {
    [GLOBAL_TOLD_TO_CUT] = {"asked us to cut our link, to prevent overlapping partitions: it is "
                            "dialled again if it is listed",
                            NULL},
    [GLOBAL_ASKS_TO_CUT] = {"was asked to cut our link, to prevent overlapping partitions: ",
                            " has lost its own"},
    [GLOBAL_LOST] = {"its link is lost, and the others were told so: they may cut theirs "
                     "(prevent_overlapping_partitions)",
                     NULL},
    [GLOBAL_UNREACHABLE] = {"others are linked with it, and it cannot be reached from here: all "
                            "were told so, and may cut their links to it",
                            NULL},
    [GLOBAL_ONE_SIDED] =
        {"one of us knows the other, which does not know it: the exchange of names "
         "has failed, and our link is cut to begin anew",
         NULL},
    [GLOBAL_NAME_CONFLICT] = {"a process at ", " has it, too: one of the two lost it"},
    [GLOBAL_ODD] = {"sent global a message that makes no sense", NULL},
    [GLOBAL_NO_MEMORY] = {"memory was out: all links are closed, to begin anew with a whole state",
                          NULL},
    [GLOBAL_OVERFULL] =
        {"it does not read, and too much waits for it: all links are closed, to begin "
         "anew, so that the others need not decide between us",
         NULL},
    [GLOBAL_KILLED] = {"a process of global has ended", NULL},
};

static void tell(struct machine *m, const struct global_news *news)
{
    bool conflict = news->kind == GLOBAL_NAME_CONFLICT;
    struct event *e = machine_event(m, conflict ? EVENT_GLOBAL_NAME : EVENT_GLOBAL);
    const char *other = conflict || news->other[0] == '\0' ? news->node : news->other;

    text_set(e->node, sizeof e->node, slice_of(news->node));
    text_set(e->what, sizeof e->what, slice_of(news->what));
    snprintf(e->reason, sizeof e->reason, "%s%.200s%s", sentences[news->kind].begin,
             sentences[news->kind].end == NULL ? "" : other,
             sentences[news->kind].end == NULL ? "" : sentences[news->kind].end);
    if (news->kind == GLOBAL_KILLED)
        machine_fatal(m, "a process of global has ended: the node cannot go on without");
}

static void close_links(struct machine *m)
{
    const struct map_entry *at = NULL;
    struct link *l;

    while ((l = map_next(&m->links, &at, NULL)) != NULL) {
        link_cut(m, l, "global begins anew", m->now_ms);
        at = NULL;
    }
}

void global_serve(struct machine *m)
{
    struct global_news news;
    const char *name;

    if (m->node.global == NULL)
        return;
    while (global_next_news(&m->node, &news))
        tell(m, &news);
    while ((name = global_next_cut(&m->node)) != NULL) {
        struct link *l = link_find(m, name);

        if (l != NULL)
            link_cut(m, l, "global wants it cut, to prevent overlapping partitions", m->now_ms);
    }
    if (global_wants_out(&m->node))
        close_links(m);
}
