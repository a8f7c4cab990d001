/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_FAILING_H
#define TESTS_UNIT_FAILING_H

#include <stdbool.h>
#include <stddef.h>

/* Lack of memory: the linker (--wrap: failing_dep of Meson) routes all allocations of the program
 * through failing.c, which counts them and lets one of them fail. */

/* n_allocations: so many since a story set it to 0. failing: which of them fails, counted from 1;
 * 0: none. failing_for_good: with all that come behind it. failing_while: only those count that are
 * made while this is true; NULL: all. */
extern size_t n_allocations, failing;
extern bool failing_for_good;
extern const bool *failing_while;

/* failing_happened: since n_allocations was set to 0, one has failed. */
bool failing_happened(void);

/* Stories set n_allocations to 0 where they begin. Each must end clean whichever allocation fails
 * (the sanitizers' word), and do its work when none does; true then. It allocates no more often
 * than FAILING_MAX. */
#define FAILING_MAX 20000
typedef bool failing_story(void);
void failing_tell(failing_story *story);
void failing_tell_all(failing_story *const stories[], size_t n);
/* failing_tell_both: each allocation fails alone, then with all behind it. */
void failing_tell_both(failing_story *story);

#endif
