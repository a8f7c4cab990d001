/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <openssl/crypto.h>

#include "../failing.h"
#include "dist/handshake.h"

/* A handshake allocates nothing of itself, but digests may: each allocation of OpenSSL fails once,
 * and then both sides are done, or whoever is not has failed with words. */

static struct crypto *crypto;

static int set_up(void **state)
{
    static const uint8_t seed[SHA256_LEN] = {1};

    (void)state;
    crypto = crypto_new(seed); /* OpenSSL's own contexts leak when memory is out meanwhile */
    return crypto == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    crypto_free(crypto);
    return 0;
}

static bool carry(struct handshake *from, struct handshake *to)
{
    clu_slice out = handshake_pending(from);
    size_t used = out.len == 0 ? 0 : handshake_feed(to, out.data, out.len);

    handshake_sent(from, used);
    return used > 0;
}

static bool decide(struct handshake *accept, const struct handshake_options *o)
{
    if (accept->state != HS_DECIDE)
        return false;
    handshake_answer(accept, HS_STATUS_OK, o->cookie, NULL, 0);
    return true;
}

static bool ends(struct handshake *hs)
{
    if (hs->state == HS_DONE)
        return true;
    if (hs->state != HS_FAILED)
        handshake_closed(hs);
    assert_int_equal(hs->state, HS_FAILED);
    assert_true(hs->reason[0] != '\0');
    return false;
}

static bool both_sides_end(void)
{
    static struct handshake dial, accept;
    struct handshake_options a = {.name = "a@h",
                                  .creation = 7,
                                  .flags = DFLAGS_OFFERED | DFLAG_PUBLISHED,
                                  .cookie = slice_of("secret"),
                                  .setup_ms = 7000,
                                  .length_size = 2};
    struct handshake_options b = a;

    n_allocations = 0;
    a.crypto = b.crypto = crypto;
    b.name = "b@h";
    handshake_dial(&dial, &a, "b@h");
    handshake_accept(&accept, &b);
    while (decide(&accept, &b) || carry(&dial, &accept) || carry(&accept, &dial))
        continue;
    bool dialled = ends(&dial), accepted = ends(&accept);

    assert_true(accepted || !dialled); /* the dialler is last to know */
    return dialled && accepted;
}

static void every_allocation_may_fail(void **state)
{
    static failing_story *const stories[] = {both_sides_end};

    (void)state;
    failing_tell_all(stories, COUNT(stories));
}

static void *take(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return malloc(n);
}

static void *change(void *p, size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return realloc(p, n);
}

static void give(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};

    if (CRYPTO_set_mem_functions(take, change, give) != 1)
        return 1;
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
