/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/curve.h"
#include "support/suite.h"
#include <math.h>
#include <string.h>

static void blow_up(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    int at = curve->points * 6 / 10;
    if (i >= at)
        point->loss *= fmin(20, 2 + 2 * (i - at));
}

static void away_for_a_while(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    if (i >= curve->points * 5 / 10 && i < curve->points * 6 / 10)
        point->loss *= 10;
}

/* Up by a third within a tenth of the run, then flat. */
static void creep(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    double over = (i - curve->points * 0.6) / (curve->points * 0.1);
    point->loss *= 1 + 0.5 * fmin(1, fmax(0, over));
}

/* Far up at once, and back within ten points. */
static void spike(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    int after = i - curve->points * 6 / 10;
    if (after >= 0)
        point->loss *= 1 + 10 * exp(-1.5 * after);
}

static void nan_for_good(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    if (i >= curve->points * 6 / 10)
        point->loss = point->gradient = NAN;
}

static void nan_for_two(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    int after = i - curve->points * 6 / 10;
    if (after == 0 || after == 1)
        point->loss = NAN;
}

static void kick(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    if (i < curve->points * 6 / 10)
        return;
    point->rate *= 50;
    blow_up(curve, i, point);
}

static void rise_in_warmup(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    if (i > curve->points / 20)
        point->loss = 30;
}

/* A bad batch whose two steps fall into two logging windows, the second of them higher. */
static void spike_of_two(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    int after = i - curve->points * 6 / 10;
    if (after == 0 || after == 1)
        point->loss *= 1000 * (1 + after);
}

/* Noise, unit and logging interval of a healthy run must not matter. */
START_TEST(healthy_runs_are_silent)
{
    ck_assert_uint_eq(tv_curve_healthy_alerts("divergence"), 0);
}
END_TEST

START_TEST(a_blow_up_is_found_within_three_points_in_any_unit)
{
    for (double scale = 1e-6; scale < 1e7; scale *= 1e6) {
        struct tv_curve curve = TV_CURVE;
        struct tv_log log;
        curve.scale = scale;
        tv_curve_run(&log, "divergence", &curve, blow_up);
        const struct tv_alert *alert = tv_log_alert(&log, "divergence");
        ck_assert_ptr_nonnull(alert);
        ck_assert_int_ge(alert->onset_step, 600);
        ck_assert_int_le(alert->onset_step, 610);
        ck_assert_int_le(alert->step, 625);
        ck_assert_int_eq(alert->severity, TV_CRITICAL);
        ck_assert_int_eq(alert->state, TV_FIRING);
        tv_log_close(&log);
    }
}
END_TEST

START_TEST(a_blow_up_is_found_among_negative_losses_and_at_coarse_logging)
{
    struct tv_curve curve = TV_CURVE;
    curve.shift = -3;
    ck_assert_uint_eq(tv_curve_alerts("divergence", curve, blow_up, 10), 10);
    curve.shift = 0;
    curve.points = 25;
    curve.every = 500;
    ck_assert_uint_eq(tv_curve_alerts("divergence", curve, blow_up, 10), 10);
}
END_TEST

START_TEST(a_slow_rise_that_stays_is_found)
{
    struct tv_curve curve = TV_CURVE;
    ck_assert_uint_eq(tv_curve_alerts("divergence", curve, creep, 10), 10);
}
END_TEST

START_TEST(a_spike_that_recovers_is_no_divergence)
{
    struct tv_curve curve = TV_CURVE;
    ck_assert_uint_eq(tv_curve_alerts("divergence", curve, spike, 10), 0);
}
END_TEST

START_TEST(a_loss_that_stays_nan_has_diverged_and_one_that_returns_has_not)
{
    struct tv_curve curve = TV_CURVE;
    struct tv_log log;
    tv_curve_run(&log, "divergence", &curve, nan_for_good);
    const struct tv_alert *alert = tv_log_alert(&log, "divergence");
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 605);
    tv_log_close(&log);
    ck_assert_uint_eq(tv_curve_alerts("divergence", curve, nan_for_two, 10), 0);
}
END_TEST

