/* SPDX-License-Identifier: Apache-2.0 */
#include "texts.h"

#include "conf/conf.h"
#include "model/event.h"

/* The files that there are, "vm.args" and /etc/resolv.conf of a row aside. */
static const struct {
    const char *path, *text;
} files[] = {
    {"cookie", "from-file\n"},          {"cookie.empty", "\n"},
    {"cookie.two", "one\ntwo\n"},       {"/home/me/.erlang.cookie", "from-home"},
    {"/home/bad/.erlang.cookie", "\n"}, {"/etc/hosts", "127.0.0.1 localhost\n10.0.0.9 laptop\n"},
};

/* One load. Words are separated by blanks, variables by ';'. */
struct row {
    enum conf_command command;
    const char *words, *env, *vm_args;
    const char *key, *want; /* what to look at; "error" for a load that fails */
};

static const char *row_env(void *arg, const char *name)
{
    static char value[256];
    const struct row *row = arg;
    size_t len = strlen(name);

    for (const char *at = row->env; at != NULL; at = strchr(at, ';')) {
        at += *at == ';';
        if (strncmp(at, name, len) != 0 || at[len] != '=')
            continue;
        text_set(value, sizeof value,
                 (clu_slice){(const uint8_t *)at + len + 1, strcspn(at + len + 1, ";")});
        return value;
    }
    return NULL;
}

/* Files whose text is a row's: their names, and the variable that holds it. */
static const struct {
    const char *path, *variable;
} row_files[] = {
    {"/etc/resolv.conf", "RESOLV"},
    {"/var/run/secrets/kubernetes.io/serviceaccount/namespace", "ACCOUNT"},
};

static clu_error give(struct buf *text, const char *found)
{
    if (found == NULL)
        return CLU_ENOENT;
    buf_put_text(text, found);
    return CLU_OK;
}

static clu_error row_read(void *arg, const char *path, struct buf *text, char why[REASON_SIZE])
{
    const struct row *row = arg;

    if (strcmp(path, "vm.args") == 0)
        return give(text, row->vm_args);
    if (strncmp(path, "vm.args.", 8) == 0) {
        read_data(path, text);
        return CLU_OK;
    }
    if (strcmp(path, "huge") == 0)
        return CLU_ESIZE;
    if (strcmp(path, "secret") == 0 || strncmp(path, "/home/closed/", 13) == 0) {
        text_set(why, REASON_SIZE, slice_of("Permission denied"));
        return CLU_ECLOSED;
    }
    for (size_t i = 0; i < COUNT(row_files); i++)
        if (strcmp(row_files[i].path, path) == 0)
            return give(text, row_env(arg, row_files[i].variable));
    for (size_t i = 0; i < COUNT(files); i++)
        if (strcmp(files[i].path, path) == 0)
            return give(text, files[i].text);
    return CLU_ENOENT;
}

/* ---- what rows look at ---- */

static void put_addr(struct buf *out, const struct addr *a)
{
    char text[ADDR_TEXT_MAX];

    buf_put_text(out, a->family == 0 ? "none" : addr_text(a, text));
}

static void show_name(const struct conf *c, struct buf *out)
{
    buf_put_text(out, c->settings.name);
}

static void show_cookie(const struct conf *c, struct buf *out)
{
    const struct cookie *k = &c->settings.cookie;

    buf_put(out, k->bytes, k->len);
    buf_printf(out, " of %s", k->source);
}

static void show_peers(const struct conf *c, struct buf *out)
{
    for (size_t i = 0; i < c->settings.n_peer_cookies; i++) {
        const struct peer_cookie *p = &c->settings.peer_cookies[i];

        buf_printf(out, "%s=%.*s ", p->node, (int)p->cookie.len, (const char *)p->cookie.bytes);
    }
}

static void show_specs(const struct conf *c, struct buf *out)
{
    for (size_t i = 0; i < c->settings.n_specs; i++)
        buf_printf(out, "%s ", c->settings.specs[i]);
}

static void show_http(const struct conf *c, struct buf *out)
{
    put_addr(out, &c->settings.http);
    buf_put_text(out, " metrics ");
    put_addr(out, &c->settings.metrics);
}

static void show_epmd(const struct conf *c, struct buf *out)
{
    static const char *const modes[] = {"auto", "embedded", "external", "none"};

    buf_printf(out, "%s %u dist %u", modes[c->settings.epmd], (unsigned)c->settings.epmd_port,
               (unsigned)c->settings.dist_port);
}

static void show_listen(const struct conf *c, struct buf *out)
{
    const struct settings *s = &c->settings;

    put_addr(out, &s->listen);
    buf_printf(out, " %u-%u", (unsigned)s->listen_min, (unsigned)s->listen_max);
}

static void show_times(const struct conf *c, struct buf *out)
{
    const struct settings *s = &c->settings;

    buf_printf(out, "%u/%u %u, %u", (unsigned)s->ticktime_ms, (unsigned)s->tick_intensity,
               (unsigned)s->setup_ms, (unsigned)c->timeout_ms);
}

