/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../failing.h"
#include "base/buf.h"
#include "base/heap.h"
#include "base/index.h"
#include "base/map.h"
#include "base/rng.h"
#include "base/slots.h"
#include "base/spare.h"

/* Each allocation fails once: nothing breaks or leaks (the sanitizers' word); what was refused is
 * not there, and all else is. */

#define THINGS 700 /* enough for each container to grow several times */

static int things[THINGS];
static bool in[THINGS]; /* which the container has taken */
static bool whole;

static void begin(void)
{
    memset(in, 0, sizeof in);
    whole = true;
    n_allocations = 0;
}

static size_t n_in(void)
{
    size_t n = 0;

    for (size_t i = 0; i < THINGS; i++)
        n += in[i];
    return n;
}

static bool takes(size_t i, clu_error err)
{
    in[i] = err == CLU_OK;
    if (!in[i])
        assert_int_equal(err, CLU_ENOMEM);
    whole = whole && in[i];
    return in[i];
}

/* The error sticks until the reset. */
static bool buf_keeps_what_it_has(void)
{
    struct buf b = {0};
    size_t len = 0;

    begin();
    for (size_t i = 0; i < THINGS; i++) {
        buf_printf(&b, "%zu,", i);
        buf_put_text(&b, ";");
        if (len > 0)
            assert_int_equal(b.len, len);
        else if (b.err != CLU_OK)
            len = b.len;
    }
    if (!takes(0, b.err)) {
        assert_string_equal(buf_text(&b), "");
        buf_reset(&b);
        buf_put_text(&b, "again");
        assert_string_equal(buf_text(&b), "again");
    }
    buf_free(&b);
    return whole;
}

static bool slots_refuse_one(void)
{
    struct slots s = {0};
    slot_id ids[THINGS];

    begin();
    for (size_t i = 0; i < THINGS; i++) {
        ids[i] = slots_add(&s, &things[i]);
        takes(i, ids[i] != 0 ? CLU_OK : CLU_ENOMEM);
    }
    assert_int_equal(s.n_used, n_in());
    for (size_t i = 0; i < THINGS; i++) {
        assert_ptr_equal(slots_get(&s, ids[i]), in[i] ? &things[i] : NULL);
        slots_remove(&s, ids[i]);
    }
    assert_int_equal(s.n_used, 0);
    slots_free(&s);
    return whole;
}

static bool heap_refuses_one(void)
{
    static struct heap_item items[THINGS];
    struct heap h = {0};
    struct heap_item *item;
    struct rng rng;
    size_t n = 0;

    begin();
    rng_init(&rng, 3);
    memset(items, 0, sizeof items);
    for (size_t i = 0; i < THINGS; i++) {
        takes(i, heap_set(&h, &items[i], rng_range(&rng, 1, 1000)));
        assert_int_equal(items[i].place != 0, in[i]);
    }
    for (size_t i = 0; i < THINGS; i++)
        if (in[i]) /* moving takes no memory */
            assert_int_equal(heap_set(&h, &items[i], rng_range(&rng, 1, 1000)), CLU_OK);
    for (uint64_t last = 0; (item = heap_pop(&h, 1000)) != NULL; last = item->at_ms, n++)
        assert_true(item->at_ms >= last);
    assert_int_equal(n, n_in());
    heap_free(&h);
    return whole;
}

static clu_slice key_of(char text[8], size_t i)
{
    for (size_t k = 0; k < 7; k++, i /= 26)
        text[k] = (char)('a' + i % 26);
    return (clu_slice){(const uint8_t *)text, 7};
}

static bool map_refuses_one(void)
{
    const struct map_entry *at = NULL;
    struct map m = {0};
    char text[8];
    size_t n = 0;

    begin();
    for (size_t i = 0; i < THINGS; i++)
        takes(i, map_put(&m, key_of(text, i), &things[i]));
    assert_int_equal(map_count(&m), n_in());
    while (map_next(&m, &at, NULL) != NULL)
        n++;
    assert_int_equal(n, n_in());
    for (size_t i = 0; i < THINGS; i++) {
        assert_ptr_equal(map_get(&m, key_of(text, i)), in[i] ? &things[i] : NULL);
        if (i % 2 == 0)
            assert_ptr_equal(map_remove(&m, key_of(text, i)), in[i] ? &things[i] : NULL);
    }
    map_free(&m);
    assert_int_equal(map_count(&m), 0);
    return whole;
}

static bool has_item(const struct index *x, uint64_t hash, const struct index_item *wanted)
{
    struct index_item *item = index_first(x, hash);

    while (item != NULL && item != wanted)
        item = index_next(item);
    return item != NULL;
}

static bool index_refuses_one(void)
{
    static struct index_item items[THINGS];
    struct index x = {0};

    begin();
    memset(items, 0, sizeof items);
    for (size_t i = 0; i < THINGS; i++)
        takes(i, index_add(&x, &items[i], index_mix(0, i / 2)));
    assert_int_equal(x.n, n_in());
    for (size_t i = 0; i < THINGS; i++) {
        assert_int_equal(has_item(&x, index_mix(0, i / 2), &items[i]), in[i]);
        if (in[i])
            index_remove(&x, &items[i]);
    }
    assert_int_equal(x.n, 0);
    index_free(&x);
    return whole;
}

static bool spare_refuses_one(void)
{
    struct spare s = {0};
    void *blocks[8];

    begin();
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT(blocks); i++) {
            blocks[i] = spare_get(&s, 40);
            whole = whole && blocks[i] != NULL;
        }
        for (size_t i = 0; i < COUNT(blocks); i++)
            if (blocks[i] != NULL)
                spare_give(&s, blocks[i]);
    }
    spare_free(&s);
    return whole;
}

static void containers_lose_only_what_they_refuse(void **state)
{
    static failing_story *const stories[] = {buf_keeps_what_it_has, slots_refuse_one,
                                             heap_refuses_one,      map_refuses_one,
                                             index_refuses_one,     spare_refuses_one};

    (void)state;
    failing_tell_all(stories, COUNT(stories));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(containers_lose_only_what_they_refuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