START_TEST(a_kick_of_the_learning_rate_is_named_as_the_cause)
{
    struct tv_curve curve = TV_CURVE;
    struct tv_log log;
    tv_curve_run(&log, "divergence", &curve, kick);
    const struct tv_alert *alert = tv_log_alert(&log, "divergence");
    ck_assert_ptr_nonnull(alert);
    ck_assert_ptr_nonnull(strstr(alert->causes[0], "the learning rate jumped from"));
    ck_assert_ptr_nonnull(strstr(alert->advice[1], "learning rate: back to"));
    tv_log_close(&log);
}
END_TEST

START_TEST(a_rise_within_the_warmup_is_left_to_warmup_divergence)
{
    struct tv_curve curve = TV_CURVE;
    ck_assert_uint_eq(tv_curve_alerts("divergence", curve, rise_in_warmup, 10), 0);
}
END_TEST

/* A hundred thousand points have larger extremes than a hundred. */
START_TEST(no_learning_rate_is_named_where_none_was_logged)
{
    struct tv_noise noise = {1};
    struct tv_log log;
    tv_log_open(&log, "divergence");
    for (int i = 1; i <= 400; i++)
        tv_log_point(&log, "loss", i,
                     (i < 200 ? 3 - i / 200.0 : 9) * (1 + 0.01 * tv_noise_normal(&noise)));
    tv_log_end(&log, NAN);
    const struct tv_alert *alert = tv_log_alert(&log, "divergence");
    ck_assert_ptr_nonnull(alert);
    for (size_t i = 0; i < alert->causes_len; i++)
        ck_assert_msg(!strstr(alert->causes[i], "learning rate 0"), "%s", alert->causes[i]);
    for (size_t i = 0; i < alert->evidence_len; i++)
        ck_assert_str_ne(alert->evidence[i].name, "last_good_lr");
    tv_log_close(&log);
}
END_TEST

START_TEST(a_very_long_run_is_silent)
{
    struct tv_curve curve = TV_CURVE;
    curve.points = 100000;
    curve.every = 1;
    curve.noise = 0.1;
    ck_assert_uint_eq(tv_curve_alerts("divergence", curve, NULL, 1), 0);
}
END_TEST

/* The job died at step 400 and goes on from a checkpoint of step 50, where the loss was twice as
 * high. */
START_TEST(a_resume_from_an_early_checkpoint_is_no_divergence)
{
    struct tv_log log;
    struct tv_noise noise = {5};
    tv_log_open(&log, "divergence");
    for (int step = 1; step <= 400; step++)
        tv_log_point(&log, "train/loss", step,
                     1 + 3 * exp(-step / 60.0) + 0.03 * tv_noise_normal(&noise));
    tv_log_next_file(&log);
    for (int step = 51; step <= 800; step++)
        tv_log_point(&log, "train/loss", step,
                     1 + 3 * exp(-step / 60.0) + 0.03 * tv_noise_normal(&noise));
    tv_log_end(&log, NAN);
    ck_assert_ptr_null(tv_log_alert(&log, "divergence"));
    tv_log_close(&log);
}
END_TEST

/* The same in a log so short that four points are a window. */
static void hundredfold_of_two(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    (void)curve;
    if (i == 35 || i == 36)
        point->loss *= i == 35 ? 50 : 100;
}

START_TEST(two_of_four_points_are_no_level)
{
    struct tv_curve curve = TV_CURVE;
    curve.points = 80;
    curve.every = 10;
    curve.floor = 0.2;
    curve.noise = 0.2;
    ck_assert_uint_eq(tv_curve_alerts("divergence", curve, hundredfold_of_two, 20), 0);
}
END_TEST

/* Rough from its beginning, single points back down, but five times as high. */
static void rough_and_high(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    if (i >= curve->points * 6 / 10)
        point->loss *= 5 * exp(0.7 * sin(2.6 * i));
}

START_TEST(half_of_the_progress_gone_is_told_within_25_points)
{
    for (unsigned seed = 1; seed <= 10; seed++) {
        struct tv_curve curve = TV_CURVE;
        struct tv_log log;
        curve.seed = seed;
        curve.noise = 0.2;
        curve.floor = 0.4;
        tv_curve_run(&log, "divergence", &curve, rough_and_high);
        const struct tv_alert *alert = tv_log_alert(&log, "divergence");
        ck_assert_ptr_nonnull(alert);
        ck_assert_int_ge(alert->step, 600);
        ck_assert_int_le(alert->step, 600 + 25 * curve.every);
        tv_log_close(&log);
    }
}
END_TEST

