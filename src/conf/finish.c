/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "conf/cookie.h"
#include "conf/names.h"
#include "conf/options.h"
#include "conf/scan.h"

#define NAMESPACE_FILE "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
#define SERVICE        "erlclu-headless"
#define ZONE_DEFAULT   "cluster.local"

static bool finish_name(struct loading *l, const struct role *role)
{
    struct settings *s = &l->out->settings;

    if (role->own_name && s->name[0] == '\0')
        (void)names_make(s->name, NAME_DEFAULT, &l->here); /* cannot fail: an address and a word */
    if (s->name[0] == '\0' || role->no_listen || names_is_long(s->name))
        return true;
    return conf_note_that(l, s->name,
                          "Erlang nodes with long names do not dial a host part without a dot");
}

static bool no_cookie(struct loading *l, const char *path, const char *why)
{
    return conf_say(l,
                    "no cookie: give --cookie-file FILE, RELEASE_COOKIE or ~/.erlang.cookie "
                    "(%.200s: %s)",
                    path, why);
}

/* The last source. Any trouble with it is the end of the search, so the sentence names the others.
 */
static bool read_home_cookie(struct loading *l)
{
    const char *home = conf_env(l, "HOME"), *wrong;
    char path[512], why[REASON_SIZE];
    struct buf text = {0};

    if (home == NULL)
        return no_cookie(l, "~/.erlang.cookie", "there is no HOME");
    snprintf(path, sizeof path, "%.400s/.erlang.cookie", home);
    if (conf_try(l, path, &text, why) == CLU_OK)
        wrong = cookie_set(&l->out->settings.cookie, buf_slice(&text), path);
    else
        wrong = why;
    buf_free(&text);
    return l->err == CLU_OK && (wrong == NULL || no_cookie(l, path, wrong));
}

static bool finish_cookie(struct loading *l, const struct role *role)
{
    return !role->cookie || l->out->settings.cookie.len > 0 || read_home_cookie(l);
}

/* Without epmd, everybody listens at one port. */
static bool finish_ports(struct loading *l, const struct role *role)
{
    struct settings *s = &l->out->settings;

    if (s->listen_max == 0 || s->listen_min == 0)
        s->listen_max = s->listen_min;
    if (s->listen_max < s->listen_min)
        return conf_say(l, "inet_dist_listen_min is %u and inet_dist_listen_max %u: less than it",
                        (unsigned)s->listen_min, (unsigned)s->listen_max);
    if (s->epmd != EPMD_NONE || role->no_listen)
        return true;
    if (s->listen_min == 0)
        return conf_say(l, "--epmd none needs --listen-port PORT: without epmd, all nodes listen "
                           "at one known port");
    s->dist_port = s->listen_min;
    return true;
}

/* Who listens at all addresses is asked at a local one. */
static void ask_locally(struct addr *http)
{
    static const struct addr all[] = {{.family = 4}, {.family = 6}};
    static const struct addr local[] = {
        {.family = 4, .ip = {127, 0, 0, 1}},
        {.family = 6, .ip = {[15] = 1}},
    };

    for (size_t i = 0; i < COUNT(all); i++)
        if (addr_same_ip(http, &all[i]))
            memcpy(http->ip, local[i].ip, sizeof http->ip);
}

static bool finish_page(struct loading *l, const struct role *role)
{
    struct settings *s = &l->out->settings;
    uint16_t metrics_port = s->metrics.port;

    if (!role->page)
        return true;
    if (l->in->command != CMD_RUN) {
        ask_locally(&s->http);
        return s->http.family != 0 || conf_say(l, "--http: there is no page to ask at `none`");
    }
    s->metrics = (struct addr){0};
    if (metrics_port != 0 && metrics_port != s->http.port) {
        s->metrics = s->http.family != 0 ? s->http : l->here;
        s->metrics.port = metrics_port;
    }
    return true;
}

/* The pod's namespace: of its service account, else of its search list. */
static void find_namespace(struct loading *l, char namespace_[HOST_NAME_SIZE])
{
    char why[REASON_SIZE];
    struct buf text = {0};
    clu_slice rest, line = {0}, word = {0};

    text_set(namespace_, HOST_NAME_SIZE, slice_of(l->out->resolv.namespace_));
    if (conf_try(l, NAMESPACE_FILE, &text, why) == CLU_OK) {
        rest = buf_slice(&text);
        if (scan_line(&rest, &line) && scan_word(&line, &word))
            text_set(namespace_, HOST_NAME_SIZE, word);
    }
    buf_free(&text);
}

/* In a pod, the Service of the manifests. */
static bool finish_specs(struct loading *l, const struct role *role)
{
    struct settings *s = &l->out->settings;
    const char *zone = l->out->resolv.zone[0] != '\0' ? l->out->resolv.zone : ZONE_DEFAULT;
    char namespace_[HOST_NAME_SIZE];

    if (!role->own_name || s->n_specs > 0 || conf_env(l, "KUBERNETES_SERVICE_HOST") == NULL)
        return true;
    find_namespace(l, namespace_);
    if (l->err != CLU_OK)
        return false;
    if (namespace_[0] == '\0')
        return conf_note_that(l, "no --discover",
                              "nothing is looked up: neither the service account nor resolv.conf "
                              "tells this pod's namespace");
    int n = snprintf(s->specs[0], SPEC_SIZE, "dns:" SERVICE ".%s.svc.%s", namespace_, zone);

    s->n_specs = n > 0 && n < SPEC_SIZE;
    return true;
}

/* The node that a command is for. RELEASE_NODE is the release's own name: beside it in the pod, it
 * is the one that people mean. */
static bool finish_target(struct loading *l, const struct role *role)
{
    struct conf *c = l->out;
    const char *release = conf_env(l, "RELEASE_NODE");
    const char *given = c->n_args > 0 ? c->args[0] : release;

    (void)role;
    if (l->in->command != CMD_PING)
        return true;
    if (given == NULL)
        return conf_say(l, "erlclu ping needs a NODE, or RELEASE_NODE in the environment");
    const char *wrong = names_make(c->target, given, &l->here);

    return wrong == NULL ||
           conf_say(l, "%s: `%.100s` %s", c->n_args > 0 ? "NODE" : "RELEASE_NODE", given, wrong);
}

static bool finish_discover(struct loading *l, const struct role *role)
{
    (void)role;
    if (l->in->command != CMD_DISCOVER || l->out->settings.n_specs > 0)
        return true;
    return conf_say(l, "erlclu discover needs a SPEC, such as dns:NAME, or ERLCLU_DISCOVER");
}

static bool (*const steps[])(struct loading *, const struct role *) = {
    finish_name,  finish_cookie, finish_ports,    finish_page,
    finish_specs, finish_target, finish_discover,
};

bool conf_finish(struct loading *l)
{
    for (size_t i = 0; i < COUNT(steps); i++)
        if (!steps[i](l, &conf_roles[l->in->command]))
            return false;
    return true;
}
