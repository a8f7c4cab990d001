/* SPDX-License-Identifier: Apache-2.0 */
#include "dist/handshake_impl.h"

/* Room for the names of all mandatory flags. */
#define FLAGS_TEXT_SIZE 256

/* A refusal that the peer is told before we close. */
static enum hs_state refuse(struct handshake *hs)
{
    hs_send_status(hs, "not_allowed");
    return HS_FAILED;
}

/* The host part with which a peer asks for a dynamic name. */
static enum hs_state check_opening(struct handshake *hs, clu_slice name)
{
    char missing[FLAGS_TEXT_SIZE];

    hs->peer_dynamic = (hs->peer_flags & DFLAG_NAME_ME) != 0;
    if (!text_set(hs->peer, sizeof hs->peer, name) ||
        !(hs->peer_dynamic ? name_is_host_part(name) : name_is_of_node(name))) {
        hs->peer[0] = '\0'; /* not fit to be shown */
        hs_fail(hs, HS_FAIL_PROTOCOL,
                "its name is not of the form NAME@HOST, in printable ASCII, of at most %d bytes",
                NODE_NAME_MAX);
        return refuse(hs);
    }
    if (hs_missing_flags(hs, missing, sizeof missing) != NULL) {
        hs_fail(hs, HS_FAIL_FLAGS, "%s lacks mandatory flags (%s): it is older than OTP 25",
                hs->peer, missing);
        return refuse(hs);
    }
    return HS_DECIDE;
}

enum hs_state hs_recv_name(struct handshake *hs, struct hs_reader *in)
{
    struct hs_intro intro = hs_get_intro(in, false);

    if (in->bad)
        return hs_malformed(hs);
    hs->peer_flags = intro.flags;
    hs->peer_creation = intro.creation;
    return check_opening(hs, intro.name);
}

/* The opening of OTP 22 and before, and of newer nodes that could not ask an epmd for our version:
 * those have HANDSHAKE_23, go on as version 6 and send the rest as a complement. */
enum hs_state hs_recv_old_name(struct handshake *hs, struct hs_reader *in)
{
    hs_get_u16(in); /* the version: 5, or what a peer makes of it; the flags tell */
    hs->peer_flags = dflags_expand(hs_get_u32(in));
    if (in->bad)
        return hs_malformed(hs);
    hs->old_opening = true;
    return check_opening(hs, hs_get_rest(in));
}

enum hs_state hs_recv_complement(struct handshake *hs, struct hs_reader *in)
{
    uint64_t high = hs_get_u32(in);

    hs->peer_creation = hs_get_u32(in);
    if (in->bad)
        return hs_malformed(hs);
    hs->peer_flags |= high << 32;
    return HS_RECV_REPLY;
}

/* Sends our challenge. */
static enum hs_state go_on(struct handshake *hs)
{
    if (!hs_draw_challenge(hs))
        return hs_broken(hs);
    hs_send_challenge(hs);
    return hs->old_opening ? HS_RECV_COMPLEMENT : HS_RECV_REPLY;
}

enum hs_state hs_recv_alive(struct handshake *hs, struct hs_reader *in)
{
    clu_slice answer = hs_get_rest(in);

    if (slice_is(answer, "true"))
        return go_on(hs);
    if (slice_is(answer, "false"))
        return hs_fail(hs, HS_FAIL_ALIVE,
                       "%s dialled while linked with us and does not insist: the older link stays",
                       hs->peer);
    return hs_malformed(hs);
}

enum hs_state hs_recv_reply(struct handshake *hs, struct hs_reader *in)
{
    uint8_t digest[MD5_LEN];
    uint32_t challenge = hs_get_u32(in);

    hs_choose_cookie(hs, in);
    enum hs_state next = hs_check_digest(hs, in, HS_DONE);

    if (next != HS_DONE)
        return next;
    if (!hs_digest(hs, challenge, digest))
        return hs_broken(hs);
    hs_send_ack(hs, digest);
    return HS_DONE;
}

void handshake_take_too(struct handshake *hs, clu_slice cookie)
{
    hs->other_cookie = cookie;
}

static enum hs_state answer_ok(struct handshake *hs, const char *assigned_name,
                               uint32_t assigned_creation)
{
    if (!hs->peer_dynamic) {
        hs_send_status(hs, "ok");
        return go_on(hs);
    }
    /* A node without a name of its own is hidden (OTP: dist_util:publish_flag), and takes the name
     * only when both sides have the flag (do_setnode). */
    hs->flags = (hs->flags | DFLAG_NAME_ME) & ~DFLAG_PUBLISHED;
    text_set(hs->peer, sizeof hs->peer, slice_of(assigned_name));
    hs->peer_creation = assigned_creation;
    hs_send_named(hs, hs->peer, assigned_creation);
    return go_on(hs);
}

void handshake_answer(struct handshake *hs, enum hs_status status, clu_slice cookie,
                      const char *assigned_name, uint32_t assigned_creation)
{
    if (hs->state != HS_DECIDE)
        return;
    hs->cookie = cookie.data;
    hs->cookie_len = cookie.len;
    switch (status) {
    case HS_STATUS_OK: hs->state = answer_ok(hs, assigned_name, assigned_creation); break;
    case HS_STATUS_OK_SIMULTANEOUS:
        hs_send_status(hs, "ok_simultaneous");
        hs->state = go_on(hs);
        break;
    case HS_STATUS_ALIVE:
        hs_send_status(hs, "alive");
        hs->state = HS_RECV_ALIVE;
        break;
    case HS_STATUS_NOK:
        hs_send_status(hs, "nok");
        hs_fail(hs, HS_FAIL_SIMULTANEOUS, "%s dialled us while we dial it: our attempt goes on",
                hs->peer);
        break;
    case HS_STATUS_NOT_ALLOWED:
        hs_send_status(hs, "not_allowed");
        hs_fail(hs, HS_FAIL_NOT_ALLOWED, "%s is not allowed to link with this node", hs->peer);
        break;
    }
}
