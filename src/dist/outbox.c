/* SPDX-License-Identifier: Apache-2.0 */
#include "dist/outbox.h"

/* ---- memory ---- */

/* Keeps a buffer for the next large message, or frees it. */
static void give_back(struct outbox *o, struct buf *b)
{
    if (o->spare.data != NULL || b->cap > OUTBOX_KEEP_MAX) {
        buf_free(b);
        return;
    }
    buf_reset(b);
    o->spare = *b;
    *b = (struct buf){0};
}

static void free_item(struct outbox *o, struct outgoing *item)
{
    give_back(o, &item->bytes);
    spare_give(&o->spare_items, item);
}

static void free_sender(struct outbox *o, struct sender *s)
{
    while (s->head != NULL) {
        struct outgoing *item = s->head;

        s->head = item->next;
        free_item(o, item);
    }
    spare_give(&o->spare_senders, s);
}

void outbox_trim(struct outbox *o)
{
    if (o->small.len == 0)
        buf_free(&o->small);
    buf_free(&o->aside);
    buf_free(&o->spare);
    spare_free(&o->spare_senders);
    spare_free(&o->spare_items);
}

void outbox_free(struct outbox *o)
{
    while (o->first != NULL) {
        struct sender *s = o->first;

        o->first = s->next;
        free_sender(o, s);
    }
    o->small.len = 0;
    outbox_trim(o);
    *o = (struct outbox){0};
}

void outbox_compact(struct outbox *o)
{
    if (o->sent == 0 || o->small.len - o->sent > o->sent)
        return;
    buf_drop(&o->small, o->sent);
    o->cut -= o->part > 0 ? o->sent : 0;
    o->sent = 0;
}

/* ---- fragments ---- */

/* Length, 131, kind, sequence, number; len bytes follow it. */
static void put_head(uint8_t *to, uint8_t kind, const struct sender *s, uint64_t number, size_t len)
{
    put_be32(to, (uint32_t)(OUTBOX_FRAGMENT_HEAD - 4 + len));
    to[4] = ETF_VERSION;
    to[5] = kind;
    put_be64(to + 6, s->sequence);
    put_be64(to + 14, number);
}

/* The next fragment takes its place behind what small holds now. */
static void schedule(struct outbox *o)
{
    const struct sender *s = o->first;

    if (s == NULL || o->part > 0)
        return;
    const struct outgoing *item = s->head;

    o->part = (size_t)min_u64(OUTBOX_FRAGMENT, item->bytes.len - item->at);
    o->part_sent = 0;
    o->cut = o->small.len;
    put_head(o->heads[0], KIND_NEXT, s, item->fragment, o->part);
}

/* Puts the first fragment of the sender's message into small; where its header is to be written, or
 * NULL. */
static uint8_t *put_first(struct outbox *o, struct sender *s, size_t header)
{
    struct outgoing *item = s->head;
    size_t rest = item->bytes.len - item->at - item->first, size = header + item->first;
    uint8_t *p = buf_space(&o->small, OUTBOX_FRAGMENT_HEAD + size);

    if (p == NULL)
        return NULL;
    s->sequence = ++o->n_sequences;
    item->fragment = (rest + OUTBOX_FRAGMENT - 1) / OUTBOX_FRAGMENT;
    put_head(p, KIND_FIRST, s, item->fragment + 1, size);
    memcpy(p + OUTBOX_FRAGMENT_HEAD + header, item->bytes.data + item->at, item->first);
    buf_add(&o->small, OUTBOX_FRAGMENT_HEAD + size);
    item->at += item->first;
    o->large -= item->first;
    item->first = 0;
    return p + OUTBOX_FRAGMENT_HEAD;
}

/* ---- senders ---- */

struct sender *outbox_sender(const struct outbox *o, uint64_t key)
{
    struct sender *s = o->first;

    while (s != NULL && s->key != key)
        s = s->next;
    return s;
}

static void append_sender(struct outbox *o, struct sender *s)
{
    s->next = NULL;
    if (o->first == NULL)
        o->first = s;
    else
        o->last->next = s;
    o->last = s;
}

