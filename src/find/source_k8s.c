/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "find/k8s_impl.h"

/* The scheme: its options, its body, and who gets what is given. */

/* ---- the SPEC ---- */

static clu_error set_family(struct source *s, const char *value, char why[REASON_SIZE])
{
    return source_choose_family(s, value, &k8s_of(s)->family, why);
}

/* A name of Kubernetes that is one label: of a namespace, a Service, a port. */
static bool take_label(char out[LABEL_SIZE], clu_slice text)
{
    return text_set(out, LABEL_SIZE, text) && host_name_problem(out) == NULL &&
           strchr(out, '.') == NULL;
}

static clu_error set_port(struct source *s, const char *value, char why[REASON_SIZE])
{
    struct k8s_source *k = k8s_of(s);
    unsigned long number =
        strspn(value, "0123456789") == strlen(value) ? strtoul(value, NULL, 10) : 0;

    k->port = (struct k8s_port){.number = number <= UINT16_MAX ? (uint16_t)number : 0};
    if (k->port.number != 0)
        return CLU_OK;
    if (number == 0 && value[0] != '0' && take_label(k->port.name, slice_of(value)))
        return CLU_OK;
    say(why,
        "k8s: port is the name that a port has there, or a number from 1 to 65535, not "
        "\"%.60s\"",
        value);
    return CLU_EBADARG;
}

/* "app=x,tier+in+(a,b)": a SPEC has no spaces, and a selector no plus. */
static clu_error set_selector(struct source *s, const char *value, char why[REASON_SIZE])
{
    struct k8s_source *k = k8s_of(s);
    char text[SPEC_SIZE];

    text_set(text, sizeof text, slice_of(value)); /* it is a piece of a SPEC: it fits */
    for (char *p = text; (p = strchr(p, '+')) != NULL;)
        *p = ' ';
    k->kind = &k8s_pods;
    if (value[0] != '\0' && k8s_encode(k->selector, sizeof k->selector, text))
        return CLU_OK;
    say(why, "k8s: the selector is empty or too long: \"%.60s\"", value);
    return CLU_EBADARG;
}

static void k8s_init(struct source *s)
{
    k8s_of(s)->kind = &k8s_slices;
    k8s_of(s)->next_ms = NEVER;
    k8s_of(s)->told_self = true; /* until it has started */
}

static clu_error check_place(const struct source *s, char why[REASON_SIZE])
{
    if (s->place->kubernetes != NULL && s->place->kubernetes->api.family != 0)
        return CLU_OK;
    say(why, "k8s: there is no API server here: KUBERNETES_SERVICE_HOST, an IP address, and "
             "KUBERNETES_SERVICE_PORT tell pods where it is");
    return CLU_EBADARG;
}

/* What stands behind the namespace: a Service, or `pods`. */
static clu_error take_what(struct k8s_source *k, const char *what, char why[REASON_SIZE])
{
    static const char label[] = "kubernetes.io/service-name=";
    char selector[sizeof label + LABEL_SIZE];
    struct service_name *service = &k->source.service;

    if (k->kind == &k8s_pods && strcmp(what, "pods") == 0)
        return CLU_OK;
    if (k->kind == &k8s_pods) {
        say(why, "k8s: a selector selects pods: write k8s:NAMESPACE/pods?selector=...");
        return CLU_EBADARG;
    }
    if (!take_label(service->name, slice_of(what))) {
        say(why,
            "k8s: \"%.80s\" is no Service's name: write k8s:NAMESPACE/SERVICE or "
            "k8s:NAMESPACE/pods?selector=app=x",
            what);
        return CLU_EBADARG;
    }
    memcpy(selector, label, sizeof label);
    text_set(selector + sizeof label - 1, LABEL_SIZE, slice_of(service->name));
    k8s_encode(k->selector, sizeof k->selector, selector); /* it fits: both are short */
    return CLU_OK;
}

