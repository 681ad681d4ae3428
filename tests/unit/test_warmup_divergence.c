/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/curve.h"
#include "support/suite.h"
#include <math.h>
#include <string.h>

/* The loss grows with the learning rate from the middle of the warm-up on. */
static void rise(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    double over = (i + 1.0) / curve->points / curve->warmup - 0.5;
    if (over > 0)
        point->loss *= fmin(20, exp(6 * over));
}

static void one_spike(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    if (i == (int)(curve->points * curve->warmup / 2))
        point->loss *= 10;
}

static void rise_later(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    if (i > curve->points / 2)
        point->loss *= 10;
}

static void from_the_first_steps(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    (void)curve;
    if (i > 0)
        point->loss *= 5;
}

/* Already high at the first point, and still higher with each of the next. */
static void climb(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    (void)curve;
    point->loss *= fmin(12, 1 + 1.2 * i);
}

/* Exactly two values in turn: half of the innovations are equal. */
static void alternate(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    point->loss = curve->scale * (i % 2 ? 2 : 1);
}

/* Each point above the one before, to three times the first. */
static void steep_climb(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    static const double course[] = {3.0, 3.57, 4.32, 8.17, 9.55};
    point->loss = curve->scale * course[i < 5 ? i : 4];
}

/* Noise, unit and logging interval of a healthy run must not matter. */
START_TEST(healthy_runs_are_silent)
{
    ck_assert_uint_eq(tv_curve_healthy_alerts("warmup_divergence"), 0);
}
END_TEST

START_TEST(a_rise_during_warmup_is_found_there_with_the_last_good_rate)
{
    for (double scale = 1e-6; scale < 1e7; scale *= 1e6) {
        struct tv_curve curve = TV_CURVE;
        struct tv_log log;
        curve.scale = scale;
        tv_curve_run(&log, "warmup_divergence", &curve, rise);
        const struct tv_alert *alert = tv_log_alert(&log, "warmup_divergence");
        ck_assert_ptr_nonnull(alert);
        ck_assert_int_ge(alert->onset_step, 25);
        ck_assert_int_le(alert->onset_step, 60);
        ck_assert_int_le(alert->step, 100);
        bool has_rate = false;
        for (size_t i = 0; i < alert->evidence_len; i++)
            if (strcmp(alert->evidence[i].name, "last_good_lr") == 0) {
                has_rate = true;
                ck_assert_double_le(alert->evidence[i].value, 0.7e-3);
                ck_assert_double_ge(alert->evidence[i].value, 0.2e-3);
            }
        ck_assert(has_rate);
        ck_assert_ptr_nonnull(strstr(alert->advice[0], "learning_rate: 1e-3 -> 0.000"));
        tv_log_close(&log);
    }
}
END_TEST

START_TEST(a_short_warmup_is_blamed_and_its_right_length_computed)
{
    struct tv_curve curve = TV_CURVE;
    struct tv_log log;
    curve.warmup = 0.01;
    tv_curve_run(&log, "warmup_divergence", &curve, from_the_first_steps);
    const struct tv_alert *alert = tv_log_alert(&log, "warmup_divergence");
    ck_assert_ptr_nonnull(alert);
    ck_assert_str_eq(alert->causes[0], "warm-up is short: 10 of 1000 steps");
    ck_assert_ptr_nonnull(strstr(alert->advice[1], "warmup_steps: 10 -> 100 (10 % of 1000)"));
    tv_log_close(&log);
}
END_TEST

START_TEST(a_single_spike_in_warmup_is_not_reported)
{
    struct tv_curve curve = TV_CURVE;
    ck_assert_uint_eq(tv_curve_alerts("warmup_divergence", curve, one_spike, 10), 0);
}
END_TEST

START_TEST(two_values_in_turn_are_no_rise)
{
    struct tv_curve curve = TV_CURVE;
    for (int points = 40; points <= 400; points += 40) {
        curve.points = points;
        curve.warmup = 0.3;
        ck_assert_uint_eq(tv_curve_alerts("warmup_divergence", curve, alternate, 1), 0);
    }
}
END_TEST

