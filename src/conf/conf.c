/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf.h"

#include <stdlib.h>

#include "conf/hosts.h"
#include "conf/names.h"
#include "conf/options.h"
#include "conf/resolv.h"
#include "model/event.h"

#define EPMD_PORT_DEFAULT 4369
#define HTTP_PORT_DEFAULT 8080
#define TIMEOUT_MS        10000
/* OTP's net_ticktime, net_tickintensity, net_setuptime. */
#define TICKTIME_MS    60000
#define TICK_INTENSITY 4
#define SETUP_MS       7000
/* A Secret reaches the last pod of a cluster within some two minutes. */
#define COOKIE_OVERLAP_MS 600000

static const struct addr loopback = {.family = 4, .ip = {127, 0, 0, 1}};
static const struct addr loopback6 = {.family = 6, .ip = {[15] = 1}};

/* MY_POD_FAMILY: which of a pod's addresses the node is named after; 0: the first. */
static bool find_family(struct loading *l, uint8_t *family)
{
    const char *text = conf_env(l, "MY_POD_FAMILY");

    *family = 0;
    if (text == NULL)
        return true;
    if (strcmp(text, "4") != 0 && strcmp(text, "6") != 0)
        return conf_say(l, "MY_POD_FAMILY is 4 or 6, not `%.40s`", text);
    *family = (uint8_t)(text[0] - '0');
    return true;
}

/* status.podIPs of the downward API: addresses with commas between. */
static bool take_address(struct loading *l, const char *list, uint8_t family)
{
    for (const char *at = list;; at++) {
        size_t len = strcspn(at, ",");

        if (!addr_parse_ip(&l->here, (clu_slice){(const uint8_t *)at, len}))
            return conf_say(l, "MY_POD_IP: `%.100s` is not an IP address", list);
        if (family == 0 || l->here.family == family)
            return true;
        at += len;
        if (*at == '\0')
            return conf_say(l, "MY_POD_IP: `%.100s` has no address of MY_POD_FAMILY %u", list,
                            family);
    }
}

/* MY_POD_IP: the address of the pod, or all of them, by the downward API. */
static bool find_here(struct loading *l)
{
    uint8_t family;

    l->here = loopback;
    if (!find_family(l, &family))
        return false;
    const char *list = conf_env(l, "MY_POD_IP");
    if (list == NULL)
        return true;
    l->in_pod = true;
    if (!take_address(l, list, family))
        return false;
    l->out->here = l->here;
    return true;
}

/* All addresses where a pod has one of its own, so that its Service reaches the page. */
static struct addr default_http(const struct loading *l)
{
    struct addr all = {.family = l->here.family, .port = HTTP_PORT_DEFAULT};
    struct addr local = l->here.family == 6 ? loopback6 : loopback;

    local.port = HTTP_PORT_DEFAULT;
    return l->in_pod && l->in->command == CMD_RUN ? all : local;
}

static void set_defaults(struct loading *l)
{
    const struct role *role = &conf_roles[l->in->command];
    struct conf *c = l->out;

    c->settings = (struct settings){
        .hidden = role->hidden,
        .no_listen = role->no_listen,
        .no_dial = role->no_dial,
        .epmd_only = role->epmd_only,
        .epmd = role->no_listen   ? EPMD_EXTERNAL
                : role->epmd_only ? EPMD_EMBEDDED
                                  : EPMD_AUTO,
        .library = l->in->command == CMD_LIBRARY,
        .epmd_port = EPMD_PORT_DEFAULT,
        .ticktime_ms = TICKTIME_MS,
        .tick_intensity = TICK_INTENSITY,
        .setup_ms = SETUP_MS,
        .cookie_overlap_ms = COOKIE_OVERLAP_MS,
        /* Who only looks is known by its address all the same. */
        .listen = role->own_name && role->no_listen ? c->here : (struct addr){0},
        .http = role->page ? default_http(l) : (struct addr){0},
        /* Three nodes in one terminal: their pages tell more than their mingled logs. */
        .log_level = l->in->command == CMD_DEMO      ? LEVEL_ERROR
                     : l->in->command == CMD_LIBRARY ? LEVEL_NONE
                                                     : LEVEL_INFO,
    };
    c->timeout_ms = l->in->command == CMD_DEMO ? 0 : TIMEOUT_MS;
}

/* A file of the system that may be missing, but not unreadable in silence. */
static bool read_optional(struct loading *l, const char *path, struct buf *text)
{
    char why[REASON_SIZE];
    clu_error err = conf_try(l, path, text, why);

    return err == CLU_OK ||
           (l->err == CLU_OK && (err == CLU_ENOENT || conf_note_that(l, path, why)));
}

static bool load_resolv(struct loading *l)
{
    struct buf text = {0};
    bool ok = read_optional(l, "/etc/resolv.conf", &text);

    resolv_parse(&l->out->resolv, buf_slice(&text));
    buf_free(&text);
    return ok;
}

static bool load_hosts(struct loading *l)
{
    struct buf text = {0};
    bool ok = read_optional(l, "/etc/hosts", &text);
    clu_error err = hosts_parse(&l->out->hosts, buf_slice(&text));

    buf_free(&text);
    if (err == CLU_ESIZE)
        return conf_note_that(l, "/etc/hosts", "names behind the first 16384 are passed over");
    return err == CLU_OK ? ok : conf_no_memory(l);
}

static bool load_system(struct loading *l)
{
    const struct role *role = &conf_roles[l->in->command];

    return (!role->resolver || load_resolv(l)) &&
           (!(role->resolver || role->page) || load_hosts(l));
}

/* The last --args-file of the command line. */
static bool load_args_file(struct loading *l)
{
    const struct given *last = NULL;

    for (size_t i = 0; i < l->n_given; i++)
        if (l->given[i].option == OPT_ARGS_FILE)
            last = &l->given[i];
    return last == NULL || conf_take_args_file(l, last->text, last->where);
}

static bool load(struct loading *l)
{
    bool taken = l->in->command == CMD_LIBRARY ? conf_take_options(l) : conf_take_words(l);

    if (!taken)
        return false;
    if (l->out->help)
        return true;
    if (!find_here(l))
        return false;
    set_defaults(l);
    return load_args_file(l) && conf_take_environment(l) && load_system(l) && conf_apply(l) &&
           conf_finish(l);
}

clu_error conf_load(struct conf *out, const struct conf_input *in)
{
    struct loading l = {.out = out, .in = in};

    *out = (struct conf){.command = in->command};
    load(&l);
    for (size_t i = 0; i < l.n_given; i++)
        free(l.given[i].text);
    free(l.given);
    return l.err;
}

void conf_fini(struct conf *c)
{
    for (size_t i = 0; i < c->n_args; i++)
        free(c->args[i]);
    free(c->args);
    free(c->notes);
    free(c->settings.peer_cookies);
    hosts_fini(&c->hosts);
    *c = (struct conf){.command = c->command};
}
