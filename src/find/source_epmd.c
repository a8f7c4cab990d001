/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "find/epmd_hosts.h"
#include "find/words.h"

/* epmd:HOST: whatever is registered with the epmd of a host; epmd: alone is this host, whose nodes
 * have the host part that we have. */

#define THIS_HOST "127.0.0.1"

static bool make_host(struct epmd_host *h, const char *host, char why[REASON_SIZE])
{
    const char *problem = epmd_host_name(h, host);

    if (problem != NULL)
        say(why, "epmd: the host \"%.80s\" %s", host, problem);
    return problem == NULL;
}

static bool make_this_host(struct epmd_host *h, const char *own_name, char why[REASON_SIZE])
{
    const char *at = strchr(own_name, '@');

    if (at == NULL) {
        say(why, "epmd: our own name has no host part, so say whose epmd: epmd:HOST");
        return false;
    }
    text_set(h->host, sizeof h->host, slice_of(THIS_HOST));
    text_set(h->suffix, sizeof h->suffix, slice_of(at + 1));
    return true;
}

static clu_error epmd_open(struct source *s, const char *body, char why[REASON_SIZE])
{
    struct epmd_hosts *p = (struct epmd_hosts *)s;

    p->hosts = calloc(1, sizeof *p->hosts);
    if (p->hosts == NULL)
        return CLU_ENOMEM;
    p->n = 1;
    bool made = body[0] == '\0' ? make_this_host(&p->hosts[0], s->place->own_name, why)
                                : make_host(&p->hosts[0], body, why);

    return made ? CLU_OK : CLU_EBADARG;
}

static const struct source_option options[] = {{"hidden", epmd_hosts_set_hidden}};

const struct scheme scheme_epmd = {
    .name = "epmd",
    .size = sizeof(struct epmd_hosts),
    .options = options,
    .n_options = COUNT(options),
    .init = epmd_hosts_init,
    .open = epmd_open,
    .close = epmd_hosts_close,
    .start = epmd_hosts_start,
    .poke = epmd_hosts_poke,
    .calm = epmd_hosts_calm,
    .deadline = epmd_hosts_deadline,
    .need = epmd_hosts_need,
    .given = epmd_hosts_given,
};
