/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "find/gossip_msg.h"
#include "find/words.h"

/* A packet that is taken names a node that can be, and our own packet of that name is taken, too.
 */
static void read_packet(clu_slice packet)
{
    uint8_t again[GOSSIP_PACKET_MAX];
    struct entry e, same;

    if (!gossip_get(packet, &e))
        return;
    assert(packet.len <= GOSSIP_PACKET_MAX && gossip_is_plain(packet));
    size_t base = strcspn(e.name, "@");

    assert(base > 0 && strlen(e.name) > base + 1 && !e.terminating && e.addr.port == 0);
    assert(strpbrk(e.name, " \t\r\n\\\"<>&'") == NULL);
    clu_slice own = {again, gossip_put(again, e.name)};

    assert(gossip_get(own, &same) && strcmp(same.name, e.name) == 0);
}

/* What opens was sealed so: sealed again with the same IV it is the same packet. */
static void open_packet(struct crypto *c, clu_slice packet)
{
    static const uint8_t key[AES_KEY_LEN];
    uint8_t opened[GOSSIP_PACKET_MAX], again[GOSSIP_PACKET_MAX];
    size_t len, again_len;

    if (gossip_open(c, key, packet, opened, &len) != CLU_OK)
        return;
    assert(len < packet.len);
    read_packet((clu_slice){opened, len});
    if (gossip_seal(c, key, packet.data, (clu_slice){opened, len}, again, &again_len) == CLU_OK)
        assert(again_len == packet.len && memcmp(again, packet.data, again_len) == 0);
}

/* No fuzzer finds a sealed packet by chance: the input is read as one, and sealed as well. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct crypto *c;
    static const uint8_t key[AES_KEY_LEN], iv[AES_IV_LEN];
    uint8_t sealed[GOSSIP_PACKET_MAX];
    clu_slice packet = {data, size};
    size_t len;

    if (c == NULL)
        c = crypto_new((uint8_t[SHA256_LEN]){1});
    assert(c != NULL);
    read_packet(packet);
    open_packet(c, packet);
    if (gossip_seal(c, key, iv, packet, sealed, &len) == CLU_OK)
        open_packet(c, (clu_slice){sealed, len});
    return 0;
}
