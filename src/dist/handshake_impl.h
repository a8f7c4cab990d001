/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIST_HANDSHAKE_IMPL_H
#define DIST_HANDSHAKE_IMPL_H

#include "dist/handshake.h"

/* Inside the handshake: handshake.c holds its life, framing and the table of states;
 * handshake_initiator.c and handshake_acceptor.c the two sides' steps; handshake_frames.c what both
 * read and write. */

/* What is left of a frame. Taking more than there is makes it bad for good and gives zeros. */
struct hs_reader {
    const uint8_t *pos, *end;
    bool bad;
};

/* The content of 'N' and 'n', send_name and challenge alike. */
struct hs_intro {
    uint64_t flags;
    uint32_t challenge; /* challenge only */
    uint32_t creation;
    clu_slice name;
};

uint16_t hs_get_u16(struct hs_reader *r);
uint32_t hs_get_u32(struct hs_reader *r);
uint64_t hs_get_u64(struct hs_reader *r);
clu_slice hs_get_bytes(struct hs_reader *r, size_t n);
/* hs_get_rest: all that is left. */
clu_slice hs_get_rest(struct hs_reader *r);
struct hs_intro hs_get_intro(struct hs_reader *r, bool with_challenge);

void hs_send_status(struct handshake *hs, const char *status);
void hs_send_named(struct handshake *hs, const char *name, uint32_t creation);
void hs_send_name(struct handshake *hs);
void hs_send_challenge(struct handshake *hs);
void hs_send_reply(struct handshake *hs, const uint8_t digest[MD5_LEN]);
void hs_send_ack(struct handshake *hs, const uint8_t digest[MD5_LEN]);

/* hs_fail: puts the handshake into HS_FAILED, unless it is there already, with a sentence. Returns
 * HS_FAILED, so that a step can return it. */
enum hs_state hs_fail(struct handshake *hs, enum hs_failure failure, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* hs_malformed: the same for a frame of a wrong shape; hs_broken: for a digest that could not be
 * computed. */
enum hs_state hs_malformed(struct handshake *hs);
enum hs_state hs_broken(struct handshake *hs);

/* hs_draw_challenge: false when it failed. */
bool hs_draw_challenge(struct handshake *hs);
/* hs_digest: MD5(cookie ++ decimal(challenge)); false when it failed. */
bool hs_digest(struct handshake *hs, uint32_t challenge, uint8_t digest[MD5_LEN]);
/* hs_check_digest: reads the peer's digest; next when it fits our challenge, else the failure, with
 * what is known about the peer's cookie. */
enum hs_state hs_check_digest(struct handshake *hs, struct hs_reader *in, enum hs_state next);
/* hs_choose_cookie: goes over to the other cookie when that is what the digest proves which comes
 * next. */
void hs_choose_cookie(struct handshake *hs, const struct hs_reader *in);
/* hs_missing_flags: the mandatory flags that the peer lacks, as text; NULL when it has them all. */
const char *hs_missing_flags(const struct handshake *hs, char *out, size_t size);

/* The steps: each reads one frame behind its tag and returns the next state. */
typedef enum hs_state hs_step(struct handshake *hs, struct hs_reader *in);

hs_step hs_recv_name, hs_recv_old_name, hs_recv_alive, hs_recv_complement, hs_recv_reply;
hs_step hs_recv_status, hs_recv_challenge, hs_recv_old_challenge, hs_recv_late_status, hs_recv_ack;

#endif
