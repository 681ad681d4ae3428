/* SPDX-License-Identifier: GPL-2.0-or-later */
/* detectors/lib/lr_points.c and lr_fit.c: a bounded picture of the log, and what counts as keeping
 * a promise. */
#include "lib/lr_cause.h"
#include "lib/lr_fit.h"
#include "support/suite.h"
#include <math.h>
#include <string.h>

static struct tv_schedule cosine(double peak, double total, double warmup)
{
    struct tv_schedule s = {.framework = "transformers",
                            .peak = peak,
                            .total_steps = total,
                            .warmup_steps = warmup,
                            .log_offset = 1};
    ck_assert(tv_schedule_set_kind(&s, "cosine"));
    return s;
}

/* ---- points ---- */

START_TEST(first_and_last_points_are_always_there)
{
    for (int count = 1; count < 3000; count += count < 100 ? 1 : 97) {
        struct tv_lr_points points = {0};
        struct tv_lr_point all[TV_LR_POINTS];
        for (int i = 0; i < count; i++)
            tv_lr_points_add(&points, 10 * i, 10.0 * i);
        size_t len = tv_lr_points_get(&points, all);
        ck_assert_uint_le(len, TV_LR_POINTS);
        ck_assert_uint_ge(len, count < TV_LR_POINTS / 2 ? (size_t)count : TV_LR_POINTS / 2);
        for (size_t i = 0; i < len; i++) {
            ck_assert_double_eq(all[i].value, (double)all[i].step);
            ck_assert(i == 0 || all[i].step > all[i - 1].step);
        }
        for (int i = 0; i < TV_LR_HEAD && i < count; i++)
            ck_assert_int_eq(all[i].step, 10 * i);
        for (int i = 0; i < TV_LR_TAIL && i < count; i++)
            ck_assert_int_eq(all[len - 1 - (size_t)i].step, 10 * (count - 1 - i));
    }
}
END_TEST

START_TEST(the_middle_is_covered_evenly)
{
    struct tv_lr_points points = {0};
    struct tv_lr_point all[TV_LR_POINTS];
    for (int i = 0; i < 100000; i++)
        tv_lr_points_add(&points, i, 1);
    size_t len = tv_lr_points_get(&points, all);
    for (size_t i = TV_LR_HEAD; i + TV_LR_TAIL < len; i++)
        ck_assert_int_le(all[i + 1].step - all[i].step, 100000 / 16);
}
END_TEST

START_TEST(points_around_a_pin_stay)
{
    struct tv_lr_points points = {0};
    struct tv_lr_point all[TV_LR_POINTS];
    for (int i = 0; i < 50000; i++) {
        tv_lr_points_add(&points, i, 1);
        if (i == 1237)
            tv_lr_points_pin(&points, 1235);
    }
    size_t len = tv_lr_points_get(&points, all);
    for (int64_t step = 1233; step < 1240; step++) {
        bool found = false;
        for (size_t i = 0; i < len; i++)
            found |= all[i].step == step;
        ck_assert_msg(found, "step %d is gone", (int)step);
    }
}
END_TEST

static double rounding_of(double (*print)(double), double value)
{
    struct tv_lr_points points = {0};
    for (int i = 1; i < 30; i++)
        tv_lr_points_add(&points, i, print(5e-5 * i / 31.0));
    return tv_lr_points_rounding(&points, value);
}

static double full(double value)
{
    return value;
}

static double as_float(double value)
{
    return (float)value;
}

static double four_digits(double value)
{
    double unit = pow(10, floor(log10(value)) - 3);
    return round(value / unit) * unit;
}

static double four_digits_in_float(double value)
{
    return (float)four_digits(value);
}

START_TEST(printed_digits_are_recognised)
{
    ck_assert_double_eq(rounding_of(full, 3e-5), 0);
    ck_assert_double_eq(rounding_of(as_float, 3e-5), 0);
    ck_assert_double_eq_tol(rounding_of(four_digits, 3e-5), 0.5e-8, 1e-12);
    ck_assert_double_eq_tol(rounding_of(four_digits_in_float, 3e-5), 0.5e-8, 1e-12);
}
END_TEST

/* ---- fit ---- */

