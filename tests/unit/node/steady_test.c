/* SPDX-License-Identifier: Apache-2.0 */
#include "../failing.h"
#include "story.h"

/* On the steady path a message costs no memory: neither who sends nor who reads it allocates. */

#define ROUNDS   1000
#define WARM_UP  100
#define PER_TURN 10 /* messages in one step */

static void count_only(clu_process *self, const clu_signal *s, void *arg)
{
    size_t *n = arg;

    (void)self;
    *n += s->kind == CLU_SIGNAL_MESSAGE;
}

/* Carries bytes from one channel to the other without a buffer between: what is counted is the
 * library's alone. */
static void carry(struct world *w, size_t a, size_t b)
{
    struct channel *from = &w->ends[a][b].channel, *to = &w->ends[b][a].channel;
    struct iovec iov[64];
    struct frame f;
    const char *what = "";

    for (size_t n; (n = channel_pending(from, true, iov, COUNT(iov))) > 0;)
        for (size_t i = 0; i < n; i++) {
            struct control c;

            channel_feed(to, iov[i].iov_base, iov[i].iov_len, w->now);
            while (channel_next(to, &f)) {
                ok(control_parse(&c, f.control, f.payload, f.refs, &what));
                ok(node_receive(&w->nodes[b], &w->ends[b][a].link, &c, &what));
            }
            ok(to->err);
            channel_sent(from, iov[i].iov_len, w->now);
        }
}

static void put_message(clu_writer *w, int i)
{
    clu_put_tuple(w, 3);
    clu_put_atom_text(w, "tick");
    clu_put_int(w, i);
    clu_put_binary(w, "sixteen bytes, k", 16);
}

/* One row a way to address who is to hear. */
static clu_to address(size_t way, clu_process *p, const clu_ref *alias)
{
    return way == 0   ? clu_to_pid(clu_self(p))
           : way == 1 ? clu_to_name("hearer", "b@h")
                      : clu_to_alias(*alias);
}

static void messages_allocate_nothing(void **state)
{
    static struct world w;
    size_t heard = 0;

    (void)state;
    assert_true(world_init(&w, 2));
    assert_true(world_join(&w, 0, 1));
    clu_process *ann = clu_spawn(&w.nodes[0], &(clu_spawn_options){.receive = count_only});
    clu_process *bob = clu_spawn(
        &w.nodes[1], &(clu_spawn_options){.receive = count_only, .arg = &heard, .name = "hearer"});
    clu_ref alias = clu_alias(bob);

    for (size_t way = 0; way < 3; way++) {
        clu_to to = address(way, bob, &alias);

        heard = 0;
        for (int round = 0; round < WARM_UP + ROUNDS; round++) {
            if (round == WARM_UP)
                n_allocations = 0;
            for (int i = 0; i < PER_TURN; i++) {
                put_message(clu_send_begin(ann, &to), i);
                ok(clu_send_end(ann));
            }
            node_turn(&w.nodes[0], w.now);
            carry(&w, 0, 1);
            node_turn(&w.nodes[1], w.now);
        }
        assert_int_equal(n_allocations, 0);
        assert_int_equal(heard, PER_TURN * (WARM_UP + ROUNDS));
    }
    /* the counter counts: one that has to wait is a block */
    clu_to near = clu_to_pid(clu_self(ann));

    n_allocations = 0;
    put_message(clu_send_begin(ann, &near), 1);
    ok(clu_send_end(ann));
    assert_in_range(n_allocations, 1, 2);
    world_fini(&w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(messages_allocate_nothing)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
