/* SPDX-License-Identifier: Apache-2.0
 *
 * One question to an epmd: connect, ask, hand the answer to who asked.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mesh/internal.h"

static struct epmd_query *query_of(struct conn *c)
{
    return CONTAINER_OF(c, struct epmd_query, conn);
}

struct epmd_query *epmd_query_new(struct machine *m, const struct addr *addr, uint64_t now_ms)
{
    struct epmd_query *q = calloc(1, sizeof *q);

    if (q == NULL || !conn_add(m, &q->conn, CONN_EPMD_QUERY))
        return NULL;
    q->conn.peer = *addr;
    conn_dial(m, &q->conn);
    conn_due(m, &q->conn, now_ms + CONNECT_MS + EPMD_ANSWER_MS);
    return q->conn.dead ? NULL : q;
}

/* The answer, or why there is none, goes to the dial or the command that asked. */
static void hand_over(struct machine *m, struct epmd_query *q, enum stage stage, const char *reason,
                      uint64_t now_ms)
{
    if (q->dial != 0)
        dial_epmd_answered(m, q, stage, reason, now_ms);
    else if (q->link != 0)
        link_epmd_answered(m, q, stage, now_ms);
    else if (q->names != 0)
        names_epmd_answered(m, q, stage, reason, now_ms);
    else
        ask_epmd_answered(m, q, stage, reason, now_ms);
    q->dial = 0;
    q->link = 0;
    q->ask = 0;
    q->names = 0;
}

static void query_opened(struct machine *m, struct conn *c, uint64_t now_ms)
{
    conn_due(m, c, now_ms + EPMD_ANSWER_MS);
}

static void query_refused(struct machine *m, struct conn *c, enum dial_error error,
                          const char *text, uint64_t now_ms)
{
    char reason[REASON_SIZE];
    enum stage stage = dial_error_reason(error, &c->peer, "epmd", text, reason);

    hand_over(m, query_of(c), stage, reason, now_ms);
}

static void tell_failed(struct machine *m, struct epmd_query *q, enum stage stage, const char *what,
                        uint64_t now_ms)
{
    char reason[REASON_SIZE], at[ADDR_TEXT_MAX];

    snprintf(reason, sizeof reason, "epmd at %s: %.150s", addr_text(&q->conn.peer, at), what);
    hand_over(m, q, stage, reason, now_ms);
}

/* An epmd that says no word is as one that is not there: a proxy, or another program. */
static void query_failed(struct machine *m, struct epmd_query *q, const char *what, uint64_t now_ms)
{
    tell_failed(m, q, q->client.in.len == 0 ? STAGE_CLOSED : STAGE_NO_EPMD, what, now_ms);
}

static void query_got(struct machine *m, struct conn *c, size_t n, uint64_t now_ms)
{
    struct epmd_query *q = query_of(c);

    epmd_client_feed(&q->client, m->scratch, n);
    if (q->client.err != CLU_OK)
        query_failed(m, q, q->client.what, now_ms);
    else if (q->client.done)
        hand_over(m, q, STAGE_NONE, "", now_ms);
    else
        return;
    conn_close(m, c);
}

static void query_closed(struct machine *m, struct conn *c, const char *text, uint64_t now_ms)
{
    struct epmd_query *q = query_of(c);

    epmd_client_closed(&q->client);
    if (q->client.err == CLU_OK && q->client.done)
        hand_over(m, q, STAGE_NONE, "", now_ms);
    else
        query_failed(m, q, text != NULL ? text : q->client.what, now_ms);
}

static size_t query_pending(struct conn *c, bool large, struct iovec *iov, size_t max)
{
    (void)large;
    (void)max;
    return conn_piece(epmd_client_pending(&query_of(c)->client), iov);
}

static void query_sent(struct conn *c, size_t n, uint64_t now_ms)
{
    (void)now_ms;
    epmd_client_sent(&query_of(c)->client, n);
}

static void query_due(struct machine *m, struct conn *c, uint64_t now_ms)
{
    tell_failed(m, query_of(c), STAGE_SILENT, "no answer within 5 s", now_ms);
    conn_close(m, c);
}

static void query_free(struct machine *m, struct conn *c)
{
    (void)m;
    epmd_client_fini(&query_of(c)->client);
}

const struct conn_ops epmd_query_ops = {
    .opened = query_opened,
    .refused = query_refused,
    .got = query_got,
    .closed = query_closed,
    .pending = query_pending,
    .sent = query_sent,
    .due = query_due,
    .free = query_free,
};
