/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include "net/drive.h"

/* One question to the machine, from start to answer. */
typedef uint32_t ask_fn(struct machine *m, const char *subject, uint64_t now_ms);

/* ask: drives a machine until it answers, or until --timeout, which is an answer too: the stage it
 * was in. EXIT_DONE, or a status after words when the question could not even be asked. */
int ask(const struct conf *c, ask_fn *question, const char *subject, struct answer *answer);
/* ask_failure: adds stage and reason of an answer that is no; ask_address: where the answer came
 * from, or null. All take the document and give it back. */
json_t *ask_failure(json_t *document, const struct answer *answer);
/* ask_no_link: the same of a node that was named on the command line, and what to do about it. */
json_t *ask_no_link(json_t *document, const struct answer *answer);
json_t *ask_address(json_t *document, const struct answer *answer);

#endif
