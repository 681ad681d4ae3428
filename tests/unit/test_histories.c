/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What detectors remember of a series: lib/thin, change, swings, unrest, evals, plan. */
#include "lib/change.h"
#include "lib/evals.h"
#include "lib/plan.h"
#include "lib/swings.h"
#include "lib/thin.h"
#include "lib/unrest.h"
#include "support/noise.h"
#include "support/suite.h"
#include <math.h>

START_TEST(thin_keeps_the_mean_of_any_number_of_points)
{
    for (int64_t n = 1; n <= 5000; n = n * 3 / 2 + 1) {
        struct tv_thin thin = {0};
        double sum = 0, kept = 0;
        for (int64_t i = 0; i < n; i++) {
            tv_thin_add(&thin, i, (double)i);
            sum += (double)i;
        }
        for (uint32_t i = 0; i < thin.len; i++)
            kept += thin.value[i] * (double)thin.each;
        kept += thin.open_sum * (double)thin.each;
        ck_assert_double_eq_tol(kept, sum, 1e-9 * sum + 1e-9);
        ck_assert_int_le(thin.len, TV_THIN);
        ck_assert(n < TV_THIN || thin.len >= TV_THIN / 2);
    }
}
END_TEST

START_TEST(thin_steps_rise_and_end_near_the_last)
{
    struct tv_thin thin = {0};
    for (int64_t i = 1; i <= 100000; i++) {
        tv_thin_add(&thin, 10 * i, 1);
        ck_assert_int_le(thin.step[thin.len - (thin.len > 0)], 10 * i);
        if (thin.len)
            ck_assert_int_lt(10 * i - thin.step[thin.len - 1], 10 * 2 * (int64_t)thin.each);
    }
    for (uint32_t i = 1; i < thin.len; i++)
        ck_assert_int_gt(thin.step[i], thin.step[i - 1]);
    ck_assert_double_eq(tv_thin_median(&thin, 0, 1e9), 1);
    ck_assert(isnan(tv_thin_median(&thin, 2e9, 3e9)));
}
END_TEST

START_TEST(swings_below_the_threshold_do_not_count)
{
    struct tv_noise noise = {5};
    struct tv_swings swings = {0};
    for (int64_t i = 0; i < 10000; i++)
        tv_swings_add(&swings, i, 5 - 1e-3 * (double)i + tv_noise_uniform(&noise), 1.01);
    ck_assert_uint_eq(swings.count, 0);
}
END_TEST

START_TEST(swings_above_the_threshold_are_counted_once)
{
    struct tv_swings swings = {0};
    for (int64_t i = 0; i <= 1000; i++) /* ten periods, starting from a high */
        tv_swings_add(&swings, i, cos(0.06283185307179586 * (double)i), 1.5);
    ck_assert_uint_ge(swings.count, 18);
    ck_assert_uint_le(swings.count, 20);
    ck_assert_double_eq_tol(swings.widest_rise, 2, 1e-3);
    ck_assert_double_eq_tol(swings.first_low, -1, 1e-3);
    ck_assert_int_ge(swings.first_rise, 50);
    ck_assert_int_le(swings.first_rise, 90);
}
END_TEST

START_TEST(evaluations_know_their_best_and_what_followed)
{
    static const double losses[] = {3, 2, 1, 1.5, 1.2, 1.4, 1.3};
    struct tv_evals evals = {0};
    for (int64_t i = 0; i < 7; i++)
        ck_assert(tv_evals_add(&evals, 10 * (i + 1), losses[i]));
    ck_assert(!tv_evals_add(&evals, 70, 0.1)); /* seen before the run was resumed */
    ck_assert_double_eq(evals.best, 1);
    ck_assert_int_eq(evals.best_step, 30);
    ck_assert_uint_eq(evals.since_best, 4);
    ck_assert_int_eq(evals.after_best[1], 50);
    ck_assert_double_eq_tol(tv_evals_rise(&evals, 2), 0.3, 1e-12);
    ck_assert_double_eq_tol(tv_evals_rise(&evals, 3), 0.2, 1e-12);
    ck_assert_double_eq_tol(tv_evals_interval(&evals), 10, 1e-12);
}
END_TEST

START_TEST(evaluation_noise_is_the_deviation_and_not_the_trend)
{
    double sum = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        struct tv_noise noise = {seed};
        struct tv_evals evals = {0};
        for (int64_t i = 0; i < TV_EVALS_RECENT; i++)
            tv_evals_add(&evals, i, 100 - 3 * (double)i + 0.1 * tv_noise_normal(&noise));
        sum += tv_evals_noise(&evals);
    }
    ck_assert_double_eq_tol(sum / 400, 0.1, 0.02);
}
END_TEST

START_TEST(the_training_level_is_that_of_the_interval)
{
    struct tv_evals evals = {0};
    for (int i = 0; i < 10; i++)
        tv_evals_train(&evals, 4);
    tv_evals_add(&evals, 10, 1);
    for (int i = 0; i < 10; i++)
        tv_evals_train(&evals, i == 5 ? 1000 : 2); /* one spike moves nothing */
    tv_evals_add(&evals, 20, 2);
    ck_assert_double_eq(evals.train_best, 4);
    ck_assert_double_le(evals.train_now, 2.3);
}
END_TEST

START_TEST(training_that_is_logged_later_than_the_best_is_its_level)
{
    struct tv_evals evals = {0};
    tv_evals_add(&evals, 10, 1);
    tv_evals_train(&evals, 3);
    tv_evals_add(&evals, 20, 2);
    ck_assert_double_eq(evals.train_best, 3);
}
END_TEST

