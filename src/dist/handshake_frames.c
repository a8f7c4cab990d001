/* SPDX-License-Identifier: Apache-2.0 */
#include "dist/handshake_impl.h"

#include <assert.h>
#include <stdio.h>

/* ---- reading ---- */

static const uint8_t *take(struct hs_reader *r, size_t n)
{
    if (r->bad || (size_t)(r->end - r->pos) < n) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *p = r->pos;

    r->pos += n;
    return p;
}

uint16_t hs_get_u16(struct hs_reader *r)
{
    const uint8_t *p = take(r, 2);

    return p == NULL ? 0 : get_be16(p);
}

uint32_t hs_get_u32(struct hs_reader *r)
{
    const uint8_t *p = take(r, 4);

    return p == NULL ? 0 : get_be32(p);
}

uint64_t hs_get_u64(struct hs_reader *r)
{
    const uint8_t *p = take(r, 8);

    return p == NULL ? 0 : get_be64(p);
}

clu_slice hs_get_bytes(struct hs_reader *r, size_t n)
{
    const uint8_t *p = take(r, n);

    return (clu_slice){p, p == NULL ? 0 : n};
}

clu_slice hs_get_rest(struct hs_reader *r)
{
    return hs_get_bytes(r, (size_t)(r->end - r->pos));
}

/* What follows the name is for later versions of the protocol: passed over. */
struct hs_intro hs_get_intro(struct hs_reader *r, bool with_challenge)
{
    struct hs_intro intro = {.flags = hs_get_u64(r)};

    if (with_challenge)
        intro.challenge = hs_get_u32(r);
    intro.creation = hs_get_u32(r);
    intro.name = hs_get_bytes(r, hs_get_u16(r));
    intro.flags = dflags_expand(intro.flags);
    return intro;
}

/* ---- writing ---- */

/* Room for a frame of n bytes behind its length. A handshake queues at most a status, a challenge
 * and an acknowledgement. */
static uint8_t *frame_space(struct handshake *hs, size_t n)
{
    uint8_t *p = hs->out + hs->out_len;

    assert(hs->out_len + hs->length_size + n <= sizeof hs->out);
    if (hs->length_size == 4)
        put_be32(p, (uint32_t)n);
    else
        put_be16(p, (uint16_t)n);
    hs->out_len += hs->length_size + n;
    return p + hs->length_size;
}

static void put_name(uint8_t *p, const char *name, size_t len)
{
    put_be16(p, (uint16_t)len);
    memcpy(p + 2, name, len);
}

void hs_send_status(struct handshake *hs, const char *status)
{
    size_t len = strlen(status);
    uint8_t *p = frame_space(hs, 1 + len);

    p[0] = 's';
    memcpy(p + 1, status, len);
}

void hs_send_named(struct handshake *hs, const char *name, uint32_t creation)
{
    size_t len = strlen(name);
    uint8_t *p = frame_space(hs, 7 + 2 + len + 4);

    memcpy(p, "snamed:", 7);
    put_name(p + 7, name, len);
    put_be32(p + 9 + len, creation);
}

void hs_send_name(struct handshake *hs)
{
    size_t len = strlen(hs->name);
    uint8_t *p = frame_space(hs, 15 + len);

    p[0] = 'N';
    put_be64(p + 1, hs->flags);
    put_be32(p + 9, hs->creation);
    put_name(p + 13, hs->name, len);
}

void hs_send_challenge(struct handshake *hs)
{
    size_t len = strlen(hs->name);
    uint8_t *p = frame_space(hs, 19 + len);

    p[0] = 'N';
    put_be64(p + 1, hs->flags);
    put_be32(p + 9, hs->challenge);
    put_be32(p + 13, hs->creation);
    put_name(p + 17, hs->name, len);
}

void hs_send_reply(struct handshake *hs, const uint8_t digest[MD5_LEN])
{
    uint8_t *p = frame_space(hs, 5 + MD5_LEN);

    p[0] = 'r';
    put_be32(p + 1, hs->challenge);
    memcpy(p + 5, digest, MD5_LEN);
}

