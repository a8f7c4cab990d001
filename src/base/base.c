/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

const char *clu_strerror(clu_error err)
{
    switch (err) {
#define X(name, value, text)                                                                       \
    case name: return text;
        CLU_ERROR_MAP(X)
#undef X
    }
    return "unknown error";
}

bool text_set(char *field, size_t size, clu_slice text)
{
    size_t n = text.len < size ? text.len : size - 1;

    if (n > 0)
        memcpy(field, text.data, n);
    field[n] = '\0';
    return n == text.len;
}
