/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../failing.h"
#include "dist/epmd.h"

/* An epmd and its clients; each allocation fails once: nothing breaks or leaks (the sanitizers'
 * word), and a client has the whole answer or knows that it has none. */

#define NODES 40 /* their list outgrows the buffer's first sizes */

struct scene {
    struct epmd_registry registry;
    struct epmd_conn held[NODES]; /* of nodes that stay registered */
    bool has_own, whole;
    size_t n;
};

/* The client's question goes to the server and the answer comes back in small pieces; ends when
 * the server closes, or waits. */
static void converse(struct epmd_client *c, struct epmd_conn *conn)
{
    clu_slice bytes = epmd_client_pending(c);

    if (c->err == CLU_OK)
        epmd_conn_feed(conn, bytes.data, bytes.len, 0);
    while ((bytes = epmd_conn_pending(conn)).len > 0) {
        size_t n = (size_t)min_u64(bytes.len, 50);

        epmd_client_feed(c, bytes.data, n);
        epmd_conn_sent(conn, n);
    }
    if (conn->close)
        epmd_client_closed(c);
    assert_true(c->done || c->err != CLU_OK); /* nobody waits for ever */
}

static void register_node(struct scene *s, size_t i)
{
    struct epmd_entry e = {.name = "node00", .port = (uint16_t)(5000 + i), .type = 77};
    struct epmd_client c;

    e.name[4] = (char)('0' + i / 10);
    e.name[5] = (char)('0' + i % 10);
    epmd_conn_init(&s->held[i], &s->registry, true, 0);
    epmd_ask_alive2(&c, &e);
    converse(&c, &s->held[i]);
    bool found = c.done && c.found;

    if (found)
        assert_non_null(epmd_registry_find(&s->registry, slice_of(e.name)));
    if (s->held[i].close) /* as its driver does */
        epmd_conn_fini(&s->held[i]);
    if (!found)
        assert_true(s->held[i].close || c.err != CLU_OK);
    s->n += s->held[i].registered;
    s->whole = s->whole && found;
    epmd_client_fini(&c);
}

static void list_all(struct scene *s)
{
    struct epmd_client c;
    struct epmd_conn conn;
    struct epmd_entry e;
    size_t at = 0, n = 0;

    epmd_conn_init(&conn, &s->registry, false, 0);
    epmd_ask_names(&c);
    converse(&c, &conn);
    while (epmd_names_next(&c, &at, &e))
        n++;
    if (c.err == CLU_OK)
        assert_int_equal(n, s->n + s->has_own);
    s->whole = s->whole && c.err == CLU_OK;
    epmd_client_fini(&c);
    epmd_conn_fini(&conn);
}

static void look_up(struct scene *s, const char *name)
{
    struct epmd_client c;
    struct epmd_conn conn;

    epmd_conn_init(&conn, &s->registry, false, 0);
    epmd_ask_port(&c, name);
    converse(&c, &conn);
    if (c.err == CLU_OK)
        assert_int_equal(c.found, epmd_registry_find(&s->registry, slice_of(name)) != NULL);
    if (c.err == CLU_OK && c.found)
        assert_string_equal(c.entry.name, name);
    s->whole = s->whole && c.err == CLU_OK && c.found;
    epmd_client_fini(&c);
    epmd_conn_fini(&conn);
}

static bool answers_are_whole(void)
{
    static const struct epmd_entry own = {"own", 4711, EPMD_TYPE_VISIBLE, 6, 5};
    static struct scene scene;
    struct scene *s = &scene;
    uint32_t creation;

    *s = (struct scene){.whole = true};
    n_allocations = 0;
    epmd_registry_init(&s->registry, EPMD_PORT, 7);
    s->has_own = epmd_registry_add_own(&s->registry, &own, &creation) == CLU_OK;
    s->whole = s->has_own;
    for (size_t i = 0; i < NODES; i++)
        register_node(s, i);
    list_all(s);
    look_up(s, "own");
    look_up(s, "node07");
    for (size_t i = 0; i < NODES; i++)
        epmd_conn_fini(&s->held[i]);
    assert_int_equal(map_count(&s->registry.conns), 0);
    epmd_registry_remove_own(&s->registry, own.name);
    epmd_registry_fini(&s->registry);
    return s->whole;
}

static void every_allocation_may_fail(void **state)
{
    static failing_story *const stories[] = {answers_are_whole};

    (void)state;
    failing_tell_all(stories, COUNT(stories));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
