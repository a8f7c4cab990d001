/* SPDX-License-Identifier: Apache-2.0
 *
 * The codec behind a port of the VM: a 4-byte length, then one byte that says what to do, then the
 * input; the answer is a length, 'o' or 'e', then the output or the error's text. tests/erl/etf/
 * compares the answers with the VM's own. */
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "tests/unit/etf/etf_copy.h"

/* More than any request of the tests. */
#define REQUEST_MAX (1u << 24)

/* The reader stands behind the version byte of a term that the check accepts. */
static clu_error open_term(clu_reader *r, clu_slice input)
{
    clu_reader_init(r, input.data, input.len);
    clu_get_version(r);
    if (r->err != CLU_OK)
        return r->err;
    return clu_check(r->pos, (size_t)(r->end - r->pos), NULL, NULL);
}

static clu_error recode(clu_slice input, clu_writer *out)
{
    clu_reader r;
    clu_error err = open_term(&r, input);

    if (err != CLU_OK)
        return err;
    clu_put_version(out);
    etf_copy(&r, out);
    if (r.err == CLU_OK && r.pos != r.end)
        return CLU_ETRUNC;
    return r.err != CLU_OK ? r.err : out->err;
}

static clu_error print(clu_slice input, clu_writer *out)
{
    clu_reader r;
    clu_error err = open_term(&r, input);

    if (err == CLU_OK)
        err = clu_print(&r, out);
    return err == CLU_OK && r.pos != r.end ? CLU_ETRUNC : err;
}

static clu_error parse(clu_slice input, clu_writer *out)
{
    size_t at;

    clu_put_version(out);
    return clu_parse((const char *)input.data, input.len, out, &at, NULL);
}

static const struct {
    char name;
    clu_error (*run)(clu_slice input, clu_writer *out);
} commands[] = {{'r', recode}, {'p', print}, {'t', parse}};

static void serve(clu_slice request, clu_writer *out)
{
    clu_error err = CLU_EBADARG;

    clu_put_bytes(out, "\0\0\0\0o", 5);
    for (size_t i = 0; i < COUNT(commands); i++)
        if (request.data[0] == (uint8_t)commands[i].name)
            err = commands[i].run((clu_slice){request.data + 1, request.len - 1}, out);
    if (err != CLU_OK) {
        clu_writer_reset(out);
        clu_put_bytes(out, "\0\0\0\0e", 5);
        clu_put_bytes(out, clu_strerror(err), strlen(clu_strerror(err)));
    }
    if (out->err != CLU_OK)
        abort();
    clu_store_be32(out->data, (uint32_t)(out->len - 4));
}

int main(void)
{
    clu_writer out;
    uint8_t head[4];

    clu_writer_init(&out);
    while (fread(head, 1, sizeof head, stdin) == sizeof head) {
        uint32_t len = clu_load_be32(head);
        /* A block of the exact size: under ASan a read behind it is seen. */
        uint8_t *data = len == 0 || len > REQUEST_MAX ? NULL : malloc(len);

        if (data == NULL || fread(data, 1, len, stdin) != len)
            abort();
        clu_writer_reset(&out);
        serve((clu_slice){data, len}, &out);
        free(data);
        fwrite(out.data, 1, out.len, stdout);
        fflush(stdout);
    }
    clu_writer_free(&out);
    return 0;
}
