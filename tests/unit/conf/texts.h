/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CONF_TEXTS_H
#define TESTS_CONF_TEXTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/buf.h"

/* The whole text of a file of tests/data, or the test fails. */
static inline void read_data(const char *name, struct buf *text)
{
    char path[4096];
    int c;

    snprintf(path, sizeof path, "%s/%s", TEST_DATA, name);
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        fail_msg("%s cannot be read", path);
    while ((c = getc(file)) != EOF)
        buf_put_byte(text, (uint8_t)c);
    fclose(file);
}

#endif
