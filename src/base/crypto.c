/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crypto.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

struct crypto {
    OSSL_LIB_CTX *lib;
    EVP_MD *md5, *sha256;
    EVP_MD_CTX *ctx;
    EVP_CIPHER *aes;
    EVP_CIPHER_CTX *cipher_ctx;
    uint8_t seed[SHA256_LEN];
    uint64_t counter; /* numbers drawn from the seed */
};

struct crypto *crypto_new(const uint8_t seed[SHA256_LEN])
{
    struct crypto *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    memcpy(c->seed, seed, SHA256_LEN);
    c->lib = OSSL_LIB_CTX_new();
    c->md5 = c->lib == NULL ? NULL : EVP_MD_fetch(c->lib, "MD5", NULL);
    c->sha256 = c->lib == NULL ? NULL : EVP_MD_fetch(c->lib, "SHA256", NULL);
    c->ctx = EVP_MD_CTX_new();
    if (c->md5 == NULL || c->sha256 == NULL || c->ctx == NULL) {
        crypto_free(c);
        return NULL;
    }
    return c;
}

void crypto_free(struct crypto *c)
{
    if (c == NULL)
        return;
    EVP_MD_CTX_free(c->ctx);
    EVP_CIPHER_CTX_free(c->cipher_ctx);
    EVP_CIPHER_free(c->aes);
    EVP_MD_free(c->md5);
    EVP_MD_free(c->sha256);
    OSSL_LIB_CTX_free(c->lib);
    OPENSSL_cleanse(c->seed, sizeof c->seed);
    free(c);
}

static clu_error digest(struct crypto *c, const EVP_MD *md, const clu_slice *parts, size_t n_parts,
                        uint8_t *out)
{
    int ok = EVP_DigestInit_ex2(c->ctx, md, NULL);

    for (size_t i = 0; i < n_parts; i++)
        ok = ok && EVP_DigestUpdate(c->ctx, parts[i].data, parts[i].len);
    ok = ok && EVP_DigestFinal_ex(c->ctx, out, NULL);
    return ok ? CLU_OK : CLU_ECRYPTO;
}

clu_error crypto_md5(struct crypto *c, const clu_slice *parts, size_t n_parts, uint8_t out[MD5_LEN])
{
    return digest(c, c->md5, parts, n_parts, out);
}

clu_error crypto_sha256(struct crypto *c, const clu_slice *parts, size_t n_parts,
                        uint8_t out[SHA256_LEN])
{
    return digest(c, c->sha256, parts, n_parts, out);
}

clu_error crypto_random(struct crypto *c, uint64_t *out)
{
    uint8_t count[8], hash[SHA256_LEN];
    clu_slice parts[] = {{c->seed, sizeof c->seed}, {count, sizeof count}};

    put_be64(count, c->counter++);
    clu_error err = crypto_sha256(c, parts, COUNT(parts), hash);

    *out = err == CLU_OK ? get_be64(hash) : 0;
    return err;
}

/* At the first use: to look a cipher up makes OpenSSL name all that it has, which takes longer than
 * a whole ping. */
static bool have_cipher(struct crypto *c)
{
    if (c->aes == NULL)
        c->aes = EVP_CIPHER_fetch(c->lib, "AES-256-CBC", NULL);
    if (c->cipher_ctx == NULL)
        c->cipher_ctx = EVP_CIPHER_CTX_new();
    return c->aes != NULL && c->cipher_ctx != NULL;
}

/* Whole blocks only. The padding is ours: a wrong one, which anybody can send, would leave an entry
 * in OpenSSL's queue of errors, where a TLS connection would take it for its own. */
static clu_error run_blocks(struct crypto *c, bool seal, const uint8_t *key, const uint8_t *iv,
                            clu_slice in, uint8_t *out)
{
    int len = 0, rest = 0;

    if (!have_cipher(c))
        return CLU_ECRYPTO;
    int ok = in.len <= INT_MAX && EVP_CipherInit_ex2(c->cipher_ctx, c->aes, key, iv, seal, NULL) &&
             EVP_CIPHER_CTX_set_padding(c->cipher_ctx, 0) &&
             EVP_CipherUpdate(c->cipher_ctx, out, &len, in.data, (int)in.len) &&
             EVP_CipherFinal_ex(c->cipher_ctx, out + len, &rest);

    EVP_CIPHER_CTX_reset(c->cipher_ctx);
    return ok && (size_t)len + (size_t)rest == in.len ? CLU_OK : CLU_ECRYPTO;
}

clu_error crypto_seal(struct crypto *c, const uint8_t key[AES_KEY_LEN],
                      const uint8_t iv[AES_IV_LEN], clu_slice plain, uint8_t *out, size_t *out_len)
{
    size_t pad = AES_BLOCK_LEN - plain.len % AES_BLOCK_LEN;

    if (plain.len > 0)
        memcpy(out, plain.data, plain.len);
    memset(out + plain.len, (int)pad, pad);
    *out_len = plain.len + pad;
    return run_blocks(c, true, key, iv, (clu_slice){out, *out_len}, out);
}

clu_error crypto_open(struct crypto *c, const uint8_t key[AES_KEY_LEN],
                      const uint8_t iv[AES_IV_LEN], clu_slice sealed, uint8_t *out, size_t *out_len)
{
    uint8_t bad = 0;

    *out_len = 0;
    if (sealed.len == 0 || sealed.len % AES_BLOCK_LEN != 0 ||
        run_blocks(c, false, key, iv, sealed, out) != CLU_OK)
        return CLU_ECRYPTO;
    uint8_t pad = out[sealed.len - 1];

    if (pad == 0 || pad > AES_BLOCK_LEN)
        return CLU_ECRYPTO;
    for (size_t i = sealed.len - pad; i < sealed.len; i++)
        bad |= (uint8_t)(out[i] ^ pad);
    *out_len = sealed.len - pad;
    return bad == 0 ? CLU_OK : CLU_ECRYPTO;
}

bool crypto_equal(const uint8_t *a, const uint8_t *b, size_t n)
{
    uint8_t diff = 0;

    for (size_t i = 0; i < n; i++)
        diff |= (uint8_t)(a[i] ^ b[i]);
    return diff == 0;
}
