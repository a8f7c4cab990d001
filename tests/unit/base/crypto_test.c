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

/* NIST SP 800-38A, F.2.5: CBC-AES256, its first block and all four; behind them stands the padding
 * that the vectors do not have. */
static const char aes_key[] = "\x60\x3d\xeb\x10\x15\xca\x71\xbe\x2b\x73\xae\xf0\x85\x7d\x77\x81"
                              "\x1f\x35\x2c\x07\x3b\x61\x08\xd7\x2d\x98\x10\xa3\x09\x14\xdf\xf4";
static const uint8_t aes_iv[AES_IV_LEN] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const char aes_plain[] = "\x6b\xc1\xbe\xe2\x2e\x40\x9f\x96\xe9\x3d\x7e\x11\x73\x93\x17\x2a"
                                "\xae\x2d\x8a\x57\x1e\x03\xac\x9c\x9e\xb7\x6f\xac\x45\xaf\x8e\x51"
                                "\x30\xc8\x1c\x46\xa3\x5c\xe4\x11\xe5\xfb\xc1\x19\x1a\x0a\x52\xef"
                                "\xf6\x9f\x24\x45\xdf\x4f\x9b\x17\xad\x2b\x41\x7b\xe6\x6c\x37\x10";
static const char aes_sealed[] = "f58c4c04d6e5f1ba779eabfb5f7bfbd6"
                                 "9cfc4e967edb808d679f777bc6702c7d"
                                 "39f23369a9d9bacfa530e26304231461"
                                 "b2eb05e2c39be9fcda6c19078c6a9d1b";

static void test_seal(void **state)
{
    struct crypto *c = *state;
    const uint8_t *key = (const uint8_t *)aes_key;
    uint8_t sealed[64 + AES_BLOCK_LEN], plain[sizeof sealed];
    size_t len, back;

    for (size_t n = 0; n <= 64; n++) {
        clu_slice text = {(const uint8_t *)aes_plain, n};
        char hex[2 * sizeof sealed + 1] = "";

        assert_int_equal(crypto_seal(c, key, aes_iv, text, sealed, &len), CLU_OK);
        assert_int_equal(len, n + AES_BLOCK_LEN - n % AES_BLOCK_LEN);
        memcpy(hex, aes_sealed, n / AES_BLOCK_LEN * 2 * AES_BLOCK_LEN);
        expect_hex(sealed, n / AES_BLOCK_LEN * AES_BLOCK_LEN, hex);
        assert_int_equal(crypto_open(c, key, aes_iv, (clu_slice){sealed, len}, plain, &back),
                         CLU_OK);
        assert_int_equal(back, n);
        assert_memory_equal(plain, aes_plain, n);
    }
}

/* Cut, empty, changed, or sealed with another key: no text. */
static void test_open_refuses(void **state)
{
    struct crypto *c = *state;
    const uint8_t *key = (const uint8_t *)aes_key;
    uint8_t other[AES_KEY_LEN] = {0}, sealed[2 * AES_BLOCK_LEN], plain[sizeof sealed];
    size_t len;

    assert_int_equal(crypto_seal(c, key, aes_iv, slice_of("0123456789abcdef"), sealed, &len),
                     CLU_OK);
    for (size_t n = 0; n < len; n++)
        assert_int_equal(crypto_open(c, key, aes_iv, (clu_slice){sealed, n}, plain, &(size_t){0}),
                         CLU_ECRYPTO);
    assert_int_equal(crypto_open(c, other, aes_iv, (clu_slice){sealed, len}, plain, &(size_t){0}),
                     CLU_ECRYPTO);
    for (size_t i = 0; i < AES_BLOCK_LEN; i++) {
        sealed[i] ^= 1; /* turns this bit of the last block, which is all padding */
        assert_int_equal(crypto_open(c, key, aes_iv, (clu_slice){sealed, len}, plain, &(size_t){0}),
                         CLU_ECRYPTO);
        sealed[i] ^= 1;
    }
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
        cmocka_unit_test_setup_teardown(test_seal, open_crypto, close_crypto),
        cmocka_unit_test_setup_teardown(test_open_refuses, open_crypto, close_crypto),
        cmocka_unit_test(test_equal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
