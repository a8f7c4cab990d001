/* SPDX-License-Identifier: Apache-2.0 */
#include "find/gossip_msg.h"

#include "etf/etf.h"
#include "find/entries.h"

static const char prefix[] = "heartbeat::";
#define PREFIX_LEN (sizeof prefix - 1)

size_t gossip_put(uint8_t out[GOSSIP_PACKET_MAX], const char *name)
{
    clu_writer w;

    clu_writer_fixed(&w, out, GOSSIP_PACKET_MAX);
    clu_put_bytes(&w, prefix, PREFIX_LEN);
    clu_put_version(&w);
    clu_put_map(&w, 1);
    clu_put_atom_text(&w, "node");
    clu_put_atom_text(&w, name);
    return w.len;
}

bool gossip_is_plain(clu_slice packet)
{
    return packet.len >= PREFIX_LEN && memcmp(packet.data, prefix, PREFIX_LEN) == 0;
}

/* The value behind the one key `node`; what else the map holds is passed. */
static clu_slice get_node(clu_reader *r)
{
    uint8_t room[CLU_ATOM_BYTES_MAX];
    clu_slice node = {0};

    for (size_t n = clu_get_map(r); n > 0 && r->err == CLU_OK; n--) {
        bool is_node = false;

        if (clu_peek_type(r) == CLU_TYPE_ATOM)
            is_node = clu_slice_is(clu_get_atom_utf8(r, room), "node");
        else
            clu_skip_term(r);
        if (!is_node)
            clu_skip_term(r);
        else if (node.data == NULL)
            node = clu_get_atom(r);
        else
            clu_reader_fail(r, CLU_ETYPE); /* a map has a key once */
    }
    return node;
}

bool gossip_get(clu_slice packet, struct entry *e)
{
    clu_reader r;

    if (packet.len > GOSSIP_PACKET_MAX || !gossip_is_plain(packet))
        return false;
    clu_reader_init(&r, packet.data + PREFIX_LEN, packet.len - PREFIX_LEN);
    clu_get_version(&r);
    if (r.err != CLU_OK || clu_check(r.pos, (size_t)(r.end - r.pos), NULL, NULL) != CLU_OK)
        return false;
    clu_slice node = get_node(&r);

    return r.err == CLU_OK && node.data != NULL && entry_named(e, node);
}

clu_error gossip_key(struct crypto *c, clu_slice secret, uint8_t key[AES_KEY_LEN])
{
    return crypto_sha256(c, &secret, 1, key);
}

clu_error gossip_seal(struct crypto *c, const uint8_t key[AES_KEY_LEN],
                      const uint8_t iv[AES_IV_LEN], clu_slice plain, uint8_t out[GOSSIP_PACKET_MAX],
                      size_t *len)
{
    *len = 0;
    if (plain.len > GOSSIP_PACKET_MAX - AES_IV_LEN - AES_BLOCK_LEN)
        return CLU_ESIZE;
    memcpy(out, iv, AES_IV_LEN);
    clu_error err = crypto_seal(c, key, iv, plain, out + AES_IV_LEN, len);

    *len += AES_IV_LEN;
    return err;
}

clu_error gossip_open(struct crypto *c, const uint8_t key[AES_KEY_LEN], clu_slice packet,
                      uint8_t out[GOSSIP_PACKET_MAX], size_t *len)
{
    *len = 0;
    if (packet.len <= AES_IV_LEN || packet.len > GOSSIP_PACKET_MAX)
        return CLU_ECRYPTO;
    return crypto_open(c, key, packet.data,
                       (clu_slice){packet.data + AES_IV_LEN, packet.len - AES_IV_LEN}, out, len);
}
