/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Properties of detectors/lib: robust, trend, blocks, innovation. */
#include "lib/blocks.h"
#include "lib/innovation.h"
#include "lib/log_ratio.h"
#include "lib/robust.h"
#include "lib/trend.h"
#include "support/noise.h"
#include "support/suite.h"
#include "trainvet/number.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEN = 31 };

static void fill(double *values, size_t len, unsigned seed)
{
    struct tv_noise noise = {seed};
    for (size_t i = 0; i < len; i++)
        values[i] = tv_noise_normal(&noise);
}

START_TEST(scales_are_equivariant_and_ignore_shifts)
{
    double values[LEN], moved[LEN];
    fill(values, LEN, 1);
    for (int i = 0; i < LEN; i++)
        moved[i] = 1000 - 4 * values[i];
    ck_assert_double_eq_tol(tv_median_of(moved, LEN), 1000 - 4 * tv_median_of(values, LEN), 1e-9);
    ck_assert_double_eq_tol(tv_mad(moved, LEN), 4 * tv_mad(values, LEN), 1e-9);
    for (int i = 0; i < LEN; i++)
        moved[i] = -7 + 3 * values[i];
    ck_assert_double_eq_tol(tv_upper_scale(moved, LEN), 3 * tv_upper_scale(values, LEN), 1e-9);
}
END_TEST

/* The least share of points that can carry the median beyond all others is one half. */
START_TEST(fifteen_wild_points_of_31_do_not_carry_the_median_away)
{
    double values[LEN];
    fill(values, LEN, 2);
    double low = INFINITY, high = -INFINITY;
    for (int i = 15; i < LEN; i++) {
        low = fmin(low, values[i]);
        high = fmax(high, values[i]);
    }
    for (int i = 0; i < 15; i++)
        values[i] = 1e300;
    ck_assert_double_ge(tv_median_of(values, LEN), low);
    ck_assert_double_le(tv_median_of(values, LEN), high);
    ck_assert_double_le(tv_mad(values, LEN), 1.4826 * (high - low));
}
END_TEST

START_TEST(scales_of_normal_noise_are_its_standard_deviation)
{
    struct tv_noise noise = {3};
    double mad = 0, upper = 0;
    for (int round = 0; round < 2000; round++) {
        double values[60];
        for (int i = 0; i < 60; i++)
            values[i] = 5 * tv_noise_normal(&noise);
        mad += tv_mad(values, 60) / 2000;
        upper += tv_upper_scale(values, 60) / 2000;
    }
    ck_assert_double_eq_tol(mad, 5, 0.25);
    ck_assert_double_eq_tol(upper, 5, 0.6);
}
END_TEST

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Values that are often equal, sometimes infinite. */
static void fill_coarse(double *values, size_t len, struct tv_noise *noise)
{
    for (size_t i = 0; i < len; i++) {
        double value = tv_noise_normal(noise);
        values[i] = value > 2 ? INFINITY : value < -2 ? -INFINITY : round(4 * value) / 4;
        if (i % 3 == 0)
            values[i] = value;
    }
}

START_TEST(every_window_is_sorted_as_the_c_library_sorts_it)
{
    struct tv_noise noise = {5};
    for (size_t len = 0; len <= TV_WINDOW_MAX; len++)
        for (int round = 0; round < tv_rounds(200); round++) {
            double values[TV_WINDOW_MAX] = {0}, expected[TV_WINDOW_MAX];
            fill_coarse(values, len, &noise);
            memcpy(expected, values, sizeof values);
            qsort(expected, len, sizeof *expected, by_value);
            tv_sort(values, len);
            for (size_t i = 0; i < len; i++)
                tv_check(values[i] == expected[i]);
        }
}
END_TEST

START_TEST(a_sorted_window_that_moves_on_stays_sorted)
{
    enum { POINTS = 3000 };
    struct tv_noise noise = {6};
    double values[POINTS];
    fill_coarse(values, POINTS, &noise);
    for (size_t len = 1; len <= TV_WINDOW_MAX; len += 5) {
        double window[TV_WINDOW_MAX], expected[TV_WINDOW_MAX];
        memcpy(window, values, len * sizeof *window);
        tv_sort(window, len);
        for (size_t i = 0; i + len < POINTS; i++) {
            tv_sorted_replace(window, len, values[i], values[i + len]);
            memcpy(expected, values + i + 1, len * sizeof *expected);
            qsort(expected, len, sizeof *expected, by_value);
            for (size_t k = 0; k < len; k++)
                tv_check(window[k] == expected[k]);
        }
    }
}
END_TEST

