/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "base/rng.h"
#include "base/slots.h"

/* ---- buf ---- */

static void test_buf(void **state)
{
    struct buf b = {0};

    (void)state;
    assert_string_equal(buf_text(&b), "");
    buf_put(&b, NULL, 0);
    buf_put_text(&b, "ab");
    buf_put_byte(&b, 'c');
    buf_put_slice(&b, slice_of("de"));
    buf_printf(&b, "%d%s", -1, "x");
    assert_string_equal(buf_text(&b), "abcde-1x");
    assert_int_equal(b.len, 8);
    buf_drop(&b, 3);
    assert_string_equal(buf_text(&b), "de-1x");
    buf_drop(&b, 99);
    assert_int_equal(b.len, 0);
    memset(buf_space(&b, 1000), 'y', 1000);
    assert_int_equal(b.len, 0);
    buf_add(&b, 1000);
    assert_true(slice_equal(buf_slice(&b), (clu_slice){(const uint8_t *)buf_text(&b), 1000}));
    buf_free(&b);
    assert_null(b.data);
}

/* A text longer than the buffer has room for, byte by byte around its sizes. */
static void test_buf_printf_grows(void **state)
{
    (void)state;
    for (int n = 60; n < 70; n++) {
        struct buf b = {0};

        buf_printf(&b, "%*d", n, 7);
        assert_int_equal(b.len, (size_t)n);
        assert_int_equal(buf_text(&b)[n - 1], '7');
        buf_free(&b);
    }
}

static void test_buf_out_of_memory(void **state)
{
    struct buf b = {0};

    (void)state;
    buf_put_text(&b, "kept");
    assert_null(buf_space(&b, SIZE_MAX - 4));
    assert_int_equal(b.err, CLU_ENOMEM);
    buf_put_text(&b, "lost");
    buf_printf(&b, "%s", "lost");
    assert_string_equal(buf_text(&b), "");
    assert_int_equal(b.len, 4);
    buf_reset(&b);
    buf_put_text(&b, "again");
    assert_string_equal(buf_text(&b), "again");
    buf_free(&b);
}

/* ---- slots ---- */

static void test_slots(void **state)
{
    struct slots s = {0};
    int things[100];
    slot_id ids[100];
    uint32_t at = 0;

    (void)state;
    assert_null(slots_next(&s, &at));
    for (size_t i = 0; i < COUNT(things); i++) {
        ids[i] = slots_add(&s, &things[i]);
        assert_int_not_equal(ids[i], 0);
    }
    for (size_t i = 0; i < COUNT(things); i++)
        assert_ptr_equal(slots_get(&s, ids[i]), &things[i]);
    for (size_t i = 0; i < COUNT(things); i += 2)
        slots_remove(&s, ids[i]);
    for (size_t i = 0; i < COUNT(things); i++)
        assert_ptr_equal(slots_get(&s, ids[i]), i % 2 == 0 ? NULL : &things[i]);
    assert_int_equal(s.n_used, 50);
    slots_remove(&s, ids[0]); /* gone already */
    slots_remove(&s, 0);
    assert_int_equal(s.n_used, 50);
    slots_free(&s);
    assert_null(slots_get(&s, ids[1]));
}

/* Who comes into a slot after another has another id, also after many of them. */
static void test_slots_generations(void **state)
{
    struct slots s = {0};
    int thing, other;
    slot_id first = slots_add(&s, &thing);

    (void)state;
    slots_remove(&s, first);
    for (int i = 0; i < 4000; i++) {
        slot_id id = slots_add(&s, &other);

        assert_int_not_equal(id, first);
        assert_null(slots_get(&s, first));
        slots_remove(&s, id);
    }
    assert_int_equal(s.n_slots, 8);
    slots_free(&s);
}

static void test_slots_walk(void **state)
{
    struct slots s = {.max = 10};
    int things[11];
    uint32_t at = 0;
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < 10; i++)
        assert_int_not_equal(slots_add(&s, &things[i]), 0);
    assert_int_equal(slots_add(&s, &things[10]), 0); /* the limit */
    for (int *p = slots_next(&s, &at); p != NULL; p = slots_next(&s, &at))
        assert_ptr_equal(p, &things[n++]);
    assert_int_equal(n, 10);
    slots_free(&s);
    assert_int_equal(s.max, 10);
}

