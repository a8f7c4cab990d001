/* SPDX-License-Identifier: Apache-2.0 */
#include "term/chardata.h"

#include "etf/utf8.h"

static bool put_char(struct buf *out, int64_t c)
{
    uint8_t bytes[UTF8_MAX];
    size_t n = c < 0 || c > UNICODE_LAST ? 0 : utf8_put(bytes, (uint32_t)c);

    buf_put(out, bytes, n);
    return n > 0;
}

static bool put_latin1(struct buf *out, clu_slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        put_char(out, bytes.data[i]);
    return true;
}

/* A character may begin in one binary and end in the next: they are looked at when all are there.
 */
static bool put_binary(struct buf *out, clu_slice bytes, bool latin1)
{
    if (latin1)
        return put_latin1(out, bytes);
    buf_put_slice(out, bytes);
    return true;
}

/* One element; *inside is how many more a list brings, its tail among them. */
static bool put_element(struct buf *out, clu_reader *r, bool latin1, size_t *inside)
{
    clu_type type = clu_peek_type(r);

    *inside = 0;
    if (type == CLU_TYPE_INTEGER)
        return put_char(out, clu_get_int(r)) && r->err == CLU_OK;
    if (type == CLU_TYPE_BINARY)
        return put_binary(out, clu_get_binary(r), latin1);
    if (type != CLU_TYPE_LIST)
        return false;
    if (*r->pos == ETF_STRING)
        return put_latin1(out, clu_get_string(r));
    size_t n = clu_get_list(r);

    *inside = n == 0 ? 0 : n + 1;
    return true;
}

bool chardata_put(struct buf *out, clu_reader *r, bool latin1)
{
    size_t left[CLU_DEPTH_MAX], depth = 0, inside, before = out->len;
    bool ok = true;

    left[0] = 1;
    for (;;) {
        while (left[depth] == 0 && depth > 0)
            depth--;
        if (!ok || left[depth] == 0)
            break;
        left[depth]--;
        ok = put_element(out, r, latin1, &inside) && r->err == CLU_OK;
        if (!ok || inside == 0)
            continue;
        ok = depth + 1 < CLU_DEPTH_MAX;
        if (ok)
            left[++depth] = inside;
    }
    size_t chars;

    ok = ok && out->err == CLU_OK && utf8_count(buf_behind(out, before), &chars);
    if (!ok)
        out->len = before;
    return ok;
}

void chardata_list(clu_writer *w, clu_slice utf8)
{
    const uint8_t *pos = utf8.data, *end = slice_end(utf8);
    size_t n;

    if (!utf8_count(utf8, &n)) {
        clu_writer_fail(w, CLU_EBADARG);
        return;
    }
    clu_put_list(w, n);
    while (pos < end)
        clu_put_int(w, utf8_get(&pos, end));
    clu_put_nil(w);
}

bool chardata_fits_latin1(clu_slice utf8)
{
    const uint8_t *pos = utf8.data, *end = slice_end(utf8);

    while (pos < end)
        if (utf8_get(&pos, end) > UINT8_MAX)
            return false;
    return true;
}

void chardata_binary(clu_writer *w, clu_slice utf8, bool latin1)
{
    const uint8_t *pos = utf8.data, *end = slice_end(utf8);
    size_t n;

    if (!latin1) {
        clu_put_binary(w, utf8.data, utf8.len);
        return;
    }
    if (!utf8_count(utf8, &n)) {
        clu_writer_fail(w, CLU_EBADARG);
        return;
    }
    clu_put_binary(w, NULL, 0);
    uint8_t *out = clu_writer_add(w, n);

    if (out == NULL)
        return;
    put_be32(out - 4, (uint32_t)n);
    while (pos < end)
        *out++ = (uint8_t)utf8_get(&pos, end);
}

size_t chardata_skip(clu_slice utf8, size_t n, size_t *left)
{
    const uint8_t *pos = utf8.data, *end = slice_end(utf8);

    while (n > 0 && pos < end) {
        utf8_get(&pos, end);
        n--;
    }
    *left = n;
    return (size_t)(pos - utf8.data);
}
