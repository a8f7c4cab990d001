/* SPDX-License-Identifier: Apache-2.0 */
#include "find/hosts_text.h"

#include <stdlib.h>

#include "etf/etf.h"
#include "find/words.h"

/* What one term may take, with comments in it: a parser that looks for an end would else read the
 * whole rest for every line. */
#define TERM_MAX 1024

struct reading {
    clu_slice rest;
    unsigned line; /* where rest begins */
    struct epmd_host *hosts;
    size_t n;
    clu_writer term;
    clu_error err; /* CLU_ENOMEM: no judgement of the text */
    char *why;
};

static void pass(struct reading *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        r->line += r->rest.data[i] == '\n';
    r->rest.data += n;
    r->rest.len -= n;
}

static void pass_line(struct reading *r)
{
    const uint8_t *end = memchr(r->rest.data, '\n', r->rest.len);

    pass(r, end == NULL ? r->rest.len : (size_t)(end - r->rest.data) + 1);
}

/* To the next term: past white space and comments. */
static bool find_term(struct reading *r)
{
    while (r->rest.len > 0) {
        uint8_t c = *r->rest.data;

        if (c == '%')
            pass_line(r);
        else if (c <= ' ')
            pass(r, 1);
        else
            return true;
    }
    return false;
}

static void complain(struct reading *r, const char *what)
{
    if (r->why[0] == '\0')
        say(r->why, "line %u is left out: %s", r->line, what);
}

static bool is_known(const struct reading *r, const char *host)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->hosts[i].host, host) == 0)
            return true;
    return false;
}

static void add_host(struct reading *r, const char *host)
{
    struct epmd_host h = {0};
    char what[REASON_SIZE];
    const char *problem = epmd_host_name(&h, host);

    if (problem != NULL) {
        say(what, "the host '%.80s' %s", host, problem);
        complain(r, what);
    } else if (is_known(r, h.host)) {
        return;
    } else if (r->n == EPMD_HOSTS_MAX) {
        complain(r, "256 hosts are asked at most");
    } else {
        r->hosts[r->n++] = h;
    }
}

/* The term that was parsed; its bytes have no version in front. */
static void take_term(struct reading *r)
{
    clu_reader in;
    char host[HOST_NAME_SIZE];

    clu_reader_init(&in, r->term.data, r->term.len);
    clu_slice atom = clu_get_atom(&in);

    if (in.err != CLU_OK || memchr(atom.data, '\0', atom.len) != NULL ||
        !text_set(host, sizeof host, atom))
        complain(r, "a host is an atom: 'pod-0.svc'.");
    else
        add_host(r, host);
}

static void read_term(struct reading *r)
{
    size_t at = 0, used = 0, len = r->rest.len < TERM_MAX ? r->rest.len : TERM_MAX;

    clu_writer_reset(&r->term);
    clu_error err = clu_parse((const char *)r->rest.data, len, &r->term, &at, &used);

    if (err == CLU_ENOMEM) {
        r->err = err;
    } else if (err != CLU_OK || r->rest.data[used - 1] != '.') {
        complain(r, "no Erlang term with a full stop behind it: write 'pod-0.svc'.");
        pass_line(r);
    } else {
        take_term(r);
        pass(r, used);
    }
}

clu_error hosts_text_read(clu_slice text, struct epmd_host **hosts, size_t *n,
                          char why[REASON_SIZE])
{
    struct reading r = {.rest = text, .line = 1, .why = why};

    why[0] = '\0';
    *n = 0;
    *hosts = r.hosts = calloc(EPMD_HOSTS_MAX, sizeof *r.hosts);
    if (r.hosts == NULL)
        return CLU_ENOMEM;
    clu_writer_init(&r.term);
    while (r.err == CLU_OK && find_term(&r))
        read_term(&r);
    clu_writer_free(&r.term);
    *n = r.n;
    if (r.err != CLU_OK) {
        free(*hosts);
        *hosts = NULL;
        *n = 0;
    }
    return r.err;
}