static void test_slots_full(void **state)
{
    struct slots s = {0};
    int thing;
    uint32_t n = 0;

    (void)state;
    while (slots_add(&s, &thing) != 0)
        n++;
    assert_int_equal(n, (1u << SLOT_INDEX_BITS) - 1);
    slots_free(&s);
}

/* ---- map ---- */

static void test_map(void **state)
{
    struct map m = {0};
    const struct map_entry *at = NULL;
    clu_slice key;
    int a, b, none;

    (void)state;
    assert_null(map_get(&m, slice_of("a")));
    assert_null(map_remove(&m, slice_of("a")));
    assert_int_equal(map_count(&m), 0);
    assert_int_equal(map_put(&m, slice_of("b"), &b), CLU_OK);
    assert_int_equal(map_put(&m, slice_of("a"), &a), CLU_OK);
    assert_int_equal(map_put(&m, (clu_slice){0}, &none), CLU_OK);
    assert_int_equal(map_put(&m, slice_of("a"), &b), CLU_EEXIST);
    assert_ptr_equal(map_get(&m, slice_of("a")), &a);
    assert_ptr_equal(map_get(&m, slice_of("")), &none);
    assert_null(map_get(&m, slice_of("ab")));
    /* in the order of insertion */
    assert_ptr_equal(map_next(&m, &at, &key), &b);
    assert_true(slice_is(key, "b"));
    assert_ptr_equal(map_next(&m, &at, NULL), &a);
    assert_ptr_equal(map_next(&m, &at, &key), &none);
    assert_null(map_next(&m, &at, &key));
    assert_ptr_equal(map_remove(&m, slice_of("a")), &a);
    assert_null(map_get(&m, slice_of("a")));
    assert_int_equal(map_count(&m), 2);
    map_free(&m);
    assert_int_equal(map_count(&m), 0);
}

/* Keys are bytes: what lies behind a zero counts. */
static void test_map_many(void **state)
{
    struct map m = {0};
    static int values[5000];

    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        uint8_t key[4] = {0, 0, (uint8_t)(i >> 8), (uint8_t)i};

        assert_int_equal(map_put(&m, (clu_slice){key, sizeof key}, &values[i]), CLU_OK);
    }
    for (size_t i = 0; i < COUNT(values); i++) {
        uint8_t key[4] = {0, 0, (uint8_t)(i >> 8), (uint8_t)i};

        assert_ptr_equal(map_get(&m, (clu_slice){key, sizeof key}), &values[i]);
    }
    map_free(&m);
}

/* Texts that differ at their ends only, as the names {worker, N} of many processes do, and atoms
 * with a number behind them: whichever bits of the upper half a table takes. */
static void test_hash_spreads(void **state)
{
    enum { TEXTS = 1 << 14, SLOTS = 1 << 10, USUAL = TEXTS / SLOTS };
    static const char *const begins[] = {"h\2w\6workerb..", "worker", "group_", ""};

    (void)state;
    for (size_t f = 0; f < COUNT(begins); f++)
        for (unsigned shift = 32; shift <= 54; shift += 11) {
            static unsigned filled[SLOTS];
            size_t begin = strlen(begins[f]);
            unsigned most = 0;
            uint8_t text[32];

            memset(filled, 0, sizeof filled);
            memcpy(text, begins[f], begin);
            for (unsigned i = 0; i < TEXTS; i++) {
                put_be16(text + begin, (uint16_t)i);
                uint64_t hash = hash_text((clu_slice){text, begin + 2});

                most = (unsigned)max_u64(most, ++filled[hash >> shift & (SLOTS - 1)]);
            }
            if (most > 4 * USUAL)
                fail_msg("%s: %u of %d in one place, by bit %u", begins[f], most, TEXTS, shift);
        }
}

/* ---- heap ---- */

