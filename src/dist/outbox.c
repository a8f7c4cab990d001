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
    loans_end(&item->loans, &o->spare_loans);
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
    spare_free(&o->spare_loans);
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

/* n bytes of a large message are sent, or copied: at most one piece of it. */
static void pass(struct outbox *o, struct outgoing *item, size_t n)
{
    if (place_pass(&item->place, item->loans.first, n))
        loans_end_first(&item->loans, &o->spare_loans);
    item->left -= n;
    o->large -= n;
}

/* Where its next bytes stand, at most n of them in one piece. */
static clu_slice next_piece(const struct outgoing *item, size_t n)
{
    clu_slice piece = place_piece(&item->place, item->loans.first, buf_slice(&item->bytes));

    piece.len = (size_t)min_u64(piece.len, n);
    return piece;
}

static void pass_all(struct outbox *o, struct outgoing *item, size_t n)
{
    while (n > 0) {
        size_t now = next_piece(item, n).len;

        pass(o, item, now);
        n -= now;
    }
}

static void copy_first(struct outbox *o, struct outgoing *item, uint8_t *to)
{
    while (item->first > 0) {
        clu_slice piece = next_piece(item, item->first);

        memcpy(to, piece.data, piece.len);
        to += piece.len;
        item->first -= piece.len;
        pass(o, item, piece.len);
    }
}

/* The next fragment takes its place behind what small holds now. */
static void schedule(struct outbox *o)
{
    const struct sender *s = o->first;

    if (s == NULL || o->part > 0)
        return;
    const struct outgoing *item = s->head;

    o->part = (size_t)min_u64(OUTBOX_FRAGMENT, item->left);
    o->part_sent = 0;
    o->cut = o->small.len;
    put_head(o->heads[0], KIND_NEXT, s, item->fragment, o->part);
}

/* Puts the first fragment of the sender's message into small; where its header is to be written, or
 * NULL. */
static uint8_t *put_first(struct outbox *o, struct sender *s, size_t header)
{
    struct outgoing *item = s->head;
    size_t rest = item->left - item->first, size = header + item->first;
    uint8_t *p = buf_space(&o->small, OUTBOX_FRAGMENT_HEAD + size);

    if (p == NULL)
        return NULL;
    s->sequence = ++o->n_sequences;
    item->fragment = (rest + OUTBOX_FRAGMENT - 1) / OUTBOX_FRAGMENT;
    put_head(p, KIND_FIRST, s, item->fragment + 1, size);
    copy_first(o, item, p + OUTBOX_FRAGMENT_HEAD + header);
    buf_add(&o->small, OUTBOX_FRAGMENT_HEAD + size);
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
    item->loans = *m->loans;
    *m->loans = (struct loans){0};
    item->place.at = m->body;
    item->left = item->bytes.len - m->body + item->loans.bytes;
    item->first = m->first;
    o->large += item->left;
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

/* Of the fragment under way. */
static size_t head_sent(const struct outbox *o)
{
    return (size_t)min_u64(o->part_sent, OUTBOX_FRAGMENT_HEAD);
}

size_t outbox_queued(const struct outbox *o)
{
    size_t head = o->part > 0 ? OUTBOX_FRAGMENT_HEAD - head_sent(o) : 0;

    return o->small.len - o->sent + o->held + o->large + head;
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

/* len bytes of a large message; behind them is *at, and *loan the next loan. */
static void add_part(struct pieces *p, const struct outgoing *item, struct place *at,
                     const struct loan **loan, size_t len)
{
    while (len > 0) {
        clu_slice piece = place_piece(at, *loan, buf_slice(&item->bytes));
        size_t n = (size_t)min_u64(piece.len, len);

        add_piece(p, piece.data, n);
        if (place_pass(at, *loan, n))
            *loan = (*loan)->next;
        len -= n;
    }
}

/* The fragment under way, and, where it is no other sender's turn, those that come next if nothing
 * else does; small frames that came meanwhile go between them. */
static void add_parts(struct pieces *p, struct outbox *o, bool ahead)
{
    const struct outgoing *item = o->first->head;
    const struct loan *loan = item->loans.first;
    struct place at = item->place;
    size_t head = head_sent(o), part = o->part - (o->part_sent - head), left = item->left - part;

    add_piece(p, o->heads[0] + head, OUTBOX_FRAGMENT_HEAD - head);
    add_part(p, item, &at, &loan, part);
    add_small(p, o, o->cut, o->small.len);
    if (!ahead || o->first != o->last)
        return;
    for (uint64_t i = 1; i < OUTBOX_AHEAD && i < item->fragment && p->n < p->max; i++) {
        part = (size_t)min_u64(OUTBOX_FRAGMENT, left);
        put_head(o->heads[i], KIND_NEXT, o->first, item->fragment - i, part);
        add_piece(p, o->heads[i], OUTBOX_FRAGMENT_HEAD);
        add_part(p, item, &at, &loan, part);
        left -= part;
    }
}

size_t outbox_pending(struct outbox *o, bool large, struct iovec *iov, size_t max)
{
    struct pieces p = {iov, 0, max};
    bool waits = !large && o->part_sent == 0;

    if (waits) /* all that is small goes before the fragment */
        o->cut = o->small.len;
    add_small(&p, o, o->sent, o->part > 0 ? o->cut : o->small.len);
    if (o->part > 0 && !waits)
        add_parts(&p, o, large);
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
        size_t head = head_sent(o);

        o->part_sent += now;
        pass_all(o, o->first->head, now - (head_sent(o) - head));
        n -= now;
        if (o->part_sent == OUTBOX_FRAGMENT_HEAD + o->part)
            err = part_done(o);
        n -= send_small(o, n);
    }
    if (err == CLU_OK)
        empty_small(o);
    return err;
}
