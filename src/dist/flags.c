/* SPDX-License-Identifier: Apache-2.0 */
#include "dist/flags.h"

#include <stdio.h>

#include "base/base.h"

#define ROW(name)                                                                                  \
    {                                                                                              \
        DFLAG_##name, #name                                                                        \
    }

static const struct {
    uint64_t flag;
    const char *name;
} names[] = {
    ROW(PUBLISHED),
    ROW(EXTENDED_REFERENCES),
    ROW(DIST_MONITOR),
    ROW(FUN_TAGS),
    ROW(DIST_MONITOR_NAME),
    ROW(NEW_FUN_TAGS),
    ROW(EXTENDED_PIDS_PORTS),
    ROW(EXPORT_PTR_TAG),
    ROW(BIT_BINARIES),
    ROW(NEW_FLOATS),
    ROW(UNICODE_IO),
    ROW(DIST_HDR_ATOM_CACHE),
    ROW(SMALL_ATOM_TAGS),
    ROW(UTF8_ATOMS),
    ROW(MAP_TAG),
    ROW(BIG_CREATION),
    ROW(SEND_SENDER),
    ROW(BIG_SEQTRACE_LABELS),
    ROW(EXIT_PAYLOAD),
    ROW(FRAGMENTS),
    ROW(HANDSHAKE_23),
    ROW(UNLINK_ID),
    ROW(MANDATORY_25_DIGEST),
    ROW(SPAWN),
    ROW(NAME_ME),
    ROW(V4_NC),
    ROW(ALIAS),
    ROW(ALTACT_SIG),
    ROW(NATIVE_RECORDS),
};

/* Appends one word at *used, as far as there is room. */
static void add_word(char *out, size_t size, size_t *used, const char *word)
{
    int n = snprintf(out + *used, size - *used, "%s%s", *used == 0 ? "" : " ", word);

    *used = n < 0 || (size_t)n >= size - *used ? size - 1 : *used + (size_t)n;
}

const char *dflags_text(uint64_t flags, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < COUNT(names); i++)
        if (flags & names[i].flag) {
            add_word(out, size, &used, names[i].name);
            flags &= ~names[i].flag;
        }
    if (flags != 0) {
        char rest[24];

        snprintf(rest, sizeof rest, "0x%llx", (unsigned long long)flags);
        add_word(out, size, &used, rest);
    }
    return out;
}
