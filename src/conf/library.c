/* SPDX-License-Identifier: Apache-2.0
 *
 * The fields of clu_options, each as the value of an option: what may stand in them, and what is
 * said of mistakes, is the same as on the command line.
 */
#include <stdio.h>

#include "conf/options.h"

enum kind {
    FIELD_TEXT,   /* const char *: NULL is not given */
    FIELD_VALUE,  /* the same, the value itself where the command line has a file */
    FIELD_PORT,   /* uint16_t: 0 is not given */
    FIELD_NUMBER, /* uint32_t: likewise */
    FIELD_FLAG,   /* bool: likewise */
};

#define ROW(option, field, kind)                                                                   \
    {                                                                                              \
        option, kind, offsetof(clu_options, field), "." #field                                     \
    }

static const struct row {
    enum option_id option;
    enum kind kind;
    size_t offset;
    const char *where;
} rows[] = {
    ROW(OPT_DISCOVER, discover, FIELD_TEXT),
    ROW(OPT_NAME, name, FIELD_TEXT),
    ROW(OPT_ARGS_FILE, args_file, FIELD_TEXT),
    ROW(OPT_COOKIE, cookie_file, FIELD_TEXT),
    ROW(OPT_COOKIE, cookie, FIELD_VALUE),
    ROW(OPT_HIDDEN, hidden, FIELD_FLAG),
    ROW(OPT_GLOBAL, global, FIELD_FLAG),
    ROW(OPT_EPMD, epmd, FIELD_TEXT),
    ROW(OPT_EPMD_PORT, epmd_port, FIELD_PORT),
    ROW(OPT_LISTEN_ADDRESS, listen_address, FIELD_TEXT),
    ROW(OPT_LISTEN_PORT, listen_port, FIELD_PORT),
    ROW(OPT_TICKTIME, ticktime, FIELD_NUMBER),
    ROW(OPT_PRUNE, prune, FIELD_TEXT),
    ROW(OPT_DNS, dns, FIELD_TEXT),
    ROW(OPT_LOG_LEVEL, log, FIELD_TEXT),
};

/* The field as text; NULL when it is not given. */
static const char *text_of(const struct row *row, const clu_options *o, char number[16])
{
    const void *field = (const char *)o + row->offset;
    uint32_t value = row->kind == FIELD_PORT ? *(const uint16_t *)field : 0;

    if (row->kind == FIELD_TEXT || row->kind == FIELD_VALUE)
        return *(const char *const *)field;
    if (row->kind == FIELD_FLAG)
        return *(const bool *)field ? "" : NULL;
    if (row->kind == FIELD_NUMBER)
        value = *(const uint32_t *)field;
    snprintf(number, 16, "%u", (unsigned)value);
    return value == 0 ? NULL : number;
}

bool conf_take_options(struct loading *l)
{
    const clu_options *o = l->in->options;
    char number[16];

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *text = text_of(&rows[i], o, number);
        enum source_rank source =
            rows[i].kind == FIELD_VALUE ? SOURCE_PROGRAM : SOURCE_COMMAND_LINE;

        if (text != NULL &&
            conf_give(l, rows[i].option, source, slice_of(text), rows[i].where) == NULL)
            return false;
    }
    return true;
}
