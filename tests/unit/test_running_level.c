/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Properties of detectors/lib/running_level. */
#include "lib/robust.h"
#include "lib/running_level.h"
#include "support/noise.h"
#include "support/suite.h"
#include <math.h>
#include <string.h>

enum { LEN = 300 };

/* Median of the last `len` of `n` values, worked out from all of them. */
static double plain_median(const double *values, int n, int len)
{
    double window[TV_LEVEL_RING];
    len = len < n ? len : n;
    memcpy(window, values + n - len, (size_t)len * sizeof *window);
    return tv_median(window, (size_t)len);
}

static int plain_window(int n)
{
    int f = n / 8 < 3 ? 3 : n / 8 > TV_LEVEL_WINDOW ? TV_LEVEL_WINDOW : n / 8;
    return f % 2 ? f : f + 1;
}

START_TEST(the_level_and_its_base_are_medians_of_what_came_last)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct tv_running_level level = {0};
        struct tv_noise noise = {seed};
        double values[LEN], base = INFINITY;
        for (int n = 1; n <= LEN; n++) {
            double value = floor(8 * tv_noise_normal(&noise)) - 0.1 * n; /* some are equal */
            values[n - 1] = value;
            tv_running_level_add(&level, value);
            int f = plain_window(n);
            ck_assert_uint_eq(tv_running_level_window(&level), f);
            ck_assert_double_eq(level.now, plain_median(values, n, f));
            bool is_lower = tv_running_level_accept(&level, n, value);
            if (tv_blocks_points(&level.blocks) >= TV_LEVEL_RING)
                continue;
            double before = base;
            if (n >= 2 * f && level.now <= base)
                base = fmin(base, plain_median(values, n, 2 * f));
            ck_assert(is_lower == (base < before));
            ck_assert(level.has_base == isfinite(base));
            if (level.has_base)
                ck_assert_double_eq(level.base, base);
        }
    }
}
END_TEST

START_TEST(the_base_of_a_long_run_is_not_low_by_chance)
{
    struct tv_running_level level = {0};
    struct tv_noise noise = {7};
    double lowest = INFINITY;
    for (int n = 1; n <= 100000; n++) {
        double value = 3 + tv_noise_normal(&noise);
        tv_running_level_add(&level, value);
        tv_running_level_accept(&level, n, value);
        if (n >= TV_LEVEL_RING)
            lowest = fmin(lowest, level.now);
    }
    ck_assert_double_lt(lowest, 2);
    ck_assert_double_eq_tol(level.base, 3, 0.1);
}
END_TEST

START_TEST(points_that_are_not_accepted_move_the_level_alone)
{
    struct tv_running_level level = {0};
    for (int n = 1; n <= 100; n++) {
        tv_running_level_add(&level, n <= 50 ? 4 : 1);
        if (n <= 50)
            tv_running_level_accept(&level, n, 4);
    }
    ck_assert_double_eq(level.base, 4);
    ck_assert_double_eq(level.now, 1);
    ck_assert_double_eq(tv_running_level_of_last(&level, 5), 1);
}
END_TEST

START_TEST(what_was_forgotten_is_in_no_level)
{
    struct tv_running_level level = {0};
    for (int n = 1; n <= 100; n++) {
        tv_running_level_add(&level, 9);
        tv_running_level_accept(&level, n, 9);
    }
    tv_running_level_forget(&level);
    ck_assert(!level.has_base);
    tv_running_level_add(&level, 2);
    ck_assert_double_eq(level.now, 2);
    ck_assert(!tv_running_level_accept(&level, 101, 2));
}
END_TEST

START_TEST(a_fall_within_the_last_points_is_seen)
{
    struct tv_running_level rising = {0}, falling = {0};
    for (int n = 1; n <= 100; n++) {
        tv_running_level_add(&rising, n);
        tv_running_level_add(&falling, n <= 90 ? n : 180 - n);
    }
    ck_assert(!tv_running_level_falls(&rising, 10));
    ck_assert(tv_running_level_falls(&falling, 10));
    ck_assert(!tv_running_level_falls(&falling, 30));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("running_level");
    TCase *tcase = tcase_create("running_level");
    tcase_add_test(tcase, the_level_and_its_base_are_medians_of_what_came_last);
    tcase_add_test(tcase, the_base_of_a_long_run_is_not_low_by_chance);
    tcase_add_test(tcase, points_that_are_not_accepted_move_the_level_alone);
    tcase_add_test(tcase, what_was_forgotten_is_in_no_level);
    tcase_add_test(tcase, a_fall_within_the_last_points_is_seen);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