static void show_role(const struct conf *c, struct buf *out)
{
    const struct settings *s = &c->settings;

    buf_printf(out, "%s%s%s%s%s%s%s", s->hidden ? "hidden " : "", s->no_listen ? "no_listen " : "",
               s->no_dial ? "no_dial " : "", s->dial_once ? "dial_once " : "",
               s->epmd_only ? "epmd_only " : "", s->show_cookie ? "show_cookie " : "",
               c->json ? "json " : "");
}

static void show_log(const struct conf *c, struct buf *out)
{
    buf_printf(out, "%u%s %s%s", (unsigned)c->settings.log_level,
               c->settings.json_log ? " json" : "", c->settings.template_file,
               c->short_ ? " short" : "");
}

static void show_dns(const struct conf *c, struct buf *out)
{
    for (size_t i = 0; i < c->resolv.n_servers; i++)
        put_addr(out, &c->resolv.servers[i]);
}

static void show_target(const struct conf *c, struct buf *out)
{
    buf_printf(out, "%s ", c->target);
    put_addr(out, &c->settings.dial_to);
}

static void show_args(const struct conf *c, struct buf *out)
{
    for (size_t i = 0; i < c->n_args; i++)
        buf_printf(out, "[%s]", c->args[i]);
}

static void show_notes(const struct conf *c, struct buf *out)
{
    for (size_t i = 0; i < c->n_notes; i++)
        buf_printf(out, "%s; ", c->notes[i].what);
}

static void show_error(const struct conf *c, struct buf *out)
{
    buf_put_text(out, c->error);
}

static const struct {
    const char *key;
    void (*show)(const struct conf *c, struct buf *out);
} views[] = {
    {"name", show_name}, {"cookie", show_cookie}, {"peers", show_peers},   {"specs", show_specs},
    {"http", show_http}, {"epmd", show_epmd},     {"listen", show_listen}, {"times", show_times},
    {"role", show_role}, {"log", show_log},       {"dns", show_dns},       {"target", show_target},
    {"args", show_args}, {"notes", show_notes},   {"error", show_error},
};

/* ---- the rows ---- */

#define C "RELEASE_COOKIE=c"
#define X100                                                                                       \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
    "xxxxxx"                                                                                       \
    "xx"

static const struct row name_rows[] = {
    {CMD_RUN, "", C, NULL, "name", "erlclu@127.0.0.1"},
    {CMD_RUN, "", C ";MY_POD_IP=10.42.0.86", NULL, "name", "erlclu@10.42.0.86"},
    {CMD_RUN, "", C ";MY_POD_IP=fd00:0::1", NULL, "name", "erlclu@fd00::1"},
    {CMD_RUN, "", C ";MY_POD_IP=10.42", NULL, "error", "MY_POD_IP: `10.42` is not an IP address"},
    {CMD_RUN, "", C ";MY_POD_IP=", NULL, "name", "erlclu@127.0.0.1"},
    {CMD_RUN, "", C ";ERLCLU_NODE=a;MY_POD_IP=10.0.0.1", NULL, "name", "a@10.0.0.1"},
    {CMD_RUN, "--args-file vm.args", C ";ERLCLU_NODE=a", "-name b@c.d", "name", "b@c.d"},
    {CMD_RUN, "--args-file vm.args --name x@y.z", C ";ERLCLU_NODE=a", "-name b@c.d", "name",
     "x@y.z"},
    {CMD_RUN, "--name=x", C ";RELEASE_NODE=a@b.c", NULL, "name", "x@127.0.0.1"},
    {CMD_RUN, "--name one --name two", C, NULL, "name", "two@127.0.0.1"},
    {CMD_RUN, "--name a.b", C, NULL, "error",
     "--name: `a.b` may have letters, digits, - and _ before the @, as every Erlang node"},
    {CMD_RUN, "--name a@b", C, NULL, "notes", "a@b; "},
    {CMD_RUN, "", C ";ERLCLU_NODE=@x", NULL, "error", "ERLCLU_NODE: `@x` has nothing before the @"},
    {CMD_RUN, "--args-file vm.args", C, "\n-name erlclu@${MY_POD_IP}", "error",
     "vm.args line 2, -name: the environment has no MY_POD_IP"},
    {CMD_RUN, "--args-file vm.args --name x", C, "-name erlclu@${MY_POD_IP}", "name",
     "x@127.0.0.1"},
    {CMD_RUN, "--args-file vm.args", C, "-name -hidden", "error",
     "vm.args line 1, -name: `` needs a value"},
    {CMD_RUN, "--args-file vm.args.short", C, NULL, "error",
     "vm.args.short line 1, -sname: `app` is a short name: erlclu has long ones, so give -name "
     "NAME@HOST"},
    {CMD_PING, "x@y.z", C ";ERLCLU_NODE=a", NULL, "name", ""},
    {CMD_PING, "x@y.z --name p", C, NULL, "name", "p@127.0.0.1"},
    {CMD_DISCOVER, "dns:x", "ERLCLU_NODE=a", NULL, "name", "a@127.0.0.1"},
};

