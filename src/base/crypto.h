/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include "base/base.h"

#define MD5_LEN    16
#define SHA256_LEN 32
/* AES-256: the key, a block and what the first block is mixed with. */
#define AES_KEY_LEN   32
#define AES_BLOCK_LEN 16
#define AES_IV_LEN    16

/* Digests and ciphers over OpenSSL's EVP in a library context of our own, so that a program that
 * uses OpenSSL itself is not touched. */
struct crypto;

/* crypto_new: NULL when OpenSSL has no MD5 or no memory. seed keys crypto_random. */
struct crypto *crypto_new(const uint8_t seed[SHA256_LEN]);
void crypto_free(struct crypto *c);

/* Each hashes the parts one behind the other. */
CLU_MUST_USE clu_error crypto_md5(struct crypto *c, const clu_slice *parts, size_t n_parts,
                                  uint8_t out[MD5_LEN]);
CLU_MUST_USE clu_error crypto_sha256(struct crypto *c, const clu_slice *parts, size_t n_parts,
                                     uint8_t out[SHA256_LEN]);
/* crypto_random: 64 bits that cannot be told from earlier ones: SHA-256 of the seed and a counter.
 */
CLU_MUST_USE clu_error crypto_random(struct crypto *c, uint64_t *out);
/* crypto_seal: AES-256-CBC of plain, padded by 1 to 16 bytes (PKCS #7). out has room for plain and
 * AES_BLOCK_LEN bytes more. There is no proof of who wrote it. */
CLU_MUST_USE clu_error crypto_seal(struct crypto *c, const uint8_t key[AES_KEY_LEN],
                                   const uint8_t iv[AES_IV_LEN], clu_slice plain, uint8_t *out,
                                   size_t *out_len);
/* crypto_open: the reverse; out has room for as many bytes as sealed has. CLU_ECRYPTO when it was
 * not sealed with this key, as far as the padding tells. */
CLU_MUST_USE clu_error crypto_open(struct crypto *c, const uint8_t key[AES_KEY_LEN],
                                   const uint8_t iv[AES_IV_LEN], clu_slice sealed, uint8_t *out,
                                   size_t *out_len);
/* crypto_equal: compares n bytes in a time that does not depend on them. */
bool crypto_equal(const uint8_t *a, const uint8_t *b, size_t n);

#endif
