/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/cookie.h"

/* From a blank to a tilde: what auth.erl takes from a file. */
static size_t printable_len(clu_slice text)
{
    size_t n = 0;

    while (n < text.len && text.data[n] >= ' ' && text.data[n] <= '~')
        n++;
    return n;
}

static bool is_trimmable(clu_slice rest)
{
    for (size_t i = 0; i < rest.len; i++)
        if (rest.data[i] != '\n' && rest.data[i] != '\r' && rest.data[i] != ' ')
            return false;
    return true;
}

const char *cookie_set(struct cookie *cookie, clu_slice text, const char *source)
{
    if (text.len == 0)
        return "is empty";
    size_t len = printable_len(text);
    clu_slice rest = {text.data + len, text.len - len};

    if (!is_trimmable(rest))
        return "holds characters that no cookie may have: printable ASCII in one line is allowed";
    if (len == 0)
        return "is empty";
    if (len > COOKIE_MAX)
        return "is longer than 255 characters, the most that an atom may have";
    *cookie = (struct cookie){.len = len};
    memcpy(cookie->bytes, text.data, len);
    text_set(cookie->trimmed, sizeof cookie->trimmed, rest);
    text_set(cookie->source, sizeof cookie->source, slice_of(source));
    return NULL;
}