START_TEST(a_constant_has_no_scale_and_nothing_has_no_median)
{
    double same[4] = {2, 2, 2, 2};
    ck_assert_double_eq(tv_mad(same, 4), 0);
    ck_assert_double_eq(tv_upper_scale(same, 4), 0);
    ck_assert_double_nan(tv_median(same, 0));
    ck_assert_double_eq(tv_quantile_sorted((double[]){1, 2, 3, 4, 5}, 5, 0.9), 4.6);
}
END_TEST

/* Values computed by hand from the definition: S = 8 of 10 pairs, variance 5 * 4 * 15 / 18. */
START_TEST(mann_kendall_follows_its_formula)
{
    ck_assert_double_eq_tol(tv_mann_kendall((double[]){1, 3, 2, 4, 5}, 5),
                            (8 - 1) / sqrt(5.0 * 4 * 15 / 18), 1e-12);
    ck_assert_double_eq_tol(tv_mann_kendall((double[]){1, 1, 2}, 3),
                            (2 - 1) / sqrt((66 - 18) / 18.0), 1e-12);
    ck_assert_double_eq(tv_mann_kendall((double[]){3, 3, 3, 3}, 4), 0);
}
END_TEST

START_TEST(mann_kendall_sees_only_the_order)
{
    double values[20], bent[20], reversed[20];
    fill(values, 20, 5);
    for (int i = 0; i < 20; i++) {
        bent[i] = exp(3 * values[i]) + 100;
        reversed[i] = -values[i];
    }
    ck_assert_double_eq(tv_mann_kendall(bent, 20), tv_mann_kendall(values, 20));
    ck_assert_double_eq(tv_mann_kendall(reversed, 20), -tv_mann_kendall(values, 20));
}
END_TEST

START_TEST(theil_sen_finds_the_slope_despite_a_quarter_of_wild_points)
{
    double at[20], values[20];
    for (int i = 0; i < 20; i++) {
        at[i] = 10 * i;
        values[i] = 3 - 0.5 * at[i];
    }
    for (int i = 0; i < 5; i++)
        values[4 * i] = 1e6 * (i + 1);
    ck_assert_double_eq_tol(tv_theil_sen(at, values, 20), -0.5, 1e-9);
    ck_assert_double_nan(tv_theil_sen(NULL, values, 1));
    ck_assert_double_nan(tv_theil_sen((double[]){1, 1}, (double[]){1, 2}, 2));
}
END_TEST

START_TEST(blocks_cover_any_length_evenly)
{
    struct tv_blocks blocks = {0};
    for (int64_t step = 0; step < 1000000; step++)
        tv_blocks_add(&blocks, step, (double)step);
    ck_assert_uint_ge(blocks.len, TV_BLOCKS / 2);
    ck_assert_uint_lt(blocks.len, TV_BLOCKS);
    for (uint32_t i = 0; i < blocks.len; i++) {
        ck_assert_int_eq(blocks.step[i], (int64_t)i * tv_blocks_points(&blocks));
        double middle = (double)blocks.step[i] + (tv_blocks_points(&blocks) - 1) / 2.0;
        ck_assert_double_eq_tol(blocks.level[i], middle, 1e-6);
    }
    int64_t step = -1;
    ck_assert_double_eq(tv_blocks_lowest(&blocks, &step), blocks.level[0]);
    ck_assert_int_eq(step, 0);
}
END_TEST

START_TEST(two_wild_points_of_five_do_not_move_a_block)
{
    struct tv_blocks blocks = {0};
    double points[5] = {1e9, 1, 2, 3, 1e9};
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(tv_blocks_add(&blocks, i, points[i]), i == 4);
    ck_assert_double_eq(blocks.level[0], 3);
    ck_assert_double_nan(tv_blocks_median(&blocks, 1, 1));
}
END_TEST

