/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FIND_K8S_SIM_H
#define TESTS_FIND_K8S_SIM_H

#include "base/buf.h"
#include "find/source.h"

/* A k8s source and an API server of straw under virtual time: the story says what the server does,
 * the trace of what the source did is the assertion. */

struct k8s_sim {
    struct source *source;
    struct rng rng;
    struct kubernetes kubernetes;
    struct resolv_conf resolv;
    struct source_place place;
    const char *token, *ns; /* of the account's folder; NULL: no such file */
    uint64_t now, asked_ms;
    char path[NEED_PATH_SIZE]; /* of the last request */
    uint32_t silence_ms;
    struct buf trace;
};

#define KS_SLICE(name, version, endpoints)                                                         \
    "{\"metadata\":{\"name\":\"" name "\",\"resourceVersion\":\"" version "\"},"                   \
    "\"addressType\":\"IPv4\",\"endpoints\":[" endpoints "]}"
#define KS_AT(ip) "{\"addresses\":[\"" ip "\"]}"
#define KS_LIST(version, items)                                                                    \
    "{\"metadata\":{\"resourceVersion\":\"" version "\"},\"items\":[" items "]}"
#define KS_EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"
#define KS_STATUS(code, words) "{\"kind\":\"Status\",\"code\":" code ",\"message\":\"" words "\"}"

/* ks_begin: our node is erlclu@10.0.0.1, the API server [10.96.0.1]:443; own: our own address. */
void ks_begin(struct k8s_sim *s, const char *spec, const char *own);
/* ks_begin_with: the account's folder has this namespace; NULL: none. */
void ks_begin_with(struct k8s_sim *s, const char *spec, const char *ns);
void ks_end(struct k8s_sim *s);
/* ks_run: so much time passes, with what falls due in it. */
void ks_run(struct k8s_sim *s, uint64_t ms);
/* What the server does: an answer; its parts; how the connection ends (NULL: well). */
void ks_answer(struct k8s_sim *s, uint16_t status, const char *body);
void ks_head(struct k8s_sim *s, uint16_t status, uint32_t retry_after_s);
void ks_body(struct k8s_sim *s, const char *text);
void ks_bytes(struct k8s_sim *s, clu_slice bytes);
void ks_close(struct k8s_sim *s, const char *why);
/* ks_expect: the trace since the last time. */
void ks_expect(struct k8s_sim *s, const char *trace);
void ks_expect_reason(struct k8s_sim *s, const char *reason);

#endif
