/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "dist/atom_cache.h"
#include "etf/utf8.h"

/* The half byte of a reference: a new atom, and the segment of its slot. */
#define FLAG_NEW     8
#define SEGMENT_BITS 7
/* That of the header, behind the last one: lengths have two bytes. */
#define FLAG_LONG 1
/* Room for a text is had in steps of this, so that a slot seldom needs another. */
#define TEXT_STEP 16

struct atom_text {
    uint64_t header; /* the last one that named the slot */
    uint16_t len, cap;
    uint8_t bytes[];
};

struct atom_in_table {
    uint64_t n_headers;
    clu_refs refs; /* of the last header */
    clu_slice atoms[ATOM_REFS_MAX];
    struct atom_text *slots[ATOM_SLOTS];
};

/* A header on its way in. */
struct header {
    struct atom_in_table *table;
    const uint8_t *flags;
    clu_reader r;
    bool long_atoms;
    clu_error err;
    const char *what;
};

void atoms_in_free(struct atoms_in *a)
{
    for (size_t i = 0; a->table != NULL && i < ATOM_SLOTS; i++)
        free(a->table->slots[i]);
    free(a->table);
    a->table = NULL;
}

static void refuse(struct header *h, clu_error err, const char *what)
{
    if (h->err == CLU_OK)
        h->what = what;
    if (h->err == CLU_OK)
        h->err = err;
}

/* The first of two half bytes is the low one. */
static uint8_t half_byte(const uint8_t *flags, size_t i)
{
    return i % 2 == 0 ? flags[i / 2] & 0xf : flags[i / 2] >> 4;
}

static const uint8_t *take(struct header *h, size_t n)
{
    const uint8_t *p = clu_reader_take(&h->r, n);

    if (p == NULL)
        refuse(h, CLU_EPROTO, "the peer sent a header that ends before its last atom");
    return p;
}

/* A slot with room for n bytes. */
static struct atom_text *make_room(struct header *h, struct atom_text *old, size_t n)
{
    size_t cap = (n + TEXT_STEP - 1) / TEXT_STEP * TEXT_STEP;

    if (old != NULL && old->cap >= n)
        return old;
    struct atom_text *t = realloc(old, sizeof *t + cap);

    if (t == NULL)
        refuse(h, CLU_ENOMEM, "no memory for an atom of the peer");
    else
        t->cap = (uint16_t)cap;
    return t;
}

static clu_slice get_text(struct header *h)
{
    const uint8_t *length = take(h, h->long_atoms ? 2 : 1);
    size_t n = length == NULL ? 0 : h->long_atoms ? get_be16(length) : *length, chars;
    clu_slice text = {take(h, n), n};

    if (h->err == CLU_OK && (!utf8_count(text, &chars) || chars > CLU_ATOM_CHARS_MAX))
        refuse(h, CLU_EPROTO, "the peer sent a header with an atom that is none");
    return text;
}

/* A new atom: the header's own bytes are this message's; the slot has it for those that follow. */
static clu_slice read_new(struct header *h, size_t slot)
{
    struct atom_text **at = &h->table->slots[slot];
    clu_slice text = get_text(h);

    if (*at != NULL && (*at)->header == h->table->n_headers)
        refuse(h, CLU_EPROTO, "the peer sent a header that names one place of its cache twice");
    struct atom_text *t = h->err == CLU_OK ? make_room(h, *at, text.len) : NULL;

    if (t == NULL)
        return text;
    *at = t;
    t->header = h->table->n_headers;
    t->len = (uint16_t)text.len;
    if (text.len > 0)
        memcpy(t->bytes, text.data, text.len);
    return text;
}

static clu_slice read_cached(struct header *h, size_t slot)
{
    struct atom_text *t = h->table->slots[slot];

    if (t == NULL) {
        refuse(h, CLU_EPROTO, "the peer sent a header that names an empty place of its cache");
        return (clu_slice){0};
    }
    t->header = h->table->n_headers;
    return (clu_slice){t->bytes, t->len};
}

static clu_slice read_ref(struct header *h, size_t i)
{
    uint8_t flags = half_byte(h->flags, i);
    const uint8_t *internal = take(h, 1);

    if (internal == NULL)
        return (clu_slice){0};
    size_t slot = (size_t)(flags & SEGMENT_BITS) << 8 | *internal;

    return flags & FLAG_NEW ? read_new(h, slot) : read_cached(h, slot);
}

/* Those that the cache knows, as nearly all do: how many, up to the first that is anything else. */
static size_t read_known(struct header *h, size_t n)
{
    struct atom_in_table *t = h->table;
    const uint8_t *internal = h->r.pos;
    size_t i = 0;

    if ((size_t)(h->r.end - internal) < n)
        return 0;
    for (; i < n; i++) {
        uint8_t flags = half_byte(h->flags, i);
        struct atom_text *text = t->slots[(size_t)(flags & SEGMENT_BITS) << 8 | internal[i]];

        if ((flags & FLAG_NEW) != 0 || text == NULL)
            break;
        text->header = t->n_headers;
        t->atoms[i] = (clu_slice){text->bytes, text->len};
    }
    h->r.pos += i;
    return i;
}

static void read_refs(struct header *h, size_t n)
{
    h->flags = take(h, n / 2 + 1);
    if (h->flags == NULL)
        return;
    h->long_atoms = (half_byte(h->flags, n) & FLAG_LONG) != 0;
    h->table->n_headers++;
    for (size_t i = read_known(h, n); i < n && h->err == CLU_OK; i++)
        h->table->atoms[i] = read_ref(h, i);
}

clu_error atoms_in_read(struct atoms_in *a, clu_slice *rest, const clu_refs **refs,
                        const char **what)
{
    struct header h = {.r = {.pos = rest->data, .end = slice_end(*rest)}};
    const uint8_t *count = take(&h, 1);
    size_t n = count == NULL ? 0 : *count;

    if (n > 0 && a->table == NULL)
        a->table = calloc(1, sizeof *a->table);
    h.table = a->table;
    if (n > 0 && h.table == NULL)
        refuse(&h, CLU_ENOMEM, "no memory for the atoms of the peer");
    else if (n > 0)
        read_refs(&h, n);
    if (h.err != CLU_OK) {
        *what = h.what;
        return h.err;
    }
    *rest = (clu_slice){h.r.pos, (size_t)(h.r.end - h.r.pos)};
    *refs = NULL;
    if (n > 0) {
        h.table->refs = (clu_refs){h.table->atoms, n};
        *refs = &h.table->refs;
    }
    return CLU_OK;
}
