/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "base/base.h"

/* What was read from a text is a term; its print is read as the same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    clu_writer term, text, again;
    clu_reader r;
    size_t at = 0;

    clu_writer_init(&term);
    clu_writer_init(&text);
    clu_writer_init(&again);
    clu_error err = clu_parse((const char *)data, size, &term, &at, NULL);

    assert(at <= size);
    if (err == CLU_OK) {
        err = clu_check(term.data, term.len, NULL, NULL);
        assert(err == CLU_OK);
        clu_reader_init(&r, term.data, term.len);
        err = clu_print(&r, &text);
        assert(err == CLU_OK && r.pos == r.end);
        err = clu_parse((const char *)text.data, text.len, &again, &at, NULL);
        assert(err == CLU_OK);
        assert(again.len == term.len && memcmp(again.data, term.data, term.len) == 0);
    } else {
        assert(term.len == 0);
    }
    clu_writer_free(&term);
    clu_writer_free(&text);
    clu_writer_free(&again);
    return 0;
}
