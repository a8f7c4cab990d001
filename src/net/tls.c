/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls.h"

#include <stdio.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

/* More certificates than any authority's bundle has. */
#define AUTHORITIES_MAX 1024

/* The next certificate of a PEM text; NULL behind the last one. */
static X509 *next_certificate(OSSL_LIB_CTX *lib, BIO *text)
{
    X509 *cert = X509_new_ex(lib, NULL);

    if (cert != NULL && PEM_read_bio_X509(text, &cert, NULL, NULL) == NULL) {
        X509_free(cert);
        cert = NULL;
    }
    return cert;
}

/* How many it trusts now. */
static int trust(SSL_CTX *ctx, OSSL_LIB_CTX *lib, clu_slice pem)
{
    BIO *text = BIO_new_mem_buf(pem.data, (int)pem.len);
    int n = 0;

    for (X509 *cert;
         text != NULL && n < AUTHORITIES_MAX && (cert = next_certificate(lib, text)) != NULL;) {
        n += X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), cert) == 1;
        X509_free(cert);
    }
    BIO_free(text);
    ERR_clear_error(); /* of the end of the text */
    return n;
}

/* OpenSSL looks the digest of a signature up in its table of names, which programs may leave empty;
 * ours does, since filling it takes longer than most commands. What is there stays as it is. */
static void know_digests(void)
{
    EVP_add_digest(EVP_sha256());
    EVP_add_digest(EVP_sha384());
    EVP_add_digest(EVP_sha512());
}

static SSL *new_end(SSL_CTX *ctx, const struct addr *to)
{
    SSL *ssl = SSL_new(ctx);

    if (ssl == NULL)
        return NULL;
    X509_VERIFY_PARAM *verify = SSL_get0_param(ssl);

    /* Whoever stands in ca.crt is trusted as it stands, root or not, as kubectl does it. */
    X509_VERIFY_PARAM_set_flags(verify, X509_V_FLAG_PARTIAL_CHAIN);
    if (X509_VERIFY_PARAM_set1_ip(verify, to->ip, to->family == 4 ? 4 : 16) == 1)
        return ssl;
    SSL_free(ssl);
    return NULL;
}

SSL *tls_client(OSSL_LIB_CTX *lib, clu_slice ca, const struct addr *to, char why[REASON_SIZE])
{
    SSL_CTX *ctx = SSL_CTX_new_ex(lib, NULL, TLS_client_method());
    SSL *ssl = NULL;

    if (ctx == NULL) {
        snprintf(why, REASON_SIZE, "OpenSSL has no TLS for us: out of memory?");
        return NULL;
    }
    know_digests();
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    if (trust(ctx, lib, ca) == 0)
        snprintf(why, REASON_SIZE, "ca.crt holds no certificate (PEM), so nobody can be trusted");
    else if ((ssl = new_end(ctx, to)) == NULL)
        snprintf(why, REASON_SIZE, "%s", clu_strerror(CLU_ENOMEM));
    SSL_CTX_free(ctx);
    return ssl;
}

const char *tls_refusal(const SSL *ssl)
{
    long result = SSL_get_verify_result(ssl);

    return result == X509_V_OK ? NULL : X509_verify_cert_error_string(result);
}
