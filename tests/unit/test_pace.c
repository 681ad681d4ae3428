/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Properties of detectors/lib/pace. */
#include "lib/pace.h"
#include "support/noise.h"
#include "support/suite.h"
#include <math.h>

enum { EVERY = 10, STEADY = 200, SEEDS = 20 };

static const struct tv_pace_limits limits = {
    .slow_factor = 2, .slow_seconds = 1.5, .slow_intervals = 6};

/* The next interval, at so many seconds a step. */
static enum tv_pace_change add(struct tv_pace *pace, int64_t *step, double seconds)
{
    *step += EVERY;
    return tv_pace_add(pace, &limits, *step - EVERY, *step, EVERY * seconds);
}

static struct tv_pace steady(int64_t *step, double seconds, double noise, uint64_t seed)
{
    struct tv_pace pace = {0};
    struct tv_noise random = {seed};
    *step = 0;
    for (int i = 0; i < STEADY; i++) {
        double factor = exp(noise * (2 * tv_noise_uniform(&random) - 1));
        ck_assert_int_eq(add(&pace, step, seconds * factor), TV_PACE_AS_BEFORE);
    }
    return pace;
}

/* Intervals at `factor` times the usual until it is a slow-down, 0: none of 40 is. */
static int until_slow(double seconds, double factor, uint64_t seed)
{
    int64_t step;
    struct tv_pace pace = steady(&step, seconds, 0.2, seed);
    int64_t turn = step;
    for (int i = 1; i <= 40; i++) {
        if (add(&pace, &step, factor * seconds) != TV_PACE_SLOWED)
            continue;
        ck_assert_int_eq(pace.since, turn);
        ck_assert_double_eq_tol(pace.usual, seconds, 0.1 * seconds);
        ck_assert_double_eq_tol(pace.now, factor * seconds, 1e-9 * seconds);
        ck_assert_double_eq_tol(pace.lost, EVERY * i * (factor * seconds - pace.usual), 1e-6);
        return i;
    }
    return 0;
}

START_TEST(a_slow_down_takes_six_intervals_a_large_one_three)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (double seconds = 1; seconds < 1e4; seconds *= 30) {
            ck_assert_int_eq(until_slow(seconds, 2.5, seed), 6);
            ck_assert_int_eq(until_slow(seconds, 5, seed), 3);
            ck_assert_int_eq(until_slow(seconds, 1.7, seed), 0);
        }
}
END_TEST

START_TEST(intervals_of_a_second_are_too_short_to_tell)
{
    ck_assert_int_eq(until_slow(0.01, 5, 1), 0);
}
END_TEST

START_TEST(two_in_a_row_are_no_slow_down)
{
    int64_t step;
    struct tv_pace pace = steady(&step, 1, 0.2, 1);
    for (int i = 0; i < 300; i++)
        ck_assert_int_eq(add(&pace, &step, i % 3 ? 9 : 1), TV_PACE_AS_BEFORE);
}
END_TEST

START_TEST(it_ends_when_the_usual_pace_is_back_and_is_no_part_of_it)
{
    int64_t step;
    struct tv_pace pace = steady(&step, 1, 0.2, 2);
    int slowed = 0, ended = 0;
    for (int i = 0; i < 500; i++)
        slowed += add(&pace, &step, 6) == TV_PACE_SLOWED;
    ck_assert_int_eq(slowed, 1);
    ck_assert_double_eq_tol(pace.usual, 1, 0.1);
    ck_assert_double_eq_tol(pace.lost, 500 * EVERY * 5, 500 * EVERY);
    for (int i = 0; i < 10; i++)
        ended += add(&pace, &step, 1) == TV_PACE_RECOVERED;
    ck_assert_int_eq(ended, 1);
    ck_assert(!pace.is_slow);
}
END_TEST

START_TEST(what_was_forgotten_is_not_compared_with)
{
    int64_t step;
    struct tv_pace pace = steady(&step, 1, 0.2, 3);
    tv_pace_forget(&pace);
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(add(&pace, &step, 9), TV_PACE_AS_BEFORE);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("pace");
    TCase *tcase = tcase_create("pace");
    tcase_add_test(tcase, a_slow_down_takes_six_intervals_a_large_one_three);
    tcase_add_test(tcase, intervals_of_a_second_are_too_short_to_tell);
    tcase_add_test(tcase, two_in_a_row_are_no_slow_down);
    tcase_add_test(tcase, it_ends_when_the_usual_pace_is_back_and_is_no_part_of_it);
    tcase_add_test(tcase, what_was_forgotten_is_not_compared_with);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
