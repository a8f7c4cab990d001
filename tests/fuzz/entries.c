/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "find/hosts_text.h"
#include "find/words.h"

/* Any text as an entries file: what is listed has names that nodes can have. */
static void read_entries(clu_slice text)
{
    struct rng rng = {1};
    const struct source_place place = {.own_name = "erlclu@10.0.0.1", .rng = &rng};
    struct source *s;
    char why[REASON_SIZE];
    size_t n;

    assert(source_new(&s, "file:/f", &place, why) == CLU_OK);
    source_start(s, &(struct addr){0}, 1);
    assert(source_given(s, &(struct given){.kind = GIVEN_FILE, .path = "/f", .bytes = text}, 2));
    assert(source_result(s) == RESULT_COMPLETE);
    const struct entry *e = source_entries(s, &n);

    assert(n <= SOURCE_ENTRIES_MAX && n <= text.len);
    for (size_t i = 0; i < n; i++) {
        const char *at = strchr(e[i].name, '@');

        assert(at != NULL && at > e[i].name && at[1] != '\0');
        assert(e[i].addr.family != 0 || host_name_problem(at + 1) == NULL);
    }
    source_free(s);
}

/* Any text as a .hosts.erlang. */
static void read_hosts(clu_slice text)
{
    struct epmd_host *hosts;
    char why[REASON_SIZE];
    struct addr literal;
    size_t n;

    assert(hosts_text_read(text, &hosts, &n, why) == CLU_OK);
    assert(n <= EPMD_HOSTS_MAX && memchr(why, '\0', sizeof why) != NULL);
    for (size_t i = 0; i < n; i++)
        assert(host_name_problem(hosts[i].host) == NULL ||
               addr_parse_ip(&literal, slice_of(hosts[i].host)));
    free(hosts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_entries((clu_slice){data, size});
    read_hosts((clu_slice){data, size});
    return 0;
}
