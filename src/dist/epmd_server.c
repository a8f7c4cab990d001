/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "dist/epmd.h"

/* Creations below this are taken for those of epmds that hand out 1, 2, 3. */
#define CREATION_MIN 4
/* What a refused registration gets as creation, as from the reference. */
#define CREATION_REFUSED 99
/* Bytes of an ALIVE2 body before its name, after it (the length of the extra data). */
#define ALIVE2_FIXED 10
#define ALIVE2_TAIL  2

/* ---- the registry ---- */

void epmd_registry_init(struct epmd_registry *r, uint16_t port, uint32_t first_creation)
{
    *r = (struct epmd_registry){.port = port, .next_creation = first_creation};
}

void epmd_registry_fini(struct epmd_registry *r)
{
    const struct map_entry *at = NULL;
    struct epmd_entry *own;

    while ((own = map_next(&r->own, &at, NULL)) != NULL)
        free(own);
    map_free(&r->own);
    map_free(&r->conns);
}

const struct epmd_entry *epmd_registry_find(const struct epmd_registry *r, clu_slice name)
{
    const struct epmd_conn *c = map_get(&r->conns, name);

    return c != NULL ? &c->entry : map_get(&r->own, name);
}

static uint32_t take_creation(struct epmd_registry *r)
{
    if (r->next_creation < CREATION_MIN)
        r->next_creation = CREATION_MIN;
    return r->next_creation++;
}

clu_error epmd_registry_add_own(struct epmd_registry *r, const struct epmd_entry *e,
                                uint32_t *creation)
{
    if (epmd_registry_find(r, slice_of(e->name)) != NULL)
        return CLU_EEXIST;
    struct epmd_entry *own = malloc(sizeof *own);

    if (own == NULL)
        return CLU_ENOMEM;
    *own = *e;
    if (map_put(&r->own, slice_of(own->name), own) != CLU_OK) {
        free(own);
        return CLU_ENOMEM;
    }
    *creation = take_creation(r);
    return CLU_OK;
}

void epmd_registry_remove_own(struct epmd_registry *r, const char *name)
{
    free(map_remove(&r->own, slice_of(name)));
}

/* ---- one connection ---- */

/* close_for: the client broke the protocol: no answer, as from the reference. */
static void close_for(struct epmd_conn *c, const char *what)
{
    c->close = true;
    c->what = what;
}

/* The length of the UTF-8 character at the start of s; 0 when there is none. Overlong forms and
 * surrogates are left to those who make atoms of the name. */