START_TEST(two_points_of_a_bad_batch_are_no_divergence)
{
    struct tv_curve curve = TV_CURVE;
    ck_assert_uint_eq(tv_curve_alerts("divergence", curve, spike_of_two, 10), 0);
}
END_TEST

START_TEST(two_points_beyond_all_progress_are_enough_until_they_come_back)
{
    for (int stays = 0; stays <= 1; stays++) {
        struct tv_log log;
        tv_log_open(&log, "divergence");
        double loss = 3;
        for (int step = 10; step <= 1000; step += 10) {
            bool is_up = step == 610 || step == 620 || (stays && step > 620);
            loss = 1 + 2 * exp(-step / 200.0) + 0.02 * sin(step);
            tv_log_point(&log, "train/loss", step, is_up ? 20 + step / 1000.0 : loss);
            const struct tv_alert *alert = tv_log_alert(&log, "divergence");
            bool is_told = step >= 620 && (stays || step < 640);
            ck_assert_int_eq(alert && alert->state == TV_FIRING, is_told);
        }
        tv_log_close(&log);
    }
}
END_TEST

/* A learning rate beyond all before, and a loss far beyond the start at the same point. */
static void hard_kick(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    if (i < curve->points * 6 / 10)
        return;
    point->rate *= 50;
    point->loss *= 500;
}

static void loss_jumps_and_gradient_is_nan(const struct tv_curve *curve, int i,
                                           struct tv_curve_point *point)
{
    if (i < curve->points * 6 / 10)
        return;
    point->loss *= 500;
    point->gradient = NAN;
}

START_TEST(one_point_is_enough_behind_a_kick_or_beside_a_dead_gradient)
{
    tv_curve_change *const changes[] = {hard_kick, loss_jumps_and_gradient_is_nan};
    for (size_t i = 0; i < 2; i++) {
        struct tv_curve curve = TV_CURVE;
        struct tv_log log;
        tv_curve_run(&log, "divergence", &curve, changes[i]);
        const struct tv_alert *alert = tv_log_alert(&log, "divergence");
        ck_assert_ptr_nonnull(alert);
        ck_assert_int_eq(alert->onset_step, 605);
        ck_assert_int_le(alert->step, i == 0 ? 610 : 605); /* the rate comes after the loss */
        tv_log_close(&log);
    }
}
END_TEST

START_TEST(a_loss_that_comes_back_resolves_it)
{
    tv_curve_expect_over("divergence", away_for_a_while, 505, 605, 620);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("divergence");
    TCase *c = tcase_create("divergence");
    tcase_add_test(c, a_loss_that_comes_back_resolves_it);
    tcase_add_test(c, healthy_runs_are_silent);
    tcase_add_test(c, two_points_beyond_all_progress_are_enough_until_they_come_back);
    tcase_add_test(c, one_point_is_enough_behind_a_kick_or_beside_a_dead_gradient);
    tcase_add_test(c, a_blow_up_is_found_within_three_points_in_any_unit);
    tcase_add_test(c, a_blow_up_is_found_among_negative_losses_and_at_coarse_logging);
    tcase_add_test(c, a_slow_rise_that_stays_is_found);
    tcase_add_test(c, a_spike_that_recovers_is_no_divergence);
    tcase_add_test(c, a_loss_that_stays_nan_has_diverged_and_one_that_returns_has_not);
    tcase_add_test(c, a_kick_of_the_learning_rate_is_named_as_the_cause);
    tcase_add_test(c, a_rise_within_the_warmup_is_left_to_warmup_divergence);
    tcase_add_test(c, no_learning_rate_is_named_where_none_was_logged);
    tcase_add_test(c, a_very_long_run_is_silent);
    tcase_add_test(c, a_resume_from_an_early_checkpoint_is_no_divergence);
    tcase_add_test(c, two_of_four_points_are_no_level);
    tcase_add_test(c, half_of_the_progress_gone_is_told_within_25_points);
    tcase_add_test(c, two_points_of_a_bad_batch_are_no_divergence);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
