/* SPDX-License-Identifier: Apache-2.0 */
#include <ares.h>
#include <event2/event.h>
#include <openssl/crypto.h>

#include "cli/cli.h"
#include "net/program.h"

int version_main(const struct conf *c)
{
    struct buf out = {0};

    if (c->json)
        return program_print_json(json_pack("{ss ss ss ss ss}", "erlclu", CLU_VERSION, "libevent",
                                            event_get_version(), "openssl",
                                            OpenSSL_version(OPENSSL_VERSION_STRING), "c-ares",
                                            ares_version(NULL), "jansson", jansson_version_str()));
    buf_printf(&out, "erlclu %s\n", CLU_VERSION);
    return program_print(&out);
}
