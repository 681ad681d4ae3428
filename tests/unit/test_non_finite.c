/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/curve.h"
#include "support/suite.h"
#include <math.h>
#include <string.h>

static void nan_at_100(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    (void)curve;
    if (i >= 100)
        point->loss = NAN;
}

static void infinity_once(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    (void)curve;
    if (i == 100)
        point->loss = INFINITY;
}

/* What transformers logs when logging_nan_inf_filter is on. */
static void zero_at_100(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    (void)curve;
    if (i >= 100)
        point->loss = 0;
    point->has_gradient = false;
}

static void zero_and_nan_gradient(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    (void)curve;
    if (i >= 100) {
        point->loss = 0;
        point->gradient = NAN;
    }
}

/* A loss that converges to nothing, rounded to 4 decimals. */
static void fades_to_zero(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    (void)curve;
    point->loss = round(1e4 * exp(-i / 8.0)) / 1e4;
}

static void left_out(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    (void)curve;
    point->has_loss = i < 100;
}

static void every_other_left_out(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    (void)curve;
    point->has_loss = i % 2 == 0;
}

/* Noise, unit and logging interval of a healthy run must not matter. */
START_TEST(healthy_runs_are_silent)
{
    static const struct tv_curve runs[] = {
        {.points = 20, .every = 50, .scale = 1, .noise = 0.05, .floor = 1, .warmup = 0.1},
        {.points = 200, .every = 1, .scale = 1e-6, .noise = 0.15, .floor = 2, .warmup = 0.05},
        {.points = 1000, .every = 500, .scale = 1e4, .noise = 0.1, .floor = 0.01, .warmup = 0.03},
        {.points = 200,
         .every = 5,
         .scale = 1,
         .shift = -3,
         .noise = 0.05,
         .floor = 1,
         .warmup = 0.1},
    };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
        ck_assert_uint_eq(tv_curve_alerts("non_finite", runs[i], NULL, 10), 0);
}
END_TEST

static const struct tv_alert *first(struct tv_log *log, tv_curve_change *change)
{
    struct tv_curve curve = TV_CURVE;
    tv_curve_run(log, "non_finite", &curve, change);
    return tv_log_alert(log, "non_finite");
}

START_TEST(a_nan_is_critical_at_its_own_point)
{
    struct tv_log log;
    const struct tv_alert *alert = first(&log, nan_at_100);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 505);
    ck_assert_int_eq(alert->step, 505);
    ck_assert_int_eq(alert->severity, TV_CRITICAL);
    ck_assert_int_eq(alert->state, TV_FIRING);
    tv_log_close(&log);
}
END_TEST

START_TEST(an_infinity_that_passes_is_resolved)
{
    struct tv_log log;
    const struct tv_alert *alert = first(&log, infinity_once);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->state, TV_RESOLVED);
    ck_assert_int_eq(alert->resolved_step, 555);
    tv_log_close(&log);
}
END_TEST

START_TEST(a_filtered_nan_is_seen_at_the_second_zero)
{
    struct tv_log log;
    const struct tv_alert *alert = first(&log, zero_at_100);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 505);
    ck_assert_int_eq(alert->step, 510);
    ck_assert_ptr_nonnull(strstr(alert->summary, "filters"));
    tv_log_close(&log);
}
END_TEST

START_TEST(a_filtered_nan_is_seen_at_once_beside_a_nan_gradient)
{
    struct tv_log log;
    const struct tv_alert *alert = first(&log, zero_and_nan_gradient);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->step, 505);
    tv_log_close(&log);
}
END_TEST

START_TEST(a_loss_that_fades_to_zero_is_no_nan)
{
    struct tv_log log;
    ck_assert_ptr_null(first(&log, fades_to_zero));
    tv_log_close(&log);
}
END_TEST

START_TEST(a_loss_that_is_no_longer_written_is_reported)
{
    struct tv_log log;
    const struct tv_alert *alert = first(&log, left_out);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 505);
    ck_assert_int_le(alert->step, 525);
    tv_log_close(&log);
}
END_TEST

START_TEST(a_loss_that_is_written_less_often_than_the_rate_is_not)
{
    struct tv_log log;
    ck_assert_ptr_null(first(&log, every_other_left_out));
    tv_log_close(&log);
}
END_TEST

