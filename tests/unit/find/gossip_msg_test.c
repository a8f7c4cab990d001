/* SPDX-License-Identifier: Apache-2.0 */
#include "gossip_packets.h"

/* The packets of libcluster's gossip, byte for byte. */

static void writes_the_packet(void **state)
{
    uint8_t out[GOSSIP_PACKET_MAX];
    char longest[NODE_NAME_SIZE];

    (void)state;
    assert_int_equal(sizeof new_packet - 1, 37);
    assert_int_equal(gossip_put(out, "app@10.0.0.1"), 37);
    assert_memory_equal(out, new_packet, 37);
    memset(longest, 'a', NODE_NAME_MAX);
    longest[NODE_NAME_MAX] = '\0';
    assert_int_equal(gossip_put(out, longest), 37 - 12 + NODE_NAME_MAX);
}

static void seals_the_packet(void **state)
{
    struct crypto *c = *state;
    uint8_t key[AES_KEY_LEN], out[GOSSIP_PACKET_MAX];
    size_t len;

    assert_int_equal(gossip_key(c, slice_of("somepassword"), key), CLU_OK);
    assert_memory_equal(key, somepassword_key, sizeof key);
    assert_int_equal(gossip_seal(c, key, sealed_packet, new_slice(), out, &len), CLU_OK);
    assert_int_equal(len, sizeof sealed_packet);
    assert_memory_equal(out, sealed_packet, len);
    assert_int_equal(
        gossip_open(c, key, (clu_slice){sealed_packet, sizeof sealed_packet}, out, &len), CLU_OK);
    assert_int_equal(len, 37);
    assert_memory_equal(out, new_packet, 37);
}

/* Cut anywhere, it does not open, or is no heartbeat. */
static void opens_nothing_else(void **state)
{
    struct crypto *c = *state;
    uint8_t out[GOSSIP_PACKET_MAX];
    struct entry e;
    size_t len;

    for (size_t n = 0; n < sizeof sealed_packet; n++)
        if (gossip_open(c, somepassword_key, (clu_slice){sealed_packet, n}, out, &len) == CLU_OK)
            assert_false(gossip_get((clu_slice){out, len}, &e));
    memset(out, 0, sizeof out);
    assert_int_equal(
        gossip_seal(c, somepassword_key, sealed_packet, (clu_slice){out, 481}, out, &len),
        CLU_ESIZE);
}

#define ROW(name, packet, says)                                                                    \
    {                                                                                              \
        name, packet, sizeof(packet) - 1, says                                                     \
    }
#define VALUE(term) HEART MAP NEW_NODE term

static const struct {
    const char *name, *packet;
    size_t len;
    const char *says; /* the name; NULL: refused */
} packets[] = {
    ROW("of OTP 26 and later", HEART MAP NEW_NODE NEW_NAME, "app@10.0.0.1"),
    ROW("of OTP 25 and before", HEART MAP OLD_NODE OLD_NAME, "app@10.0.0.1"),
    ROW("SMALL_ATOM_EXT", VALUE("s\5a@b.c"), "a@b.c"),
    ROW("ATOM_UTF8_EXT", VALUE("v\0\5a@b.c"), "a@b.c"),
    ROW("IPv6", VALUE("w\11a@fd00::1"), "a@fd00::1"),
    ROW("a short name", VALUE("w\3a@b"), "a@b"),
    ROW("more keys",
        HEART "\x83t\0\0\0\3w\3foo"
              "m\0\0\0\1x" NEW_NODE "w\3a@b"
              "a\1"
              "j",
        "a@b"),
    ROW("a Latin-1 key",
        HEART "\x83t\0\0\0\2d\0\1\xe4"
              "a\1" NEW_NODE "w\3a@b",
        "a@b"),

    ROW("empty", "", NULL),
    ROW("only the text", HEART, NULL),
    ROW("another text", "heartbeat:;" MAP NEW_NODE NEW_NAME, NULL),
    ROW("no version", HEART "t\0\0\0\1" NEW_NODE NEW_NAME, NULL),
    ROW("no map", HEART "\x83" NEW_NAME, NULL),
    ROW("an empty map", HEART "\x83t\0\0\0\0", NULL),
    ROW("a map without node", HEART MAP "w\4nodf" NEW_NAME, NULL),
    ROW("node twice", HEART "\x83t\0\0\0\2" NEW_NODE NEW_NAME NEW_NODE NEW_NAME, NULL),
    ROW("node as a text", HEART MAP NEW_NODE "m\0\0\0\3a@b", NULL),
    ROW("the key as a text", HEART MAP "m\0\0\0\4node" NEW_NAME, NULL),
    ROW("cut short", HEART MAP NEW_NODE "w\14app@10.0.0.", NULL),
    ROW("something behind it", HEART MAP NEW_NODE NEW_NAME "j", NULL),
    ROW("more pairs than there are", HEART "\x83t\xff\xff\xff\xff" NEW_NODE NEW_NAME, NULL),
    ROW("an atom of a cache", VALUE("R\0"), NULL),
    ROW("compressed", HEART "\x83P\0\0\0\1x", NULL),
    ROW("no @", VALUE("w\3abc"), NULL),
    ROW("two @", VALUE("w\5a@b@c"), NULL),
    ROW("no base", VALUE("w\2@b"), NULL),
    ROW("no host", VALUE("w\2a@"), NULL),
    ROW("a blank", VALUE("w\4a @b"), NULL),
    ROW("a port", VALUE("w\13a@10.0.0.1:9"), NULL),
    ROW("a zero", VALUE("w\4a\0@b"), NULL),
    ROW("not ASCII", VALUE("w\5\xc3\xa4@bc"), NULL),
    ROW("a line end", VALUE("w\5a@b\nc"), NULL),
};

static void reads_packets(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(packets); i++) {
        struct entry e;
        bool good = gossip_get((clu_slice){(const uint8_t *)packets[i].packet, packets[i].len}, &e);

        if (good != (packets[i].says != NULL) || (good && strcmp(e.name, packets[i].says) != 0))
            fail_msg("%s: %s", packets[i].name, good ? e.name : "refused");
    }
}

/* Room for other keys, up to a limit. */
static void bounds_packets(void **state)
{
    uint8_t packet[GOSSIP_PACKET_MAX + 1];
    struct entry e;
    const size_t behind = sizeof(NEW_NODE NEW_NAME) - 1;
    static const char head[] = HEART "\x83t\0\0\0\2j"
                                     "m\0\0";

    (void)state;
    for (size_t n = GOSSIP_PACKET_MAX; n <= sizeof packet; n++) {
        size_t blob = n - (sizeof head - 1) - 2 - behind;

        memset(packet, 'x', sizeof packet);
        memcpy(packet, head, sizeof head - 1);
        put_be16(packet + sizeof head - 1, (uint16_t)blob);
        memcpy(packet + n - behind, NEW_NODE NEW_NAME, behind);
        assert_int_equal(gossip_get((clu_slice){packet, n}, &e), n == GOSSIP_PACKET_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_packet),  cmocka_unit_test(seals_the_packet),
        cmocka_unit_test(opens_nothing_else), cmocka_unit_test(reads_packets),
        cmocka_unit_test(bounds_packets),
    };

    return cmocka_run_group_tests(tests, open_crypto, close_crypto);
}
