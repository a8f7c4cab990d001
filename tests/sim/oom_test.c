/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sim.h"
#include "unit/failing.h"

/* Two machines that discover each other, link, ping, show themselves and drain; each allocation of
 * theirs fails once: nothing breaks or leaks (the sanitizers' word), time does not stand still, and
 * they are linked in the end. */

/* The linker's --wrap sends all calls of a machine here: the allocations of the simulation itself
 * neither count nor fail. */
static bool inside;

#define GOES_IN(name, parameters, ...)                                                             \
    void __real_##name parameters;                                                                 \
    void __wrap_##name parameters;                                                                 \
    void __wrap_##name parameters                                                                  \
    {                                                                                              \
        bool before = inside;                                                                      \
        inside = true;                                                                             \
        __real_##name(__VA_ARGS__);                                                                \
        inside = before;                                                                           \
    }
#define COMES_OUT(type, name, parameters, ...)                                                     \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        bool before = inside;                                                                      \
        inside = true;                                                                             \
        type result = __real_##name(__VA_ARGS__);                                                  \
        inside = before;                                                                           \
        return result;                                                                             \
    }

GOES_IN(machine_opened,
        (struct machine * m, slot_id conn, const struct addr *local, uint64_t now_ms), m, conn,
        local, now_ms)
GOES_IN(machine_refused,
        (struct machine * m, slot_id conn, enum dial_error error, const char *text,
         uint64_t now_ms),
        m, conn, error, text, now_ms)
GOES_IN(machine_got, (struct machine * m, slot_id conn, size_t n, uint64_t now_ms), m, conn, n,
        now_ms)
GOES_IN(machine_closed, (struct machine * m, slot_id conn, const char *text, uint64_t now_ms), m,
        conn, text, now_ms)
GOES_IN(machine_sent, (struct machine * m, slot_id conn, size_t n, uint64_t now_ms), m, conn, n,
        now_ms)
GOES_IN(machine_resolved,
        (struct machine * m, slot_id query, enum dns_status status, clu_slice msg, uint64_t now_ms),
        m, query, status, msg, now_ms)
GOES_IN(machine_tick, (struct machine * m, uint64_t now_ms), m, now_ms)
GOES_IN(machine_drain, (struct machine * m, uint64_t now_ms), m, now_ms)
COMES_OUT(slot_id, machine_accepted,
          (struct machine * m, enum listener which, const struct addr *peer,
           const struct addr *local, uint64_t now_ms),
          m, which, peer, local, now_ms)
COMES_OUT(size_t, machine_space,
          (struct machine * m, slot_id conn, struct iovec iov[MACHINE_PLACES]), m, conn, iov)
COMES_OUT(bool, machine_next, (struct machine * m, struct update *u), m, u)
COMES_OUT(uint32_t, machine_ping, (struct machine * m, const char *node, uint64_t now_ms), m, node,
          now_ms)
COMES_OUT(const struct snapshot *, machine_snapshot, (struct machine * m, uint64_t now_ms), m,
          now_ms)

/* Longer than any wait between two dials. */
#define HEALS_MS 300000

static bool story(void)
{
    struct sim *s = sim_new(7, 5);

    n_allocations = 0;
    sim_quiet(s);
    sim_start(s, 1);
    sim_start(s, 2);
    sim_run(s, 3000);
    machine_ping(sim_machine(s, 1), "erlclu@10.0.0.2", sim_now(s));
    machine_ping(sim_machine(s, 2), "erlclu@10.0.0.9", sim_now(s));
    sim_run(s, 6000);
    (void)machine_snapshot(sim_machine(s, 1), sim_now(s));
    sim_break(s, 1, 2);
    if (sim_run_until_whole(s, sim_now(s) + HEALS_MS) == 0)
        fail_msg("allocation %zu: not linked any more", failing);
    if (machine_snapshot(sim_machine(s, 1), sim_now(s)) == NULL)
        assert_non_null(machine_snapshot(sim_machine(s, 1), sim_now(s)));
    machine_drain(sim_machine(s, 1), sim_now(s));
    sim_run(s, sim_now(s) + 100);
    sim_kill(s, 1, true);
    sim_run(s, sim_now(s) + 1000);
    sim_free(s);
    return true;
}

/* A machine that is made, has started and ends. False: it could not be made. */
static bool is_made(void)
{
    static struct settings settings = {.name = "a@10.0.0.1",
                                       .epmd = EPMD_NONE,
                                       .dist_port = SIM_DIST_PORT,
                                       .ticktime_ms = 60000,
                                       .tick_intensity = 4,
                                       .setup_ms = 7000,
                                       .global = true,
                                       .n_specs = 2,
                                       .specs = {"dns:mesh.test", "static:b@10.0.0.2"},
                                       .cookie = {.len = 1, .bytes = "c"}};
    static struct resolv_conf resolv;
    static struct hosts_file hosts;
    struct machine_options o = {
        .settings = &settings, .resolv = &resolv, .hosts = &hosts, .now_ms = 1, .wall_ms = 1};
    char why[REASON_SIZE];
    struct machine *m;
    struct update u;

    n_allocations = 0;
    inside = true;
    clu_error err = machine_new(&m, &o, why);

    if (err == CLU_OK) {
        machine_start(m, 1);
        while (machine_next(m, &u))
            continue;
        machine_free(m);
    } else {
        assert_int_equal(err, CLU_ENOMEM);
        assert_null(m);
    }
    inside = false;
    return err == CLU_OK;
}

static void every_allocation_may_fail(void **state)
{
    static failing_story *const stories[] = {is_made, story};

    (void)state;
    failing_tell_all(stories, COUNT(stories));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};

    failing_while = &inside;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
