/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DIST_HANDSHAKING_H
#define TESTS_DIST_HANDSHAKING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "bytes.h"
#include "dist/handshake.h"

/* What the tests of handshakes share: a test finds its crypto in *state. */

#define PUBLIC_FLAGS (DFLAGS_OFFERED | DFLAG_PUBLISHED)

static const uint8_t seed[SHA256_LEN] = {1};

static inline int set_up(void **state)
{
    *state = crypto_new(seed);
    return *state == NULL;
}

static inline int tear_down(void **state)
{
    crypto_free(*state);
    return 0;
}

static inline struct handshake_options options(struct crypto *crypto, const char *name,
                                               const char *cookie)
{
    return (struct handshake_options){
        .name = name,
        .creation = 7,
        .flags = PUBLIC_FLAGS,
        .cookie = slice_of(cookie),
        .crypto = crypto,
        .now_ms = 1000,
        .setup_ms = 7000,
        .length_size = 2,
    };
}

static inline void expect_failure(const char *row, const struct handshake *hs,
                                  enum hs_failure failure, const char *words)
{
    if (hs->state != HS_FAILED || hs->failure != failure || strstr(hs->reason, words) == NULL)
        fail_msg("%s: state %d, failure %d instead of %d: '%s'", row, (int)hs->state,
                 (int)hs->failure, (int)failure, hs->reason);
}

/* ---- recorded openings ---- */

#define STATUS_OK "\0\x03sok"
/* what OTP 25.2.3 sends */
#define CHALLENGE                                                                                  \
    "\0\x1eN"                                                                                      \
    "\0\0\0\x0d\x07\xdf\x7f\xbd\x5b\xc4\x02\x76\x6b\x02\xa7\x49\0\x0b"                             \
    "a@127.0.0.1"

/* flags of OTP 25, creation 5 */
#define NAME_HEAD "N\0\0\0\x0d\x07\xdf\x7f\xbd\0\0\0\x05"

#endif