static void test_heap_order(void **state)
{
    struct heap h = {0};
    static struct heap_item items[500];
    struct rng rng;
    uint64_t last = 0;

    (void)state;
    rng_init(&rng, 1);
    assert_int_equal(heap_next(&h), NEVER);
    for (size_t i = 0; i < COUNT(items); i++)
        assert_int_equal(heap_set(&h, &items[i], rng_range(&rng, 1, 100)), CLU_OK);
    /* some later, some sooner, some not at all */
    for (size_t i = 0; i < COUNT(items); i += 3)
        assert_int_equal(heap_set(&h, &items[i], rng_range(&rng, 1, 200)), CLU_OK);
    for (size_t i = 0; i < COUNT(items); i += 5)
        assert_int_equal(heap_set(&h, &items[i], NEVER), CLU_OK);
    for (size_t i = 0; i < COUNT(items); i += 7)
        heap_remove(&h, &items[i]);
    assert_int_equal(h.n, 500 - 100 - 72 + 15);
    while (heap_next(&h) != NEVER) {
        struct heap_item *item = heap_pop(&h, 200);

        assert_true(item->at_ms >= last);
        assert_int_equal(item->place, 0);
        last = item->at_ms;
    }
    assert_null(heap_pop(&h, NEVER));
    heap_free(&h);
}

static void test_heap_due(void **state)
{
    struct heap h = {0};
    struct heap_item a = {0}, b = {0};

    (void)state;
    assert_int_equal(heap_set(&h, &a, 20), CLU_OK);
    assert_int_equal(heap_set(&h, &b, 10), CLU_OK);
    assert_int_equal(heap_next(&h), 10);
    assert_null(heap_pop(&h, 9));
    assert_ptr_equal(heap_pop(&h, 10), &b);
    assert_null(heap_pop(&h, 10));
    heap_free(&h);
    assert_int_equal(a.place, 0);
    assert_int_equal(heap_set(&h, &a, 1), CLU_OK);
    heap_free(&h);
}

/* ---- list, rng, text ---- */

static void test_list(void **state)
{
    struct list head, a, b;

    (void)state;
    list_init(&head);
    assert_true(list_empty(&head));
    list_append(&head, &a);
    list_append(&head, &b);
    assert_ptr_equal(head.next, &a);
    assert_ptr_equal(a.next, &b);
    assert_ptr_equal(b.next, &head);
    list_remove(&a);
    list_remove(&a); /* it is in no list: nothing happens */
    assert_ptr_equal(head.next, &b);
    list_remove(&b);
    assert_true(list_empty(&head));
}

/* The numbers that splitmix64 gives for the seed 1234567, as its authors publish them. */
static void test_rng(void **state)
{
    static const uint64_t expected[] = {
        UINT64_C(6457827717110365317),  UINT64_C(3203168211198807973),
        UINT64_C(9817491932198370423),  UINT64_C(4593380528125082431),
        UINT64_C(16408922859458223821),
    };
    struct rng rng;

    (void)state;
    rng_init(&rng, 1234567);
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_true(rng_next(&rng) == expected[i]);
    for (int i = 0; i < 100; i++)
        assert_in_range(rng_range(&rng, 5, 7), 5, 7);
    assert_int_equal(rng_range(&rng, 5, 5), 5);
    assert_int_equal(rng_range(&rng, 5, 4), 5);
}

static void test_text(void **state)
{
    char field[4];
    uint8_t bytes[8];

    (void)state;
    assert_true(text_set(field, sizeof field, slice_of("abc")));
    assert_string_equal(field, "abc");
    assert_false(text_set(field, sizeof field, slice_of("abcd")));
    assert_string_equal(field, "abc");
    assert_true(text_set(field, sizeof field, (clu_slice){0}));
    assert_string_equal(field, "");
    put_be64(bytes, UINT64_C(0x0102030405060708));
    assert_memory_equal(bytes, "\1\2\3\4\5\6\7\x8", 8);
    assert_true(get_be64(bytes) == UINT64_C(0x0102030405060708));
    assert_int_equal(get_be16(bytes), 0x0102);
    assert_true(min_u64(1, 2) == 1 && max_u64(1, 2) == 2);
    assert_string_equal(clu_strerror(CLU_OK), "success");
    assert_string_equal(clu_strerror((clu_error)-9999), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buf),
        cmocka_unit_test(test_buf_printf_grows),
        cmocka_unit_test(test_buf_out_of_memory),
        cmocka_unit_test(test_slots),
        cmocka_unit_test(test_slots_generations),
        cmocka_unit_test(test_slots_walk),
        cmocka_unit_test(test_slots_full),
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_map_many),
        cmocka_unit_test(test_hash_spreads),
        cmocka_unit_test(test_heap_order),
        cmocka_unit_test(test_heap_due),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_rng),
        cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
