/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "find/source.h"

/* What an API server may send, cut into pieces of 64 bytes: the first byte says which kind of
 * object is asked for, and whether the text is a list or events behind an empty list. Whatever it
 * is, the source lists within its limits, has a result, and asks again. */

static void give_file(struct source *s, const struct need *need)
{
    source_given(
        s,
        &(struct given){.kind = GIVEN_FILE, .path = need->u.file.path, .bytes = slice_of("text")},
        0);
}

/* Meets its needs until it has made a request, or has ended one, or wants time to pass. */
static bool ask(struct source *s, uint64_t now_ms)
{
    struct need need;

    while (source_deadline(s) <= now_ms && source_need(s, now_ms, &need))
        if (need.kind == NEED_HTTP)
            return true;
        else if (need.kind == NEED_FILE)
            give_file(s, &need);
    return false;
}

static void answer(struct source *s, clu_slice text)
{
    source_given(s, &(struct given){.kind = GIVEN_HEAD, .status = 200}, 0);
    for (size_t at = 0; at < text.len; at += 64) {
        clu_slice piece = {text.data + at, min_u64(64, text.len - at)};

        source_given(s, &(struct given){.kind = GIVEN_BODY, .bytes = piece}, 0);
    }
    source_given(s, &(struct given){.kind = GIVEN_END}, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char nothing[] = "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}";
    struct kubernetes kubernetes = {.api = {.family = 4, .port = 443}, .account = "/a"};
    struct rng rng = {1};
    const struct source_place place = {
        .own_name = "a@10.0.0.1", .kubernetes = &kubernetes, .rng = &rng};
    struct source *s;
    char why[REASON_SIZE];
    size_t n;

    if (size == 0 ||
        source_new(&s, (data[0] & 1) != 0 ? "k8s:ns/pods?selector=a" : "k8s:ns/app?port=dist",
                   &place, why) != CLU_OK)
        return 0;
    source_start(s, &(struct addr){.family = 0}, 0);
    if (ask(s, 0) && (data[0] & 2) != 0) {
        answer(s, slice_of(nothing));
        ask(s, 0);
    }
    answer(s, (clu_slice){data + 1, size - 1});
    source_entries(s, &n);
    assert(n <= SOURCE_ENTRIES_MAX);
    assert(source_deadline(s) != NEVER);
    ask(s, UINT64_MAX / 2);
    source_tick(s, UINT64_MAX / 2);
    source_free(s);
    return 0;
}