/* The scatter of block levels is that of their points' medians, whatever the trend. */
START_TEST(blocks_of_logarithms_are_those_of_the_values_logarithms)
{
    struct tv_blocks logs = {0}, values = {0};
    struct tv_noise noise = {7};
    for (int i = 0; i < 5000; i++) {
        double value = exp(10 * tv_noise_normal(&noise));
        tv_check(tv_blocks_add(&logs, i, log(value)) == tv_blocks_add_log(&values, i, value));
    }
    ck_assert_uint_eq(logs.len, values.len);
    for (uint32_t i = 0; i < logs.len; i++)
        ck_assert_double_eq(logs.level[i], values.level[i]);
}
END_TEST

START_TEST(the_larger_and_the_smaller_are_those_of_the_c_library)
{
    const double some[] = {NAN, -INFINITY, -1, -0x1p-1074, 0, 1, INFINITY};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        for (size_t k = 0; k < sizeof some / sizeof *some; k++) {
            double most = tv_most(some[i], some[k]), least = tv_least(some[i], some[k]);
            double expected[] = {fmax(some[i], some[k]), fmin(some[i], some[k])};
            ck_assert(most == expected[0] || (isnan(most) && isnan(expected[0])));
            ck_assert(least == expected[1] || (isnan(least) && isnan(expected[1])));
        }
}
END_TEST

START_TEST(block_noise_ignores_the_trend)
{
    struct tv_blocks flat = {0}, falling = {0};
    struct tv_noise noise = {13};
    for (int i = 0; i < 5 * 31; i++) {
        double value = 10 * exp(0.1 * tv_noise_normal(&noise));
        tv_blocks_add(&flat, i, value);
        tv_blocks_add(&falling, i, value * exp(-0.02 * i));
    }
    ck_assert_double_eq_tol(tv_blocks_noise(&flat, false), 1.2533 * 0.1 / sqrt(5), 0.025);
    ck_assert_double_eq_tol(tv_blocks_noise(&falling, false), tv_blocks_noise(&flat, false), 0.02);
    ck_assert_double_eq_tol(tv_blocks_noise(&flat, true), 10 * 1.2533 * 0.1 / sqrt(5), 0.25);
    flat.len = 7;
    ck_assert_double_eq(tv_blocks_noise(&flat, false), 0);
}
END_TEST

START_TEST(logarithms_of_ratios_near_and_far_from_one_are_those_of_the_c_library)
{
    for (double ratio = 1e-3; ratio < 1e3; ratio *= 1.00137) {
        ck_assert_double_eq_tol(tv_log_ratio(ratio, 1) / log(ratio), 1, 1e-13);
        ck_assert_double_eq_tol(tv_log_ratio(2.5e-300, 2.5e-300 / ratio), log(ratio), 1e-13);
    }
    ck_assert_double_eq(tv_log_ratio(3, 3), 0);
    ck_assert_double_infinite(tv_log_ratio(INFINITY, 3));
    ck_assert_double_nan(tv_log_ratio(NAN, 3));
}
END_TEST

/* The rings wrap: what is known of the last points does not depend on how many came before. */
START_TEST(an_innovation_judges_by_its_last_points_however_long_the_run)
{
    struct tv_surprise one, other;
    for (int before = 0; before < 1000; before += 30) {
        struct tv_innovation series = {0};
        for (int i = 0; i < before; i++)
            tv_innovation_accept(&series, 5 + i % 7);
        struct tv_noise noise = {7};
        for (int i = 0; i < 33 + 30 * TV_INNOVATION_SCALES; i++)
            tv_innovation_accept(&series, 2 * exp(0.1 * tv_noise_normal(&noise)));
        ck_assert(tv_innovation_judge(&series, 3, before ? &other : &one));
        if (before)
            ck_assert_double_eq(other.score, one.score);
    }
}
END_TEST

/* The same history in another unit, then the same candidates. */
static void judged(double factor, double shift, double last, struct tv_surprise *ret)
{
    struct tv_innovation series = {0};
    struct tv_noise noise = {7};
    for (int i = 0; i < 100; i++)
        tv_innovation_accept(
            &series, shift + factor * (1 + 2 * exp(-i / 30.0) + 0.1 * tv_noise_normal(&noise)));
    ck_assert(tv_innovation_judge(&series, shift + factor * last, ret));
}

START_TEST(scores_of_positive_series_do_not_depend_on_the_unit)
{
    struct tv_surprise one, other;
    judged(1, 0, 2.5, &one);
    judged(1e-7, 0, 2.5, &other);
    ck_assert_double_gt(one.score, 5);
    ck_assert_double_eq_tol(one.score, other.score, 1e-6);
    ck_assert_double_eq_tol(one.centre, 1e7 * other.centre, 1e-6);
}
END_TEST

