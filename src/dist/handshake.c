/* SPDX-License-Identifier: Apache-2.0 */
#include "dist/handshake.h"

#include <stdarg.h>
#include <stdio.h>

#include "dist/handshake_impl.h"

/* What a state takes, and who reads it: one row a frame. */
static const struct {
    enum hs_state state;
    uint8_t tag;
    hs_step *recv;
} steps[] = {
    {HS_RECV_NAME, 'N', hs_recv_name},
    {HS_RECV_NAME, 'n', hs_recv_old_name},
    {HS_RECV_ALIVE, 's', hs_recv_alive},
    {HS_RECV_COMPLEMENT, 'c', hs_recv_complement},
    {HS_RECV_REPLY, 'r', hs_recv_reply},
    {HS_RECV_STATUS, 's', hs_recv_status},
    {HS_RECV_CHALLENGE, 'N', hs_recv_challenge},
    {HS_RECV_CHALLENGE, 'n', hs_recv_old_challenge},
    {HS_RECV_CHALLENGE, 's', hs_recv_late_status},
    {HS_RECV_ACK, 'a', hs_recv_ack},
    {HS_RECV_ACK, 's', hs_recv_late_status},
};

/* What a state waits for from the peer, and what it means when the peer closes there. A state
 * without a row has no peer to wait for. */
static const struct {
    const char *awaited;
    enum hs_failure failure;
    const char *closed;
} waits[HS_STATES] = {
    [HS_RECV_NAME] = {"its name", HS_FAIL_CLOSED, "it closed before it said its name"},
    [HS_DECIDE] = {"our own decision", HS_FAIL_CLOSED, "it closed before it got our status"},
    [HS_RECV_ALIVE] = {"whether it insists on a second link", HS_FAIL_CLOSED,
                       "it closed when it heard that an older link of its name is still up"},
    [HS_RECV_COMPLEMENT] = {"the complement of its old-style name", HS_FAIL_CLOSED,
                            "it closed when it saw our challenge: it dialled another name than "
                            "ours, or misses flags of ours"},
    [HS_RECV_REPLY] = {"its digest", HS_FAIL_CLOSED,
                       "it closed when it saw our challenge: it dialled another name than ours, or "
                       "misses flags of ours"},
    [HS_RECV_STATUS] = {"the status that answers our name", HS_FAIL_CLOSED,
                        "the node there closed when it heard our name, without a status: it speaks "
                        "TLS, is no Erlang node, or is just being linked with us by another "
                        "connection"},
    [HS_CONFIRM_ALIVE] = {"our own decision", HS_FAIL_CLOSED,
                          "the node there closed before we insisted on a second link"},
    [HS_RECV_CHALLENGE] = {"its challenge", HS_FAIL_CLOSED,
                           "the node there closed after its status, before its challenge"},
    [HS_CHOOSE_COOKIE] = {"our own decision", HS_FAIL_CLOSED,
                          "the node there closed before we answered its challenge"},
    [HS_RECV_ACK] =
        {"the answer to our digest", HS_FAIL_COOKIE,
         "the node there closed when it saw our digest: most likely its cookie differs from "
         "ours"},
};

/* Peers of another kind, known by what their first bytes make of a frame's length. */
static const struct {
    const char *bytes, *what;
} strangers[] = {
    {"\x16\x03", "this is TLS: the peer runs -proto_dist inet_tls, which erlclu does not speak"},
    {"\x15\x03", "this is TLS: the peer runs -proto_dist inet_tls, which erlclu does not speak"},
    {"HT", "this is an HTTP server"},
    {"GE", "this is an HTTP client"},
    {"PO", "this is an HTTP client"},
    {"SS", "this is an SSH server"},
};

/* ---- failing ---- */

enum hs_state hs_fail(struct handshake *hs, enum hs_failure failure, const char *format, ...)
{
    va_list args;

    if (hs->state == HS_FAILED)
        return HS_FAILED;
    va_start(args, format);
    vsnprintf(hs->reason, sizeof hs->reason, format, args);
    va_end(args);
    hs->failure = failure;
    hs->state = HS_FAILED;
    return HS_FAILED;
}

enum hs_state hs_malformed(struct handshake *hs)
{
    return hs_fail(hs, HS_FAIL_PROTOCOL, "waited for %s, got a frame of a wrong shape",
                   waits[hs->state].awaited);
}

enum hs_state hs_broken(struct handshake *hs)
{
    return hs_fail(hs, HS_FAIL_INTERNAL, "the crypto library failed to compute a digest");
}

/* ---- life ---- */

