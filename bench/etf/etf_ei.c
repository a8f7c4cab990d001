/* SPDX-License-Identifier: Apache-2.0 */
/* The rival in C: the same as etf_clu.c by erl_interface. Reading checks and copies in one. */
#include "shapes.h"

#include <ei.h>

static erlang_pid pid = {.num = 1234, .serial = 5, .creation = CREATION};
static erlang_ref ref = {.len = 3, .n = {111, 222, 333}, .creation = CREATION};
static ei_x_buff out;

static void put_gencall(ei_x_buff *x)
{
    ei_x_encode_tuple_header(x, 3);
    ei_x_encode_atom(x, "$gen_call");
    ei_x_encode_tuple_header(x, 2);
    ei_x_encode_pid(x, &pid);
    ei_x_encode_ref(x, &ref);
    ei_x_encode_tuple_header(x, 2);
    ei_x_encode_atom(x, "get");
    ei_x_encode_long(x, 42);
}

static void put_ints100(ei_x_buff *x)
{
    ei_x_encode_list_header(x, N_INTS);
    for (int i = 1; i <= N_INTS; i++)
        ei_x_encode_long(x, i * 1000);
    ei_x_encode_empty_list(x);
}

static void put_map50(ei_x_buff *x)
{
    ei_x_encode_map_header(x, N_PAIRS);
    for (int i = 0; i < N_PAIRS; i++) {
        ei_x_encode_binary(x, keys[i], (int)strlen(keys[i]));
        ei_x_encode_binary(x, values[i], (int)strlen(values[i]));
    }
}

static void put_bin1m(ei_x_buff *x)
{
    ei_x_encode_binary(x, bin, sizeof bin);
}

static void put_key(ei_x_buff *x, const char *key)
{
    ei_x_encode_tuple_header(x, 2);
    ei_x_encode_atom(x, key);
}

static void put_part(ei_x_buff *x, int i)
{
    ei_x_encode_tuple_header(x, 2);
    ei_x_encode_atom(x, parts[i]);
    ei_x_encode_list_header(x, 7);
    put_key(x, "name");
    ei_x_encode_binary(x, parts[i], (int)strlen(parts[i]));
    put_key(x, "port");
    ei_x_encode_long(x, 4001 + i);
    put_key(x, "enabled");
    ei_x_encode_atom(x, "true");
    put_key(x, "ratio");
    ei_x_encode_double(x, (i + 1) / 7.0);
    put_key(x, "tags");
    ei_x_encode_list_header(x, 3);
    ei_x_encode_atom(x, "a");
    ei_x_encode_atom(x, "b");
    ei_x_encode_atom(x, "c");
    ei_x_encode_empty_list(x);
    put_key(x, "addr");
    ei_x_encode_tuple_header(x, 4);
    ei_x_encode_long(x, 10);
    ei_x_encode_long(x, 0);
    ei_x_encode_long(x, 0);
    ei_x_encode_long(x, i + 1);
    put_key(x, "desc");
    ei_x_encode_binary(x, bin, DESC_LEN);
    ei_x_encode_empty_list(x);
}

static void put_plist(ei_x_buff *x)
{
    ei_x_encode_list_header(x, N_PARTS);
    for (int i = 0; i < N_PARTS; i++)
        put_part(x, i);
    ei_x_encode_empty_list(x);
}

static void put_floats(ei_x_buff *x)
{
    ei_x_encode_list_header(x, N_FLOATS);
    for (int i = 0; i < N_FLOATS; i++)
        ei_x_encode_double(x, floats[i]);
    ei_x_encode_empty_list(x);
}

static const struct shape {
    const char *name;
    void (*put)(ei_x_buff *x);
} shapes[] = {
    {"gencall", put_gencall}, {"ints100", put_ints100}, {"map50", put_map50},
    {"plist", put_plist},     {"floats", put_floats},   {"bin1m", put_bin1m},
};

/* ---- reading ---- */

static volatile long sink;
static volatile double sink_float;
static char copied[BIN_SIZE];

