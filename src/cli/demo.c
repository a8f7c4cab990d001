/* SPDX-License-Identifier: Apache-2.0
 *
 * demo: a cluster on this machine: a DNS server, three nodes of ours, and a real Erlang node that
 * does what the Erlang program does that we replace. All are called erlclu@127.0.0.x, which one
 * epmd cannot hold: they do without, on one port.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/child.h"
#include "cli/cli.h"
#include "cli/demo_place.h"
#include "net/http.h"
#include "net/program.h"
#include "net/signals.h"
#include "net/system.h"
#include "view/event_text.h"

#define SELF "/proc/self/exe"
/* How long children may take to end. */
#define PATIENCE_MS 5000
/* How often we look whether the cluster is whole, and how long a look may take. */
#define LOOK_MS      100
#define LOOK_WAIT_MS 500
/* The DNS server, the nodes of ours, and Erlang's. */
#define CHILDREN (1 + DEMO_NODES)

struct demo {
    const struct settings *settings;
    struct demo_place place;
    char dnsmasq[256], erl[256];
    struct child children[CHILDREN];
    size_t n_children;
    struct watch_base *base;
    struct signals *signals;
    struct watch *end, *look;
    uint64_t began_ms;
    int status;
};

/* Asks the DNS server for the nodes and connects to each, again and again. */
static const char refresh[] =
    "Refresh = fun() ->"
    "  Addresses = inet_res:lookup(\"" DEMO_SERVICE "\", in, a),"
    "  [net_kernel:connect_node(list_to_atom(\"erlclu@\" ++ inet:ntoa(A))) || A <- Addresses]"
    " end,"
    "Loop = fun(Again) -> Refresh(), timer:sleep(1000), Again(Again) end,"
    "spawn(fun() -> Loop(Loop) end).";

/* ---- children ---- */

static bool start(struct demo *d, const char *what, const char *const *argv,
                  const struct child_variable *variables)
{
    if (child_start(&d->children[d->n_children], what, argv, variables)) {
        d->n_children++;
        return true;
    }
    d->status = program_fail(EXIT_LOCAL, "cannot start %s", what);
    return false;
}

static bool start_dns(struct demo *d)
{
    static const struct child_variable none[] = {{NULL, NULL}};
    char port[32], hosts[DEMO_PATH_SIZE + 16];
    /* As root it would become a user who cannot read our files; and a process that changes its
     * group is not told any more when its parent dies. */
    bool is_root = geteuid() == 0;
    const char *argv[] = {d->dnsmasq,
                          "--keep-in-foreground",
                          "--conf-file=/dev/null",
                          "--pid-file=",
                          "--no-resolv",
                          "--no-hosts",
                          "--local-ttl=5",
                          "--listen-address=127.0.0.1",
                          "--bind-interfaces",
                          "--local=/cluster.local/",
                          hosts,
                          port,
                          is_root ? "--user=root" : NULL,
                          "--group=root",
                          NULL};

    snprintf(port, sizeof port, "--port=%u", (unsigned)d->place.dns_port);
    snprintf(hosts, sizeof hosts, "--addn-hosts=%s", d->place.hosts);
    return start(d, "dnsmasq", argv, none);
}

/* What the environment says of a node is not said of these. */
static const struct child_variable own_variables[] = {
    {"MY_POD_IP", NULL},      {"ERLCLU_NODE", NULL},  {"ERLCLU_DISCOVER", NULL},
    {"RELEASE_COOKIE", NULL}, {"RELEASE_NODE", NULL}, {"HTTP_ADDR", NULL},
    {"HTTP_PORT", NULL},      {"METRICS_PORT", NULL}, {"SHUTDOWN_DELAY_MS", NULL},
    {"ERL_EPMD_PORT", NULL},  {NULL, NULL},
};

