/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CITIZEN_SUBJECT_H
#define TESTS_CITIZEN_SUBJECT_H

#include <erlclu/erlclu.h>

/* A process that does what it is told, to try things from an Erlang shell:
 *
 *     gen_server:call({subject, 'citizen@127.0.0.1'}, {link, self()}).
 *     gen_server:call({subject, 'citizen@127.0.0.1'}, signals).
 *
 * Signals that come are noted; `signals` tells and forgets them. */
struct subject {
    clu_process *self;
    clu_writer noted; /* the elements of a list */
    size_t n_noted;
    clu_writer term;   /* of term_at */
    uint64_t streamed; /* bytes of the message that comes as a stream */
};

/* One row an order: {Name, Arguments...}, or the bare name; the reader stands behind the name. A
 * list of them ends with a row without a name. */
struct order {
    const char *name;
    clu_error (*carry_out)(struct subject *c, clu_call *call, clu_reader *r);
};

/* What a process does to others, and what names and groups it has in the cluster. */
extern const struct order signal_orders[], cluster_orders[];

/* subject_noted: counts what was written to c->noted, or ends it: no room. */
void subject_noted(struct subject *c, clu_error err);

/* order_reply: ok, or the error. */
clu_error order_reply(clu_call *call, clu_error err);

/* term_at: a copy of the term at the reader, since what has come in may hold references to the
 * atoms of its own message. Good until the next order. */
clu_slice term_at(struct subject *c, clu_reader *r);

/* get_text: an atom as a text; false: there is none, or it is too long. */
bool get_text(clu_reader *r, char *text, size_t size);

#endif