START_TEST(one_overflow_of_a_scaled_gradient_is_normal_and_five_are_not)
{
    for (int overflows = 1; overflows <= 5; overflows += 4) {
        struct tv_log log;
        tv_log_open(&log, "non_finite");
        tv_log_fact(&log, "fp16", "true");
        for (int step = 1; step <= 50; step++) {
            tv_log_point(&log, "train/loss", step, 2);
            tv_log_point(&log, "train/grad_norm", step,
                         step >= 20 && step < 20 + overflows ? INFINITY : 1);
        }
        tv_log_end(&log, NAN);
        ck_assert_int_eq(tv_log_alert(&log, "non_finite") != NULL, overflows == 5);
        tv_log_close(&log);
    }
}
END_TEST

/* A loss under a name of the user's own is none to us. */
static size_t metric_alarms(bool has_loss, int64_t nan_from, int64_t nan_to)
{
    struct tv_log log;
    tv_log_open(&log, "non_finite");
    for (int64_t step = 1; step <= 20; step++) {
        if (has_loss)
            tv_log_point(&log, "loss", step, 1);
        tv_log_point(&log, "val/ssim", step, step >= nan_from && step < nan_to ? NAN : 0.7);
    }
    tv_log_end(&log, NAN);
    size_t count = tv_log_alert(&log, "non_finite") != NULL;
    tv_log_close(&log);
    return count;
}

START_TEST(a_metric_that_stays_nan_tells_where_no_loss_does)
{
    ck_assert_uint_eq(metric_alarms(false, 10, 21), 1);
    ck_assert_uint_eq(metric_alarms(false, 10, 12), 0); /* undefined for once */
    ck_assert_uint_eq(metric_alarms(false, 1, 21), 0);  /* was never a number */
    ck_assert_uint_eq(metric_alarms(true, 10, 21), 0);  /* the loss knows better */
}
END_TEST

START_TEST(a_run_without_a_finite_loss_has_no_last_finite_one)
{
    struct tv_log log;
    tv_log_open(&log, "non_finite");
    for (int64_t step = 10; step <= 100; step += 10)
        tv_log_point(&log, "loss", step, NAN);
    tv_log_end(&log, NAN);
    const struct tv_alert *alert = tv_log_alert(&log, "non_finite");
    ck_assert_ptr_nonnull(alert);
    ck_assert(isnan(alert->expected));
    for (size_t i = 0; i < alert->evidence_len; i++) {
        ck_assert_str_ne(alert->evidence[i].name, "last_finite_step");
        ck_assert_str_ne(alert->evidence[i].name, "learning_rate");
    }
    tv_log_close(&log);
}
END_TEST

/* A step that was skipped is no more than a warning; with the loss, or a second time, it is more.
 */
START_TEST(one_overflow_beside_a_finite_loss_is_a_warning)
{
    for (int kind = 0; kind < 3; kind++) {
        struct tv_log log;
        tv_log_open(&log, "non_finite");
        for (int64_t step = 10; step <= 180; step += 10) {
            bool is_over = step == 100 || (kind == 1 && step == 110);
            tv_log_point(&log, "grad_norm", step, is_over ? NAN : 0.8);
            tv_log_point(&log, "loss", step, kind == 2 && is_over ? NAN : 2.5);
        }
        tv_log_end(&log, NAN);
        const struct tv_alert *alert = tv_log_alert(&log, "non_finite");
        ck_assert_ptr_nonnull(alert);
        ck_assert_int_eq(alert->severity, kind == 0 ? TV_WARNING : TV_CRITICAL);
        tv_log_close(&log);
    }
}
END_TEST

/* A gradient that was NaN and was applied leaves NaN weights: what is finite afterwards was
 * skipped. With the loss, or many in a row, it stays told. */
START_TEST(an_overflow_that_did_no_harm_is_taken_back)
{
    for (int kind = 0; kind < 3; kind++) {
        const struct tv_alert *const *alerts;
        struct tv_log log;
        tv_log_open(&log, "non_finite");
        for (int64_t step = 1; step <= 40; step++) {
            bool is_over = step <= 2 || step == 6 || (kind == 1 && step < 6);
            tv_log_point(&log, "grad_norm", step, is_over ? NAN : 0.8);
            tv_log_point(&log, "loss", step, kind == 2 && step == 6 ? NAN : 2.5);
        }
        tv_log_end(&log, NAN);
        size_t len = tv_run_alerts(log.run, &alerts);
        ck_assert_msg((len > 0) == (kind > 0), "%d: %s", kind, len ? alerts[0]->summary : "");
        tv_log_close(&log);
    }
}
END_TEST

