/* SPDX-License-Identifier: Apache-2.0 */
#include "story.h"

/* Links whose signals cross: the races that erl_dist_protocol ("Link Protocol") is about. */

/* Turns both, and carries all that one of them has in flight. */
static void carry(struct story *s, size_t from, size_t to)
{
    world_turn(&s->w, from);
    while (world_carry(&s->w, from, to))
        continue;
    world_turn(&s->w, to);
}

/* ---- races: signals that cross ---- */

/* What an exit signal that was on its way says is of a link that is no more. */
static void an_exit_that_crosses_an_unlink(void **state)
{
    struct story *s = *state;

    link_to(&s->ann, &s->bob);
    world_run(&s->w);
    clu_exit(s->bob.p, "x");
    world_turn(&s->w, 1);
    unlink_from(&s->ann, &s->bob);
    carry(s, 1, 0);
    world_run(&s->w);
    expect(s, &s->ann, "");
}

/* So it is when they are linked again meanwhile: that link finds nobody. */
static void an_old_exit_is_not_the_new_links(void **state)
{
    struct story *s = *state;

    link_to(&s->ann, &s->bob);
    world_run(&s->w);
    clu_exit(s->bob.p, "old");
    world_turn(&s->w, 1);
    unlink_from(&s->ann, &s->bob);
    link_to(&s->ann, &s->bob);
    carry(s, 1, 0);
    expect(s, &s->ann, "");
    world_run(&s->w);
    expect(s, &s->ann, "exit bob noproc\n");
}

static void linked_again_is_linked(void **state)
{
    struct story *s = *state;

    link_to(&s->ann, &s->bob);
    world_run(&s->w);
    for (int i = 0; i < 3; i++) {
        unlink_from(&s->ann, &s->bob);
        link_to(&s->ann, &s->bob);
    }
    world_turn(&s->w, 0);
    world_carry(&s->w, 0, 1); /* the first unlink alone */
    carry(s, 1, 0);           /* and its acknowledgement: two are still to come */
    world_run(&s->w);
    assert_int_equal(s->w.nodes[0].bonds.n, 1);
    assert_int_equal(s->w.nodes[1].bonds.n, 1);
    clu_exit(s->bob.p, "x");
    world_run(&s->w);
    expect(s, &s->ann, "exit bob x\n");
}

/* The other end hears of the end of who had linked again and was not acknowledged yet. */
static void linked_again_and_ended(void **state)
{
    struct story *s = *state;

    link_to(&s->ann, &s->bob);
    world_run(&s->w);
    unlink_from(&s->ann, &s->bob);
    link_to(&s->ann, &s->bob);
    clu_exit(s->ann.p, "x");
    world_run(&s->w);
    expect(s, &s->bob, "exit ann x\n");
}

static void linked_again_and_cut(void **state)
{
    struct story *s = *state;

    link_to(&s->ann, &s->bob);
    world_run(&s->w);
    unlink_from(&s->ann, &s->bob);
    link_to(&s->ann, &s->bob);
    world_cut(&s->w, 0, 1);
    world_run(&s->w);
    expect(s, &s->ann, "exit bob noconnection\n");
    expect(s, &s->bob, "exit ann noconnection\n");
}

/* Both are linked or none: who dies is heard of, or nobody has the link in his books. */
static void expect_agreement(struct story *s)
{
    size_t ours = s->w.nodes[0].bonds.n, theirs = s->w.nodes[1].bonds.n;

    assert_int_equal(ours, theirs);
    clu_exit(s->bob.p, "x");
    world_run(&s->w);
    expect(s, &s->ann, ours == 1 ? "exit bob x\n" : "");
    end(s);
}

/* One letter a step: l, u: ann links, unlinks; L, U: bob does; <, >: what bob, ann has in flight
 * arrives. */
static void play(struct story *s, const char *steps)
{
    begin(s);
    for (const char *at = steps; *at != '\0'; at++)
        switch (*at) {
        case 'l': link_to(&s->ann, &s->bob); break;
        case 'u': unlink_from(&s->ann, &s->bob); break;
        case 'L': link_to(&s->bob, &s->ann); break;
        case 'U': unlink_from(&s->bob, &s->ann); break;
        case '>': carry(s, 0, 1); break;
        default: carry(s, 1, 0); break;
        }
    world_turn(&s->w, 0);
    world_turn(&s->w, 1);
    world_run(&s->w);
}

static void crossings_end_in_agreement(void **state)
{
    static const struct {
        const char *steps;
        size_t links;
    } rows[] = {
        {"lL", 1},      {"luL", 0},     {"l>uU", 0},    {"l>uUl", 0},    {"l>uUL", 0},
        {"l>uUlL", 1},  {"l>ul>U<", 0}, {"l>uL>U<", 0}, {"l>uUl>L<", 1}, {"l>uU><lL", 1},
        {"l>UL<u>", 0}, {"l>ulU", 0},   {"lL><u<U", 0}, {"l>ululUL", 1}, {"l>UuLl<u>l", 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct story s;

        play(&s, rows[i].steps);
        if (s.w.nodes[0].bonds.n != rows[i].links || s.w.nodes[1].bonds.n != rows[i].links)
            fail_msg("%s: %zu links of ann, %zu of bob", rows[i].steps, s.w.nodes[0].bonds.n,
                     s.w.nodes[1].bonds.n);
        expect_agreement(&s);
    }
}

/* All sequences of so many steps. */
static void all_crossings_end_in_agreement(void **state)
{
    static const char letters[] = "luLU<>";
    enum { LEN = 6, ALL = 46656 };
    char steps[LEN + 1] = "";

    (void)state;
    for (size_t i = 0; i < ALL; i += 7) { /* a prime: every seventh of them, all beginnings */
        struct story s;

        for (size_t k = 0, rest = i; k < LEN; k++, rest /= 6)
            steps[k] = letters[rest % 6];
        play(&s, steps);
        if (s.w.nodes[0].bonds.n != s.w.nodes[1].bonds.n)
            fail_msg("%s: %zu links of ann, %zu of bob", steps, s.w.nodes[0].bonds.n,
                     s.w.nodes[1].bonds.n);
        expect_agreement(&s);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORY(an_exit_that_crosses_an_unlink),
        STORY(an_old_exit_is_not_the_new_links),
        STORY(linked_again_is_linked),
        STORY(linked_again_and_ended),
        STORY(linked_again_and_cut),
        cmocka_unit_test(crossings_end_in_agreement),
        cmocka_unit_test(all_crossings_end_in_agreement),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