static const struct row cookie_rows[] = {
    {CMD_RUN, "", C, NULL, "cookie", "c of RELEASE_COOKIE"},
    {CMD_RUN, "", C "\n", NULL, "cookie", "c of RELEASE_COOKIE"},
    {CMD_RUN, "--cookie-file cookie", C, NULL, "cookie", "from-file of --cookie-file cookie"},
    {CMD_RUN, "--args-file vm.args", C, "-setcookie a", "cookie",
     "a of vm.args line 1, -setcookie"},
    {CMD_RUN, "--args-file vm.args --cookie-file cookie", C, "-setcookie a", "cookie",
     "from-file of --cookie-file cookie"},
    {CMD_RUN, "", "HOME=/home/me", NULL, "cookie", "from-home of /home/me/.erlang.cookie"},
    {CMD_RUN, "", C ";HOME=/home/me", NULL, "cookie", "c of RELEASE_COOKIE"},
    {CMD_RUN, "", "RELEASE_COOKIE=;HOME=/home/me", NULL, "cookie",
     "from-home of /home/me/.erlang.cookie"},
    {CMD_PING, "a@b.c", C, NULL, "cookie", "c of RELEASE_COOKIE"},
    {CMD_RUN, "", "", NULL, "error",
     "no cookie: give --cookie-file FILE, RELEASE_COOKIE or ~/.erlang.cookie (~/.erlang.cookie: "
     "there is no HOME)"},
    {CMD_RUN, "", "HOME=/home/none", NULL, "error",
     "no cookie: give --cookie-file FILE, RELEASE_COOKIE or ~/.erlang.cookie "
     "(/home/none/.erlang.cookie: it is not there)"},
    {CMD_RUN, "", "HOME=/home/bad", NULL, "error",
     "no cookie: give --cookie-file FILE, RELEASE_COOKIE or ~/.erlang.cookie "
     "(/home/bad/.erlang.cookie: is empty)"},
    {CMD_RUN, "", "HOME=/home/closed", NULL, "error",
     "no cookie: give --cookie-file FILE, RELEASE_COOKIE or ~/.erlang.cookie "
     "(/home/closed/.erlang.cookie: Permission denied)"},
    {CMD_RUN, "--cookie-file none", C, NULL, "error",
     "--cookie-file: none cannot be read: it is not there"},
    {CMD_RUN, "--cookie-file huge", C, NULL, "error",
     "--cookie-file: huge cannot be read: it is larger than 1 MiB"},
    {CMD_RUN, "--cookie-file secret", C, NULL, "error",
     "--cookie-file: secret cannot be read: Permission denied"},
    {CMD_RUN, "--cookie-file cookie.empty", C, NULL, "error",
     "--cookie-file: cookie.empty is empty"},
    {CMD_RUN, "--cookie-file cookie.two", C, NULL, "error",
     "--cookie-file: cookie.two holds characters that no cookie may have: printable ASCII in one "
     "line is allowed"},
    {CMD_RUN, "", "RELEASE_COOKIE=c\td", NULL, "error",
     "RELEASE_COOKIE holds characters that no cookie may have: printable ASCII in one line is "
     "allowed"},
    {CMD_RUN, "--args-file vm.args", "", "-setcookie", "error",
     "vm.args line 1, -setcookie needs a value"},
    {CMD_RUN, "--args-file vm.args", "", "-setcookie ${RELEASE_COOKIE}", "error",
     "vm.args line 1, -setcookie: the environment has no RELEASE_COOKIE"},
    {CMD_RUN, "--args-file vm.args", C, "-setcookie a@b x -setcookie c@d 'y z' -setcookie e",
     "peers", "a@b=x c@d=y z "},
    {CMD_RUN, "--args-file vm.args", C, "-setcookie a@b ''", "error",
     "vm.args line 1, -setcookie is empty"},
    {CMD_RUN, "--args-file vm.args", C, "-setcookie ${WHO} x", "error",
     "vm.args line 1, -setcookie: the environment has no WHO"},
    {CMD_RUN, "--args-file vm.args", C, "-setcookie " X100 X100 X100 " x", "error",
     "vm.args line 1, -setcookie sets a cookie for a node whose name is too long"},
    {CMD_RUN, "--show-cookie", C, NULL, "role", "show_cookie "},
};

