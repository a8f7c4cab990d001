/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "dist/epmd.h"

/* A stranger's request: whatever it is, the registry holds the name if and only if the connection
 * says so, an answer or an end comes for a whole one, and nothing is left when it closes. */
static void serve(const uint8_t *data, size_t size)
{
    struct epmd_registry registry;
    struct epmd_conn c;

    epmd_registry_init(&registry, EPMD_PORT, 7);
    epmd_conn_init(&c, &registry, size % 2 == 0, 0);
    epmd_conn_feed(&c, data, size / 2, 0);
    epmd_conn_feed(&c, data + size / 2, size - size / 2, 0);
    assert(c.registered == (map_count(&registry.conns) == 1));
    assert(!c.registered || epmd_registry_find(&registry, slice_of(c.entry.name)) == &c.entry);
    assert(c.close || c.registered || epmd_conn_pending(&c).len == 0);
    epmd_conn_fini(&c);
    assert(map_count(&registry.conns) == 0);
    epmd_registry_fini(&registry);
}

/* A stranger's reply: done, failed or waiting, never two of them; names stay inside. */
static void ask(enum epmd_question question, const uint8_t *data, size_t size)
{
    static const struct epmd_entry self = {"foo", 4711, EPMD_TYPE_VISIBLE, 6, 5};
    struct epmd_client c;
    struct epmd_entry entry;
    size_t at = 0;

    if (question == EPMD_ASK_PORT)
        epmd_ask_port(&c, self.name);
    else if (question == EPMD_ASK_NAMES)
        epmd_ask_names(&c);
    else
        epmd_ask_alive2(&c, &self);
    epmd_client_feed(&c, data, size / 2);
    epmd_client_feed(&c, data + size / 2, size - size / 2);
    epmd_client_closed(&c);
    assert(c.done == (c.err == CLU_OK));
    while (question == EPMD_ASK_NAMES && epmd_names_next(&c, &at, &entry))
        assert(at <= size && strlen(entry.name) <= EPMD_NAME_MAX);
    epmd_client_fini(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] % 4 == 3)
        serve(data + 1, size - 1);
    else
        ask((enum epmd_question)(data[0] % 4), data + 1, size - 1);
    return 0;
}
