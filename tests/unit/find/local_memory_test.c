/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "../failing.h"
#include "find/gossip_msg.h"

/* Sources that hear, read files or ask epmds, whichever allocation fails: nothing is lost or broken
 * (the sanitizers' word), and what failed is made good when the same is given again. */

struct story {
    struct source *source;
    struct rng rng;
    struct source_place place;
    uint64_t now;
};

static bool open_source(struct story *t, const char *spec)
{
    struct addr own = addr_v4(0x0a000001, 9100);
    char why[REASON_SIZE];

    *t = (struct story){.now = 1000};
    t->place = (struct source_place){.own_name = "me@10.0.0.1", .rng = &t->rng};
    n_allocations = 0;
    if (source_new(&t->source, spec, &t->place, why) != CLU_OK)
        return false;
    source_start(t->source, &own, t->now);
    return true;
}

/* Time goes on until nothing is needed at once. */
static void pass(struct story *t)
{
    struct need need;

    t->now += 10000;
    source_tick(t->source, t->now);
    while (source_need(t->source, t->now, &need))
        continue;
}

static bool ends_with(struct story *t, size_t n_entries)
{
    size_t n;

    source_entries(t->source, &n);
    assert_int_equal(n, n_entries);
    source_free(t->source);
    return true;
}

static bool file_story(void)
{
    struct story t;
    const struct given given = {
        .kind = GIVEN_FILE, .path = "/f", .bytes = slice_of("a@h\nb@h\nc@h\n")};

    if (!open_source(&t, "file:/f"))
        return false;
    pass(&t);
    for (int i = 0; i < 2; i++)
        source_given(t.source, &given, t.now);
    return ends_with(&t, 3);
}

static bool hosts_story(void)
{
    static const struct epmd_entry names[] = {{.name = "a", .port = 1}, {.name = "b", .port = 2}};
    struct story t;
    const struct given file = {
        .kind = GIVEN_FILE, .path = "/f", .bytes = slice_of("one. 'two'.\n")};

    if (!open_source(&t, "hosts:/f"))
        return false;
    for (int i = 0; i < 3; i++) {
        pass(&t);
        source_given(t.source, &file, t.now);
        pass(&t);
        for (int host = 0; host < 2; host++)
            source_given(t.source,
                         &(struct given){.kind = GIVEN_NAMES,
                                         .host = host == 0 ? "one" : "two",
                                         .addr = addr_v4(0x0a000002, 4369),
                                         .names = names,
                                         .n_names = COUNT(names)},
                         t.now);
    }
    return ends_with(&t, 4);
}

static bool gossip_story(void)
{
    struct story t;

    if (!open_source(&t, "gossip:"))
        return false;
    pass(&t);
    source_given(t.source, &(struct given){.kind = GIVEN_UDP}, t.now);
    for (unsigned i = 0; i < 80; i++) {
        uint8_t packet[GOSSIP_PACKET_MAX];
        char name[NODE_NAME_SIZE];

        pass(&t);
        snprintf(name, sizeof name, "n%u@h", i % 40);
        source_given(
            t.source,
            &(struct given){.kind = GIVEN_DATAGRAM, .bytes = {packet, gossip_put(packet, name)}},
            t.now);
    }
    return ends_with(&t, 40);
}

static void survives_lack_of_memory(void **state)
{
    static failing_story *const stories[] = {file_story, hosts_story, gossip_story};

    (void)state;
    failing_tell_all(stories, COUNT(stories));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(survives_lack_of_memory)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
