/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "conf/cookie.h"
#include "conf/names.h"
#include "conf/options.h"
#include "conf/scan.h"

#define ACCOUNT  "/var/run/secrets/kubernetes.io/serviceaccount"
#define SERVICE  "erlclu-headless"
#define API_PORT 443

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
    bool library = l->in->command == CMD_LIBRARY;

    return conf_say(l, "no cookie: give %s, RELEASE_COOKIE or ~/.erlang.cookie (%.200s: %s)",
                    library ? ".cookie, .cookie_file" : "--cookie-file FILE", path, why);
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
    if (wrong == NULL && why[0] != '\0') /* auth.erl: "must be accessible by owner only" */
        conf_note_that(l, path, why);
    text_set(l->out->settings.cookie_file, FILE_SIZE, slice_of(path));
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
        return conf_say(l, "%s: without epmd, all nodes listen at one known port",
                        l->in->command == CMD_LIBRARY ? ".epmd none needs .listen_port"
                                                      : "--epmd none needs --listen-port PORT");
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

/* Where the kubelet mounts the pod's service account, or another has it. */
static const char *account_folder(const struct loading *l)
{
    const char *folder = conf_env(l, "ERLCLU_KUBERNETES_ACCOUNT");

    return folder == NULL ? ACCOUNT : folder;
}

/* The pod's namespace: of its service account, else of its search list. */
static void find_namespace(struct loading *l, char namespace_[HOST_NAME_SIZE])
{
    char why[REASON_SIZE], path[FILE_SIZE];
    struct buf text = {0};
    clu_slice rest, line = {0}, word = {0};

    snprintf(path, sizeof path, "%.400s/namespace", account_folder(l));
    text_set(namespace_, HOST_NAME_SIZE, slice_of(l->out->resolv.namespace_));
    if (conf_try(l, path, &text, why) == CLU_OK) {
        rest = buf_slice(&text);
        if (scan_line(&rest, &line) && scan_word(&line, &word))
            text_set(namespace_, HOST_NAME_SIZE, word);
    }
    buf_free(&text);
}

/* Where every pod is told that the API server is. */
static bool finish_kubernetes(struct loading *l, const struct role *role)
{
    struct kubernetes *k = &l->out->settings.kubernetes;
    const char *host = conf_env(l, "KUBERNETES_SERVICE_HOST"), *port;
    uint32_t number = API_PORT;
    struct addr api;

    if (!role->own_name || host == NULL)
        return true;
    bool is_fine = addr_parse_ip(&api, slice_of(host));

    port = conf_env(l, "KUBERNETES_SERVICE_PORT");
    is_fine = is_fine && (port == NULL || text_number(slice_of(port), 1, UINT16_MAX, &number));
    if (!is_fine)
        return conf_note_that(l, "KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT",
                              "not used: they are no IP address and port");
    k->api = api;
    k->api.port = (uint16_t)number;
    text_set(k->account, sizeof k->account, slice_of(account_folder(l)));
    return true;
}

/* In a pod, the Service of the manifests. Its zone is the cluster's choice: none is taken for
 * granted. */
static bool finish_specs(struct loading *l, const struct role *role)
{
    struct settings *s = &l->out->settings;
    const char *zone = l->out->resolv.zone;
    const char *none = l->in->command == CMD_LIBRARY ? "no .discover" : "no --discover";
    char namespace_[HOST_NAME_SIZE];

    if (!role->own_name || s->n_specs > 0 || conf_env(l, "KUBERNETES_SERVICE_HOST") == NULL)
        return true;
    find_namespace(l, namespace_);
    if (l->err != CLU_OK)
        return false;
    if (namespace_[0] == '\0')
        return conf_note_that(l, none,
                              "nothing is looked up: neither the service account nor resolv.conf "
                              "tells this pod's namespace");
    if (zone[0] == '\0')
        return conf_note_that(l, none,
                              "nothing is looked up: resolv.conf has no search entry NS.svc.ZONE "
                              "that tells the cluster's zone");
    int n = snprintf(s->specs[0], SPEC_SIZE, "dns:" SERVICE ".%s.svc.%s", namespace_, zone);

    s->n_specs = n > 0 && n < SPEC_SIZE;
    return true;
}

/* What people write for a node that is none, and what they mean. */
static bool refuse_target(struct loading *l, const char *given, const char *wrong)
{
    const char *what = l->out->n_args > 0 ? "NODE" : "RELEASE_NODE", *at = strchr(given, '@');
    const char *colon = strrchr(given, ':');
    uint32_t port;

    if (given[0] == '\0')
        return conf_say(l, "%s is empty", what);
    if (at == NULL && strpbrk(given, ".:") != NULL)
        return conf_say(l, "%s: `%.100s` is a host, not a node: NAME@HOST", what, given);
    if (at != NULL && at[1] == '[' && given[strlen(given) - 1] == ']')
        return conf_say(l, "%s: `%.100s` has its IPv6 address in brackets: leave them out", what,
                        given);
    if (at != NULL && colon != NULL && text_number(slice_of(colon + 1), 1, UINT16_MAX, &port))
        return conf_say(l, "%s: `%.100s` has a port behind the host: give it as --port %u", what,
                        given, (unsigned)port);
    return conf_say(l, "%s: `%.100s` %s", what, given, wrong);
}