/* Takes the first sender out of the turns. */
static struct sender *pop_sender(struct outbox *o)
{
    struct sender *s = o->first;

    o->first = s->next;
    s->next = NULL;
    return s;
}

static void append_item(struct sender *s, struct outgoing *item)
{
    if (s->head == NULL)
        s->head = item;
    else
        s->tail->next = item;
    s->tail = item;
}

static void drop_item(struct outbox *o, struct sender *s)
{
    struct outgoing *item = s->head;

    s->head = item->next;
    free_item(o, item);
}

/* An item that takes over what a buffer holds. */
static struct outgoing *item_of(struct outbox *o, struct buf *b)
{
    struct outgoing *item = spare_get(&o->spare_items, sizeof *item);

    if (item == NULL)
        return NULL;
    item->bytes = *b;
    *b = (struct buf){0};
    return item;
}

static struct outgoing *large_of(struct outbox *o, struct buf *b, const struct outbox_message *m)
{
    struct outgoing *item = item_of(o, b);

    if (item == NULL)
        return NULL;
    item->at = m->body;
    item->first = m->first;
    o->large += item->bytes.len - item->at;
    return item;
}

clu_error outbox_hold(struct outbox *o, struct sender *s)
{
    size_t len = o->aside.len;
    bool frames = s->tail->fragment == 0 && s->tail->first == 0;

    if (frames) {
        buf_put_slice(&s->tail->bytes, buf_slice(&o->aside));
        if (s->tail->bytes.err != CLU_OK) {
            s->tail->bytes.err = CLU_OK;
            return CLU_ENOMEM;
        }
        buf_reset(&o->aside);
    } else {
        struct outgoing *item = item_of(o, &o->aside);

        if (item == NULL)
            return CLU_ENOMEM;
        append_item(s, item);
    }
    s->held += len;
    o->held += len;
    return CLU_OK;
}

clu_error outbox_hold_large(struct outbox *o, struct sender *s, const struct outbox_message *m)
{
    struct outgoing *item = large_of(o, &o->aside, m);

    if (item == NULL)
        return CLU_ENOMEM;
    append_item(s, item);
    return CLU_OK;
}

/* Another buffer for small, with the frames that are not sent yet and room for more: the old one
 * becomes the message's own. */
static bool move_frames(struct outbox *o, size_t end, size_t more, struct buf *to)
{
    *to = o->spare;
    o->spare = (struct buf){0};
    if (buf_space(to, end - o->sent + more) == NULL) {
        buf_free(to);
        return false;
    }
    buf_put(to, o->small.data + o->sent, end - o->sent);
    return true;
}

clu_error outbox_start(struct outbox *o, const struct outbox_message *m, size_t header,
                       uint8_t **to)
{
    struct sender *s = spare_get(&o->spare_senders, sizeof *s);
    struct buf frames = {0};

    if (s == NULL)
        return CLU_ENOMEM;
    if (!move_frames(o, m->frames, OUTBOX_FRAGMENT_HEAD + header + m->first, &frames)) {
        spare_give(&o->spare_senders, s);
        return CLU_ENOMEM;
    }
    struct outgoing *item = large_of(o, &o->small, m);

    if (item == NULL) {
        buf_free(&frames);
        spare_give(&o->spare_senders, s);
        return CLU_ENOMEM;
    }
    o->small = frames;
    o->cut -= o->part > 0 ? o->sent : 0;
    o->sent = 0;
    s->key = m->sender;
    append_item(s, item);
    *to = put_first(o, s, header); /* its room is there */
    append_sender(o, s);
    schedule(o);
    return CLU_OK;
}

/* ---- bytes out ---- */

size_t outbox_queued(const struct outbox *o)
{
    size_t head = o->part > 0 ? OUTBOX_FRAGMENT_HEAD : 0;

    return o->small.len - o->sent + o->held + o->large + head - o->part_sent;
}

struct pieces {
    struct iovec *iov;
    size_t n, max;
};

