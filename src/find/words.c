/* SPDX-License-Identifier: Apache-2.0 */
#include "find/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "model/settings.h"

void say(char reason[REASON_SIZE], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(reason, REASON_SIZE, format, args);
    va_end(args);
}

void say_servers(char reason[REASON_SIZE], const char *words, const struct resolv_conf *conf)
{
    for (size_t i = 0; conf != NULL && i < conf->n_servers; i++) {
        const struct addr *server = &conf->servers[i];
        size_t len = strlen(reason);
        char text[ADDR_TEXT_MAX];

        snprintf(reason + len, REASON_SIZE - len, "%s%s%s%s", i == 0 ? " (" : ", ",
                 i == 0 ? words : "",
                 server->port == 0 ? addr_ip_text(server, text) : addr_text(server, text),
                 i + 1 == conf->n_servers ? ")" : "");
    }
}

/* The length of the name without its final dot. */
static size_t bare_len(const char *name)
{
    size_t len = strlen(name);

    return len > 1 && name[len - 1] == '.' ? len - 1 : len;
}

const char *host_name_problem(const char *name)
{
    static const char *const says[NAME_FAULTS] = {
        [NAME_EMPTY] = "is empty",
        [NAME_TOO_LONG] = "is longer than 253 bytes",
        [NAME_BAD_BYTE] =
            "holds a byte that DNS names do not have (letters, digits, '-' and '_' only)",
        [NAME_EMPTY_LABEL] = "has an empty label (two dots in a row, or one at the front)",
        [NAME_LONG_LABEL] = "has a label longer than 63 bytes",
    };
    return says[name_host_fault(slice_of(name))];
}

bool host_name_same(const char *a, const char *b)
{
    size_t len = bare_len(a);

    return len == bare_len(b) && strncasecmp(a, b, len) == 0;
}

/* Takes the label at *name, whose dot is passed too; false when there is none or it is too long. */
static bool take_label(const char **name, char out[LABEL_SIZE])
{
    size_t len = strcspn(*name, ".");

    if (len == 0 || !text_set(out, LABEL_SIZE, (clu_slice){(const uint8_t *)*name, len}))
        return false;
    *name += len + ((*name)[len] == '.');
    return true;
}

bool service_name_parse(const char *name, struct service_name *out)
{
    char svc[LABEL_SIZE];

    do { /* labels with '_' in front are the port's, of an SRV record */
        if (!take_label(&name, out->name))
            break;
    } while (out->name[0] == '_');
    if (out->name[0] != '\0' && take_label(&name, out->ns) && take_label(&name, svc) &&
        strcmp(svc, "svc") == 0 && name[0] != '\0' &&
        text_set(out->zone, sizeof out->zone, slice_of(name)))
        return true;
    *out = (struct service_name){.zone = ""};
    return false;
}

const char *node_base_problem(const char *base)
{
    static const char *const says[NAME_FAULTS] = {
        [NAME_EMPTY] = "is empty",
        [NAME_BAD_BYTE] =
            "holds a byte that node names do not have (letters, digits, '-' and '_' only)",
    };
    return says[name_base_fault(slice_of(base))];
}
