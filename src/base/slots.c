/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slots.h"

#include <stdlib.h>

struct slot {
    void *ptr;           /* NULL when free */
    uint32_t generation; /* of the present or the next occupant */
    uint32_t next_free;  /* index + 1, while free */
};

#define INDEX_MASK      ((1u << SLOT_INDEX_BITS) - 1)
#define GENERATION_MASK (UINT32_MAX >> SLOT_INDEX_BITS)
#define FIRST_SLOTS     8

static bool grow(struct slots *s)
{
    uint32_t n = s->n_slots == 0 ? FIRST_SLOTS : s->n_slots * 2;

    if (n > INDEX_MASK)
        n = INDEX_MASK;
    if (n == s->n_slots)
        return false;
    struct slot *slots = realloc(s->slots, n * sizeof *slots);
    if (slots == NULL)
        return false;
    for (uint32_t i = n; i > s->n_slots; i--) {
        slots[i - 1] = (struct slot){.next_free = s->free_head};
        s->free_head = i;
    }
    s->slots = slots;
    s->n_slots = n;
    return true;
}

slot_id slots_add(struct slots *s, void *ptr)
{
    if (s->max != 0 && s->n_used >= s->max)
        return 0;
    if (s->free_head == 0 && !grow(s))
        return 0;
    uint32_t index = s->free_head;
    struct slot *slot = &s->slots[index - 1];

    s->free_head = slot->next_free;
    slot->ptr = ptr;
    s->n_used++;
    return slot->generation << SLOT_INDEX_BITS | index;
}

static struct slot *find(const struct slots *s, slot_id id)
{
    uint32_t index = id & INDEX_MASK;

    if (index == 0 || index > s->n_slots)
        return NULL;
    struct slot *slot = &s->slots[index - 1];

    return slot->ptr != NULL && slot->generation == id >> SLOT_INDEX_BITS ? slot : NULL;
}

void *slots_get(const struct slots *s, slot_id id)
{
    struct slot *slot = find(s, id);

    return slot == NULL ? NULL : slot->ptr;
}

void slots_remove(struct slots *s, slot_id id)
{
    struct slot *slot = find(s, id);

    if (slot == NULL)
        return;
    slot->ptr = NULL;
    slot->generation = (slot->generation + 1) & GENERATION_MASK;
    slot->next_free = s->free_head;
    s->free_head = id & INDEX_MASK;
    s->n_used--;
}

void *slots_next(const struct slots *s, uint32_t *at)
{
    while (*at < s->n_slots) {
        void *ptr = s->slots[(*at)++].ptr;

        if (ptr != NULL)
            return ptr;
    }
    return NULL;
}

void slots_free(struct slots *s)
{
    free(s->slots);
    *s = (struct slots){.max = s->max};
}
