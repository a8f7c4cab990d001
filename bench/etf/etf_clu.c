/* SPDX-License-Identifier: Apache-2.0 */
/* The codec of erlclu: etf_clu DIR prints a line "enc|dec SHAPE BYTES TERMS_A_SECOND" for each
 * shape, and leaves what it wrote as DIR/SHAPE.clu for the BEAM to compare. Reading is a check of
 * the whole term, then a walk that takes every leaf into a C value. */
#include "shapes.h"

#include <erlclu/etf.h>

static const clu_pid pid = {{(const uint8_t *)NODE, sizeof NODE - 1}, 1234, 5, CREATION};
static const clu_ref ref = {{(const uint8_t *)NODE, sizeof NODE - 1}, CREATION, 3, {111, 222, 333}};

/* Atoms that a program uses again and again, made once. */
static clu_atom gen_call, get, name, port, enabled, yes, ratio, tags, a, b, c, addr, desc;

static const struct {
    clu_atom *atom;
    const char *text;
} atoms[] = {
    {&gen_call, "$gen_call"},
    {&get, "get"},
    {&name, "name"},
    {&port, "port"},
    {&enabled, "enabled"},
    {&yes, "true"},
    {&ratio, "ratio"},
    {&tags, "tags"},
    {&a, "a"},
    {&b, "b"},
    {&c, "c"},
    {&addr, "addr"},
    {&desc, "desc"},
};

static clu_writer out;

static void put_gencall(clu_writer *w)
{
    clu_put_tuple(w, 3);
    clu_put_atom_of(w, &gen_call);
    clu_put_tuple(w, 2);
    clu_put_pid(w, &pid);
    clu_put_ref(w, &ref);
    clu_put_tuple(w, 2);
    clu_put_atom_of(w, &get);
    clu_put_int(w, 42);
}

static void put_ints100(clu_writer *w)
{
    clu_put_list(w, N_INTS);
    for (int i = 1; i <= N_INTS; i++)
        clu_put_int(w, i * 1000);
    clu_put_nil(w);
}

static void put_map50(clu_writer *w)
{
    clu_put_map(w, N_PAIRS);
    for (int i = 0; i < N_PAIRS; i++) {
        clu_put_binary(w, keys[i], strlen(keys[i]));
        clu_put_binary(w, values[i], strlen(values[i]));
    }
}

static void put_bin1m(clu_writer *w)
{
    clu_put_binary(w, bin, sizeof bin);
}

static void put_key(clu_writer *w, const clu_atom *key)
{
    clu_put_tuple(w, 2);
    clu_put_atom_of(w, key);
}

static void put_part(clu_writer *w, int i)
{
    clu_put_tuple(w, 2);
    clu_put_atom_text(w, parts[i]);
    clu_put_list(w, 7);
    put_key(w, &name);
    clu_put_binary(w, parts[i], strlen(parts[i]));
    put_key(w, &port);
    clu_put_int(w, 4001 + i);
    put_key(w, &enabled);
    clu_put_atom_of(w, &yes);
    put_key(w, &ratio);
    clu_put_float(w, (i + 1) / 7.0);
    put_key(w, &tags);
    clu_put_list(w, 3);
    clu_put_atom_of(w, &a);
    clu_put_atom_of(w, &b);
    clu_put_atom_of(w, &c);
    clu_put_nil(w);
    put_key(w, &addr);
    clu_put_tuple(w, 4);
    clu_put_int(w, 10);
    clu_put_int(w, 0);
    clu_put_int(w, 0);
    clu_put_int(w, i + 1);
    put_key(w, &desc);
    clu_put_binary(w, bin, DESC_LEN);
    clu_put_nil(w);
}

static void put_plist(clu_writer *w)
{
    clu_put_list(w, N_PARTS);
    for (int i = 0; i < N_PARTS; i++)
        put_part(w, i);
    clu_put_nil(w);
}

static void put_floats(clu_writer *w)
{
    clu_put_list(w, N_FLOATS);
    for (int i = 0; i < N_FLOATS; i++)
        clu_put_float(w, floats[i]);
    clu_put_nil(w);
}

static const struct shape {
    const char *name;
    void (*put)(clu_writer *w);
} shapes[] = {
    {"gencall", put_gencall}, {"ints100", put_ints100}, {"map50", put_map50},
    {"plist", put_plist},     {"floats", put_floats},   {"bin1m", put_bin1m},
};

/* ---- reading ---- */

static volatile int64_t sink;
static volatile double sink_float;
static char copied[BIN_SIZE];

/* Takes one leaf, or the head of a container: how many terms are inside it. After an error nothing
 * more is taken. */
static inline size_t walk_one(clu_reader *r)
{
    clu_value v;

    switch (clu_get_any(r, &v)) {
    case CLU_TYPE_INTEGER: sink = v.as.integer; return 0;
    case CLU_TYPE_FLOAT: sink_float = v.as.real; return 0;
    case CLU_TYPE_ATOM: sink = *v.as.bytes.data; return 0;
    case CLU_TYPE_STRING:
    case CLU_TYPE_BINARY: sink = (int64_t)v.as.bytes.len; return 0;
    case CLU_TYPE_PID: sink = clu_get_pid(r).id; return 0;
    case CLU_TYPE_REF: sink = clu_get_ref(r).words[0]; return 0;
    case CLU_TYPE_TUPLE: return v.as.n;
    case CLU_TYPE_MAP: return 2 * v.as.n;
    case CLU_TYPE_LIST: return v.as.n > 0 ? v.as.n + 1 : 0;
    default: clu_skip_term(r); return 0;
    }
}

static void walk(clu_reader *r)
{
    for (size_t left = 1; left > 0; left--)
        left += walk_one(r);
}

static const struct shape *shape;
static const char *input;
static size_t input_len;

static void encode(void)
{
    clu_writer_reset(&out);
    clu_put_version(&out);
    shape->put(&out);
}

static void begin(clu_reader *r)
{
    clu_reader_init(r, input, input_len);
    clu_get_version(r);
    if (clu_check(r->pos, (size_t)(r->end - r->pos), NULL, NULL) != CLU_OK)
        abort();
}

static void decode(void)
{
    clu_reader r;

    begin(&r);
    walk(&r);
    if (r.err != CLU_OK || r.pos != r.end)
        abort();
}

/* The binary by copy, as the others give it. */
static void decode_copy(void)
{
    clu_reader r;

    begin(&r);
    clu_slice bytes = clu_get_binary(&r);

    memcpy(copied, bytes.data, bytes.len);
    sink = copied[bytes.len - 1];
}

int main(int argc, char **argv)
{
    const char *directory = argc > 1 ? argv[1] : ".";

    make_values();
    for (size_t i = 0; i < sizeof atoms / sizeof *atoms; i++)
        *atoms[i].atom = clu_atom_new(atoms[i].text);
    clu_writer_init(&out);
    for (shape = shapes; shape < shapes + sizeof shapes / sizeof *shapes; shape++) {
        encode();
        if (out.err != CLU_OK)
            return 1;
        save(directory, shape->name, "clu", out.data, out.len);
        measure("enc", shape->name, out.len, encode);
        input = load(directory, shape->name, &input_len);
        if (shape->put == put_bin1m) {
            measure("dec", shape->name, input_len, decode_copy);
            measure("dec", "bin1m-ref", input_len, decode);
        } else {
            measure("dec", shape->name, input_len, decode);
        }
    }
    return 0;
}
