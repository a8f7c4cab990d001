/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "find/entries.h"
#include "find/source_impl.h"
#include "find/words.h"

/* static:NAME@HOST[:PORT],...: nodes named once and for all. */

static clu_error add_name(struct source *s, const char *item, char why[REASON_SIZE])
{
    char problem[REASON_SIZE];

    if (entry_parse(&s->entries[s->n_entries], item, problem) != CLU_OK) {
        say(why, "static: %s", problem);
        return CLU_EBADARG;
    }
    s->n_entries++;
    return CLU_OK;
}

static clu_error static_open(struct source *s, const char *body, char why[REASON_SIZE])
{
    size_t n = 1;
    clu_error err = CLU_OK;

    for (const char *p = body; (p = strchr(p, ',')) != NULL; p++)
        n++;
    s->entries = calloc(n, sizeof *s->entries);
    if (s->entries == NULL)
        return CLU_ENOMEM;
    for (const char *item = body; err == CLU_OK && item != NULL;) {
        char text[SPEC_SIZE];
        size_t len = strcspn(item, ",");

        text_set(text, sizeof text, (clu_slice){(const uint8_t *)item, len});
        err = add_name(s, text, why);
        item = item[len] == ',' ? item + len + 1 : NULL;
    }
    return err;
}

/* What was written is all there is: complete from the first moment. */
static void static_start(struct source *s, uint64_t now_ms)
{
    s->row.result = RESULT_COMPLETE;
    s->row.sees_us = source_lists_us(s);
    s->row.last_ms = s->row.changed_ms = now_ms;
}

const struct scheme scheme_static = {
    .name = "static",
    .size = sizeof(struct source),
    .open = static_open,
    .start = static_start,
};
