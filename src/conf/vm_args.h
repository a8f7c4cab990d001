/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_VM_ARGS_H
#define CONF_VM_ARGS_H

#include "base/base.h"

/* The words of a vm.args file, as erl reads one (`-args_file`): blanks and line ends between words,
 * '...' and "..." around blanks, a backslash before any character outside of them, # until the end
 * of the line. Before that, ${VAR} and ${VAR:-default} stand for the environment, as release
 * scripts replace them in a vm.args.src. */

/* Longest name of a variable. */
#define VM_VARIABLE_SIZE 64

struct vm_word {
    char *text;
    uint32_t line;
    /* The first variable in it that is not set; "" when all are. */
    char unset[VM_VARIABLE_SIZE];
};

/* A line that begins with %: no comment to erl, which takes its words for values of the flag
 * before; people write it as one. Its text points into the file's. */
struct vm_passed {
    uint32_t line;
    clu_slice text;
};

struct vm_args {
    struct vm_word *words;
    size_t n_words;
    struct vm_passed *passed;
    size_t n_passed;
};

/* vm_args_parse: env answers NULL for a variable that is not set. CLU_ENOMEM. vm_args_fini frees,
 * after a failure too. */
CLU_MUST_USE clu_error vm_args_parse(struct vm_args *v, clu_slice text,
                                     const char *(*env)(void *arg, const char *name), void *arg);
void vm_args_fini(struct vm_args *v);

/* A flag and the words behind it, until the next flag. */
struct vm_flag {
    const struct vm_word *flag; /* begins with - or +; NULL for words before the first flag */
    const struct vm_word *values;
    size_t n_values;
};

/* vm_args_next: walks the flags; start with *at = 0; false at the end. */
bool vm_args_next(const struct vm_args *v, size_t *at, struct vm_flag *flag);

#endif
