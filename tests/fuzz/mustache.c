/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "view/mustache.h"

/* Every partial is the template itself: recursion without end, unless the depth limit holds. */
static const struct mustache *find_self(void *self, clu_slice name)
{
    (void)name;
    return self;
}

static uint32_t count_lines(const uint8_t *text, size_t len)
{
    uint32_t lines = 1;

    for (size_t i = 0; i < len; i++)
        lines += text[i] == '\n';
    return lines;
}

static void render(struct mustache *m, const uint8_t *json, size_t len)
{
    json_t *context = json_loadb((const char *)json, len, JSON_DECODE_ANY, NULL);
    struct mustache_partials partials = {find_self, m};
    struct buf out = {0};
    clu_error err = mustache_render(m, context, &partials, &out);

    assert(err == CLU_OK || err == CLU_ESIZE || err == CLU_EDEPTH);
    assert(out.len <= MUSTACHE_OUTPUT_MAX);
    buf_free(&out);
    json_decref(context);
}

/* A template, a zero byte, and a context as JSON: it compiles or says in which of its lines it is
 * wrong, and renders within the limits. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size == 0 ? NULL : memchr(data, 0, size);
    size_t len = zero == NULL ? size : (size_t)(zero - data);
    struct mustache_error why;
    struct mustache *m;
    clu_error err = mustache_compile(&m, (clu_slice){data, len}, &why);

    if (err != CLU_OK) {
        assert(err == CLU_ESYNTAX || err == CLU_ESIZE);
        assert(why.line >= 1 && why.line <= count_lines(data, len) && why.text[0] != '\0');
        return 0;
    }
    if (zero != NULL)
        render(m, zero + 1, size - len - 1);
    mustache_free(m);
    return 0;
}
