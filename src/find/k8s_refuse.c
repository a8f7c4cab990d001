/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "find/k8s_impl.h"

/* Half of it is jitter. */
static uint64_t pause_ms(struct k8s_source *k, uint64_t longest_ms)
{
    uint64_t pause = K8S_RETRY_FIRST_MS;

    for (unsigned i = 0; i < k->failures && pause < longest_ms; i++)
        pause *= 2;
    k->failures++;
    pause = min_u64(pause, longest_ms);
    return rng_range(k->source.place->rng, pause / 2, pause);
}

/* Ends the round with words in the row; the next one begins after a pause. */
static bool end_round(struct k8s_source *k, enum result_kind kind, const char *answer,
                      uint64_t now_ms, uint64_t pause)
{
    struct source_row *row = &k->source.row;

    text_set(row->answer, sizeof row->answer, slice_of(answer));
    row->result = kind;
    row->failures++;
    /* How long a watch lasted is not how long an answer took. */
    source_count(&k->source, k->stop_ms == NEVER ? k->asked_ms : now_ms, now_ms);
    k->page[0] = '\0';
    k8s_again(k, now_ms + pause);
    return true;
}

bool k8s_failed(struct k8s_source *k, uint64_t now_ms, const char *format, ...)
{
    char what[REASON_SIZE], at[ADDR_TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    say(k->source.row.reason, "the API server at %s: %.300s",
        addr_text(&k->source.place->kubernetes->api, at), what);
    k->watching = false;
    return end_round(k, RESULT_FAILED, "failed", now_ms, pause_ms(k, K8S_RETRY_MAX_MS));
}

bool k8s_lost(struct k8s_source *k, uint64_t now_ms, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(k->source.row.reason, REASON_SIZE, format, args);
    va_end(args);
    return end_round(k, RESULT_FAILED, "failed", now_ms, pause_ms(k, K8S_RETRY_MAX_MS));
}

bool k8s_no_memory(struct k8s_source *k, uint64_t now_ms)
{
    k->watching = false;
    return k8s_lost(k, now_ms, "there is no memory for what the API server lists");
}

/* ---- what the server refuses ---- */

struct refusal {
    uint16_t status;
    const char *message; /* the server's */
    char at[ADDR_TEXT_MAX];
    char answer[16]; /* "HTTP 403" */
};

/* The token may have been renewed since it was read: at once, but once. */
static bool on_unauthorized(struct k8s_source *k, const struct refusal *r, uint64_t now_ms)
{
    if (!k->renewed) {
        k->renewed = true;
        k8s_again(k, now_ms);
        return false;
    }
    say(k->source.row.reason,
        "%s from the API server at %s: it does not take the token in %.150s: is it expired, or of "
        "another cluster? (%.80s)",
        r->answer, r->at, k->source.place->kubernetes->account, r->message);
    return end_round(k, RESULT_FAILED, r->answer, now_ms, pause_ms(k, K8S_RETRY_MAX_MS));
}

/* Who we are, as the server's message says it. */
static void find_account(char out[HOST_NAME_SIZE], const char *message)
{
    static const char begin[] = "system:serviceaccount:";
    const char *p = strstr(message, begin);

    text_set(out, HOST_NAME_SIZE, slice_of("this pod's service account"));
    if (p == NULL)
        return;
    p += sizeof begin - 1;
    text_set(out, HOST_NAME_SIZE, (clu_slice){(const uint8_t *)p, strcspn(p, "\"")});
}

static bool on_forbidden(struct k8s_source *k, const struct refusal *r, uint64_t now_ms)
{
    char account[HOST_NAME_SIZE];

    /* A server that has just begun may not know its Roles yet: the first is asked about soon. */
    if (strcmp(k->source.row.answer, r->answer) != 0)
        k->failures = 0;
    find_account(account, r->message);
    say(k->source.row.reason,
        "%s: %.120s may not list and watch %s in namespace %s: give it a Role there with "
        "apiGroups: [\"%s\"], resources: [\"%s\"], verbs: [\"list\", \"watch\"]",
        r->answer, account, k->kind->resource, k->source.service.ns, k->kind->group,
        k->kind->resource);
    return end_round(k, RESULT_FAILED, r->answer, now_ms, pause_ms(k, K8S_PATIENT_MAX_MS));
}

static bool on_not_found(struct k8s_source *k, const struct refusal *r, uint64_t now_ms)
{
    say(k->source.row.reason, "%s from the API server at %s: no %s in namespace %s: %.150s",
        r->answer, r->at, k->kind->resource, k->source.service.ns, r->message);
    k->watching = false;
    return end_round(k, RESULT_NEGATIVE, r->answer, now_ms, pause_ms(k, K8S_PATIENT_MAX_MS));
}

/* What we stood on is forgotten there: no failure, the list is asked for anew. */
static bool on_gone(struct k8s_source *k, const struct refusal *r, uint64_t now_ms)
{
    (void)r;
    k->watching = false;
    k->page[0] = '\0';
    k8s_again(k, max_u64(now_ms, k->list_ms + K8S_GAP_MS));
    return false;
}

static bool on_other(struct k8s_source *k, const struct refusal *r, uint64_t now_ms)
{
    uint64_t pause = pause_ms(k, K8S_RETRY_MAX_MS);
    uint64_t asked = min_u64((uint64_t)k->retry_after_s * 1000, K8S_PATIENT_MAX_MS);

    say(k->source.row.reason, "%s from the API server at %s: %.200s", r->answer, r->at,
        r->message[0] == '\0' ? "no more is said" : r->message);
    return end_round(k, RESULT_FAILED, r->answer, now_ms, max_u64(pause, asked));
}

static const struct {
    uint16_t status;
    bool (*on)(struct k8s_source *k, const struct refusal *r, uint64_t now_ms);
} refusals[] = {
    {401, on_unauthorized},
    {403, on_forbidden},
    {404, on_not_found},
    {410, on_gone},
};

bool k8s_refused(struct k8s_source *k, uint16_t status, const char *message, uint64_t now_ms)
{
    struct refusal r = {.status = status, .message = message};

    addr_text(&k->source.place->kubernetes->api, r.at);
    snprintf(r.answer, sizeof r.answer, "HTTP %u", (unsigned)status);
    for (size_t i = 0; i < COUNT(refusals); i++)
        if (refusals[i].status == status)
            return refusals[i].on(k, &r, now_ms);
    return on_other(k, &r, now_ms);
}
