/* SPDX-License-Identifier: Apache-2.0 */
#include "pg_lab.h"

/* The linker's --wrap sends the library's allocations here: the one of this number fails, alone or
 * with all that come after it. */
static size_t allocations, failing = SIZE_MAX;
static bool fails_once;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);

static bool fails(void)
{
    if (!lab_running)
        return false;
    size_t number = allocations++;

    return fails_once ? number == failing : number >= failing;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return fails() ? NULL : __real_realloc(p, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t len)
{
    return fails() ? NULL : __real_strndup(text, len);
}

/* ---- the story ---- */

static clu_process *spawn(struct lab *lab)
{
    lab_running = true;
    clu_process *p = clu_spawn(&lab->node, &(clu_spawn_options){0});

    lab_running = false;
    return p;
}

/* Without memory a process ends. */
static clu_process *alive(struct lab *lab, const clu_pid *pid)
{
    return pid->node.len == 0 ? NULL : clu_find(&lab->node, pid);
}

static clu_error start(struct lab *lab)
{
    lab_running = true;
    clu_error err = clu_pg_start(&lab->node, "pubs");

    lab_running = false;
    return err;
}

static void watch(clu_process *p, const char *group)
{
    clu_writer w;
    clu_slice name = lab_name(&w, group);

    if (p != NULL) {
        lab_running = true;
        clu_pg_monitor(p, "pubs", NULL);
        clu_pg_monitor(p, "pubs", &name);
        lab_running = false;
    }
    clu_writer_free(&w);
}

static void join_or_leave(struct lab *lab, const clu_pid *pid, const char *group,
                          clu_error (*act)(clu_process *p, const char *group))
{
    clu_process *p = alive(lab, pid);

    if (p != NULL)
        (void)act(p, group);
}

/* A link whose peer could not be answered is closed by mesh. */
static void hear(struct lab *lab, const char *message)
{
    if (lab->p.link.remote != NULL && lab_hear(lab, &lab->p, message) != CLU_OK)
        lab_link_down(lab, &lab->p);
}

static void take_all_signals(struct lab *lab, const clu_pid *pid)
{
    clu_process *p = alive(lab, pid);
    clu_signal s;

    while (p != NULL && clu_take(p, &s))
        continue;
}

#define SYNC(groups) "{'$gen_cast',{sync,'<p@h.7.0>'," groups "}}"

static void live(struct lab *lab, const clu_pid *a, const clu_pid *b)
{
    watch(alive(lab, b), "#{1 => x,y => [2,3]}");
    join_or_leave(lab, a, "#{1 => x,y => [2,3]}", lab_join);
    if (lab_link_up(lab, &lab->p, LAB_FLAGS) != CLU_OK)
        lab_link_down(lab, &lab->p);
    hear(lab, "{discover,'<p@h.7.0>'}");
    hear(lab, SYNC("[{room,['<p@h.20.0>','<p@h.21.0>']},{hall,['<p@h.20.0>']}]"));
    join_or_leave(lab, b, "room", lab_join);
    hear(lab, "{join,'<p@h.7.0>',#{y => [2,3],1 => x},['<p@h.20.0>','<p@h.22.0>']}");
    hear(lab, "{leave,'<p@h.7.0>','<p@h.20.0>',[room,hall]}");
    hear(lab, "{update,'<p@h.7.0>',[{yard,['<p@h.20.0>'],[]},{room,[],['<p@h.21.0>']}]}");
    join_or_leave(lab, b, "room", lab_leave);
    join_or_leave(lab, b, "yard", lab_join);
    hear(lab, SYNC("[{room,['<p@h.22.0>','<p@h.21.0>']},{stairs,['<p@h.20.0>']}]"));
    take_all_signals(lab, b);
    if (alive(lab, a) != NULL)
        clu_exit(alive(lab, a), "normal");
    lab_turn(lab);
    lab_pass(lab, 1000);
}

/* When there is memory again, the scope has what its peer tells it. */
static void recover(struct lab *lab)
{
    failing = SIZE_MAX;
    if (clu_whereis(&lab->node, "pubs") == NULL)
        assert_int_equal(start(lab), CLU_OK);
    if (lab->p.link.remote == NULL)
        assert_int_equal(lab_link_up(lab, &lab->p, LAB_FLAGS), CLU_OK);
    for (int i = 0; i < 31; i++)
        lab_pass(lab, 1000);
    hear(lab, "{discover,'<p@h.7.0>'}");
    hear(lab, SYNC("[{room,['<p@h.22.0>','<p@h.21.0>']},{stairs,['<p@h.20.0>']}]"));
    assert_string_equal(lab_members(lab, "room"), "<p@h.22.0> <p@h.21.0> ");
    assert_string_equal(lab_members(lab, "stairs"), "<p@h.20.0> ");
    assert_string_equal(lab_members(lab, "hall"), "");
    clu_process *c = spawn(lab);

    assert_int_equal(lab_join(c, "room"), CLU_OK);
    lab_call(lab, c, "C");
    assert_non_null(strstr(lab_seen(lab, &lab->p), ",room,C}\n"));
}

static void tell(size_t number)
{
    struct lab lab;

    allocations = 0;
    failing = number;
    if (lab_init(&lab) == CLU_OK) {
        clu_error err = start(&lab);
        clu_process *a = spawn(&lab), *b = spawn(&lab);
        clu_pid a_pid = a == NULL ? (clu_pid){0} : clu_self(a);
        clu_pid b_pid = b == NULL ? (clu_pid){0} : clu_self(b);

        assert_true(err == CLU_OK || err == CLU_ENOMEM);
        live(&lab, &a_pid, &b_pid);
        recover(&lab);
    }
    failing = SIZE_MAX;
    lab_fini(&lab);
}

static void every_allocation_fails(bool once)
{
    fails_once = once;
    tell(SIZE_MAX);
    size_t all = allocations;

    assert_true(all > 50);
    for (size_t number = 0; number < all; number++)
        tell(number);
}

static void one_allocation_fails(void **state)
{
    (void)state;
    every_allocation_fails(true);
}

static void all_allocations_fail_from_one_on(void **state)
{
    (void)state;
    every_allocation_fails(false);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_allocation_fails),
        cmocka_unit_test(all_allocations_fail_from_one_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
