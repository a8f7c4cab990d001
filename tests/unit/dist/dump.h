/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DIST_DUMP_H
#define TESTS_DIST_DUMP_H

#include <stdio.h>

#include "base/buf.h"
#include "dist/control.h"

/* Control messages as text, for tests to compare. */

static inline void dump_pid(struct buf *out, const char *field, const clu_pid *pid)
{
    if (pid->node.len > 0)
        buf_printf(out, " %s=%.*s.%u.%u.%u", field, (int)pid->node.len,
                   (const char *)pid->node.data, pid->id, pid->serial, pid->creation);
}

static inline void dump_ref(struct buf *out, const clu_ref *ref)
{
    if (ref->n == 0)
        return;
    buf_printf(out, " ref=%.*s.%u", (int)ref->node.len, (const char *)ref->node.data,
               ref->creation);
    for (uint32_t i = 0; i < ref->n; i++)
        buf_printf(out, ".%u", ref->words[i]);
}

static inline void dump_hex(struct buf *out, const char *field, clu_slice bytes)
{
    if (bytes.len == 0)
        return;
    buf_printf(out, " %s=", field);
    for (size_t i = 0; i < bytes.len; i++)
        buf_printf(out, "%02x", bytes.data[i]);
}

/* dump_control: "OP from=node.id.serial.creation ..."; the fields that are set, the payload raw. */
static inline void dump_control(struct buf *out, const struct control *c)
{
    buf_put_text(out, c->op_name);
    dump_pid(out, "from", &c->from);
    dump_pid(out, "to", &c->to);
    if (c->from_is_name)
        buf_printf(out, " from='%.*s'", (int)c->from_name.len, (const char *)c->from_name.data);
    if (c->to_is_name)
        buf_printf(out, " to='%.*s'", (int)c->to_name.len, (const char *)c->to_name.data);
    dump_ref(out, &c->ref);
    if (c->id != 0)
        buf_printf(out, " id=%llu", (unsigned long long)c->id);
    if (c->sig_flags != 0)
        buf_printf(out, " flags=%llu", (unsigned long long)c->sig_flags);
    dump_hex(out, "reason", c->reason);
    dump_hex(out, "token", c->token);
    dump_hex(out, "raw", c->raw);
    if (c->has_payload)
        dump_hex(out, "payload", c->payload);
}

#endif
