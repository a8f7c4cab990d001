/* SPDX-License-Identifier: Apache-2.0 */
#include "base/scan.h"

bool scan_line(clu_slice *rest, clu_slice *line)
{
    if (rest->len == 0)
        return false;
    const uint8_t *end = memchr(rest->data, '\n', rest->len);
    size_t len = end == NULL ? rest->len : (size_t)(end - rest->data);
    size_t taken = end == NULL ? len : len + 1;

    *line = (clu_slice){rest->data, len};
    if (len > 0 && line->data[len - 1] == '\r')
        line->len--;
    *rest = (clu_slice){rest->data + taken, rest->len - taken};
    return true;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

bool scan_word(clu_slice *rest, clu_slice *word)
{
    size_t from = 0, to;

    while (from < rest->len && is_blank(rest->data[from]))
        from++;
    for (to = from; to < rest->len && !is_blank(rest->data[to]);)
        to++;
    if (from == to)
        return false;
    *word = (clu_slice){rest->data + from, to - from};
    *rest = (clu_slice){rest->data + to, rest->len - to};
    return true;
}
