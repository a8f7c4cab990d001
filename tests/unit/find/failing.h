/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FIND_FAILING_H
#define TESTS_FIND_FAILING_H

#include <stdbool.h>
#include <stddef.h>

/* Lack of memory: the linker (--wrap) routes all allocations of the program through failing.c,
 * which counts them and lets one of them fail. */

/* n_allocations: so many since a story set it to 0. failing: which of them fails, counted from 1;
 * 0: none. */
extern size_t n_allocations, failing;

/* Stories set n_allocations to 0 where they begin. Each must end clean whichever allocation fails
 * (the sanitizers' word), and do its work when none does; true then. It allocates no more often
 * than FAILING_MAX. */
#define FAILING_MAX 10000
typedef bool failing_story(void);
void failing_tell_all(failing_story *const stories[], size_t n);

#endif