static struct tv_lr_fit fit_of(const struct tv_schedule *s, int every, int last, int offset,
                               int (*lag)(int step), double factor)
{
    struct tv_lr_points points = {0};
    struct tv_lr_tolerance tolerance = {0};
    for (int g = every; g <= last; g += every)
        tv_lr_points_add(&points, g, factor * tv_schedule_lr(s, fmax(0, g - offset - lag(g))));
    return tv_lr_fit_best(s, &tolerance, &points);
}

static int no_lag(int step)
{
    (void)step;
    return 0;
}

static int early_lag(int step)
{
    return step < 9 ? step : 9;
}

static int two_lags(int step)
{
    return (step >= 3) + (step >= 4) + (step >= 200);
}

static int burst(int step)
{
    return step < 100 ? 0 : step < 112 ? step - 100 : 12;
}

START_TEST(every_way_of_logging_keeps_the_promise)
{
    struct tv_schedule s = cosine(5e-5, 400, 40);
    int (*const lags[])(int) = {no_lag, early_lag, two_lags, burst};
    for (int offset = -1; offset <= 1; offset++)
        for (int every = 1; every <= 25; every += 6)
            for (size_t i = 0; i < sizeof lags / sizeof *lags; i++)
                ck_assert_msg(!fit_of(&s, every, 400, offset, lags[i], 1).is_broken,
                              "offset %d, every %d, lag %zu", offset, every, i);
}
END_TEST

START_TEST(the_lag_is_counted)
{
    struct tv_schedule s = cosine(5e-5, 400, 40);
    struct tv_lr_fit fit = fit_of(&s, 5, 400, 1, two_lags, 1);
    ck_assert_int_eq(fit.offset + fit.lag, 4);
}
END_TEST

static int slower(int step)
{
    return step - step / 4;
}

static int endless(int step)
{
    return step < 100 ? 0 : step - 100;
}

START_TEST(what_is_no_lag_is_not_taken_for_one)
{
    struct tv_schedule s = cosine(5e-5, 400, 40);
    ck_assert(fit_of(&s, 5, 400, 1, slower, 1).is_broken);
    ck_assert(fit_of(&s, 1, 400, 1, slower, 1).is_broken);
    ck_assert(fit_of(&s, 1, 400, 1, endless, 1).is_broken);
}
END_TEST

START_TEST(a_factor_shows_above_a_per_cent_and_not_below_a_thousandth)
{
    struct tv_schedule s = cosine(5e-5, 400, 40);
    ck_assert(!fit_of(&s, 10, 400, 0, no_lag, 1.0009).is_broken);
    ck_assert(fit_of(&s, 10, 400, 0, no_lag, 1.05).is_broken);
    ck_assert(fit_of(&s, 10, 400, 0, no_lag, 0.95).is_broken);
}
END_TEST

START_TEST(the_onset_is_the_first_step_that_fails)
{
    struct tv_schedule s = cosine(5e-5, 1000, 40);
    struct tv_lr_points points = {0};
    struct tv_lr_tolerance tolerance = {0};
    struct tv_lr_fit fit;
    tv_lr_fit_init(&fit, 1);
    for (int g = 10; g <= 1000 && !fit.is_broken; g += 10) {
        struct tv_lr_point point = {g, (g >= 500 ? 0.5 : 1) * tv_schedule_lr(&s, g - 1)};
        tv_lr_points_add(&points, point.step, point.value);
        tv_lr_fit_add(&fit, &s, &tolerance, &points, point);
    }
    ck_assert(fit.is_broken);
    ck_assert_int_eq(fit.fail_step, 500);
    ck_assert_int_eq(fit.last_step, 500);
}
END_TEST

START_TEST(a_rough_total_is_given_its_room)
{
    struct tv_schedule truth = cosine(5e-5, 1000, 50), guess = cosine(5e-5, 1012, 51);
    struct tv_lr_points points = {0};
    for (int g = 10; g <= 1000; g += 10)
        tv_lr_points_add(&points, g, tv_schedule_lr(&truth, g - 1));
    struct tv_lr_tolerance sure = {0}, rough = {.total_uncertainty = 0.02, .warmup_is_ratio = true};
    ck_assert(tv_lr_fit_best(&guess, &sure, &points).is_broken);
    ck_assert(!tv_lr_fit_best(&guess, &rough, &points).is_broken);
    guess.total_steps = 1200;
    ck_assert(tv_lr_fit_best(&guess, &rough, &points).is_broken);
}
END_TEST

/* ---- search ---- */

static void apply_total(struct tv_lr_model *model, double value)
{
    model->schedule.total_steps = value;
}