static bool start_own(struct demo *d, size_t node)
{
    static const char spec[] = "dns:" DEMO_SERVICE;
    struct addr dns = demo_address(0, d->place.dns_port);
    struct addr http = demo_address(node, d->place.http_port);
    char name[64], port[8], dns_text[ADDR_TEXT_MAX], http_text[ADDR_TEXT_MAX], ip[ADDR_TEXT_MAX];
    const char *argv[] = {SELF,
                          "run",
                          "--name",
                          name,
                          "--epmd",
                          "none",
                          "--listen-port",
                          port,
                          "--dns",
                          addr_text(&dns, dns_text),
                          "--discover",
                          spec,
                          "--cookie-file",
                          d->place.cookie,
                          "--http",
                          addr_text(&http, http_text),
                          "--log-level",
                          event_level_word((enum event_level)d->settings->log_level),
                          "--log-format",
                          d->settings->json_log ? "json" : "text",
                          NULL};

    snprintf(name, sizeof name, "erlclu@%s", addr_ip_text(&http, ip));
    snprintf(port, sizeof port, "%u", (unsigned)d->place.dist_port);
    return start(d, name, argv, own_variables);
}

static bool start_erl(struct demo *d)
{
    const struct child_variable variables[] = {
        /* where erl looks for its cookie */
        {"HOME", d->place.dir}, {"ERL_FLAGS", NULL},     {"ERL_AFLAGS", NULL},
        {"ERL_ZFLAGS", NULL},   {"ERL_EPMD_PORT", NULL}, {NULL, NULL},
    };
    struct addr own = demo_address(DEMO_NODES - 1, 0);
    char name[64], port[8], inetrc[DEMO_PATH_SIZE + 2], interface[64], ip[ADDR_TEXT_MAX];
    const char *argv[] = {d->erl,
                          "-noinput",
                          "-name",
                          name,
                          "-start_epmd",
                          "false",
                          "-erl_epmd_port",
                          port,
                          "-kernel",
                          "logger_level",
                          "error",
                          "-kernel",
                          "inet_dist_use_interface",
                          interface,
                          "-kernel",
                          "inetrc",
                          inetrc,
                          "-eval",
                          refresh,
                          NULL};

    snprintf(name, sizeof name, "erlclu@%s", addr_ip_text(&own, ip));
    snprintf(port, sizeof port, "%u", (unsigned)d->place.dist_port);
    snprintf(inetrc, sizeof inetrc, "\"%s\"", d->place.inetrc);
    snprintf(interface, sizeof interface, "{127,0,0,%u}", (unsigned)own.ip[3]);
    return start(d, "erl", argv, variables);
}

static bool start_all(struct demo *d)
{
    if (!start_dns(d))
        return false;
    for (size_t i = 0; i + 1 < DEMO_NODES; i++)
        if (!start_own(d, i))
            return false;
    return start_erl(d);
}

/* ---- what people see ---- */

static void print_line(const char *text)
{
    struct buf out = {0};

    buf_printf(&out, "%s\n", text);
    (void)program_print(&out);
}

static int print_places(const struct demo *d)
{
    const struct demo_place *p = &d->place;
    char self[512] = "erlclu"; /* zeroed behind it */
    struct buf out = {0};

    (void)!readlink(SELF, self, sizeof self - 1);
    buf_printf(&out,
               "DNS    127.0.0.1:%u answers for %s\n"
               "nodes  erlclu@127.0.0.1 to erlclu@127.0.0.%d at port %u; the last one is Erlang's\n"
               "page   http://127.0.0.1:%u/\n",
               (unsigned)p->dns_port, DEMO_SERVICE, DEMO_NODES, (unsigned)p->dist_port,
               (unsigned)p->http_port);
    buf_printf(&out, "shell  %s shell --port %u --cookie-file %s erlclu@127.0.0.%d\n", self,
               (unsigned)p->dist_port, p->cookie, DEMO_NODES);
    buf_put_text(&out, "Ctrl-C stops all of it\n");
    return program_print(&out);
}

