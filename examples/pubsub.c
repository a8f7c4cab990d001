/* SPDX-License-Identifier: Apache-2.0
 * A member of Phoenix.PubSub: pubsub MyApp.PubSub TOPIC prints what is broadcast to the topic, and
 * broadcasts {tick, N} to it each second. The nodes of MyApp are those that ERLCLU_DISCOVER lists,
 * as dns:NAME or epmd:HOST (docs/discovery.md). */
#include <erlclu/erlclu.h>

#include <stdio.h>

/* Its adapter's scope of pg. */
#define PHOENIX "Elixir.Phoenix.PubSub"

static clu_writer group; /* 'Elixir.MyApp.PubSub.Adapter' */
static const char *topic;

static void broadcast(clu_process *self)
{
    static uint64_t n;
    clu_slice name = {group.data, group.len};
    clu_writer w = {0};

    clu_format(&w, "{forward_to_local,~b,{tick,~u},'" PHOENIX "'}", topic, ++n);
    if (clu_pg_send(self, PHOENIX, name, CLU_PG_REMOTE, (clu_slice){w.data, w.len}) != CLU_OK)
        fprintf(stderr, "pubsub: tick %u is lost for some\n", (unsigned)n);
    clu_writer_free(&w);
    clu_after(self, 1000);
}

static void on_signal(clu_process *self, const clu_signal *s, void *arg)
{
    clu_reader term = s->term, message;
    clu_writer text = {0};
    clu_slice to;

    (void)arg;
    if (s->kind == CLU_SIGNAL_TIMEOUT)
        broadcast(self);
    else if (clu_match(&term, "{forward_to_local,~b,~t,~_}", &to, &message) == CLU_OK &&
             clu_slice_is(to, topic) && clu_print(&message, &text) == CLU_OK)
        printf("%.*s\n", (int)text.len, (const char *)text.data);
    clu_writer_free(&text);
}

int main(int argc, char **argv)
{
    clu_node *node = clu_node_new(&(clu_options){.name = "pubsub"});
    clu_process *p = clu_spawn(node, &(clu_spawn_options){.receive = on_signal});
    char name[256];

    snprintf(name, sizeof name, "Elixir.%s.Adapter", argc > 1 ? argv[1] : "MyApp.PubSub");
    topic = argc > 2 ? argv[2] : "topic";
    setlinebuf(stdout);
    clu_format(&group, "~a", (const char *)name);
    if (p != NULL && clu_pg_start(node, PHOENIX) == CLU_OK &&
        clu_pg_join(p, PHOENIX, (clu_slice){group.data, group.len}) == CLU_OK)
        broadcast(p);
    return clu_main(node);
}