static int walk_atom(const char *p, int *at)
{
    char text[MAXATOMLEN_UTF8];

    if (ei_decode_atom(p, at, text) < 0)
        return -1;
    sink = text[0];
    return 0;
}

static int walk_pid(const char *p, int *at)
{
    erlang_pid value;

    if (ei_decode_pid(p, at, &value) < 0)
        return -1;
    sink = value.num;
    return 0;
}

static int walk_ref(const char *p, int *at)
{
    erlang_ref value;

    if (ei_decode_ref(p, at, &value) < 0)
        return -1;
    sink = value.n[0];
    return 0;
}

static int walk_number(const char *p, int *at)
{
    long value;

    if (ei_decode_long(p, at, &value) < 0)
        return -1;
    sink = value;
    return 0;
}

static int walk_float(const char *p, int *at)
{
    double value;

    if (ei_decode_double(p, at, &value) < 0)
        return -1;
    sink_float = value;
    return 0;
}

static int walk_binary(const char *p, int *at)
{
    long len;

    if (ei_decode_binary(p, at, copied, &len) < 0)
        return -1;
    sink = len;
    return 0;
}

static int walk_list(const char *p, int *at)
{
    int n;

    if (ei_decode_list_header(p, at, &n) < 0)
        return -1;
    return n == 0 ? 0 : n + 1;
}

/* Takes one leaf, or the head of a container: how many terms are inside it; -1 after an error. */
static inline int walk_one(const char *p, int *at)
{
    int type, n;

    if (ei_get_type(p, at, &type, &n) < 0)
        return -1;
    switch (type) {
    case ERL_SMALL_INTEGER_EXT:
    case ERL_INTEGER_EXT: return walk_number(p, at);
    case NEW_FLOAT_EXT: return walk_float(p, at);
    case ERL_ATOM_EXT:
    case ERL_SMALL_ATOM_UTF8_EXT: return walk_atom(p, at);
    case ERL_BINARY_EXT: return walk_binary(p, at);
    case ERL_STRING_EXT: return ei_decode_string(p, at, copied);
    case ERL_PID_EXT:
    case ERL_NEW_PID_EXT: return walk_pid(p, at);
    case ERL_NEW_REFERENCE_EXT:
    case ERL_NEWER_REFERENCE_EXT: return walk_ref(p, at);
    case ERL_SMALL_TUPLE_EXT: return ei_decode_tuple_header(p, at, &n) < 0 ? -1 : n;
    case ERL_MAP_EXT: return ei_decode_map_header(p, at, &n) < 0 ? -1 : 2 * n;
    case ERL_LIST_EXT:
    case ERL_NIL_EXT: return walk_list(p, at);
    default: return ei_skip_term(p, at);
    }
}

static int walk(const char *p, int *at)
{
    for (int left = 1; left > 0; left--) {
        int n = walk_one(p, at);

        if (n < 0)
            return -1;
        left += n;
    }
    return 0;
}

static const struct shape *shape;
static const char *input;
static size_t input_len;

static void encode(void)
{
    out.index = 0;
    ei_x_encode_version(&out);
    shape->put(&out);
}

static void decode(void)
{
    int at = 0, version;

    if (ei_decode_version(input, &at, &version) < 0 || walk(input, &at) < 0 || at != (int)input_len)
        abort();
}

int main(int argc, char **argv)
{
    const char *directory = argc > 1 ? argv[1] : ".";

    ei_init();
    make_values();
    strcpy(pid.node, NODE);
    strcpy(ref.node, NODE);
    ei_x_new(&out);
    for (shape = shapes; shape < shapes + sizeof shapes / sizeof *shapes; shape++) {
        encode();
        save(directory, shape->name, "ei", out.buff, (size_t)out.index);
        measure("enc", shape->name, (size_t)out.index, encode);
        input = load(directory, shape->name, &input_len);
        measure("dec", shape->name, input_len, decode);
    }
    return 0;
}