START_TEST(change_knows_its_own_error)
{
    double sum = 0, squares = 0, error = 0, noise = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        struct tv_noise source = {seed};
        struct tv_thin thin = {0};
        for (int64_t i = 0; i < 300; i++)
            tv_thin_add(&thin, i, 7 + 0.2 * tv_noise_normal(&source));
        struct tv_change change = tv_change_of(&thin);
        sum += change.fall;
        squares += change.fall * change.fall;
        error += change.error;
        noise += change.point_noise;
    }
    double deviation = sqrt(squares / 400);
    ck_assert_double_le(fabs(sum / 400), 3 * deviation / 20);
    ck_assert_double_eq_tol(error / 400 / deviation, 1, 0.25);
    ck_assert_double_eq_tol(noise / 400, 0.2, 0.04);
}
END_TEST

START_TEST(change_measures_a_slope_in_steps)
{
    struct tv_thin thin = {0};
    for (int64_t i = 0; i < 1000; i++)
        tv_thin_add(&thin, 50 * i, 100 - 0.05 * (double)i);
    struct tv_change change = tv_change_of(&thin);
    ck_assert_double_eq_tol(tv_change_slope(&thin, &change), -0.001, 1e-6);
    ck_assert_double_lt(tv_change_z(&thin, &change), -5);
    ck_assert(isnan(tv_change_of(&(struct tv_thin){0}).fall));
}
END_TEST

START_TEST(unrest_is_relative_to_the_calmest_time)
{
    struct tv_noise noise = {11};
    struct tv_unrest unrest = {0};
    struct tv_unrest_finding found;
    for (int64_t i = 0; i < 400; i++) {
        double level = i < 200 ? 1 : 2, rough = i < 200 ? 0.05 : 0.4;
        if (!tv_unrest_add(&unrest, i, level + rough * tv_noise_normal(&noise)))
            continue;
        if (tv_unrest_measure(&unrest, &found) && i < 200)
            ck_assert_double_lt(found.noise_ratio, 2);
    }
    ck_assert(tv_unrest_measure(&unrest, &found));
    ck_assert_double_eq_tol(found.level_ratio, 2, 0.3);
    ck_assert_double_ge(found.noise_ratio, 4);
    ck_assert_int_ge(found.since, 200);
}
END_TEST

START_TEST(the_bend_of_evaluations_is_that_since_a_step)
{
    struct tv_evals evals = {0};
    for (int64_t step = 10; step <= 60; step += 10)
        tv_evals_add(&evals, step, step % 20 ? 1 : 2);
    ck_assert(isnan(tv_evals_bend(&evals, 45)));
    ck_assert_double_eq_tol(tv_evals_bend(&evals, 0), 0.5, 1e-12);
    for (int64_t step = 70; step <= 100; step += 10)
        tv_evals_add(&evals, step, 2 - 0.001 * (double)step);
    ck_assert_double_le(tv_evals_bend(&evals, 69), 1e-12);
    ck_assert_double_ge(tv_evals_bend(&evals, 0), 0.2);
}
END_TEST

START_TEST(unrest_that_fades_keeps_less_than_its_level)
{
    for (int fades = 0; fades <= 1; fades++) {
        struct tv_unrest unrest = {0};
        struct tv_unrest_finding found;
        for (int64_t i = 0; i < 120; i++) {
            double up = i < 100 ? 0 : fades ? 8 * exp(-(double)(i - 100) / 5) : 8;
            tv_unrest_add(&unrest, i, 1 + 0.1 * (double)(i % 2) + up);
        }
        ck_assert(tv_unrest_measure(&unrest, &found));
        ck_assert(fades ? found.kept < 0.5 : found.kept > 0.9);
    }
}
END_TEST

START_TEST(restarts_are_told_from_warm_up_and_steps_down)
{
    struct tv_restarts restarts = {0};
    for (int64_t step = 0; step <= 100; step++)
        tv_restarts_add(&restarts, step, (double)step); /* warm-up */
    for (int64_t step = 101; step <= 200; step++)
        tv_restarts_add(&restarts, step, 200 - (double)step);
    ck_assert_uint_eq(restarts.count, 0);
    tv_restarts_add(&restarts, 201, 100);
    ck_assert_uint_eq(restarts.count, 1);
    ck_assert_int_eq(restarts.step, 201);
    for (int64_t step = 202; step < 250; step++)
        tv_restarts_add(&restarts, step, step % 2 ? 90 : 100); /* not enough of a fall */
    ck_assert_uint_eq(restarts.count, 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("histories");
    TCase *tcase = tcase_create("histories");
    tcase_add_test(tcase, thin_keeps_the_mean_of_any_number_of_points);
    tcase_add_test(tcase, thin_steps_rise_and_end_near_the_last);
    tcase_add_test(tcase, swings_below_the_threshold_do_not_count);
    tcase_add_test(tcase, swings_above_the_threshold_are_counted_once);
    tcase_add_test(tcase, evaluations_know_their_best_and_what_followed);
    tcase_add_test(tcase, evaluation_noise_is_the_deviation_and_not_the_trend);
    tcase_add_test(tcase, the_training_level_is_that_of_the_interval);
    tcase_add_test(tcase, training_that_is_logged_later_than_the_best_is_its_level);
    tcase_add_test(tcase, change_knows_its_own_error);
    tcase_add_test(tcase, change_measures_a_slope_in_steps);
    tcase_add_test(tcase, unrest_is_relative_to_the_calmest_time);
    tcase_add_test(tcase, the_bend_of_evaluations_is_that_since_a_step);
    tcase_add_test(tcase, unrest_that_fades_keeps_less_than_its_level);
    tcase_add_test(tcase, restarts_are_told_from_warm_up_and_steps_down);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