static void start(struct handshake *hs, const struct handshake_options *o)
{
    *hs = (struct handshake){
        .length_size = o->length_size == 4 ? 4 : 2,
        .creation = o->creation,
        .flags = o->flags,
        .setup_ms = o->setup_ms,
        .deadline_ms = o->now_ms + o->setup_ms,
        .crypto = o->crypto,
        .cookie = o->cookie.data,
        .cookie_len = o->cookie.len,
    };
    text_set(hs->name, sizeof hs->name, slice_of(o->name));
}

void handshake_dial(struct handshake *hs, const struct handshake_options *o, const char *peer)
{
    start(hs, o);
    hs->initiator = true;
    hs->dynamic = o->dynamic;
    hs->state = HS_RECV_STATUS;
    if (peer != NULL)
        text_set(hs->peer, sizeof hs->peer, slice_of(peer));
    if (o->dynamic) {
        hs->creation = 0;
        hs->flags = (hs->flags | DFLAG_NAME_ME) & ~DFLAG_PUBLISHED;
    }
    hs_send_name(hs);
}

void handshake_accept(struct handshake *hs, const struct handshake_options *o)
{
    start(hs, o);
    hs->state = HS_RECV_NAME;
}

void handshake_closed(struct handshake *hs)
{
    if (waits[hs->state].closed != NULL)
        hs_fail(hs, waits[hs->state].failure, "%s", waits[hs->state].closed);
}

void handshake_expired(struct handshake *hs)
{
    if (waits[hs->state].awaited != NULL)
        hs_fail(hs, HS_FAIL_TIMEOUT,
                "the handshake was not done within %llu ms: still waiting for %s",
                (unsigned long long)hs->setup_ms, waits[hs->state].awaited);
}

/* ---- bytes in ---- */

static bool is_reading(const struct handshake *hs)
{
    for (size_t i = 0; i < COUNT(steps); i++)
        if (steps[i].state == hs->state)
            return true;
    return false;
}

static void recv_frame(struct handshake *hs, const uint8_t *frame, size_t len)
{
    struct hs_reader in = {.pos = frame + 1, .end = frame + len};

    for (size_t i = 0; i < COUNT(steps); i++)
        if (steps[i].state == hs->state && steps[i].tag == frame[0]) {
            hs->state = steps[i].recv(hs, &in);
            return;
        }
    hs_fail(hs, HS_FAIL_PROTOCOL, "waited for %s, got a frame of type %u", waits[hs->state].awaited,
            (unsigned)frame[0]);
}

/* A length that no frame of a handshake has: who can this be? */
static void refuse_length(struct handshake *hs, uint32_t len)
{
    for (size_t i = 0; i < COUNT(strangers); i++)
        if (memcmp(hs->in, strangers[i].bytes, 2) == 0) {
            hs_fail(hs, HS_FAIL_PROTOCOL, "waited for %s, got no handshake: %s",
                    waits[hs->state].awaited, strangers[i].what);
            return;
        }
    hs_fail(hs, HS_FAIL_PROTOCOL, "waited for %s, got a frame of %lu bytes; 1 to %d are legal",
            waits[hs->state].awaited, (unsigned long)len, HANDSHAKE_FRAME_MAX);
}

static uint32_t announced(const struct handshake *hs)
{
    return hs->length_size == 4 ? get_be32(hs->in) : get_be16(hs->in);
}

/* Takes bytes up to the end of the length or, once that is known, of the frame. */
static size_t take_bytes(struct handshake *hs, const uint8_t *data, size_t len)
{
    size_t want = hs->length_size;

    if (hs->in_len >= hs->length_size)
        want += announced(hs);
    size_t n = (size_t)min_u64(want - hs->in_len, len);

    memcpy(hs->in + hs->in_len, data, n);
    hs->in_len += n;
    return n;
}

size_t handshake_feed(struct handshake *hs, const uint8_t *data, size_t len)
{
    size_t used = 0;

    while (used < len && is_reading(hs)) {
        used += take_bytes(hs, data + used, len - used);
        if (hs->in_len < hs->length_size)
            break;
        uint32_t frame_len = announced(hs);

        if (frame_len == 0 || frame_len > HANDSHAKE_FRAME_MAX)
            refuse_length(hs, frame_len);
        else if (hs->in_len == hs->length_size + frame_len) {
            hs->in_len = 0;
            recv_frame(hs, hs->in + hs->length_size, frame_len);
        }
    }
    return used;
}

/* ---- bytes out ---- */

clu_slice handshake_pending(const struct handshake *hs)
{
    return (clu_slice){hs->out + hs->out_sent, hs->out_len - hs->out_sent};
}

void handshake_sent(struct handshake *hs, size_t n)
{
    hs->out_sent += n;
    if (hs->out_sent >= hs->out_len)
        hs->out_sent = hs->out_len = 0;
}
