/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/hash.h"
#include "dist/atom_cache.h"
#include "etf/utf8.h"

/* Longer atoms would need the header's long form: they are text, and rare. */
#define TEXT_MAX 255
/* The half byte of a reference: a new atom, and the segment of its slot. */
#define FLAG_NEW 8

/* An atom has one slot, chosen by its text: a later one of the same slot takes its place. There is
 * room for the longest, so that no slot ever needs another block. */
struct atom_sent {
    uint64_t message; /* the last one that named it */
    uint8_t ref;      /* there */
    uint8_t len;
    uint8_t text[TEXT_MAX];
};

struct atom_out_table {
    uint64_t n_messages;
    size_t n_refs;    /* of this message */
    size_t text_size; /* of the new ones among them */
    uint16_t refs[ATOM_REFS_MAX];
    bool is_new[ATOM_REFS_MAX];
    struct atom_sent *slots[ATOM_SLOTS]; /* NULL: the peer knows none here */
};

void atoms_out_free(struct atoms_out *a)
{
    for (size_t i = 0; a->table != NULL && i < ATOM_SLOTS; i++)
        free(a->table->slots[i]);
    free(a->table);
    a->table = NULL;
}

static size_t slot_of(clu_slice text)
{
    return (size_t)(hash_text(text) >> 32) % ATOM_SLOTS;
}

static bool holds(const struct atom_sent *s, clu_slice text)
{
    return s != NULL && s->len == text.len && memcmp(s->text, text.data, text.len) == 0;
}

/* Makes the slot hold the atom; false when it cannot. */
static bool replace(struct atom_sent **at, clu_slice text)
{
    size_t chars;

    if (!utf8_count(text, &chars))
        return false;
    if (*at == NULL)
        *at = calloc(1, sizeof **at);
    if (*at == NULL)
        return false;
    memcpy((*at)->text, text.data, text.len);
    (*at)->len = (uint8_t)text.len;
    return true;
}

static int add_ref(struct atom_out_table *t, size_t slot, bool is_new)
{
    struct atom_sent *s = t->slots[slot];

    s->message = t->n_messages;
    s->ref = (uint8_t)t->n_refs;
    t->refs[t->n_refs] = (uint16_t)slot;
    t->is_new[t->n_refs] = is_new;
    t->text_size += is_new ? 1 + (size_t)s->len : 0;
    return (int)t->n_refs++;
}

static int find(clu_atoms *atoms, clu_slice text)
{
    struct atom_out_table *t = CONTAINER_OF(atoms, struct atoms_out, atoms)->table;

    if (text.len > TEXT_MAX)
        return -1;
    if (text.len == 0)
        text.data = (const uint8_t *)"";
    size_t slot = slot_of(text);
    const struct atom_sent *s = t->slots[slot];
    bool known = holds(s, text);

    if (s != NULL && s->message == t->n_messages)
        return known ? s->ref : -1; /* another atom of this message has the slot */
    if (t->n_refs == ATOM_REFS_MAX || (!known && !replace(&t->slots[slot], text)))
        return -1;
    return add_ref(t, slot, !known);
}

clu_atoms *atoms_out_begin(struct atoms_out *a)
{
    if (a->table == NULL)
        a->table = calloc(1, sizeof *a->table);
    if (a->table == NULL)
        return NULL;
    a->atoms.find = find;
    a->table->n_messages++;
    a->table->n_refs = a->table->text_size = 0;
    return &a->atoms;
}

static size_t flags_size(const struct atom_out_table *t)
{
    return t->n_refs / 2 + 1;
}

size_t atoms_out_size(const struct atoms_out *a)
{
    const struct atom_out_table *t = a->table;

    return t == NULL || t->n_refs == 0 ? 1 : 1 + flags_size(t) + t->n_refs + t->text_size;
}

void atoms_out_put(const struct atoms_out *a, uint8_t *to)
{
    const struct atom_out_table *t = a->table;
    size_t n = t == NULL ? 0 : t->n_refs;

    *to++ = (uint8_t)n;
    if (n == 0)
        return;
    uint8_t *flags = memset(to, 0, flags_size(t));

    to += flags_size(t);
    for (size_t i = 0; i < n; i++) {
        const struct atom_sent *s = t->slots[t->refs[i]];
        unsigned half = (t->is_new[i] ? FLAG_NEW : 0u) | (unsigned)t->refs[i] >> 8;

        flags[i / 2] |= (uint8_t)(i % 2 == 0 ? half : half << 4);
        *to++ = (uint8_t)t->refs[i];
        if (!t->is_new[i])
            continue;
        *to++ = s->len;
        memcpy(to, s->text, s->len);
        to += s->len;
    }
}

void atoms_out_cancel(struct atoms_out *a)
{
    struct atom_out_table *t = a->table;

    for (size_t i = 0; t != NULL && i < t->n_refs; i++)
        if (t->is_new[i]) {
            free(t->slots[t->refs[i]]);
            t->slots[t->refs[i]] = NULL;
        }
    if (t != NULL)
        t->n_refs = t->text_size = 0;
}