START_TEST(a_search_finds_the_number_that_made_the_curve)
{
    static const int totals[] = {130, 257, 399, 1000, 1733, 7919};
    struct tv_schedule promise = cosine(1e-3, 1000, 50);
    for (size_t t = 0; t < sizeof totals / sizeof *totals; t++) {
        struct tv_schedule truth = cosine(1e-3, totals[t], 50);
        struct tv_lr_data data = {.highest = 1e-3};
        for (int g = 20; g <= 1000; g += 20) {
            data.exact[data.len] = 1e-12;
            data.at[data.len++] = (struct tv_lr_point){g, tv_schedule_lr(&truth, g)};
        }
        struct tv_lr_search search = {
            .apply = apply_total, .low = 20, .high = 50000, .is_log = true, .is_integer = true};
        struct tv_lr_model model;
        double value;
        tv_lr_model_init(&model, &promise, 0);
        double residual = tv_lr_model_search(&model, &data, &search, false, &value);
        ck_assert_double_eq(value, totals[t]);
        ck_assert_double_lt(residual, 1e-12);
        ck_assert(tv_lr_model_is_exact(&model, &data));
    }
}
END_TEST

/* The first point of a schedule that is stepped half as often could be skipped steps; the second,
 * with half of its interval again, is not. */
START_TEST(half_of_every_interval_is_no_burst_from_the_second_point_on)
{
    struct tv_schedule s = cosine(5e-5, 500, 100);
    for (int last = 10; last <= 20; last += 10) {
        struct tv_lr_points points = {0};
        struct tv_lr_tolerance tolerance = {0};
        for (int g = 10; g <= last; g += 10)
            tv_lr_points_add(&points, g, tv_schedule_lr(&s, 0.5 * g));
        ck_assert_int_eq(tv_lr_fit_best(&s, &tolerance, &points).is_broken, last == 20);
    }
}
END_TEST

/* Constant behind the warm-up: for a while as if steps were skipped, but not for 20 in a row. */
START_TEST(a_rate_that_stays_is_no_burst_of_skipped_steps_for_long)
{
    struct tv_schedule s = cosine(4.7654321e-5, 500, 50);
    struct tv_lr_points points = {0};
    struct tv_lr_tolerance tolerance = {0};
    for (int g = 5; g <= 85; g += 5)
        tv_lr_points_add(&points, g, tv_schedule_lr(&s, fmin(g - 1, 50)));
    ck_assert(tv_lr_fit_best(&s, &tolerance, &points).is_broken);
}
END_TEST

/* Ten times too low is no matter of digits, at the very first point. */
START_TEST(a_first_point_that_no_rounding_explains_is_off_at_once)
{
    struct tv_schedule s = cosine(1.5e-3, 600, 60);
    struct tv_lr_points points = {0};
    struct tv_lr_tolerance tolerance = {0};
    tv_lr_points_add(&points, 10, 2.25e-5);
    ck_assert(tv_lr_fit_best(&s, &tolerance, &points).is_broken);
    struct tv_lr_points rounded = {0};
    tv_lr_points_add(&rounded, 10, 2.2e-4); /* of 2.25e-4 */
    ck_assert(!tv_lr_fit_best(&s, &tolerance, &rounded).is_broken);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("lr_fit");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, first_and_last_points_are_always_there);
    tcase_add_test(tc, half_of_every_interval_is_no_burst_from_the_second_point_on);
    tcase_add_test(tc, a_rate_that_stays_is_no_burst_of_skipped_steps_for_long);
    tcase_add_test(tc, a_first_point_that_no_rounding_explains_is_off_at_once);
    tcase_add_test(tc, the_middle_is_covered_evenly);
    tcase_add_test(tc, points_around_a_pin_stay);
    tcase_add_test(tc, printed_digits_are_recognised);
    tcase_add_test(tc, every_way_of_logging_keeps_the_promise);
    tcase_add_test(tc, the_lag_is_counted);
    tcase_add_test(tc, what_is_no_lag_is_not_taken_for_one);
    tcase_add_test(tc, a_factor_shows_above_a_per_cent_and_not_below_a_thousandth);
    tcase_add_test(tc, the_onset_is_the_first_step_that_fails);
    tcase_add_test(tc, a_rough_total_is_given_its_room);
    tcase_add_test(tc, a_search_finds_the_number_that_made_the_curve);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