/* One more piece, unless it is empty. */
static void add_piece(struct pieces *p, const uint8_t *data, size_t len)
{
    if (len > 0 && p->n < p->max)
        p->iov[p->n++] = (struct iovec){(void *)(uintptr_t)data, len};
}

static void add_small(struct pieces *p, const struct outbox *o, size_t from, size_t to)
{
    if (from < to)
        add_piece(p, o->small.data + from, to - from);
}

/* What comes next if nothing else does: with several senders it is the turn of another. */
static void add_ahead(struct pieces *p, struct outbox *o)
{
    const struct outgoing *item = o->first->head;
    size_t at = item->at + o->part;

    for (uint64_t i = 1; i < OUTBOX_AHEAD && i < item->fragment && p->n < p->max; i++) {
        size_t len = (size_t)min_u64(OUTBOX_FRAGMENT, item->bytes.len - at);

        put_head(o->heads[i], KIND_NEXT, o->first, item->fragment - i, len);
        add_piece(p, o->heads[i], OUTBOX_FRAGMENT_HEAD);
        add_piece(p, item->bytes.data + at, len);
        at += len;
    }
}

size_t outbox_pending(struct outbox *o, struct iovec *iov, size_t max)
{
    struct pieces p = {iov, 0, max};

    if (o->part == 0) {
        add_small(&p, o, o->sent, o->small.len);
        return p.n;
    }
    const struct outgoing *item = o->first->head;
    size_t head = (size_t)min_u64(o->part_sent, OUTBOX_FRAGMENT_HEAD);
    size_t body = o->part_sent - head;

    add_small(&p, o, o->sent, o->cut);
    add_piece(&p, o->heads[0] + head, OUTBOX_FRAGMENT_HEAD - head);
    add_piece(&p, item->bytes.data + item->at + body, o->part - body);
    add_small(&p, o, o->cut, o->small.len);
    if (o->first == o->last)
        add_ahead(&p, o);
    return p.n;
}

/* The first sender's large message is out: what it sent behind it, up to the next large one. */
static clu_error go_on(struct outbox *o)
{
    struct sender *s = pop_sender(o);

    drop_item(o, s);
    while (s->head != NULL && s->head->first == 0) {
        buf_put_slice(&o->small, buf_slice(&s->head->bytes));
        s->held -= s->head->bytes.len;
        o->held -= s->head->bytes.len;
        drop_item(o, s);
    }
    if (s->head == NULL) {
        free_sender(o, s);
        return o->small.err;
    }
    uint8_t *header = put_first(o, s, 1);

    if (header != NULL)
        *header = 0; /* what waited has its atoms as text */
    append_sender(o, s);
    return o->small.err;
}

static clu_error part_done(struct outbox *o)
{
    struct outgoing *item = o->first->head;
    clu_error err = CLU_OK;

    item->at += o->part;
    o->large -= o->part;
    o->part = o->part_sent = 0;
    if (--item->fragment == 0)
        err = go_on(o);
    else
        append_sender(o, pop_sender(o));
    if (err == CLU_OK)
        schedule(o);
    return err;
}

static size_t send_small(struct outbox *o, size_t n)
{
    size_t end = o->part > 0 ? o->cut : o->small.len, now = (size_t)min_u64(n, end - o->sent);

    o->sent += now;
    return now;
}

static void empty_small(struct outbox *o)
{
    if (o->sent < o->small.len)
        return;
    o->sent = o->cut = 0;
    if (o->small.cap > OUTBOX_KEEP_MAX)
        buf_free(&o->small);
    else
        buf_reset(&o->small);
}

clu_error outbox_sent(struct outbox *o, size_t n)
{
    clu_error err = CLU_OK;

    n -= send_small(o, n);
    while (n > 0 && o->part > 0 && err == CLU_OK) {
        size_t now = (size_t)min_u64(n, OUTBOX_FRAGMENT_HEAD + o->part - o->part_sent);

        o->part_sent += now;
        n -= now;
        if (o->part_sent == OUTBOX_FRAGMENT_HEAD + o->part)
            err = part_done(o);
        n -= send_small(o, n);
    }
    if (err == CLU_OK)
        empty_small(o);
    return err;
}