static const struct row discover_rows[] = {
    {CMD_RUN, "", C, NULL, "specs", ""},
    {CMD_RUN, "--discover dns:a --discover static:b@c,d@e", C, NULL, "specs",
     "dns:a static:b@c,d@e "},
    {CMD_RUN, "", C ";ERLCLU_DISCOVER= dns:a  dns:b?base=* ", NULL, "specs", "dns:a dns:b?base=* "},
    {CMD_RUN, "--discover dns:a", C ";ERLCLU_DISCOVER=dns:b", NULL, "specs", "dns:a "},
    {CMD_RUN, "", C ";KUBERNETES_SERVICE_HOST=10.43.0.1;ACCOUNT=prod\n", NULL, "specs",
     "dns:erlclu-headless.prod.svc.cluster.local "},
    {CMD_RUN, "", C ";KUBERNETES_SERVICE_HOST=1;ACCOUNT=prod;RESOLV=search a.svc.zone.x svc.zone.x",
     NULL, "specs", "dns:erlclu-headless.prod.svc.zone.x "},
    {CMD_RUN, "", C ";KUBERNETES_SERVICE_HOST=1;RESOLV=search a.svc.zone.x", NULL, "specs",
     "dns:erlclu-headless.a.svc.zone.x "},
    {CMD_RUN, "", C ";KUBERNETES_SERVICE_HOST=1;ACCOUNT=\n", NULL, "notes", "no --discover; "},
    {CMD_RUN, "--discover dns:a", C ";KUBERNETES_SERVICE_HOST=1;ACCOUNT=prod", NULL, "specs",
     "dns:a "},
    {CMD_RUN, "", C ";ACCOUNT=prod", NULL, "specs", ""},
    {CMD_RUN, "", C ";ERLCLU_DISCOVER=1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", NULL, "error",
     "ERLCLU_DISCOVER: `1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17` is one SPEC too many: 16 are "
     "allowed"},
    {CMD_RUN, "--discover " X100 X100 X100 X100, C, NULL, "error",
     "--discover: `" X100 "` is too long for a SPEC: 383 bytes are allowed"},
    {CMD_DISCOVER, "dns:a dns:b", "ERLCLU_DISCOVER=dns:c", NULL, "specs", "dns:a dns:b "},
    {CMD_DISCOVER, "", "ERLCLU_DISCOVER=dns:c", NULL, "specs", "dns:c "},
    {CMD_DISCOVER, "", "KUBERNETES_SERVICE_HOST=1;ACCOUNT=x", NULL, "specs",
     "dns:erlclu-headless.x.svc.cluster.local "},
    {CMD_DISCOVER, "", "", NULL, "error",
     "erlclu discover needs a SPEC, such as dns:NAME, or ERLCLU_DISCOVER"},
    {CMD_DISCOVER, "--short dns:a", "", NULL, "log", "1  short"},
    {CMD_DISCOVER, "--json dns:a", "", NULL, "role", "hidden no_listen no_dial json "},
};