/* The node that a command is for. RELEASE_NODE is the release's own name: beside it in the pod, it
 * is the one that people mean. */
static bool finish_target(struct loading *l, const struct role *role)
{
    struct conf *c = l->out;
    const char *release = conf_env(l, "RELEASE_NODE");
    const char *given = c->n_args > 0 ? c->args[0] : release;

    if (!role->target)
        return true;
    if (given == NULL)
        return conf_say(l, "erlclu %s needs a NODE, or RELEASE_NODE in the environment",
                        conf_command_word(l->in->command));
    const char *wrong = names_make(c->target, given, &l->here);

    if (wrong != NULL)
        return refuse_target(l, given, wrong);
    return strcmp(c->settings.name, c->target) != 0 ||
           conf_say(l,
                    "--name: %.100s is the name of the node asked: leave it out or choose another",
                    c->target);
}

/* HOST of erlclu names, which is a host and nothing else. */
static bool finish_host(struct loading *l, const struct role *role)
{
    const char *given = l->out->n_args > 0 ? l->out->args[0] : "", *colon = strrchr(given, ':');
    struct addr ip;
    uint32_t port;

    (void)role;
    if (l->in->command != CMD_NAMES || addr_parse_ip(&ip, slice_of(given)))
        return true;
    if (l->out->n_args > 0 && given[0] == '\0')
        return conf_say(l, "HOST is empty");
    if (strchr(given, '@') != NULL)
        return conf_say(l, "HOST: `%.100s` is a node: what is wanted stands behind the @", given);
    if (colon != NULL && text_number(slice_of(colon + 1), 1, UINT16_MAX, &port))
        return conf_say(l, "HOST: `%.100s` has a port behind it: give it as --epmd-port %u", given,
                        (unsigned)port);
    return given[0] != '[' || conf_say(l, "HOST: `%.100s` is in brackets: leave them out", given);
}

static bool needs_spec(struct loading *l, const char *what)
{
    return l->out->settings.n_specs > 0 ||
           conf_say(l, "erlclu %s needs a SPEC, such as dns:NAME, or ERLCLU_DISCOVER", what);
}

static bool finish_discover(struct loading *l, const struct role *role)
{
    (void)role;
    return l->in->command != CMD_DISCOVER || needs_spec(l, "discover");
}

static bool has_spec_words(const struct loading *l)
{
    for (size_t i = 0; i < l->n_given; i++)
        if (l->given[i].option == OPT_DISCOVER && l->given[i].source == SOURCE_COMMAND_LINE)
            return true;
    return false;
}

static bool finish_wait(struct loading *l, const struct role *role)
{
    struct conf *c = l->out;

    (void)role;
    if (l->in->command != CMD_WAIT)
        return true;
    if (c->want_peers > 0 && c->want_reachable > 0)
        return conf_say(l, "erlclu wait takes --peers or --reachable: one of the two, not both");
    if (c->want_peers == 0 && c->want_reachable == 0)
        return conf_say(l, "erlclu wait needs --peers N, which asks the node that runs here, or "
                           "--reachable N SPEC..., which looks for nodes itself");
    if (c->want_peers > 0)
        return !(c->or_first || has_spec_words(l)) ||
               conf_say(l, "erlclu wait --peers asks the node that runs here: --or-first and SPECs "
                           "belong to --reachable");
    if (c->or_first && !l->in_pod)
        return conf_say(l, "--or-first needs MY_POD_IP, the address of this pod");
    c->settings.probe = true;
    return needs_spec(l, "wait --reachable");
}

/* Whoever takes part in global must be linked with all: a link that is cut by one is cut by others
 * in turn, and a hidden node is no part of it. */
static bool finish_global(struct loading *l, const struct role *role)
{
    const struct settings *s = &l->out->settings;
    const char *dash = l->in->command == CMD_LIBRARY ? "." : "--";

    (void)role;
    if (s->global && s->prune == PRUNE_AFTER)
        return conf_say(l,
                        "%sglobal and %sprune after do not go together: a link that one node cuts "
                        "is a partial partition to global, for which others cut further ones",
                        dash, dash);
    if (s->global && s->hidden)
        return conf_say(l,
                        "%sglobal and %shidden do not go together: hidden nodes are no part of "
                        "global",
                        dash, dash);
    return true;
}

static bool (*const steps[])(struct loading *, const struct role *) = {
    finish_name,   finish_cookie, finish_ports,    finish_page, finish_kubernetes, finish_specs,
    finish_target, finish_host,   finish_discover, finish_wait, finish_global,
};

bool conf_finish(struct loading *l)
{
    for (size_t i = 0; i < COUNT(steps); i++)
        if (!steps[i](l, &conf_roles[l->in->command]))
            return false;
    return true;
}
