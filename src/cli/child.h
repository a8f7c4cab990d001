/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include <sys/types.h>

#include "base/base.h"

/* Programs that a command starts and takes along when it ends. */

/* A variable of a child's environment; value NULL takes it away. */
struct child_variable {
    const char *name, *value;
};

struct child {
    char what[64]; /* for messages */
    pid_t pid;     /* 0: not running */
};

/* child_find: the path of a program, looked for on the PATH and where administrators' programs
 * live; false when there is none. */
bool child_find(const char *program, char *path, size_t size);
/* child_adopt: processes that our children leave behind become ours, so that one can wait for them;
 * false where the system cannot do that. Erlang's VM has such a helper. */
bool child_adopt(void);
/* child_start: argv ends with NULL, variables with a name NULL. The child reads nothing, has a
 * process group of its own (so that Ctrl-C reaches us alone), and gets SIGTERM when we die. */
bool child_start(struct child *c, const char *what, const char *const *argv,
                 const struct child_variable *variables);
/* child_reap: the child of this list that has ended, NULL for none; *status as waitpid says it.
 * Buries adopted ones, too. */
struct child *child_reap(struct child *children, size_t n, int *status);
/* child_stop_all: SIGTERM to all, and SIGKILL to who is still there after patience_ms. Adopted ones
 * are waited for until then. */
void child_stop_all(struct child *children, size_t n, uint64_t patience_ms);

#endif