static const struct row port_rows[] = {
    {CMD_RUN, "", C, NULL, "epmd", "auto 4369 dist 0"},
    {CMD_RUN, "", C ";ERL_EPMD_PORT=4370", NULL, "epmd", "auto 4370 dist 0"},
    {CMD_RUN, "--epmd embedded --epmd-port 4371", C ";ERL_EPMD_PORT=4370", NULL, "epmd",
     "embedded 4371 dist 0"},
    {CMD_RUN, "--epmd none --listen-port 9100", C, NULL, "epmd", "none 4369 dist 9100"},
    {CMD_RUN, "--epmd none", C, NULL, "error",
     "--epmd none needs --listen-port PORT: without epmd, all nodes listen at one known port"},
    {CMD_RUN, "--epmd yes", C, NULL, "error",
     "--epmd: `yes` is not auto, embedded, external or none"},
    {CMD_RUN, "--epmd-port 0", C, NULL, "error",
     "--epmd-port: `0` is not a port: 1 to 65535 is allowed"},
    {CMD_RUN, "", C ";ERL_EPMD_PORT=x", NULL, "error",
     "ERL_EPMD_PORT: `x` is not a port: 1 to 65535 is allowed"},
    {CMD_RUN, "--epmd-port 4371", C ";ERL_EPMD_PORT=x", NULL, "epmd", "auto 4371 dist 0"},
    {CMD_RUN, "--args-file vm.args", C, "-start_epmd false", "epmd", "external 4369 dist 0"},
    {CMD_RUN, "--args-file vm.args", C, "-start_epmd true", "epmd", "auto 4369 dist 0"},
    {CMD_RUN, "--args-file vm.args", C, "-start_epmd false -erl_epmd_port 9100", "epmd",
     "none 4369 dist 9100"},
    {CMD_RUN, "--args-file vm.args", C, "-kernel erl_epmd_node_listen_port 9101", "epmd",
     "none 4369 dist 9101"},
    {CMD_RUN, "--args-file vm.args --epmd auto", C, "-erl_epmd_port 9100", "epmd",
     "auto 4369 dist 0"},
    {CMD_RUN, "--args-file vm.args --listen-port 9200", C, "-erl_epmd_port 9100", "epmd",
     "none 4369 dist 9200"},
    {CMD_PING, "a@b.c", C, NULL, "epmd", "external 4369 dist 0"},
    {CMD_PING, "a@b.c --port 9100", C, NULL, "epmd", "none 4369 dist 9100"},
    {CMD_EPMD, "", "", NULL, "epmd", "embedded 4369 dist 0"},
    {CMD_RUN, "", C, NULL, "listen", "none 0-0"},
    {CMD_RUN, "--listen-port 9100 --listen-address 10.0.0.1", C, NULL, "listen",
     "10.0.0.1:0 9100-9100"},
    {CMD_RUN, "--listen-address ::1", C, NULL, "listen", "[::1]:0 0-0"},
    {CMD_RUN, "--listen-address eth0", C, NULL, "error",
     "--listen-address: `eth0` is not an IP address"},
    {CMD_RUN, "--args-file vm.args", C, "-kernel inet_dist_listen_min 9100", "listen",
     "none 9100-9100"},
    {CMD_RUN, "--args-file vm.args", C,
     "-kernel inet_dist_listen_min 9100 inet_dist_listen_max 9105", "listen", "none 9100-9105"},
    {CMD_RUN, "--args-file vm.args", C, "-kernel inet_dist_listen_max 9105", "listen", "none 0-0"},
    {CMD_RUN, "--args-file vm.args", C,
     "-kernel inet_dist_listen_min 9100 inet_dist_listen_max 9000", "error",
     "inet_dist_listen_min is 9100 and inet_dist_listen_max 9000: less than it"},
    {CMD_RUN, "--args-file vm.args --listen-port 9200", C,
     "-kernel inet_dist_listen_min 9100 inet_dist_listen_max 9105", "listen", "none 9200-9200"},
    {CMD_RUN, "--args-file vm.args", C, "-kernel inet_dist_use_interface {127,0,0,4}", "listen",
     "127.0.0.4:0 0-0"},
    {CMD_RUN, "--args-file vm.args", C, "-kernel inet_dist_use_interface '{64768,0,0,0,0,0,0,1}'",
     "listen", "[fd00::1]:0 0-0"},
    {CMD_RUN, "--args-file vm.args", C, "-kernel inet_dist_use_interface {127,0,0,256}", "error",
     "vm.args line 1, inet_dist_use_interface: `{127,0,0,256}` is not an IP address"},
    {CMD_RUN, "--args-file vm.args", C, "-kernel inet_dist_use_interface {127,0,1}", "error",
     "vm.args line 1, inet_dist_use_interface: `{127,0,1}` is not an IP address"},
    {CMD_RUN, "--args-file vm.args", C, "-kernel inet_dist_use_interface {127,0,,1}", "error",
     "vm.args line 1, inet_dist_use_interface: `{127,0,,1}` is not an IP address"},
    {CMD_RUN, "--args-file vm.args", C, "-kernel inet_dist_use_interface {1,2,3,4,5,6,7,8,9}",
     "error",
     "vm.args line 1, inet_dist_use_interface: `{1,2,3,4,5,6,7,8,9}` is not an IP address"},
    {CMD_RUN, "", C, NULL, "times", "60000/4 7000, 10000"},
    {CMD_RUN, "--args-file vm.args", C,
     "-kernel net_ticktime 8 net_tickintensity 10 net_setuptime 2", "times", "8000/10 2000, 10000"},
    {CMD_RUN, "--args-file vm.args", C, "-kernel net_ticktime 0", "error",
     "vm.args line 1, net_ticktime: `0` is no net_ticktime: 1 to 86400 is allowed"},
    {CMD_RUN, "--args-file vm.args", C, "-kernel net_tickintensity 3", "error",
     "vm.args line 1, net_tickintensity: `3` is no net_tickintensity: 4 to 1000 is allowed"},
    {CMD_RUN, "--args-file vm.args", C, "-kernel net_setuptime 121", "error",
     "vm.args line 1, net_setuptime: `121` is no net_setuptime: 1 to 120 is allowed"},
};

static const struct row http_rows[] = {
    {CMD_RUN, "", C, NULL, "http", "127.0.0.1:8080 metrics none"},
    {CMD_RUN, "", C ";MY_POD_IP=10.0.0.1", NULL, "http", "0.0.0.0:8080 metrics none"},
    {CMD_RUN, "", C ";MY_POD_IP=fd00::1", NULL, "http", "[::]:8080 metrics none"},
    {CMD_RUN, "", C ";HTTP_PORT=8081", NULL, "http", "127.0.0.1:8081 metrics none"},
    {CMD_RUN, "", C ";HTTP_ADDR=10.0.0.1;MY_POD_IP=10.0.0.1", NULL, "http",
     "10.0.0.1:8080 metrics none"},
    {CMD_RUN, "", C ";HTTP_ADDR=10.0.0.1;HTTP_PORT=1", NULL, "http", "10.0.0.1:1 metrics none"},
    {CMD_RUN, "--http 10.0.0.2:9", C ";HTTP_ADDR=10.0.0.1;HTTP_PORT=1", NULL, "http",
     "10.0.0.2:9 metrics none"},
    {CMD_RUN, "--http [::1]:9", C, NULL, "http", "[::1]:9 metrics none"},
    {CMD_RUN, "--http laptop:9", C, NULL, "http", "10.0.0.9:9 metrics none"},
    {CMD_RUN, "--http none", C ";METRICS_PORT=9153", NULL, "http", "none metrics 127.0.0.1:9153"},
    {CMD_RUN, "", C ";METRICS_PORT=9153;MY_POD_IP=10.0.0.1", NULL, "http",
     "0.0.0.0:8080 metrics 0.0.0.0:9153"},
    {CMD_RUN, "", C ";METRICS_PORT=8080", NULL, "http", "127.0.0.1:8080 metrics none"},
    {CMD_RUN, "--http 8080", C, NULL, "error",
     "--http: `8080` is not ADDR:PORT: an IP address or a name of the hosts file, and a port"},
    {CMD_RUN, "--http 127.0.0.1", C, NULL, "error",
     "--http: `127.0.0.1` is not ADDR:PORT: an IP address or a name of the hosts file, and a port"},
    {CMD_RUN, "--http nowhere:80", C, NULL, "error",
     "--http: `nowhere:80` is not ADDR:PORT: an IP address or a name of the hosts file, and a "
     "port"},
    {CMD_RUN, "", C ";HTTP_ADDR=all", NULL, "error", "HTTP_ADDR: `all` is not an IP address"},
    {CMD_NODES, "", "MY_POD_IP=10.0.0.1", NULL, "http", "127.0.0.1:8080 metrics none"},
    {CMD_NODES, "", "HTTP_ADDR=0.0.0.0;HTTP_PORT=81", NULL, "http", "127.0.0.1:81 metrics none"},
    {CMD_NODES, "--http [::]:82", "", NULL, "http", "[::1]:82 metrics none"},
    {CMD_NODES, "--http none", "", NULL, "error", "--http: there is no page to ask at `none`"},
    {CMD_PING, "a@b.c", C, NULL, "http", "none metrics none"},
};

