/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/crypto.h"

static const uint8_t seed[SHA256_LEN] = {1};

/* RFC 1321, A.5. */
static const struct {
    const char *text, *digest;
} md5_rows[] = {
    {"", "d41d8cd98f00b204e9800998ecf8427e"},
    {"a", "0cc175b9c0f1b6a831c399e269772661"},
    {"abc", "900150983cd24fb0d6963f7d28e17f72"},
    {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
    {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
    {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
     "d174ab98d277d9f5a5611c2c9f419d9f"},
    {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
     "57edf4a22be3c955ac49da2e2107b67a"},
};

/* FIPS 180-2, appendix B, and the digest of nothing. */
static const struct {
    const char *text, *digest;
} sha256_rows[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void expect_hex(const uint8_t *bytes, size_t n, const char *hex)
{
    static const char digits[] = "0123456789abcdef";

    assert_int_equal(strlen(hex), 2 * n);
    for (size_t i = 0; i < n; i++)
        if (digits[bytes[i] >> 4] != hex[2 * i] || digits[bytes[i] & 15] != hex[2 * i + 1])
            fail_msg("byte %zu of %s is %02x", i, hex, bytes[i]);
}

/* Every text whole, and in two parts cut at every place. */
static void test_digests(void **state)
{
    struct crypto *c = *state;
    uint8_t md5[MD5_LEN], sha256[SHA256_LEN];

    for (size_t i = 0; i < COUNT(md5_rows); i++)
        for (size_t cut = 0; cut <= strlen(md5_rows[i].text); cut++) {
            clu_slice parts[] = {{(const uint8_t *)md5_rows[i].text, cut},
                                 slice_of(md5_rows[i].text + cut)};

            assert_int_equal(crypto_md5(c, parts, 2, md5), CLU_OK);
            expect_hex(md5, sizeof md5, md5_rows[i].digest);
        }
    for (size_t i = 0; i < COUNT(sha256_rows); i++) {
        clu_slice text = slice_of(sha256_rows[i].text);

        assert_int_equal(crypto_sha256(c, &text, 1, sha256), CLU_OK);
        expect_hex(sha256, sizeof sha256, sha256_rows[i].digest);
    }
    assert_int_equal(crypto_md5(c, NULL, 0, md5), CLU_OK);
    expect_hex(md5, sizeof md5, md5_rows[0].digest);
}

/* The same seed gives the same numbers, another gives others, and none comes twice. */
static void test_random(void **state)
{
    struct crypto *a = *state, *b = crypto_new(seed), *c = crypto_new((uint8_t[SHA256_LEN]){2});
    uint64_t x, y, z, last = 0;

    assert_non_null(b);
    assert_non_null(c);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(crypto_random(a, &x), CLU_OK);
        assert_int_equal(crypto_random(b, &y), CLU_OK);
        assert_int_equal(crypto_random(c, &z), CLU_OK);
        assert_true(x == y && x != z && x != last);
        last = x;
    }
    crypto_free(b);
    crypto_free(c);
    crypto_free(NULL);
}

static void test_equal(void **state)
{
    (void)state;
    assert_true(crypto_equal((const uint8_t *)"abc", (const uint8_t *)"abc", 3));
    assert_false(crypto_equal((const uint8_t *)"abc", (const uint8_t *)"abd", 3));
    assert_false(crypto_equal((const uint8_t *)"abc", (const uint8_t *)"xbc", 3));
    assert_true(crypto_equal((const uint8_t *)"abc", (const uint8_t *)"abd", 2));
    assert_true(crypto_equal(NULL, NULL, 0));
}

static int open_crypto(void **state)
{
    *state = crypto_new(seed);
    return *state == NULL;
}

static int close_crypto(void **state)
{
    crypto_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_digests, open_crypto, close_crypto),
        cmocka_unit_test_setup_teardown(test_random, open_crypto, close_crypto),
        cmocka_unit_test(test_equal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
