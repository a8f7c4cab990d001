/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/hosts.h"

#include <stdlib.h>
#include <strings.h>

#include "conf/scan.h"

#define ROWS_AT_FIRST 16

/* Rows are taken in powers of two: there is room until n is one. */
static clu_error make_room(struct hosts_file *hosts)
{
    size_t n = hosts->n < ROWS_AT_FIRST ? ROWS_AT_FIRST : 2 * hosts->n;

    if (hosts->n == HOSTS_NAMES_MAX)
        return CLU_ESIZE;
    if (hosts->n != 0 && (hosts->n < ROWS_AT_FIRST || (hosts->n & (hosts->n - 1)) != 0))
        return CLU_OK;
    struct host_entry *entries = realloc(hosts->entries, n * sizeof *entries);

    if (entries == NULL)
        return CLU_ENOMEM;
    hosts->entries = entries;
    return CLU_OK;
}

static clu_error add_name(struct hosts_file *hosts, const struct addr *addr, clu_slice name)
{
    clu_error err = make_room(hosts);

    if (err != CLU_OK)
        return err;
    struct host_entry *e = &hosts->entries[hosts->n];

    e->addr = *addr;
    if (memchr(name.data, 0, name.len) == NULL && text_set(e->name, sizeof e->name, name))
        hosts->n++;
    return CLU_OK;
}

/* "ADDRESS NAME [ALIAS...] # comment" */
static clu_error read_line(struct hosts_file *hosts, clu_slice line)
{
    const uint8_t *comment = line.len == 0 ? NULL : memchr(line.data, '#', line.len);
    clu_slice word;
    struct addr addr;
    clu_error err = CLU_OK;

    if (comment != NULL)
        line.len = (size_t)(comment - line.data);
    if (!scan_word(&line, &word) || !addr_parse_ip(&addr, word))
        return CLU_OK;
    while (err == CLU_OK && scan_word(&line, &word))
        err = add_name(hosts, &addr, word);
    return err;
}

clu_error hosts_parse(struct hosts_file *hosts, clu_slice text)
{
    clu_error err = CLU_OK;
    clu_slice line;

    *hosts = (struct hosts_file){0};
    while (err == CLU_OK && scan_line(&text, &line))
        err = read_line(hosts, line);
    return err;
}

void hosts_fini(struct hosts_file *hosts)
{
    free(hosts->entries);
    *hosts = (struct hosts_file){0};
}

const struct host_entry *hosts_find(const struct hosts_file *hosts, const char *name)
{
    for (size_t i = 0; i < hosts->n; i++)
        if (strcasecmp(hosts->entries[i].name, name) == 0)
            return &hosts->entries[i];
    return NULL;
}
