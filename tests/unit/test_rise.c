/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Properties of detectors/lib/rise. */
#include "lib/rise.h"
#include "support/noise.h"
#include "support/suite.h"
#include <math.h>

enum { LEN = 400, TURN = 200, SEEDS = 30 };

static const struct tv_rise_limits limits = {
    .fast_undone = 0.5,
    .far_undone = 20,
    .early_undone = 1,
    .slow_undone = 0.1,
    .restart_undone = 0.5,
    .rise = 1.1,
    .score = 6,
    .fast_points = 3,
    .fast_steps = 5,
};

struct course {
    double (*rise)(int after); /* what comes on top from TURN on, of a progress of 2 */
    double noise, scale, shift;
    uint64_t seed;
    bool jumped, restarted;
};

static double nothing(int after)
{
    (void)after;
    return 0;
}

static double step_up(int after)
{
    (void)after;
    return 1.6;
}

static double far_up(int after)
{
    (void)after;
    return 60;
}

static double spike(int after)
{
    return 5 * exp(-after / 1.0);
}

static double creep(int after)
{
    return 0.005 * fmin(after, 100);
}

/* How many points after the turn the rule holds first, 0: never. From 3 down to 1 before. */
static int found(const struct course *course, bool is_slow)
{
    struct tv_rise rise = {0};
    struct tv_noise noise = {course->seed};
    for (int n = 1; n <= LEN; n++) {
        double value = 1 + 2 * exp(-n / 20.0) + course->noise * tv_noise_normal(&noise);
        if (n > TURN)
            value += course->rise(n - TURN - 1);
        value = course->scale * value + course->shift;
        bool fast = tv_rise_is_fast(&rise, &limits, 2 * n, value, n > TURN && course->jumped);
        tv_running_level_add(&rise.level, value);
        if (!rise.above && !rise.held)
            tv_running_level_accept(&rise.level, 2 * n, value);
        if (!rise.above) {
            tv_descent_add(&rise.descent, 2 * n, value);
            tv_innovation_accept(&rise.loss, value);
        }
        bool slow = tv_rise_is_slow(&rise, &limits, 2 * n, course->restarted);
        if (is_slow ? slow : fast)
            return n <= TURN ? -1 : n - TURN;
    }
    return 0;
}

static struct course course_of(double (*rise)(int after), uint64_t seed)
{
    return (struct course){.rise = rise, .noise = 0.03, .scale = 1, .seed = seed};
}

START_TEST(a_descent_never_rises_whatever_its_noise)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (double noise = 0.001; noise < 0.3; noise *= 4) {
            struct course course = course_of(nothing, seed);
            course.noise = noise;
            ck_assert_int_eq(found(&course, false), 0);
            ck_assert_int_eq(found(&course, true), 0);
        }
}
END_TEST

START_TEST(a_step_up_takes_three_points_and_fewer_behind_a_jump_of_the_rate)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct course course = course_of(step_up, seed);
        ck_assert_int_eq(found(&course, false), 4); /* three span four steps only */
        course.jumped = true;
        ck_assert_int_eq(found(&course, false), 2);
        course.rise = far_up;
        ck_assert_int_eq(found(&course, false), 1);
        course.jumped = false;
        ck_assert_int_eq(found(&course, false), 2);
    }
}
END_TEST

START_TEST(neither_unit_nor_sign_matter)
{
    for (double scale = 1e-6; scale < 1e7; scale *= 100)
        for (double shift = -10; shift <= 0; shift += 10) {
            struct course course = course_of(step_up, 1);
            course.scale = scale;
            course.shift = scale * shift;
            ck_assert_int_eq(found(&course, false), 4);
            course.rise = creep;
            ck_assert_int_gt(found(&course, true), 0);
        }
}
END_TEST

START_TEST(what_comes_back_at_once_is_no_rise)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct course course = course_of(spike, seed);
        ck_assert_int_eq(found(&course, false), 0);
        ck_assert_int_eq(found(&course, true), 0);
    }
}
END_TEST

START_TEST(a_creeping_level_is_found_by_the_slow_rule_alone)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct course course = course_of(creep, seed);
        ck_assert_int_eq(found(&course, false), 0);
        int after = found(&course, true);
        ck_assert_int_gt(after, 20);
        ck_assert_int_lt(after, 100);
        course.restarted = true;
        ck_assert_int_eq(found(&course, true), 0);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("rise");
    TCase *tcase = tcase_create("rise");
    tcase_add_test(tcase, a_descent_never_rises_whatever_its_noise);
    tcase_add_test(tcase, a_step_up_takes_three_points_and_fewer_behind_a_jump_of_the_rate);
    tcase_add_test(tcase, neither_unit_nor_sign_matter);
    tcase_add_test(tcase, what_comes_back_at_once_is_no_rise);
    tcase_add_test(tcase, a_creeping_level_is_found_by_the_slow_rule_alone);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