static const struct row other_rows[] = {
    {CMD_RUN, "", C, NULL, "role", ""},
    {CMD_RUN, "--hidden", C, NULL, "role", "hidden "},
    {CMD_RUN, "--args-file vm.args", C, "-hidden", "role", "hidden "},
    {CMD_RUN, "--prune never", C, NULL, "role", ""},
    {CMD_RUN, "--prune after:5", C, NULL, "error",
     "--prune: `after:5` is not built in: never is allowed"},
    {CMD_PING, "--json a@b.c", C, NULL, "role", "hidden no_listen dial_once json "},
    {CMD_NAMES, "", "", NULL, "role", "hidden no_listen dial_once "},
    {CMD_EPMD, "", "", NULL, "role", "hidden epmd_only "},
    {CMD_RUN, "", C, NULL, "log", "1 "},
    {CMD_RUN, "--log-level debug --log-format json --template /page.html", C, NULL, "log",
     "0 json /page.html"},
    {CMD_RUN, "--log-level error --log-format text", C, NULL, "log", "3 "},
    {CMD_RUN, "--log-level loud", C, NULL, "error",
     "--log-level: `loud` is not debug, info, warning or error"},
    {CMD_RUN, "--log-format xml", C, NULL, "error", "--log-format: `xml` is not text or json"},
    {CMD_RUN, "--template " X100 X100 X100 X100 X100 X100, C, NULL, "error",
     "--template: `" X100 "` is too long for a file name"},
    {CMD_RUN, "", C, NULL, "dns", "127.0.0.1:0"},
    {CMD_RUN, "", C ";RESOLV=nameserver 10.0.0.1", NULL, "dns", "10.0.0.1:0"},
    {CMD_RUN, "--dns 127.0.0.1:5300", C ";RESOLV=nameserver 10.0.0.1", NULL, "dns",
     "127.0.0.1:5300"},
    {CMD_NAMES, "--dns [::1]:5300", "", NULL, "dns", "[::1]:5300"},
    {CMD_RUN, "--dns localhost", C, NULL, "error", "--dns: `localhost` is not ADDR or ADDR:PORT"},
    {CMD_EPMD, "", "RESOLV=nameserver 10.0.0.1", NULL, "dns", ""},
    {CMD_PING, "--timeout 500ms a@b.c", C, NULL, "times", "60000/4 7000, 500"},
    {CMD_PING, "--timeout soon a@b.c", C, NULL, "error",
     "--timeout: `soon` is not a time: 5, 0.5, 500ms, 10s, 1m, at most a day"},
    {CMD_DEMO, "", "", NULL, "times", "60000/4 7000, 0"},
    {CMD_DEMO, "", "DEMO_SECONDS=20", NULL, "times", "60000/4 7000, 20000"},
    {CMD_PING, "a@b.c", C ";RELEASE_NODE=d@e.f", NULL, "target", "a@b.c none"},
    {CMD_PING, "", C ";RELEASE_NODE=d@e.f", NULL, "target", "d@e.f none"},
    {CMD_PING, "d", C ";MY_POD_IP=10.0.0.1", NULL, "target", "d@10.0.0.1 none"},
    {CMD_PING, "a@b.c --address localhost:9100", C, NULL, "target", "a@b.c 127.0.0.1:9100"},
    {CMD_PING, "a@b.c --address [::1]:9100", C, NULL, "target", "a@b.c [::1]:9100"},
    {CMD_PING, "a@b.c --address 127.0.0.1", C, NULL, "error",
     "--address: `127.0.0.1` is not ADDR:PORT: an IP address or a name of the hosts file, and a "
     "port"},
    {CMD_PING, "", C, NULL, "error",
     "erlclu ping needs a NODE, or RELEASE_NODE in the environment"},
    {CMD_PING, "a@", C, NULL, "error", "NODE: `a@` has nothing behind the @"},
    {CMD_PING, "", C ";RELEASE_NODE=a@", NULL, "error",
     "RELEASE_NODE: `a@` has nothing behind the @"},
};

