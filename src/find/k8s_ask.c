/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "find/k8s_impl.h"

/* ---- paths ---- */

bool k8s_encode(char *out, size_t size, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-._~";
    size_t n = 0;

    for (; *text != '\0' && n + 4 <= size; text++) {
        uint8_t c = (uint8_t)*text;

        if (strchr(plain, c) != NULL) {
            out[n++] = (char)c;
            continue;
        }
        out[n++] = '%';
        out[n++] = digits[c >> 4];
        out[n++] = digits[c & 15];
    }
    out[n] = '\0';
    return *text == '\0';
}

/* The query behind the selector. */
static bool write_query(struct k8s_source *k, uint32_t seconds, char *out, size_t size)
{
    char version[3 * K8S_VERSION_SIZE], page[K8S_CONTINUE_SIZE + 64];
    int n;

    if (!k8s_encode(version, sizeof version, k->version) || !k8s_encode(page, sizeof page, k->page))
        return false;
    if (k->watching)
        n = snprintf(out, size,
                     "&watch=1&allowWatchBookmarks=true&resourceVersion=%s&timeoutSeconds=%u",
                     version, (unsigned)seconds);
    else
        n = snprintf(out, size, "&limit=%u%s%s", k->kind->page,
                     page[0] == '\0' ? "" : "&continue=", page);
    return n > 0 && (size_t)n < size;
}

static bool write_path(struct k8s_source *k, uint32_t seconds, char path[NEED_PATH_SIZE])
{
    int n = snprintf(path, NEED_PATH_SIZE, "%s/namespaces/%s/%s?labelSelector=%s", k->kind->folder,
                     k->source.service.ns, k->kind->resource, k->selector);

    return n > 0 && n < NEED_PATH_SIZE &&
           write_query(k, seconds, path + n, NEED_PATH_SIZE - (size_t)n);
}

/* ---- needs ---- */

/* A list without a page begins a new one. */
static bool need_http(struct k8s_source *k, uint64_t now_ms, struct need *need)
{
    uint32_t seconds = (uint32_t)rng_range(k->source.place->rng, K8S_WATCH_MIN_S, K8S_WATCH_MAX_S);
    uint64_t life_ms = k->watching ? (uint64_t)seconds * 1000 + K8S_SILENCE_MS : K8S_SILENCE_MS;

    need->kind = NEED_HTTP;
    need->u.http.to = k->source.place->kubernetes->api;
    need->u.http.token = buf_slice(&k->token);
    need->u.http.ca = buf_slice(&k->ca);
    need->u.http.silence_ms = (uint32_t)life_ms;
    if (!write_path(k, seconds, need->u.http.path)) {
        k8s_failed(k, now_ms, "its continue or resourceVersion is too long to be sent back");
        return false;
    }
    if (!k->watching && k->page[0] == '\0') {
        k8s_set_begin(&k->set);
        k->list_ms = now_ms;
    }
    k->source.row.queries++;
    k->asked_ms = now_ms;
    /* the driver counts silence; a server that dribbles is ended here */
    k->stop_ms = k->watching ? now_ms + life_ms : NEVER;
    k->status = 0;
    k->retry_after_s = 0;
    buf_reset(&k->text);
    k->step = STEP_ANSWER;
    return true;
}

static const char *const files[] = {
    [STEP_NAMESPACE] = "namespace",
    [STEP_TOKEN] = "token",
    [STEP_CA] = "ca.crt",
};

static bool need_file(struct k8s_source *k, struct need *need)
{
    const char *account = k->source.place->kubernetes->account;

    need->kind = NEED_FILE;
    need->u.file.watch = false;
    snprintf(need->u.file.path, sizeof need->u.file.path, "%s/%s", account, files[k->step]);
    k->waiting = true;
    return true;
}

static bool need_end(struct k8s_source *k, struct need *need)
{
    need->kind = NEED_HTTP_END;
    k->cancel = false;
    return true;
}

bool k8s_need(struct source *s, uint64_t now_ms, struct need *need)
{
    struct k8s_source *k = k8s_of(s);

    if (k->cancel)
        return need_end(k, need);
    if (k->step == STEP_PAUSE && now_ms >= k->next_ms) {
        k->step = s->service.ns[0] == '\0' ? STEP_NAMESPACE : STEP_TOKEN;
        k->asked_ms = now_ms;
    }
    if (k->step == STEP_PAUSE || k->step == STEP_ANSWER || k->waiting)
        return false;
    return k->step == STEP_ASK ? need_http(k, now_ms, need) : need_file(k, need);
}

static uint64_t step_deadline(const struct k8s_source *k)
{
    if (k->cancel)
        return 0;
    if (k->step == STEP_PAUSE)
        return k->next_ms;
    if (k->step == STEP_ANSWER)
        return k->stop_ms;
    return k->waiting ? NEVER : 0;
}

uint64_t k8s_deadline(const struct source *s)
{
    const struct k8s_source *k = (const struct k8s_source *)s;
    uint64_t self_ms = k->told_self ? NEVER : k->started_ms + K8S_SELF_SEEN_MS;

    return min_u64(min_u64(step_deadline(k), self_ms), k8s_set_deadline(&k->set));
}

void k8s_again(struct k8s_source *k, uint64_t at_ms)
{
    k->cancel = k->cancel || k->step == STEP_ANSWER;
    k->step = STEP_PAUSE;
    k->waiting = false;
    k->next_ms = at_ms;
}

/* ---- files ---- */

static clu_slice trim(clu_slice text)
{
    while (text.len > 0 && text.data[text.len - 1] <= ' ')
        text.len--;
    return text;
}

/* It becomes a line of the request. */
static bool is_token(clu_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    return text.len > 0 && text.len <= K8S_TOKEN_MAX;
}

static bool take_namespace(struct k8s_source *k, clu_slice text)
{
    char *ns = k->source.service.ns;

    if (text_set(ns, LABEL_SIZE, text) && host_name_problem(ns) == NULL && strchr(ns, '.') == NULL)
        return true;
    ns[0] = '\0';
    return false;
}

static bool take_bytes(struct buf *into, clu_slice text)
{
    buf_reset(into);
    buf_put_slice(into, text);
    return into->err == CLU_OK;
}

static bool take_token(struct k8s_source *k, clu_slice text)
{
    return is_token(text) && take_bytes(&k->token, text);
}

static bool take_ca(struct k8s_source *k, clu_slice text)
{
    return take_bytes(&k->ca, text);
}

bool k8s_file(struct k8s_source *k, const struct given *given, uint64_t now_ms)
{
    static bool (*const take[])(struct k8s_source *, clu_slice) = {
        [STEP_NAMESPACE] = take_namespace,
        [STEP_TOKEN] = take_token,
        [STEP_CA] = take_ca,
    };

    if (!k->waiting)
        return false;
    k->waiting = false;
    if (given->why != NULL)
        return k8s_lost(k, now_ms,
                        "%.120s cannot be read: %.120s (a pod has it unless "
                        "automountServiceAccountToken is false)",
                        given->path, given->why);
    if (!take[k->step](k, trim(given->bytes)))
        return k8s_lost(k, now_ms, "%.120s does not hold what it should", given->path);
    k->step++;
    return false;
}
