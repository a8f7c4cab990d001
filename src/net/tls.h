/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <openssl/ssl.h>

#include "base/addr.h"
#include "model/model.h"

/* tls_client: our end of a connection to this address, in a library context of our own. The peer is
 * verified always: its certificate is for that IP address, and ca (PEM) has who signed it. For
 * SSL_free; NULL with words in why. */
SSL *tls_client(OSSL_LIB_CTX *lib, clu_slice ca, const struct addr *to, char why[REASON_SIZE]);
/* tls_refusal: why the peer's certificate was refused; NULL when it was not. */
const char *tls_refusal(const SSL *ssl);

#endif
