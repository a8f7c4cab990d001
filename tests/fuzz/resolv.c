/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "conf/hosts.h"
#include "conf/resolv.h"

static void read_resolv(clu_slice text)
{
    struct resolv_conf r;

    resolv_parse(&r, text);
    assert(r.n_servers > 0 && r.n_servers <= RESOLV_SERVERS_MAX);
    assert(r.n_search <= RESOLV_SEARCH_MAX && r.ndots <= 15);
    for (size_t i = 0; i < r.n_servers; i++)
        assert(r.servers[i].family != 0);
    for (size_t i = 0; i < r.n_search; i++)
        assert(r.search[i][0] != '\0' && strlen(r.search[i]) < HOST_NAME_SIZE);
    assert((r.zone[0] == '\0' && r.namespace_[0] == '\0') || r.namespace_[0] != '\0');
}

/* Every row can be found by its name; the first of a name is the one that is found. */
static void read_hosts(clu_slice text)
{
    struct hosts_file h;

    clu_error err = hosts_parse(&h, text);

    assert(err == CLU_OK || err == CLU_ESIZE);
    for (size_t i = 0; i < h.n && i < 64; i++) {
        assert(h.entries[i].addr.family != 0);
        assert(hosts_find(&h, h.entries[i].name) <= &h.entries[i]);
    }
    hosts_fini(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_resolv((clu_slice){data, size});
    read_hosts((clu_slice){data, size});
    return 0;
}