/* Of several roles only the first is told: what stands for the others as well is not taken back. */
START_TEST(an_overflow_beside_an_evaluation_that_is_none_stays_told)
{
    const struct tv_alert *const *alerts;
    struct tv_log log;
    tv_log_open(&log, "non_finite");
    for (int64_t step = 1; step <= 40; step++) {
        tv_log_point(&log, "grad_norm", step, step == 6 ? NAN : 0.8);
        tv_log_point(&log, "loss", step, 2.5);
        if (step % 8 == 0)
            tv_log_point(&log, "eval_loss", step, step == 8 ? NAN : 2.6);
    }
    tv_log_end(&log, NAN);
    ck_assert_uint_eq(tv_run_alerts(log.run, &alerts), 1);
    tv_log_close(&log);
}
END_TEST

/* A loss that was rounded to 0 long before the alert says nothing about it. */
START_TEST(an_overflow_is_taken_back_whatever_was_before_it)
{
    const struct tv_alert *const *alerts;
    struct tv_log log;
    tv_log_open(&log, "non_finite");
    for (int64_t step = 1; step <= 100; step++) {
        tv_log_point(&log, "loss", step, step == 10 ? 0 : 2.5);
        tv_log_point(&log, "grad_norm", step, step == 60 ? NAN : 0.8);
    }
    tv_log_end(&log, NAN);
    ck_assert_uint_eq(tv_run_alerts(log.run, &alerts), 0);
    tv_log_close(&log);
}
END_TEST

/* All labels masked: the mean of no loss is NaN, logged as 0, and its gradient is 0. */
static const struct tv_alert *judge_zeros(struct tv_log *log, double gradient, int points)
{
    tv_log_open(log, "non_finite");
    for (int64_t step = 10; step <= 10 * points; step += 10) {
        tv_log_point(log, "loss", step, 0);
        if (!isnan(gradient))
            tv_log_point(log, "grad_norm", step, gradient);
    }
    tv_log_end(log, NAN);
    return tv_log_alert(log, "non_finite");
}

START_TEST(a_loss_that_was_never_anything_but_0_is_told_unless_something_moves)
{
    static const struct {
        double gradient;
        int points;
        bool told;
    } cases[] = {{0, 100, true}, {NAN, 100, true}, {0.07, 100, false}, {0, 9, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tv_log log;
        const struct tv_alert *alert = judge_zeros(&log, cases[i].gradient, cases[i].points);
        ck_assert_msg((alert != NULL) == cases[i].told, "%zu", i);
        if (alert) {
            ck_assert_int_eq(alert->onset_step, 10);
            ck_assert_int_eq(alert->state, TV_FIRING);
        }
        tv_log_close(&log);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("non_finite");
    TCase *c = tcase_create("non_finite");
    tcase_add_test(c, healthy_runs_are_silent);
    tcase_add_test(c, a_nan_is_critical_at_its_own_point);
    tcase_add_test(c, an_infinity_that_passes_is_resolved);
    tcase_add_test(c, an_overflow_that_did_no_harm_is_taken_back);
    tcase_add_test(c, an_overflow_beside_an_evaluation_that_is_none_stays_told);
    tcase_add_test(c, an_overflow_is_taken_back_whatever_was_before_it);
    tcase_add_test(c, a_filtered_nan_is_seen_at_the_second_zero);
    tcase_add_test(c, a_filtered_nan_is_seen_at_once_beside_a_nan_gradient);
    tcase_add_test(c, a_loss_that_fades_to_zero_is_no_nan);
    tcase_add_test(c, a_loss_that_is_no_longer_written_is_reported);
    tcase_add_test(c, a_loss_that_is_written_less_often_than_the_rate_is_not);
    tcase_add_test(c, one_overflow_of_a_scaled_gradient_is_normal_and_five_are_not);
    tcase_add_test(c, a_metric_that_stays_nan_tells_where_no_loss_does);
    tcase_add_test(c, a_run_without_a_finite_loss_has_no_last_finite_one);
    tcase_add_test(c, one_overflow_beside_a_finite_loss_is_a_warning);
    tcase_add_test(c, a_loss_that_was_never_anything_but_0_is_told_unless_something_moves);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