static size_t count_nodes(const struct demo *d, size_t node)
{
    struct addr at = demo_address(node, d->place.http_port);
    struct buf body = {0};
    uint16_t status = 0;
    size_t n = 0;

    if (http_get(&at, "/api/v1/cluster", LOOK_WAIT_MS, &status, &body) == CLU_OK) {
        json_t *cluster = json_loadb((const char *)body.data, body.len, 0, NULL);

        n = json_array_size(json_object_get(cluster, "nodes"));
        json_decref(cluster);
    }
    buf_free(&body);
    return n;
}

/* Says once that each of our nodes sees all of them. */
static void on_look(void *arg, bool timed_out)
{
    struct demo *d = arg;
    char line[128];

    (void)timed_out;
    for (size_t i = 0; i + 1 < DEMO_NODES; i++)
        if (count_nodes(d, i) < DEMO_NODES) {
            watch_start(d->look, LOOK_MS);
            return;
        }
    snprintf(line, sizeof line, "all %d nodes are linked, %u ms after their start", DEMO_NODES,
             (unsigned)(system_now_ms() - d->began_ms));
    print_line(line);
}

/* ---- life ---- */

static void on_end(void *arg, bool timed_out)
{
    struct demo *d = arg;

    (void)timed_out;
    watch_base_break(d->base);
}

static void on_signal(void *arg, int number)
{
    struct demo *d = arg;
    int status = 0;

    if (number == SIGCHLD) {
        const struct child *ended = child_reap(d->children, d->n_children, &status);

        if (ended == NULL)
            return;
        d->status = program_fail(EXIT_LOCAL, "%s ended by itself: the demo stops", ended->what);
    }
    watch_base_break(d->base);
}

static bool prepare_loop(struct demo *d)
{
    d->base = watch_base_new();
    if (d->base == NULL)
        return false;
    d->signals = signals_new(d->base, true, on_signal, d);
    d->end = watch_new(d->base, WATCH_TIMER, -1, on_end, d);
    d->look = watch_new(d->base, WATCH_TIMER, -1, on_look, d);
    return d->signals != NULL && d->end != NULL && d->look != NULL;
}

static void run_all(struct demo *d, uint32_t lasts_ms)
{
    d->began_ms = system_now_ms();
    if (!start_all(d) || (d->status = print_places(d)) != EXIT_DONE)
        return;
    watch_start(d->look, LOOK_MS);
    if (lasts_ms > 0)
        watch_start(d->end, lasts_ms);
    watch_base_run(d->base);
}

/* Signals come first: one that ended us at once would leave the directory behind. */
static void run(struct demo *d, uint32_t lasts_ms)
{
    char why[REASON_SIZE];

    if (!prepare_loop(d) || !child_adopt())
        d->status = program_cannot_start();
    else if (!demo_place_open(&d->place, why))
        d->status = program_fail(EXIT_LOCAL, "%s", why);
    else
        run_all(d, lasts_ms);
}

static void clean_up(struct demo *d)
{
    child_stop_all(d->children, d->n_children, PATIENCE_MS);
    demo_place_close(&d->place);
    watch_free(d->end);
    watch_free(d->look);
    signals_free(d->signals);
    if (d->base != NULL)
        watch_base_free(d->base);
}

static bool find_programs(struct demo *d)
{
    const struct {
        const char *program, *package;
        char *path;
        size_t size;
    } needed[] = {
        {"erl", "erlang-base", d->erl, sizeof d->erl},
        {"dnsmasq", "dnsmasq-base", d->dnsmasq, sizeof d->dnsmasq},
    };

    for (size_t i = 0; i < COUNT(needed); i++) {
        if (child_find(needed[i].program, needed[i].path, needed[i].size))
            continue;
        d->status = program_fail(EXIT_LOCAL,
                                 "demo needs erl and dnsmasq, and there is no %s here: Debian has "
                                 "it in the package %s",
                                 needed[i].program, needed[i].package);
        return false;
    }
    return true;
}

int demo_main(const struct conf *c)
{
    struct demo d = {.settings = &c->settings, .status = EXIT_DONE};

    if (!find_programs(&d))
        return d.status;
    run(&d, c->timeout_ms);
    clean_up(&d);
    return d.status;
}