START_TEST(scores_of_series_that_were_negative_depend_on_neither_unit_nor_shift)
{
    struct tv_surprise one, other;
    judged(1, -2, 2.5, &one);
    judged(1000, -2500, 2.5, &other);
    ck_assert_double_gt(one.score, 5);
    ck_assert_double_eq_tol(one.score, other.score, 1e-6);
}
END_TEST

START_TEST(a_series_that_turns_negative_keeps_what_it_knows)
{
    struct tv_innovation series = {0};
    for (int i = 0; i < 40; i++)
        tv_innovation_accept(&series, 1 - i * 0.03);
    struct tv_surprise surprise;
    ck_assert(tv_innovation_judge(&series, -0.2, &surprise));
    ck_assert_uint_eq(surprise.known, TV_INNOVATIONS);
    ck_assert_double_eq_tol(surprise.change, -0.2 - (1 - 38 * 0.03), 1e-12);
}
END_TEST

START_TEST(a_zero_in_a_positive_series_is_not_judged)
{
    struct tv_innovation series = {0};
    struct tv_surprise surprise;
    ck_assert(!tv_innovation_judge(&series, 1, &surprise));
    for (int i = 0; i < 10; i++)
        tv_innovation_accept(&series, 2 + i % 2);
    ck_assert(!tv_innovation_judge(&series, 0, &surprise));
    tv_innovation_accept(&series, 0);
    ck_assert(tv_innovation_judge(&series, 2, &surprise));
    ck_assert_double_eq_tol(surprise.change, log(2.0 / 3), 1e-12);
}
END_TEST

/* The known weight of a doubling against 10 % noise, for 20 points as for 20,000. */
START_TEST(a_doubling_stands_out_in_short_and_in_long_runs)
{
    for (int len = 20; len <= 20000; len *= 10) {
        struct tv_innovation series = {0};
        struct tv_noise noise = {11};
        for (int i = 0; i < len; i++)
            tv_innovation_accept(&series, 2 * exp(0.1 * tv_noise_normal(&noise)));
        struct tv_surprise surprise;
        ck_assert(tv_innovation_judge(&series, 4, &surprise));
        ck_assert_double_gt(surprise.score, 4);
        ck_assert_double_lt(surprise.score, 12);
        ck_assert_double_eq_tol(tv_innovation_noise(&series), 0.1, 0.05);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("statistics");
    TCase *c = tcase_create("statistics");
    tcase_add_test(c, scales_are_equivariant_and_ignore_shifts);
    tcase_add_test(c, fifteen_wild_points_of_31_do_not_carry_the_median_away);
    tcase_add_test(c, scales_of_normal_noise_are_its_standard_deviation);
    tcase_add_test(c, every_window_is_sorted_as_the_c_library_sorts_it);
    tcase_add_test(c, a_sorted_window_that_moves_on_stays_sorted);
    tcase_add_test(c, a_constant_has_no_scale_and_nothing_has_no_median);
    tcase_add_test(c, mann_kendall_follows_its_formula);
    tcase_add_test(c, mann_kendall_sees_only_the_order);
    tcase_add_test(c, theil_sen_finds_the_slope_despite_a_quarter_of_wild_points);
    tcase_add_test(c, blocks_cover_any_length_evenly);
    tcase_add_test(c, two_wild_points_of_five_do_not_move_a_block);
    tcase_add_test(c, blocks_of_logarithms_are_those_of_the_values_logarithms);
    tcase_add_test(c, the_larger_and_the_smaller_are_those_of_the_c_library);
    tcase_add_test(c, block_noise_ignores_the_trend);
    tcase_add_test(c, logarithms_of_ratios_near_and_far_from_one_are_those_of_the_c_library);
    tcase_add_test(c, an_innovation_judges_by_its_last_points_however_long_the_run);
    tcase_add_test(c, scores_of_positive_series_do_not_depend_on_the_unit);
    tcase_add_test(c, scores_of_series_that_were_negative_depend_on_neither_unit_nor_shift);
    tcase_add_test(c, a_series_that_turns_negative_keeps_what_it_knows);
    tcase_add_test(c, a_zero_in_a_positive_series_is_not_judged);
    tcase_add_test(c, a_doubling_stands_out_in_short_and_in_long_runs);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
