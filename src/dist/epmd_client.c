/* SPDX-License-Identifier: Apache-2.0 */
#include "dist/epmd.h"

/* Bytes of a PORT reply before its name. */
#define PORT_REPLY_FIXED 12

static void start(struct epmd_client *c, enum epmd_question question)
{
    *c = (struct epmd_client){.question = question};
}

/* A request is its length in 16 bits and its bytes. */
static void put_header(struct epmd_client *c, uint8_t op, size_t body_len)
{
    buf_put_be16(&c->out, (uint16_t)(1 + body_len));
    buf_put_byte(&c->out, op);
}

void epmd_ask_port(struct epmd_client *c, const char *name)
{
    start(c, EPMD_ASK_PORT);
    put_header(c, EPMD_PORT_PLEASE, strlen(name));
    buf_put_text(&c->out, name);
    c->err = c->out.err;
}

void epmd_ask_names(struct epmd_client *c)
{
    start(c, EPMD_ASK_NAMES);
    put_header(c, EPMD_NAMES, 0);
    c->err = c->out.err;
}

void epmd_ask_alive2(struct epmd_client *c, const struct epmd_entry *self)
{
    size_t name_len = strlen(self->name);

    start(c, EPMD_ASK_ALIVE2);
    put_header(c, EPMD_ALIVE2, 12 + name_len);
    buf_put_be16(&c->out, self->port);
    buf_put_byte(&c->out, self->type);
    buf_put_byte(&c->out, 0); /* protocol: TCP over IP */
    buf_put_be16(&c->out, self->high == 0 ? EPMD_HIGH : self->high);
    buf_put_be16(&c->out, self->high == 0 ? EPMD_LOW : self->low);
    buf_put_be16(&c->out, (uint16_t)name_len);
    buf_put_text(&c->out, self->name);
    buf_put_be16(&c->out, 0); /* no extra data */
    c->err = c->out.err;
}

void epmd_client_fini(struct epmd_client *c)
{
    buf_free(&c->out);
    buf_free(&c->in);
}

clu_slice epmd_client_pending(const struct epmd_client *c)
{
    return buf_behind(&c->out, c->out_sent);
}

void epmd_client_sent(struct epmd_client *c, size_t n)
{
    c->out_sent += n;
}

static void fail(struct epmd_client *c, clu_error err, const char *what)
{
    c->err = err;
    c->what = what;
}

static void finish(struct epmd_client *c, bool found)
{
    c->done = true;
    c->found = found;
}

static void read_alive2(struct epmd_client *c)
{
    const uint8_t *in = c->in.data;
    bool wide = in[0] == EPMD_ALIVE2_REPLY_32;

    if (!wide && in[0] != EPMD_ALIVE2_REPLY) {
        fail(c, CLU_EPROTO, "the answer is not an epmd's");
        return;
    }
    if (c->in.len < (wide ? 6 : 4))
        return;
    /* A creation of 16 bits is 1, 2 or 3: it would come round after two restarts. */
    c->creation = wide && in[1] == 0 ? get_be32(in + 2) : 0;
    finish(c, in[1] == 0);
}

/* 119 Result Port:16 Type Protocol High:16 Low:16 NameLen:16 Name; the extra data behind it mean
 * nothing to anybody. */
static void read_found(struct epmd_client *c)
{
    const uint8_t *in = c->in.data;
    size_t name_len = get_be16(in + PORT_REPLY_FIXED - 2);

    if (name_len > EPMD_NAME_MAX) {
        fail(c, CLU_EPROTO, "the epmd answers with a name of more than 255 bytes");
        return;
    }
    if (c->in.len - PORT_REPLY_FIXED < name_len)
        return;
    c->entry.port = get_be16(in + 2);
    c->entry.type = in[4];
    c->entry.high = get_be16(in + 6);
    c->entry.low = get_be16(in + 8);
    text_set(c->entry.name, sizeof c->entry.name, (clu_slice){in + PORT_REPLY_FIXED, name_len});
    finish(c, true);
}

