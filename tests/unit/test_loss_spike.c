/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/curve.h"
#include "support/suite.h"
#include <math.h>
#include <string.h>

static void double_one(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    if (i == curve->points * 6 / 10)
        point->loss *= 2;
}

static void double_two(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    int at = curve->points * 6 / 10;
    if (i == at || i == at + 1)
        point->loss *= 3;
}

static void forty_percent_up_often(const struct tv_curve *curve, int i,
                                   struct tv_curve_point *point)
{
    (void)curve;
    if (i % 12 == 5)
        point->loss *= 1.4;
}

/* A cosine restart: the learning rate is back at its peak and the loss a third higher for some
 * points. */
static void restart(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    int at = curve->points / 2;
    if (i < at)
        point->rate = 1e-6;
    else
        point->rate = 1e-3;
    if (i >= at && i < at + 5)
        point->loss *= 1.3;
}

/* From one point on twice as high, for good. */
static void harder_data(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    if (i >= curve->points * 6 / 10)
        point->loss *= 2;
}

static void damaged(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    harder_data(curve, i, point);
    if (i == curve->points * 6 / 10)
        point->gradient *= 50;
}

/* Noise, unit and logging interval of a healthy run must not matter. */
START_TEST(healthy_runs_are_silent)
{
    ck_assert_uint_eq(tv_curve_healthy_alerts("loss_spike"), 0);
}
END_TEST

START_TEST(a_doubled_loss_is_found_at_its_step_in_any_unit)
{
    for (double scale = 1e-6; scale < 1e7; scale *= 1e3) {
        struct tv_curve curve = TV_CURVE;
        struct tv_log log;
        curve.scale = scale;
        tv_curve_run(&log, "loss_spike", &curve, double_one);
        const struct tv_alert *alert = tv_log_alert(&log, "loss_spike");
        ck_assert_ptr_nonnull(alert);
        ck_assert_int_eq(alert->onset_step, 605);
        ck_assert_int_eq(alert->step, 605);
        ck_assert_int_eq(alert->state, TV_RESOLVED);
        ck_assert_double_eq_tol(alert->observed / alert->expected, 2, 0.3);
        ck_assert_str_eq(alert->subject, "train/loss");
        tv_log_close(&log);
    }
}
END_TEST

START_TEST(a_spike_is_found_among_negative_losses_too)
{
    struct tv_curve curve = TV_CURVE;
    struct tv_log log;
    curve.shift = -3;
    tv_curve_run(&log, "loss_spike", &curve, double_one);
    ck_assert_ptr_nonnull(tv_log_alert(&log, "loss_spike"));
    tv_log_close(&log);
}
END_TEST

START_TEST(two_points_in_a_row_are_one_finding)
{
    struct tv_curve curve = TV_CURVE;
    struct tv_log log;
    const struct tv_alert *const *alerts;
    tv_curve_run(&log, "loss_spike", &curve, double_two);
    ck_assert_uint_eq(tv_run_alerts(log.run, &alerts), 1);
    ck_assert_int_eq(alerts[0]->onset_step, 605);
    tv_log_close(&log);
}
END_TEST

START_TEST(excursions_that_repeat_are_noise)
{
    struct tv_curve curve = TV_CURVE;
    struct tv_log log;
    const struct tv_alert *const *alerts;
    tv_curve_run(&log, "loss_spike", &curve, forty_percent_up_often);
    ck_assert_uint_le(tv_run_alerts(log.run, &alerts), 1);
    tv_log_close(&log);
}
END_TEST

START_TEST(a_bump_after_a_restart_of_the_learning_rate_is_explained)
{
    struct tv_curve curve = TV_CURVE;
    curve.noise = 0.01; /* the bump is thirty times that */
    ck_assert_uint_eq(tv_curve_alerts("loss_spike", curve, restart, 10), 0);
}
END_TEST

/* Coarse logs are short: what stands out plainly must be seen within them. */
static void four_times_at_the_24th(const struct tv_curve *curve, int i,
                                   struct tv_curve_point *point)
{
    (void)curve;
    if (i == 23)
        point->loss *= 4;
}

START_TEST(a_plain_spike_is_found_in_a_short_noisy_log)
{
    struct tv_curve curve = TV_CURVE;
    curve.points = 45;
    curve.every = 20;
    curve.noise = 0.12;
    ck_assert_uint_ge(tv_curve_alerts("loss_spike", curve, four_times_at_the_24th, 10), 9);
}
END_TEST

/* Half of a steep fall comes back, to where the loss was six points ago. */
START_TEST(a_bounce_within_a_steep_fall_is_no_spike)
{
    struct tv_log log;
    struct tv_noise noise = {3};
    tv_log_open(&log, "loss_spike");
    for (int step = 1; step <= 80; step++) {
        double fall = step <= 40 ? 0.005 * step : 0.2 + 0.12 * fmin(step - 40, 6);
        double bounce = step == 47 || step == 48 ? 0.36 : 0;
        tv_log_point(&log, "train/loss", step,
                     exp(1 - fall + bounce + 0.01 * tv_noise_normal(&noise)));
    }
    tv_log_end(&log, NAN);
    ck_assert_ptr_null(tv_log_alert(&log, "loss_spike"));
    tv_log_close(&log);
}
END_TEST

