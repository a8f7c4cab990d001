/* SPDX-License-Identifier: Apache-2.0 */
#include "base/names.h"

/* RFC 1035 2.3.4: 255 octets on the wire are 253 as text. */
#define HOST_MAX 253

static bool is_word_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

static size_t word_len(clu_slice text)
{
    size_t len = 0;

    while (len < text.len && is_word_byte(text.data[len]))
        len++;
    return len;
}

enum name_fault name_base_fault(clu_slice base)
{
    if (base.len == 0)
        return NAME_EMPTY;
    return word_len(base) < base.len ? NAME_BAD_BYTE : NAME_IS_FINE;
}

/* A final dot belongs to no label. */
static clu_slice without_dot(clu_slice host)
{
    if (host.len > 1 && host.data[host.len - 1] == '.')
        host.len--;
    return host;
}

enum name_fault name_host_fault(clu_slice host)
{
    clu_slice bare = without_dot(host);

    if (bare.len == 0)
        return NAME_EMPTY;
    if (bare.len > HOST_MAX)
        return NAME_TOO_LONG;
    for (size_t at = 0; at <= bare.len;) {
        size_t label = word_len((clu_slice){bare.data + at, bare.len - at});

        if (at + label < bare.len && bare.data[at + label] != '.')
            return NAME_BAD_BYTE;
        if (label == 0)
            return NAME_EMPTY_LABEL;
        if (label > LABEL_MAX)
            return NAME_LONG_LABEL;
        at += label + 1;
    }
    return NAME_IS_FINE;
}

bool name_is_host_part(clu_slice host)
{
    for (size_t i = 0; i < host.len; i++)
        if (host.data[i] <= ' ' || host.data[i] > '~' || host.data[i] == '@')
            return false;
    return host.len > 0;
}

/* What stands before the '@' on the wire is as free as what stands behind it. */
bool name_is_of_node(clu_slice name)
{
    const uint8_t *at = name.len == 0 ? NULL : memchr(name.data, '@', name.len);

    if (at == NULL || name.len > NODE_NAME_MAX)
        return false;
    size_t base_len = (size_t)(at - name.data);

    return name_is_host_part((clu_slice){name.data, base_len}) &&
           name_is_host_part((clu_slice){at + 1, name.len - base_len - 1});
}

bool name_make(char out[NODE_NAME_SIZE], clu_slice base, const char *host)
{
    size_t host_len = strlen(host);

    out[0] = '\0';
    if (base.len + 1 + host_len > NODE_NAME_MAX)
        return false;
    memcpy(out, base.data, base.len);
    out[base.len] = '@';
    memcpy(out + base.len + 1, host, host_len + 1);
    return true;
}

const char *name_host(const char *name)
{
    const char *at = strchr(name, '@');

    return at == NULL ? "" : at + 1;
}