static const struct row word_rows[] = {
    {CMD_NAMES, "host", "", NULL, "args", "[host]"},
    {CMD_NAMES, "-- --host", "", NULL, "args", "[--host]"},
    {CMD_NAMES, "-", "", NULL, "args", "[-]"},
    {CMD_INSTALL, "/bin", "", NULL, "args", "[/bin]"},
    {CMD_INSTALL, "", "", NULL, "error",
     "erlclu install needs DIR: erlclu install --help says more"},
    {CMD_NAMES, "a b", "", NULL, "error",
     "erlclu names has no use for `b`: erlclu names --help says more"},
    {CMD_RUN, "now", C, NULL, "error",
     "erlclu run has no use for `now`: erlclu run --help says more"},
    {CMD_RUN, "--nmae x", C, NULL, "error",
     "unknown option --nmae: erlclu run --help lists those that there are"},
    {CMD_RUN, "-x", C, NULL, "error",
     "unknown option -x: erlclu run --help lists those that there are"},
    {CMD_RUN, "--tls-cert x", C, NULL, "error", "--tls-cert: TLS between nodes is not built in"},
    {CMD_RUN, "--journal=x", C, NULL, "error", "--journal=x: the journal is not built in"},
    {CMD_RUN, "--short", C, NULL, "error", "--short is an option of discover, not of run"},
    {CMD_EPMD, "--json", "", NULL, "error",
     "--json is an option of discover, names, ping, nodes, not of epmd"},
    {CMD_RUN, "--name", C, NULL, "error", "--name needs NODE behind it"},
    {CMD_RUN, "--hidden=yes", C, NULL, "error", "--hidden takes no value"},
    {CMD_RUN, "--http=", C, NULL, "error",
     "--http: `` is not ADDR:PORT: an IP address or a name of the hosts file, and a port"},
    {CMD_RUN, "--args-file none", C, NULL, "error",
     "--args-file: none cannot be read: it is not there"},
};

static const struct row args_file_rows[] = {
    {CMD_RUN, "--args-file vm.args.src", C ";MY_POD_IP=10.42.0.86", NULL, "name",
     "erlclu@10.42.0.86"},
    {CMD_RUN, "--args-file vm.args.src", C ";MY_POD_IP=10.42.0.86", NULL, "cookie",
     "c of vm.args.src line 3, -setcookie"},
    {CMD_RUN, "--args-file vm.args.src", C ";MY_POD_IP=10.42.0.86", NULL, "notes",
     "vm.args.src line 5: % Enable kernel poll and a few async threads; "
     "vm.args.src line 6: % +K true; vm.args.src line 8: +P; vm.args.src line 9: -heart; "},
    {CMD_RUN, "--args-file vm.args.epmdless", "NAMESPACE=prod", NULL, "name",
     "app@pod-0.app-headless.prod.svc.cluster.local"},
    {CMD_RUN, "--args-file vm.args.epmdless", "NAMESPACE=prod;HOSTNAME=pod-7", NULL, "name",
     "app@pod-7.app-headless.prod.svc.cluster.local"},
    {CMD_RUN, "--args-file vm.args.epmdless", "NAMESPACE=prod", NULL, "cookie",
     "one cookie of vm.args.epmdless line 3, -setcookie"},
    {CMD_RUN, "--args-file vm.args.epmdless", "NAMESPACE=prod", NULL, "peers",
     "other@10.0.0.7=another cookie "},
    {CMD_RUN, "--args-file vm.args.epmdless", "NAMESPACE=prod", NULL, "epmd",
     "none 4369 dist 9100"},
    {CMD_RUN, "--args-file vm.args.epmdless", "NAMESPACE=prod", NULL, "listen",
     "127.0.0.4:0 9100-9100"},
    {CMD_RUN, "--args-file vm.args.epmdless", "NAMESPACE=prod", NULL, "times",
     "30000/10 3000, 10000"},
    {CMD_RUN, "--args-file vm.args.epmdless", "NAMESPACE=prod", NULL, "notes",
     "vm.args.epmdless line 9: -kernel prevent_overlapping_partitions; "
     "vm.args.epmdless line 10: +sbwt; vm.args.epmdless line 11: -env; "},
    {CMD_RUN, "--args-file vm.args.tls", C, NULL, "error",
     "vm.args.tls line 2, -proto_dist: `inet_tls` is no protocol that erlclu speaks: inet_tcp and "
     "inet6_tcp are allowed"},
    {CMD_RUN, "--args-file vm.args", C, "-proto_dist inet6_tcp -ssl_dist_optfile f", "notes",
     "vm.args line 1: -ssl_dist_optfile; "},
    {CMD_RUN, "--args-file vm.args", C, "word -a b\n% -setcookie hunter2\n", "notes",
     "vm.args line 2: % -setcookie; vm.args line 1: word; vm.args line 1: -a; "},
    {CMD_RUN, "--args-file vm.args", C, "", "notes", ""},
};

static size_t split(char *text, const char **words, size_t max)
{
    size_t n = 0;

    for (char *word; (word = strsep(&text, " ")) != NULL && n < max;)
        if (word[0] != '\0')
            words[n++] = word;
    return n;
}

