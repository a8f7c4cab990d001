/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crypto.h"

#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

struct crypto {
    OSSL_LIB_CTX *lib;
    EVP_MD *md5, *sha256;
    EVP_MD_CTX *ctx;
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

bool crypto_equal(const uint8_t *a, const uint8_t *b, size_t n)
{
    uint8_t diff = 0;

    for (size_t i = 0; i < n; i++)
        diff |= (uint8_t)(a[i] ^ b[i]);
    return diff == 0;
}