static void read_port(struct epmd_client *c)
{
    const uint8_t *in = c->in.data;

    if (in[0] != EPMD_PORT_REPLY)
        fail(c, CLU_EPROTO, "the answer is not an epmd's");
    else if (c->in.len >= 2 && in[1] != 0)
        finish(c, false);
    else if (c->in.len >= PORT_REPLY_FIXED)
        read_found(c);
}

/* The epmd's own port, then lines until it closes. */
static void read_names(struct epmd_client *c)
{
    if (c->in.len < 4)
        return;
    if (get_be32(c->in.data) > UINT16_MAX)
        fail(c, CLU_EPROTO, "the answer is not an epmd's");
    else
        c->epmd_port = (uint16_t)get_be32(c->in.data);
}

/* One row a question: who reads the reply so far. */
static void (*const readers[])(struct epmd_client *) = {
    [EPMD_ASK_ALIVE2] = read_alive2,
    [EPMD_ASK_PORT] = read_port,
    [EPMD_ASK_NAMES] = read_names,
};

void epmd_client_feed(struct epmd_client *c, const uint8_t *data, size_t len)
{
    if (c->err != CLU_OK || c->done || len == 0)
        return;
    if (len > EPMD_REPLY_MAX - c->in.len) {
        fail(c, CLU_ESIZE, "the epmd's answer is over 1 MiB");
        return;
    }
    buf_put(&c->in, data, len);
    if (c->in.err != CLU_OK)
        fail(c, c->in.err, clu_strerror(c->in.err));
    else
        readers[c->question](c);
}

void epmd_client_closed(struct epmd_client *c)
{
    if (c->err != CLU_OK || c->done)
        return;
    /* Only the end of the connection ends a list of names: it must be the end of a line too. */
    if (c->question == EPMD_ASK_NAMES && c->in.len >= 4 &&
        (c->in.len == 4 || c->in.data[c->in.len - 1] == '\n'))
        finish(c, true);
    else
        fail(c, CLU_ECLOSED, "the epmd closed the connection before its answer was whole");
}

static bool parse_port(clu_slice digits, uint16_t *port)
{
    uint32_t n = 0;

    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9' || n > UINT16_MAX)
            return false;
        n = n * 10 + (uint32_t)(digits.data[i] - '0');
    }
    *port = (uint16_t)n;
    return digits.len > 0 && n <= UINT16_MAX;
}

/* "name NAME at port PORT" */
static bool parse_line(clu_slice line, struct epmd_entry *entry)
{
    static const char before[] = "name ", between[] = " at port ";
    const size_t before_len = sizeof before - 1, between_len = sizeof between - 1;

    if (line.len < before_len || memcmp(line.data, before, before_len) != 0)
        return false;
    clu_slice rest = {line.data + before_len, line.len - before_len};
    const uint8_t *at = memmem(rest.data, rest.len, between, between_len);

    if (at == NULL)
        return false;
    clu_slice name = {rest.data, (size_t)(at - rest.data)};
    clu_slice digits = {at + between_len, rest.len - name.len - between_len};

    *entry = (struct epmd_entry){0};
    return name.len > 0 && text_set(entry->name, sizeof entry->name, name) &&
           parse_port(digits, &entry->port);
}

bool epmd_names_next(const struct epmd_client *c, size_t *at, struct epmd_entry *entry)
{
    if (*at < 4)
        *at = 4;
    while (*at < c->in.len) {
        const uint8_t *line = c->in.data + *at;
        const uint8_t *end = memchr(line, '\n', c->in.len - *at);

        if (end == NULL)
            return false;
        *at += (size_t)(end - line) + 1;
        if (parse_line((clu_slice){line, (size_t)(end - line)}, entry))
            return true;
    }
    return false;
}