static size_t utf8_len(clu_slice s)
{
    uint8_t lead = s.data[0];
    size_t n = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

    if (n == 0 || lead > 0xf4 || n > s.len)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s.data[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

/* A blank or line end in a name would forge lines of the NAMES listing. */
static bool is_name(clu_slice name)
{
    for (size_t at = 0; at < name.len;) {
        clu_slice rest = {name.data + at, name.len - at};
        size_t n = utf8_len(rest);

        if (n == 0 || rest.data[0] <= ' ' || rest.data[0] == 0x7f)
            return false;
        at += n;
    }
    return name.len > 0 && name.len <= EPMD_NAME_MAX;
}

/* Registers c->entry under the name; false when it cannot be had. */
static bool add_name(struct epmd_conn *c, clu_slice name, clu_slice extra)
{
    if (!is_name(name) || extra.len > EPMD_EXTRA_MAX ||
        epmd_registry_find(c->registry, name) != NULL)
        return false;
    text_set(c->entry.name, sizeof c->entry.name, name);
    memcpy(c->extra, extra.data, extra.len);
    c->extra_len = (uint16_t)extra.len;
    c->registered = map_put(&c->registry->conns, name, c) == CLU_OK;
    return c->registered;
}

/* Since 6, the reply has room for 32 bits of creation. */
static void put_alive2_reply(struct epmd_conn *c, uint32_t creation)
{
    uint8_t result = c->registered ? 0 : 1;

    if (c->entry.high >= 6) {
        buf_put(&c->out, (uint8_t[]){EPMD_ALIVE2_REPLY_32, result}, 2);
        buf_put_be32(&c->out, creation);
    } else {
        buf_put(&c->out, (uint8_t[]){EPMD_ALIVE2_REPLY, result}, 2);
        buf_put_be16(&c->out, (uint16_t)(c->registered ? creation % 3 + 1 : creation));
    }
}

/* Port:16 Type Protocol High:16 Low:16 NameLen:16 Name ExtraLen:16 Extra. What is wrong with it, or
 * NULL, and then *name and *extra. */
static const char *check_alive2(clu_slice body, clu_slice *name, clu_slice *extra)
{
    if (body.len < ALIVE2_FIXED + 1 + ALIVE2_TAIL)
        return "a registration that is too short";
    size_t room = body.len - ALIVE2_FIXED - ALIVE2_TAIL;

    *name = (clu_slice){body.data + ALIVE2_FIXED, get_be16(body.data + ALIVE2_FIXED - 2)};
    if (name->len > room)
        return "a registration whose name is longer than the request";
    const uint8_t *tail = name->data + name->len;

    *extra = (clu_slice){tail + ALIVE2_TAIL, get_be16(tail)};
    if (extra->len > room - name->len)
        return "a registration whose extra data are longer than the request";
    if (memchr(name->data, 0, name->len) != NULL)
        return "a registration with a zero in its name";
    return NULL;
}

static void serve_alive2(struct epmd_conn *c, clu_slice body)
{
    const uint8_t *p = body.data;
    clu_slice name, extra;
    const char *wrong = check_alive2(body, &name, &extra);

    if (wrong != NULL) {
        close_for(c, wrong);
        return;
    }
    c->entry = (struct epmd_entry){
        .port = get_be16(p), .type = p[2], .high = get_be16(p + 4), .low = get_be16(p + 6)};
    if (add_name(c, name, extra)) {
        put_alive2_reply(c, take_creation(c->registry));
        c->deadline_ms = NEVER;
    } else {
        put_alive2_reply(c, CREATION_REFUSED);
        c->close = true;
    }
}

static void put_entry(struct buf *out, const struct epmd_entry *e)
{
    size_t name_len = strlen(e->name);

    buf_put(out, (uint8_t[]){EPMD_PORT_REPLY, 0}, 2);
    buf_put_be16(out, e->port);
    buf_put(out, (uint8_t[]){e->type, 0}, 2);
    buf_put_be16(out, e->high);
    buf_put_be16(out, e->low);
    buf_put_be16(out, (uint16_t)name_len);
    buf_put(out, e->name, name_len);
}

static void put_extra(struct buf *out, const struct epmd_conn *holder)
{
    size_t len = holder == NULL ? 0 : holder->extra_len;

    buf_put_be16(out, (uint16_t)len);
    if (len > 0)
        buf_put(out, holder->extra, len);
}

static void serve_port(struct epmd_conn *c, clu_slice name)
{
    if (name.len > 0 && name.data[name.len - 1] == 0) /* old clients end the name with a zero */
        name.len--;
    if (name.len == 0 || memchr(name.data, 0, name.len) != NULL) {
        close_for(c, "a question for an empty name, or one with a zero in it");
        return;
    }
    const struct epmd_entry *e = epmd_registry_find(c->registry, name);

    if (e == NULL)
        buf_put(&c->out, (uint8_t[]){EPMD_PORT_REPLY, 1}, 2);
    else {
        put_entry(&c->out, e);
        put_extra(&c->out, map_get(&c->registry->conns, name));
    }
    c->close = true;
}

static void put_name(struct buf *out, const struct epmd_entry *e)
{
    buf_printf(out, "name %s at port %u\n", e->name, (unsigned)e->port);
}

static void serve_names(struct epmd_conn *c, clu_slice body)
{
    const struct map_entry *at = NULL;
    const struct epmd_entry *own;
    const struct epmd_conn *conn;

    (void)body;
    buf_put_be32(&c->out, c->registry->port);
    while ((own = map_next(&c->registry->own, &at, NULL)) != NULL)
        put_name(&c->out, own);
    while ((conn = map_next(&c->registry->conns, &at, NULL)) != NULL)
        put_name(&c->out, &conn->entry);
    c->close = true;
}

/* As from the reference while nodes are registered. */
static void refuse_kill(struct epmd_conn *c, clu_slice body)
{
    (void)body;
    buf_put_text(&c->out, "NO");
    close_for(c, "a request to end this epmd: refused");
}

static void refuse_stop(struct epmd_conn *c, clu_slice body)
{
    (void)body;
    close_for(c, "a request to end another's registration: refused");
}

static void refuse_dump(struct epmd_conn *c, clu_slice body)
{
    (void)body;
    close_for(c, "a request for a dump: refused");
}

/* One row a request. */
static const struct {
    uint8_t op;
    bool local_only;
    void (*serve)(struct epmd_conn *, clu_slice body);
} requests[] = {
    {EPMD_ALIVE2, true, serve_alive2}, {EPMD_PORT_PLEASE, false, serve_port},
    {EPMD_NAMES, false, serve_names},  {EPMD_KILL, true, refuse_kill},
    {EPMD_STOP, true, refuse_stop},    {EPMD_DUMP, true, refuse_dump},
};

/* Half an answer: a list that ends early would pass for a whole one. */
static void say_nothing(struct epmd_conn *c)
{
    close_for(c, clu_strerror(c->out.err));
    buf_free(&c->out);
}

static void serve(struct epmd_conn *c, clu_slice request)
{
    for (size_t i = 0; i < COUNT(requests); i++) {
        if (requests[i].op != request.data[0])
            continue;
        if (requests[i].local_only && !c->local)
            close_for(c, "a request that only this host may make");
        else
            requests[i].serve(c, (clu_slice){request.data + 1, request.len - 1});
        if (c->out.err != CLU_OK)
            say_nothing(c);
        return;
    }
    close_for(c, "an unknown request");
}

void epmd_conn_init(struct epmd_conn *c, struct epmd_registry *r, bool local, uint64_t now_ms)
{
    *c = (struct epmd_conn){.registry = r, .local = local, .deadline_ms = now_ms + EPMD_IDLE_MS};
}

void epmd_conn_fini(struct epmd_conn *c)
{
    if (c->registered)
        map_remove(&c->registry->conns, slice_of(c->entry.name));
    c->registered = false;
    buf_free(&c->out);
}

/* One request a connection: whatever comes behind it is a mistake. */
static bool is_too_much(struct epmd_conn *c, size_t len)
{
    if (c->registered)
        close_for(c, "bytes behind a registration");
    else if (len > sizeof c->in - c->in_len)
        close_for(c, "a request of more than 1024 bytes");
    return c->close;
}

void epmd_conn_feed(struct epmd_conn *c, const uint8_t *data, size_t len, uint64_t now_ms)
{
    (void)now_ms;
    if (c->close || len == 0 || is_too_much(c, len))
        return;
    memcpy(c->in + c->in_len, data, len);
    c->in_len += len;
    if (c->in_len < 2)
        return;
    size_t want = get_be16(c->in);

    if (want == 0)
        close_for(c, "a request of no bytes");
    else if (want > EPMD_REQUEST_MAX)
        close_for(c, "a request of more than 1024 bytes");
    else if (c->in_len > 2 + want)
        close_for(c, "bytes behind a request");
    else if (c->in_len == 2 + want)
        serve(c, (clu_slice){c->in + 2, want});
}

clu_slice epmd_conn_pending(const struct epmd_conn *c)
{
    return buf_behind(&c->out, c->out_sent);
}

void epmd_conn_sent(struct epmd_conn *c, size_t n)
{
    c->out_sent += n;
}
