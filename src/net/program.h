/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_PROGRAM_H
#define NET_PROGRAM_H

#include <jansson.h>

#include "base/buf.h"
#include "conf/conf.h"
#include "model/exit.h"

/* What every command does at its edges: reading its settings, printing, complaining. */

/* program_load: the settings of a command from its words, the environment and files. false when
 * there is nothing left to do (--help, or a mistake, which was told): end with *status. The conf
 * ends with conf_fini in either case. */
bool program_load(struct conf *c, enum conf_command command, int argc, char **argv, int *status);
/* program_complain: one sentence to standard error, behind the name of who says it. program_fail:
 * erlclu does; returns the status. */
void program_complain(const char *who, const char *sentence);
int program_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* program_cannot_start: the same for what errno says: out of files or memory. */
int program_cannot_start(void);
/* program_print: to standard output; returns EXIT_DONE, or EXIT_LOCAL after words why not. Takes
 * the memory of text. */
int program_print(struct buf *text);
/* program_print_json: the same of a document, indented; takes the reference. */
int program_print_json(json_t *document);

/* program_progress: what is being waited for, on standard error while that is a terminal; NULL
 * takes it away. errno stays. */
void program_progress(const char *text);

#endif
