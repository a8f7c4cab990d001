/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CONF_ROWS_H
#define TESTS_CONF_ROWS_H

#include "texts.h"

#include "conf/conf.h"

/* One load. Words are separated by blanks, variables by ';'. */
struct row {
    enum conf_command command;
    const char *words, *env, *vm_args;
    const char *key, *want; /* what to look at; "error" for a load that fails */
};

/* The environment and the files of a row (arg): for struct conf_input. */
const char *row_env(void *arg, const char *name);
clu_error row_read(void *arg, const char *path, struct buf *text, char why[REASON_SIZE]);

void check_rows(const struct row *rows, size_t n);
/* check_options: one row of CMD_LIBRARY: its words are clu_options. */
void check_options(const struct row *row, const clu_options *options);

/* A test of the table NAME_rows. */
#define ROWS_TEST(name)                                                                            \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        check_rows(name##_rows, COUNT(name##_rows));                                               \
    }

/* A cookie, for rows that are about something else; long values. */
#define C    "RELEASE_COOKIE=c"
#define X20  "xxxxxxxxxxxxxxxxxxxx"
#define X100 X20 X20 X20 X20 X20

#endif
