/* SPDX-License-Identifier: Apache-2.0 */
#include "failing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);

size_t n_allocations, failing;
bool failing_for_good;
const bool *failing_while;

bool failing_happened(void)
{
    return failing > 0 && n_allocations >= failing;
}

static bool fails(void)
{
    if (failing_while != NULL && !*failing_while)
        return false;
    n_allocations++;
    return failing_for_good ? failing_happened() : n_allocations == failing;
}

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
    return fails() ? NULL : __real_reallocarray(p, n, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t n)
{
    return fails() ? NULL : __real_strndup(text, n);
}

void failing_tell(failing_story *story)
{
    failing = 0;
    assert_true(story());
    size_t n = n_allocations;

    assert_in_range(n, 1, FAILING_MAX);
    for (size_t k = 1; k <= n; k++) {
        failing = k;
        story();
    }
    failing = 0;
}

void failing_tell_both(failing_story *story)
{
    for (int i = 0; i < 2; i++) {
        failing_for_good = i == 1;
        failing_tell(story);
    }
    failing_for_good = false;
}

void failing_tell_all(failing_story *const stories[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        failing_tell(stories[i]);
}
