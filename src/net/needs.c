/* SPDX-License-Identifier: Apache-2.0 */
#include "net/loop_impl.h"
#include "net/system.h"

/* What discovery sources need of the system, by kind. The machine meets NEED_RECORDS and NEED_NAMES
 * by itself. */
static void (*const carriers[NEED_KINDS])(struct loop *, unsigned, const struct need *) = {
    [NEED_FILE] = files_carry,    [NEED_HTTP] = stream_carry,        [NEED_HTTP_END] = stream_carry,
    [NEED_UDP] = datagrams_carry, [NEED_DATAGRAM] = datagrams_carry,
};

void needs_carry(struct loop *l, unsigned source, const struct need *need)
{
    carriers[need->kind](l, source, need);
}

void needs_given(struct loop *l, unsigned source, const struct given *given)
{
    machine_given(l->machine, source, given, system_now_ms());
}

void needs_free_all(struct loop *l)
{
    for (size_t i = 0; i < SETTINGS_SPECS_MAX; i++) {
        files_free(l->needs[i].files);
        stream_free(l->needs[i].stream);
        datagrams_free(l->needs[i].datagrams);
    }
}