void hs_send_ack(struct handshake *hs, const uint8_t digest[MD5_LEN])
{
    uint8_t *p = frame_space(hs, 1 + MD5_LEN);

    p[0] = 'a';
    memcpy(p + 1, digest, MD5_LEN);
}

/* ---- what both sides compute ---- */

bool hs_draw_challenge(struct handshake *hs)
{
    uint64_t random;

    if (crypto_random(hs->crypto, &random) != CLU_OK)
        return false;
    hs->challenge = (uint32_t)random;
    return true;
}

/* MD5 of a cookie, a text behind it, and the challenge as decimal digits. */
static bool digest_of(struct handshake *hs, size_t cookie_len, const char *behind,
                      uint32_t challenge, uint8_t digest[MD5_LEN])
{
    char decimal[12];

    snprintf(decimal, sizeof decimal, "%lu", (unsigned long)challenge);
    clu_slice parts[] = {{hs->cookie, cookie_len}, slice_of(behind), slice_of(decimal)};

    return crypto_md5(hs->crypto, parts, COUNT(parts), digest) == CLU_OK;
}

bool hs_digest(struct handshake *hs, uint32_t challenge, uint8_t digest[MD5_LEN])
{
    return digest_of(hs, hs->cookie_len, "", challenge, digest);
}

/* Whether the peer's digest is that of our cookie's first bytes and a text behind them. */
static bool digest_fits(struct handshake *hs, size_t cookie_len, const char *behind,
                        const uint8_t *theirs)
{
    uint8_t ours[MD5_LEN];

    return digest_of(hs, cookie_len, behind, hs->challenge, ours) &&
           crypto_equal(ours, theirs, MD5_LEN);
}

/* The digest did not fit: does it fit the mistake that people make most, a newline at the end of a
 * file or variable that one side trims? */
static const char *cookie_difference(struct handshake *hs, const uint8_t *theirs)
{
    if (digest_fits(hs, hs->cookie_len, "\n", theirs))
        return "its cookie is ours with a newline at the end: trim the one there";
    if (hs->cookie_len > 0 && hs->cookie[hs->cookie_len - 1] == '\n' &&
        digest_fits(hs, hs->cookie_len - 1, "", theirs))
        return "its cookie is ours without the newline at the end: trim the one here";
    return "its cookie differs from ours: give both nodes the same one";
}

static void swap_cookies(struct handshake *hs)
{
    clu_slice other = hs->other_cookie;

    hs->other_cookie = (clu_slice){hs->cookie, hs->cookie_len};
    hs->cookie = other.data;
    hs->cookie_len = other.len;
}

void hs_choose_cookie(struct handshake *hs, const struct hs_reader *in)
{
    if (hs->other_cookie.len == 0 || in->end - in->pos < MD5_LEN)
        return;
    swap_cookies(hs);
    if (!digest_fits(hs, hs->cookie_len, "", in->pos))
        swap_cookies(hs);
}

enum hs_state hs_check_digest(struct handshake *hs, struct hs_reader *in, enum hs_state next)
{
    clu_slice theirs = hs_get_bytes(in, MD5_LEN);
    uint8_t ours[MD5_LEN];

    if (in->bad)
        return hs_malformed(hs);
    if (!hs_digest(hs, hs->challenge, ours))
        return hs_broken(hs);
    if (!crypto_equal(ours, theirs.data, MD5_LEN))
        return hs_fail(hs, HS_FAIL_COOKIE, "the digest of %s does not prove our cookie: %s",
                       hs->peer, cookie_difference(hs, theirs.data));
    return next;
}

const char *hs_missing_flags(const struct handshake *hs, char *out, size_t size)
{
    uint64_t missing = DFLAGS_DEMANDED & ~hs->peer_flags;

    return missing == 0 ? NULL : dflags_text(missing, out, size);
}