/* Resumed from a checkpoint: the steps repeat, and the loss there is higher than just before. */
START_TEST(the_first_points_after_a_resume_are_not_judged)
{
    struct tv_log log;
    struct tv_noise noise = {3};
    tv_log_open(&log, "loss_spike");
    for (int step = 1; step <= 100; step++)
        tv_log_point(&log, "train/loss", step,
                     exp(1 - step / 50.0 + 0.02 * tv_noise_normal(&noise)));
    tv_log_next_file(&log);
    for (int step = 51; step <= 150; step++)
        tv_log_point(&log, "train/loss", step,
                     exp(1 - step / 50.0 + 0.02 * tv_noise_normal(&noise)));
    tv_log_end(&log, NAN);
    ck_assert_ptr_null(tv_log_alert(&log, "loss_spike"));
    tv_log_close(&log);
}
END_TEST

START_TEST(reinforcement_learning_is_left_alone)
{
    for (int is_rl = 0; is_rl <= 1; is_rl++) {
        struct tv_log log;
        tv_log_open(&log, "loss_spike");
        for (int step = 1; step <= 100; step++) {
            if (is_rl)
                tv_log_point(&log, "rollout/ep_rew_mean", step, step);
            tv_log_point(&log, "train/loss", step, step == 60 ? 50 : 1 + 0.01 * (step % 3));
        }
        tv_log_end(&log, NAN);
        ck_assert_int_eq(tv_log_alert(&log, "loss_spike") == NULL, is_rl);
        tv_log_close(&log);
    }
}
END_TEST

/* A hundred thousand points have larger extremes than a hundred. */
START_TEST(no_learning_rate_is_named_where_none_was_logged)
{
    struct tv_noise noise = {1};
    struct tv_log log;
    tv_log_open(&log, "loss_spike");
    for (int i = 1; i <= 400; i++)
        tv_log_point(&log, "loss", i,
                     (i == 200 ? 30 : 3 - i / 200.0) * (1 + 0.01 * tv_noise_normal(&noise)));
    tv_log_end(&log, NAN);
    const struct tv_alert *alert = tv_log_alert(&log, "loss_spike");
    ck_assert_ptr_nonnull(alert);
    for (size_t i = 0; i < alert->evidence_len; i++)
        ck_assert_str_ne(alert->evidence[i].name, "learning_rate");
    tv_log_close(&log);
}
END_TEST

START_TEST(a_very_long_run_is_silent)
{
    struct tv_curve curve = TV_CURVE;
    curve.points = 100000;
    curve.every = 1;
    curve.noise = 0.1;
    ck_assert_uint_eq(tv_curve_alerts("loss_spike", curve, NULL, 1), 0);
}
END_TEST

START_TEST(a_level_that_stays_is_withdrawn_unless_the_gradient_jumped_with_it)
{
    for (int jumps = 0; jumps <= 1; jumps++) {
        struct tv_curve curve = TV_CURVE;
        struct tv_log log;
        const struct tv_alert *const *alerts;
        tv_curve_run(&log, "loss_spike", &curve, jumps ? damaged : harder_data);
        ck_assert_uint_eq(tv_run_alerts(log.run, &alerts), (size_t)jumps);
        if (jumps) {
            ck_assert_int_eq(alerts[0]->onset_step, 605);
            ck_assert_int_eq(alerts[0]->state, TV_RESOLVED);
            ck_assert_ptr_nonnull(strstr(alerts[0]->summary, "at step 605 and stays up"));
        }
        tv_log_close(&log);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("loss_spike");
    TCase *c = tcase_create("loss_spike");
    tcase_add_test(c, a_level_that_stays_is_withdrawn_unless_the_gradient_jumped_with_it);
    tcase_add_test(c, healthy_runs_are_silent);
    tcase_add_test(c, a_doubled_loss_is_found_at_its_step_in_any_unit);
    tcase_add_test(c, a_plain_spike_is_found_in_a_short_noisy_log);
    tcase_add_test(c, a_bounce_within_a_steep_fall_is_no_spike);
    tcase_add_test(c, a_spike_is_found_among_negative_losses_too);
    tcase_add_test(c, two_points_in_a_row_are_one_finding);
    tcase_add_test(c, excursions_that_repeat_are_noise);
    tcase_add_test(c, a_bump_after_a_restart_of_the_learning_rate_is_explained);
    tcase_add_test(c, the_first_points_after_a_resume_are_not_judged);
    tcase_add_test(c, reinforcement_learning_is_left_alone);
    tcase_add_test(c, no_learning_rate_is_named_where_none_was_logged);
    tcase_add_test(c, a_very_long_run_is_silent);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
