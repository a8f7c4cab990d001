/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_DISCOVER_H
#define CLI_DISCOVER_H

#include "find/dns_msg.h"
#include "net/drive.h"

/* Two families of every SPEC, and room for second looks and the targets of SRV records. */
#define REPLIES_MAX (16 * SETTINGS_SPECS_MAX)
/* gossip: whoever is there has spoken once by then. */
#define DISCOVER_LISTEN_MS 6000

/* One round of all sources, and what came of it. */
struct discovery {
    struct drive drive;
    const struct conf *conf;
    struct dns_reply replies[REPLIES_MAX]; /* by SPEC, then by type */
    size_t n_replies;
    struct watch *listening; /* runs while those who speak by themselves are heard */
    bool is_listening;
    const struct snapshot *snapshot; /* the machine's, of the end */
};

/* What a source lists at one place. */
struct found {
    struct addr addr; /* family 0: a name's host that is not resolved here */
    const char *name; /* "" to be learnt */
    bool terminating;
    bool is_known; /* a source before this one lists it too */
};

typedef void found_fn(void *arg, const struct found *f);

/* discover_spec_of: the place of the first SPEC that asks for the reply's name; SETTINGS_SPECS_MAX
 * for names that came up on the way. */
size_t discover_spec_of(const struct snapshot *s, const struct dns_reply *r);
/* discover_each: what the source lists, in the order of the replies where those have it. */
void discover_each(const struct discovery *d, size_t source, void *arg, found_fn *fn);
/* discover_is_spoken: nobody is asked there, those who speak are heard. */
bool discover_is_spoken(const struct source_row *row);
/* discover_print: as the conf wants it: text, --short or --json. The exit status. */
int discover_print(const struct discovery *d);

#endif
