/* SPDX-License-Identifier: Apache-2.0 */
#include "dist/handshake_impl.h"

/* Room for the names of all mandatory flags. */
#define FLAGS_TEXT_SIZE 256

static enum hs_state status_ok(struct handshake *hs, struct hs_reader *in)
{
    (void)in;
    if (hs->dynamic)
        return hs_fail(
            hs, HS_FAIL_PROTOCOL,
            "asked for a dynamic name, the node there gave none: it is older than OTP 23; "
            "give this command a --name");
    return HS_RECV_CHALLENGE;
}

static enum hs_state status_named(struct handshake *hs, struct hs_reader *in)
{
    clu_slice name = hs_get_bytes(in, hs_get_u16(in));
    uint32_t creation = hs_get_u32(in);

    if (!hs->dynamic || in->bad || !name_is_of_node(name))
        return hs_malformed(hs);
    text_set(hs->name, sizeof hs->name, name);
    hs->creation = creation;
    return HS_RECV_CHALLENGE;
}

static enum hs_state status_not_allowed(struct handshake *hs, struct hs_reader *in)
{
    (void)in;
    return hs_fail(
        hs, HS_FAIL_NOT_ALLOWED,
        "said our name, %s, and the node there answered not_allowed: it is about to stop, its "
        "net_kernel:allow/1 does not list us, or it demands flags that we do not have",
        hs->name);
}

/* One row a status: the next state, or who finds it. "named:" goes on behind its word. */
static const struct {
    const char *word;
    enum hs_state next;
    hs_step *act;
} statuses[] = {
    {"ok", 0, status_ok},
    {"ok_simultaneous", 0, status_ok},
    {"nok", HS_WAIT_INBOUND, NULL},
    {"not_allowed", 0, status_not_allowed},
    {"alive", HS_CONFIRM_ALIVE, NULL},
    {"named:", 0, status_named},
};

static bool starts_with(clu_slice s, const char *word)
{
    size_t len = strlen(word);

    return s.len >= len && memcmp(s.data, word, len) == 0;
}

enum hs_state hs_recv_status(struct handshake *hs, struct hs_reader *in)
{
    clu_slice status = {in->pos, (size_t)(in->end - in->pos)};

    for (size_t i = 0; i < COUNT(statuses); i++) {
        const char *word = statuses[i].word;
        bool open = word[strlen(word) - 1] == ':';

        if (open ? starts_with(status, word) : slice_is(status, word)) {
            in->pos += strlen(word);
            return statuses[i].act == NULL ? statuses[i].next : statuses[i].act(hs, in);
        }
    }
    return hs_fail(hs, HS_FAIL_PROTOCOL,
                   "said our name, %s, and got a status that is none of ok, "
                   "ok_simultaneous, nok, not_allowed, alive, named",
                   hs->name);
}

/* A refusal can come late: a BEAM looks at our flags again behind our digest. */
enum hs_state hs_recv_late_status(struct handshake *hs, struct hs_reader *in)
{
    if (!slice_is(hs_get_rest(in), "not_allowed"))
        return hs_malformed(hs);
    return hs_fail(hs, HS_FAIL_FLAGS,
                   "the node there answered not_allowed after it had taken our name: it demands "
                   "flags that we do not have");
}

/* What the challenge says about the node there; HS_DONE when nothing is wrong. */
static enum hs_state check_peer(struct handshake *hs, clu_slice name)
{
    char peer[NODE_NAME_SIZE], missing[FLAGS_TEXT_SIZE];

    if (!name_is_of_node(name))
        return hs_malformed(hs);
    text_set(peer, sizeof peer, name);
    if (hs->peer[0] != '\0' && strcmp(hs->peer, peer) != 0)
        return hs_fail(hs, HS_FAIL_NAME_MISMATCH,
                       "dialled %s, the node there calls itself %s: dial that name, or start the "
                       "node under the dialled one",
                       hs->peer, peer);
    text_set(hs->peer, sizeof hs->peer, name);
    if (hs_missing_flags(hs, missing, sizeof missing) != NULL)
        return hs_fail(hs, HS_FAIL_FLAGS, "%s lacks mandatory flags (%s): it is older than OTP 25",
                       peer, missing);
    return HS_DONE;
}

static enum hs_state reply(struct handshake *hs)
{
    uint8_t digest[MD5_LEN];

    if (!hs_draw_challenge(hs) || !hs_digest(hs, hs->peer_challenge, digest))
        return hs_broken(hs);
    hs_send_reply(hs, digest);
    return HS_RECV_ACK;
}

enum hs_state hs_recv_challenge(struct handshake *hs, struct hs_reader *in)
{
    struct hs_intro intro = hs_get_intro(in, true);
    bool learnt = hs->peer[0] == '\0';

    if (in->bad)
        return hs_malformed(hs);
    hs->peer_flags = intro.flags;
    hs->peer_creation = intro.creation;
    hs->peer_challenge = intro.challenge;
    if (check_peer(hs, intro.name) == HS_FAILED)
        return HS_FAILED;
    return learnt ? HS_CHOOSE_COOKIE : reply(hs);
}

void handshake_use_cookie(struct handshake *hs, clu_slice cookie)
{
    if (hs->state != HS_CHOOSE_COOKIE)
        return;
    hs->cookie = cookie.data;
    hs->cookie_len = cookie.len;
    hs->state = reply(hs);
}

enum hs_state hs_recv_old_challenge(struct handshake *hs, struct hs_reader *in)
{
    (void)in;
    return hs_fail(hs, HS_FAIL_FLAGS,
                   "the node there answers with the handshake of OTP 22 or older; 25 is the oldest "
                   "that we link with");
}

enum hs_state hs_recv_ack(struct handshake *hs, struct hs_reader *in)
{
    return hs_check_digest(hs, in, HS_DONE);
}

void handshake_confirm(struct handshake *hs, bool wanted)
{
    if (hs->state != HS_CONFIRM_ALIVE)
        return;
    hs_send_status(hs, wanted ? "true" : "false");
    if (wanted)
        hs->state = HS_RECV_CHALLENGE;
    else
        hs_fail(hs, HS_FAIL_ALIVE,
                "the node there still holds an older link of ours and this attempt "
                "is not wanted any more");
}