static void look(const struct conf *c, const char *key, struct buf *out)
{
    for (size_t i = 0; i < COUNT(views); i++)
        if (strcmp(views[i].key, key) == 0)
            views[i].show(c, out);
}

static void check_row(const struct row *row)
{
    const char *words[32];
    char *text = strdup(row->words);
    struct conf *c = calloc(1, sizeof *c);
    struct buf seen = {0};

    assert_true(text != NULL && c != NULL);
    struct conf_input in = {.command = row->command,
                            .argv = words,
                            .argc = split(text, words, COUNT(words)),
                            .env = row_env,
                            .read_file = row_read,
                            .arg = (void *)(uintptr_t)row};
    clu_error err = conf_load(c, &in);
    bool fails = strcmp(row->key, "error") == 0;

    if (err != (fails ? CLU_EBADARG : CLU_OK))
        fail_msg("%s [%s]: %s", row->words, row->env, err == CLU_OK ? "taken" : c->error);
    look(c, row->key, &seen);
    if (strcmp(buf_text(&seen), row->want) != 0)
        fail_msg("%s [%s]: %s: %s instead of %s", row->words, row->env, row->key, buf_text(&seen),
                 row->want);
    buf_free(&seen);
    conf_fini(c);
    free(c);
    free(text);
}

static void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_row(&rows[i]);
}

#define ROWS_TEST(name)                                                                            \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        check_rows(name##_rows, COUNT(name##_rows));                                               \
    }

ROWS_TEST(name)
ROWS_TEST(cookie)
ROWS_TEST(discover)
ROWS_TEST(port)
ROWS_TEST(http)
ROWS_TEST(other)
ROWS_TEST(word)
ROWS_TEST(args_file)

static void what_was_trimmed_is_remembered(void **state)
{
    struct row row = {CMD_RUN, "", C "\n", NULL, NULL, NULL};
    struct conf_input in = {.command = CMD_RUN, .env = row_env, .read_file = row_read, .arg = &row};
    struct conf *c = calloc(1, sizeof *c);

    (void)state;
    assert_non_null(c);
    assert_int_equal(conf_load(c, &in), CLU_OK);
    assert_string_equal(c->settings.cookie.trimmed, "\n");
    conf_fini(c);
    free(c);
}

static void notes_end(void **state)
{
    struct buf flags = {0};
    const char *argv[] = {"--args-file=vm.args"};
    struct conf *c = calloc(1, sizeof *c);

    (void)state;
    assert_non_null(c);
    for (int i = 0; i < 100; i++)
        buf_put_text(&flags, "-x y\n");
    struct row row = {CMD_RUN, "", C, buf_text(&flags), NULL, NULL};
    struct conf_input in = {.command = CMD_RUN,
                            .argv = argv,
                            .argc = 1,
                            .env = row_env,
                            .read_file = row_read,
                            .arg = &row};

    assert_int_equal(conf_load(c, &in), CLU_OK);
    assert_int_equal(c->n_notes, 64);
    assert_string_equal(c->notes[63].reason, "and more like this");
    conf_fini(c);
    free(c);
    buf_free(&flags);
}

/* At most a screen, every line at most 80 columns. */
static void check_help(const char *name, struct buf *text)
{
    size_t lines = 0, column = 0;

    for (size_t i = 0; i < text->len; i++) {
        column = text->data[i] == '\n' ? 0 : column + 1;
        lines += text->data[i] == '\n';
        if (column > 80)
            fail_msg("%s --help, line %zu: more than 80 columns", name, lines + 1);
    }
    if (lines > 25 || lines < 3)
        fail_msg("%s --help has %zu lines", name, lines);
    buf_free(text);
}

static void help(void **state)
{
    const char *argv[] = {"--nonsense", "-h"};
    struct conf *c = calloc(1, sizeof *c);

    (void)state;
    assert_non_null(c);
    for (size_t i = 0; i < CONF_COMMANDS; i++) {
        enum conf_command command = (enum conf_command)i;
        struct conf_input in = {.command = command, .argc = 2, .argv = argv, .read_file = row_read};
        struct buf text = {0};

        assert_int_equal(conf_command_of(conf_command_word(command)), command);
        assert_int_equal(conf_load(c, &in), CLU_OK);
        assert_true(c->help);
        conf_fini(c);
        conf_help(command, &text);
        assert_non_null(strstr(buf_text(&text), "--help"));
        check_help(conf_command_word(command), &text);
    }
    struct buf text = {0};

    conf_overview(&text);
    check_help("erlclu", &text);
    assert_int_equal(conf_command_of("nonsense"), CONF_COMMANDS);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name),
        cmocka_unit_test(cookie),
        cmocka_unit_test(discover),
        cmocka_unit_test(port),
        cmocka_unit_test(http),
        cmocka_unit_test(other),
        cmocka_unit_test(word),
        cmocka_unit_test(args_file),
        cmocka_unit_test(what_was_trimmed_is_remembered),
        cmocka_unit_test(notes_end),
        cmocka_unit_test(help),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