START_TEST(five_points_that_climb_to_the_threefold_are_enough)
{
    struct tv_curve curve = TV_CURVE;
    struct tv_log log;
    tv_curve_run(&log, "warmup_divergence", &curve, steep_climb);
    const struct tv_alert *alert = tv_log_alert(&log, "warmup_divergence");
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_le(alert->step, 5 * curve.every);
    tv_log_close(&log);
}
END_TEST

START_TEST(a_rise_later_is_left_to_divergence)
{
    struct tv_curve curve = TV_CURVE;
    ck_assert_uint_eq(tv_curve_alerts("warmup_divergence", curve, rise_later, 10), 0);
}
END_TEST

START_TEST(a_rise_is_found_with_a_point_every_step_or_every_fiftieth)
{
    struct tv_curve curve = TV_CURVE;
    curve.points = 1000;
    curve.every = 1;
    ck_assert_uint_eq(tv_curve_alerts("warmup_divergence", curve, rise, 5), 5);
    curve.points = 100;
    curve.every = 50;
    ck_assert_uint_eq(tv_curve_alerts("warmup_divergence", curve, rise, 5), 5);
}
END_TEST

START_TEST(a_climb_from_the_very_first_point_is_found)
{
    struct tv_curve curve = TV_CURVE;
    curve.warmup = 0.02;
    ck_assert_uint_eq(tv_curve_alerts("warmup_divergence", curve, climb, 10), 10);
}
END_TEST

/* The warm-up is over before the first point is logged; all that shows is that the loss stands
 * above it. */
static void up_after_the_first(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    (void)curve;
    point->loss *= i == 0 ? 1 : 1.5;
}

START_TEST(a_rise_within_the_first_interval_of_a_coarse_log_is_found)
{
    struct tv_curve curve = TV_CURVE;
    curve.warmup = 0.01;
    curve.points = 80;
    curve.every = 10;
    curve.floor = 3.5;
    ck_assert_uint_eq(tv_curve_alerts("warmup_divergence", curve, up_after_the_first, 10), 10);
}
END_TEST

/* Weights that are thrown about at once and then settle where nothing is learnt. */
static void thrown(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    static const double up[] = {1, 2.1, 1.3, 2.6, 0.9, 2.6, 1.4, 6.7, 1.1};
    (void)curve;
    point->loss = 1.88 * (i < 9 ? up[i] : 0.9 + 0.05 * sin(1.7 * i));
}

START_TEST(chaos_that_settles_again_is_told)
{
    struct tv_curve curve = TV_CURVE;
    struct tv_log log;
    curve.every = 2;
    tv_curve_run(&log, "warmup_divergence", &curve, thrown);
    const struct tv_alert *alert = tv_log_alert(&log, "warmup_divergence");
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_le(alert->onset_step, 4);
    ck_assert_int_eq(alert->state, TV_RESOLVED);
    tv_log_close(&log);
}
END_TEST

/* One low first point among noise is no level that a rise could start from. */
static void low_at_first(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    (void)curve;
    if (i == 0)
        point->loss *= 0.8;
}

/* A low first loss looks like a rise, which is gone; the one at the peak counts all the same. */
START_TEST(a_rise_that_was_gone_again_hides_no_later_one)
{
    struct tv_log log;
    tv_log_open(&log, "warmup_divergence");
    tv_log_fact(&log, "max_steps", "3000");
    for (int step = 1; step <= 400; step++) {
        double wiggle = 0.04 * (step * 7 % 5 - 2);
        double loss = step == 1 ? 5 : step < 10 ? 9 : step < 100 ? 4.5 : 25;
        tv_log_point(&log, "train/learning_rate", step, fmin(step, 100) * 2e-6);
        tv_log_point(&log, "train/loss", step, loss * (1 + wiggle));
    }
    tv_log_end(&log, NAN);
    const struct tv_alert *const *alerts;
    size_t len = tv_run_alerts(log.run, &alerts);
    bool fires = false;
    for (size_t i = 0; i < len; i++) {
        fires |= alerts[i]->state == TV_FIRING && alerts[i]->observed > 15;
        for (size_t k = 0; k < alerts[i]->evidence_len; k++)
            ck_assert_double_ne(alerts[i]->evidence[k].value, -1); /* unknown is left out */
    }
    ck_assert(fires);
    tv_log_close(&log);
}
END_TEST

