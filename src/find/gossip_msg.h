/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIND_GOSSIP_MSG_H
#define FIND_GOSSIP_MSG_H

#include "base/crypto.h"
#include "find/source.h"

/* The packets of libcluster's gossip: the text "heartbeat::" and behind it the term
 * #{node => 'name@host'}; where a secret is shared all of that sealed, behind its IV. */

/* A packet with the longest name, sealed, takes 304 bytes; what others put into the map beside it
 * may take the rest. */
#define GOSSIP_PACKET_MAX 512

/* gossip_put: the packet of a node; its length. */
size_t gossip_put(uint8_t out[GOSSIP_PACKET_MAX], const char *name);
/* gossip_is_plain: whether it begins as one that is not sealed. */
bool gossip_is_plain(clu_slice packet);
/* gossip_get: whose packet it is; false when it is not exactly such a packet, or names what no node
 * can be called. Nothing in it is trusted: anybody can send one. */
bool gossip_get(clu_slice packet, struct entry *e);

/* gossip_key: what libcluster makes of a secret. */
CLU_MUST_USE clu_error gossip_key(struct crypto *c, clu_slice secret, uint8_t key[AES_KEY_LEN]);
/* gossip_seal: plain, of at most what gossip_put makes; the length is that of out. gossip_open: the
 * packet within; CLU_ECRYPTO when this key does not open it. */
CLU_MUST_USE clu_error gossip_seal(struct crypto *c, const uint8_t key[AES_KEY_LEN],
                                   const uint8_t iv[AES_IV_LEN], clu_slice plain,
                                   uint8_t out[GOSSIP_PACKET_MAX], size_t *len);
CLU_MUST_USE clu_error gossip_open(struct crypto *c, const uint8_t key[AES_KEY_LEN],
                                   clu_slice packet, uint8_t out[GOSSIP_PACKET_MAX], size_t *len);

#endif