/* Without one it is ours, which the account's folder tells, too. */
static clu_error take_namespace(struct source *s, const char *body, const char *slash,
                                char why[REASON_SIZE])
{
    const struct resolv_conf *resolv = s->place->resolv;
    clu_slice given = slash == NULL ? slice_of(resolv == NULL ? "" : resolv->namespace_)
                                    : (clu_slice){(const uint8_t *)body, (size_t)(slash - body)};

    if (resolv != NULL)
        text_set(s->service.zone, sizeof s->service.zone, slice_of(resolv->zone));
    if (take_label(s->service.ns, given))
        return CLU_OK;
    s->service.ns[0] = '\0';
    if (slash == NULL)
        return CLU_OK;
    say(why,
        "k8s: \"%.80s\" does not begin with the name of a namespace: write "
        "k8s:NAMESPACE/SERVICE",
        body);
    return CLU_EBADARG;
}

static clu_error k8s_open(struct source *s, const char *body, char why[REASON_SIZE])
{
    const char *slash = strchr(body, '/');
    clu_error err = check_place(s, why);

    if (err == CLU_OK)
        err = take_namespace(s, body, slash, why);
    return err == CLU_OK ? take_what(k8s_of(s), slash == NULL ? body : slash + 1, why) : err;
}

static void k8s_close(struct source *s)
{
    struct k8s_source *k = k8s_of(s);

    buf_free(&k->token);
    buf_free(&k->ca);
    buf_free(&k->text);
    k8s_set_fini(&k->set);
}

/* ---- at work ---- */

static void k8s_start(struct source *s, uint64_t now_ms)
{
    struct k8s_source *k = k8s_of(s);

    k->started_ms = k->next_ms = now_ms;
    k->stop_ms = NEVER;
    k->told_self = !source_wants_us(s);
}

/* Our own address should be listed by now. */
static bool should_see_us(struct k8s_source *k, uint64_t now_ms)
{
    if (k->told_self || now_ms < k->started_ms + K8S_SELF_SEEN_MS)
        return false;
    k->told_self = true;
    return true;
}

/* A watch has no end, or what was held is over. */
static bool k8s_tick(struct source *s, uint64_t now_ms)
{
    struct k8s_source *k = k8s_of(s);

    if (k->step == STEP_ANSWER && now_ms >= k->stop_ms)
        return k8s_lost(k, now_ms, "the API server did not end a watch when its time was over");
    bool is_over = k8s_set_deadline(&k->set) <= now_ms, changed = false;

    if (is_over && k8s_refresh(k, now_ms, &changed) != CLU_OK)
        return k8s_no_memory(k, now_ms);
    bool news = should_see_us(k, now_ms) || changed;

    if (news && (s->row.result == RESULT_COMPLETE || s->row.result == RESULT_NEGATIVE))
        return k8s_told(k, now_ms);
    return changed;
}

static bool k8s_given(struct source *s, const struct given *given, uint64_t now_ms)
{
    static bool (*const takers[GIVEN_KINDS])(struct k8s_source *, const struct given *,
                                             uint64_t) = {
        [GIVEN_FILE] = k8s_file,
        [GIVEN_HEAD] = k8s_head,
        [GIVEN_BODY] = k8s_body,
        [GIVEN_END] = k8s_end,
    };

    return takers[given->kind] != NULL && takers[given->kind](k8s_of(s), given, now_ms);
}

static const struct source_option options[] = {
    {"base", source_set_base}, {"name", source_set_name},  {"family", set_family},
    {"port", set_port},        {"selector", set_selector},
};

const struct scheme scheme_k8s = {
    .name = "k8s",
    .stands = true,
    .guesses = true,
    .parts = PART_BIT(PART_BASE) | PART_BIT(PART_IP) | PART_BIT(PART_DASHED) |
             PART_BIT(PART_HOSTNAME) | PART_BIT(PART_SERVICE) | PART_BIT(PART_NS) |
             PART_BIT(PART_ZONE),
    .template = "{base}@{ip}",
    .size = sizeof(struct k8s_source),
    .options = options,
    .n_options = COUNT(options),
    .init = k8s_init,
    .open = k8s_open,
    .close = k8s_close,
    .start = k8s_start,
    .deadline = k8s_deadline,
    .tick = k8s_tick,
    .need = k8s_need,
    .given = k8s_given,
};
