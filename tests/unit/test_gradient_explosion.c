/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/curve.h"
#include "support/suite.h"
#include <math.h>
#include <string.h>

static void hundredfold(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    if (i >= curve->points * 6 / 10)
        point->gradient *= 100;
}

static void hundredfold_for_a_while(const struct tv_curve *curve, int i,
                                    struct tv_curve_point *point)
{
    if (i >= curve->points * 5 / 10 && i < curve->points * 6 / 10)
        point->gradient *= 100;
}

static void single_peaks(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    (void)curve;
    if (i % 17 == 3)
        point->gradient *= 30;
}

static void grows(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    int after = i - curve->points * 6 / 10;
    if (after > 0)
        point->gradient *= exp(0.2 * after);
}

static void nan_gradient(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    if (i >= curve->points * 6 / 10)
        point->gradient = NAN;
}

/* A model that begins to learn after a long plateau: the norm grows while the loss falls. */
static void awakes(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    double over = (i - curve->points * 0.5) / (curve->points * 0.1);
    over = fmin(1, fmax(0, over));
    point->loss = 4 - 3 * over + 0.01 * (i % 3);
    point->gradient = (0.1 + 0.4 * over) * (1 + 0.05 * (i % 4));
}

/* Noise, unit and logging interval of a healthy run must not matter. */
START_TEST(healthy_runs_are_silent)
{
    ck_assert_uint_eq(tv_curve_healthy_alerts("gradient_explosion"), 0);
}
END_TEST

START_TEST(a_norm_that_stays_a_hundredfold_is_found_in_any_unit)
{
    for (double scale = 1e-6; scale < 1e7; scale *= 1e6) {
        struct tv_curve curve = TV_CURVE;
        struct tv_log log;
        curve.scale = scale;
        tv_curve_run(&log, "gradient_explosion", &curve, hundredfold);
        const struct tv_alert *alert = tv_log_alert(&log, "gradient_explosion");
        ck_assert_ptr_nonnull(alert);
        ck_assert_int_eq(alert->onset_step, 605);
        ck_assert_int_le(alert->step, 615);
        tv_log_close(&log);
    }
}
END_TEST

START_TEST(single_peaks_are_normal)
{
    struct tv_curve curve = TV_CURVE;
    ck_assert_uint_eq(tv_curve_alerts("gradient_explosion", curve, single_peaks, 10), 0);
}
END_TEST

START_TEST(exponential_growth_is_found_before_it_is_tenfold)
{
    struct tv_curve curve = TV_CURVE;
    struct tv_log log;
    tv_curve_run(&log, "gradient_explosion", &curve, grows);
    const struct tv_alert *alert = tv_log_alert(&log, "gradient_explosion");
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_le(alert->step, 605 + 5 * 12);
    ck_assert_int_le(alert->onset_step, 640);
    tv_log_close(&log);
}
END_TEST

START_TEST(a_norm_that_becomes_nan_is_found_at_its_second_point)
{
    struct tv_curve curve = TV_CURVE;
    struct tv_log log;
    tv_curve_run(&log, "gradient_explosion", &curve, nan_gradient);
    const struct tv_alert *alert = tv_log_alert(&log, "gradient_explosion");
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 605);
    ck_assert_int_eq(alert->step, 610);
    ck_assert_int_eq(alert->severity, TV_CRITICAL);
    tv_log_close(&log);
}
END_TEST

static void one_overflow(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    if (i == curve->points * 6 / 10)
        point->gradient = NAN;
}

START_TEST(one_overflow_out_of_the_blue_is_left_to_non_finite)
{
    struct tv_curve curve = TV_CURVE;
    ck_assert_uint_eq(tv_curve_alerts("gradient_explosion", curve, one_overflow, 3), 0);
}
END_TEST

/* One that has converged, and then the next one, which starts anew. */
START_TEST(another_job_in_the_same_directory_has_its_own_usual_norm)
{
    struct tv_log log;
    tv_log_open(&log, "gradient_explosion");
    for (int job = 0; job < 2; job++)
        for (int64_t step = 10; step <= 900; step += 10) {
            tv_log_point(&log, "loss", step, 0.3 * exp(-(double)step / 100));
            tv_log_point(&log, "grad_norm", step, 0.2 * exp(-(double)step / 120));
        }
    tv_log_end(&log, NAN);
    ck_assert_ptr_null(tv_log_alert(&log, "gradient_explosion"));
    tv_log_close(&log);
}
END_TEST

START_TEST(a_norm_that_grows_while_the_loss_falls_is_learning)
{
    struct tv_curve curve = TV_CURVE;
    ck_assert_uint_eq(tv_curve_alerts("gradient_explosion", curve, awakes, 1), 0);
}
END_TEST

/* Far beyond all before it: with an ordinary loss beside it one point is enough, with a spike of
 * the loss it is a bad batch. */
static void thousandfold(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    if (i >= curve->points * 6 / 10)
        point->gradient *= 1000;
}

static void bad_batch(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    if (i == curve->points * 6 / 10) {
        point->gradient *= 1000;
        point->loss *= 10;
    }
}

START_TEST(a_thousandfold_norm_is_told_at_its_first_point_unless_the_loss_jumps_too)
{
    struct tv_curve curve = TV_CURVE;
    struct tv_log log;
    tv_curve_run(&log, "gradient_explosion", &curve, thousandfold);
    const struct tv_alert *alert = tv_log_alert(&log, "gradient_explosion");
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->step, alert->onset_step);
    tv_log_close(&log);
    ck_assert_uint_eq(tv_curve_alerts("gradient_explosion", curve, bad_batch, 10), 0);
}
END_TEST

START_TEST(a_norm_that_comes_back_resolves_it)
{
    tv_curve_expect_over("gradient_explosion", hundredfold_for_a_while, 505, 605, 660);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("gradient_explosion");
    TCase *c = tcase_create("gradient_explosion");
    tcase_add_test(c, a_norm_that_comes_back_resolves_it);
    tcase_add_test(c, healthy_runs_are_silent);
    tcase_add_test(c, a_thousandfold_norm_is_told_at_its_first_point_unless_the_loss_jumps_too);
    tcase_add_test(c, a_norm_that_stays_a_hundredfold_is_found_in_any_unit);
    tcase_add_test(c, single_peaks_are_normal);
    tcase_add_test(c, exponential_growth_is_found_before_it_is_tenfold);
    tcase_add_test(c, a_norm_that_becomes_nan_is_found_at_its_second_point);
    tcase_add_test(c, one_overflow_out_of_the_blue_is_left_to_non_finite);
    tcase_add_test(c, another_job_in_the_same_directory_has_its_own_usual_norm);
    tcase_add_test(c, a_norm_that_grows_while_the_loss_falls_is_learning);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