START_TEST(a_first_point_that_is_far_up_and_back_at_once_is_withdrawn)
{
    struct tv_log log;
    tv_log_open(&log, "warmup_divergence");
    for (int step = 0; step < 100; step++) {
        double loss = step == 1 ? 8e13 : 1e13 * exp(-step / 3.0) + 10 + sin(step);
        tv_log_point(&log, "train/loss", step, loss);
        if (step == 1)
            ck_assert_ptr_nonnull(tv_log_alert(&log, "warmup_divergence"));
    }
    tv_log_end(&log, NAN);
    ck_assert_ptr_null(tv_log_alert(&log, "warmup_divergence"));
    tv_log_close(&log);
}
END_TEST

START_TEST(a_first_point_that_is_low_by_chance_is_no_base)
{
    struct tv_curve curve = TV_CURVE;
    curve.noise = 0.2;
    curve.floor = 3.8;
    ck_assert_uint_le(tv_curve_alerts("warmup_divergence", curve, low_at_first, 40), 5);
}
END_TEST

START_TEST(fivefold_of_the_first_loss_needs_no_second_point)
{
    static const double loss[] = {4.3, 22.5, 25.4, 17};
    struct tv_log log;
    tv_log_open(&log, "warmup_divergence");
    tv_log_fact(&log, "max_steps", "400");
    for (int i = 0; i < 4; i++)
        tv_log_point(&log, "loss", 5 * (i + 1), loss[i]);
    tv_log_end(&log, NAN);
    const struct tv_alert *alert = tv_log_alert(&log, "warmup_divergence");
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->step, 10);
    tv_log_close(&log);
}
END_TEST

/* A loss of 10 that learns nothing, between zeros that stand for NaN. */
START_TEST(zeros_that_hide_a_nan_are_no_low_loss)
{
    struct tv_log log;
    tv_log_open(&log, "warmup_divergence");
    for (int64_t step = 1; step <= 60; step++)
        tv_log_point(&log, "loss", step, step > 30 && step % 3 ? 0 : 10 + 0.1 * (step % 4));
    tv_log_end(&log, NAN);
    ck_assert_ptr_null(tv_log_alert(&log, "warmup_divergence"));
    tv_log_close(&log);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("warmup_divergence");
    TCase *c = tcase_create("warmup_divergence");
    tcase_add_test(c, healthy_runs_are_silent);
    tcase_add_test(c, zeros_that_hide_a_nan_are_no_low_loss);
    tcase_add_test(c, fivefold_of_the_first_loss_needs_no_second_point);
    tcase_add_test(c, a_rise_during_warmup_is_found_there_with_the_last_good_rate);
    tcase_add_test(c, a_short_warmup_is_blamed_and_its_right_length_computed);
    tcase_add_test(c, a_single_spike_in_warmup_is_not_reported);
    tcase_add_test(c, two_values_in_turn_are_no_rise);
    tcase_add_test(c, five_points_that_climb_to_the_threefold_are_enough);
    tcase_add_test(c, a_rise_later_is_left_to_divergence);
    tcase_add_test(c, a_rise_is_found_with_a_point_every_step_or_every_fiftieth);
    tcase_add_test(c, a_climb_from_the_very_first_point_is_found);
    tcase_add_test(c, a_rise_within_the_first_interval_of_a_coarse_log_is_found);
    tcase_add_test(c, chaos_that_settles_again_is_told);
    tcase_add_test(c, a_rise_that_was_gone_again_hides_no_later_one);
    tcase_add_test(c, a_first_point_that_is_low_by_chance_is_no_base);
    tcase_add_test(c, a_first_point_that_is_far_up_and_back_at_once_is_withdrawn);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
