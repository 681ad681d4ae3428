/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/course.h"
#include "support/suite.h"
#include <math.h>
#include <string.h>

#define ID "early_stop_advised"

/* Best at a quarter of the run, then 2 % worse for ever. */
static double levelled(double done)
{
    return done <= 0.25 ? 1 + 2 * (0.25 - done) : 1.02;
}
static double risen(double done)
{
    return done <= 0.25 ? 1 + 2 * (0.25 - done) : 1 + (done - 0.25);
}
static double improving(double done)
{
    return 1 + exp(-3 * done);
}

static const struct tv_course course_of = {
    .steps = 1000,
    .planned = 1000,
    .every = 10,
    .eval_every = 25,
    .warmup = 30,
    .eval = levelled,
    .noise = 0.02,
    .eval_noise = 0.0005,
};

START_TEST(a_long_pause_is_reported_with_the_best_step)
{
    struct tv_log log;
    const struct tv_alert *alert = tv_course_judge(&log, ID, &course_of);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 300);
    ck_assert_int_eq(alert->step, 250 + 12 * 25);
    ck_assert_int_eq(alert->severity, TV_INFO);
    ck_assert_ptr_nonnull(strstr(alert->advice[0], "step 250"));
    tv_log_close(&log);
}
END_TEST

START_TEST(a_clear_rise_needs_few_evaluations)
{
    struct tv_log log;
    struct tv_course course = course_of;
    course.eval = risen;
    const struct tv_alert *alert = tv_course_judge(&log, ID, &course);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_le(alert->step, 250 + 6 * 25);
    tv_log_close(&log);
}
END_TEST

START_TEST(improvement_however_slow_is_left_alone)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct tv_course course = course_of;
        course.eval = improving;
        course.eval_noise = 0.005;
        course.seed = seed;
        ck_assert(!tv_course_alarms(ID, &course));
    }
}
END_TEST

START_TEST(rounding_does_not_look_like_a_pause)
{
    struct tv_course course = course_of;
    course.eval = improving;
    course.scale = 0.01;
    course.decimals = 3;
    course.eval_noise = 0;
    ck_assert(!tv_course_alarms(ID, &course));
}
END_TEST

START_TEST(a_repeated_evaluation_of_a_resumed_run_counts_once)
{
    struct tv_log log;
    tv_log_open(&log, ID);
    for (int64_t step = 1; step <= 100; step++)
        tv_log_point(&log, "loss", step, improving((double)step / 100));
    for (int64_t step = 10; step <= 50; step += 10)
        tv_log_point(&log, "eval_loss", step, step == 10 ? 1 : 1.2);
    for (int attempt = 0; attempt < 5; attempt++) {
        tv_log_mark(&log, TV_MARK_PURGE, 40);
        tv_log_point(&log, "eval_loss", 40, 1.2);
        tv_log_point(&log, "eval_loss", 50, 1.2);
    }
    tv_log_end(&log, NAN);
    const struct tv_alert *alert = tv_log_alert(&log, ID);
    ck_assert_ptr_nonnull(alert); /* four evaluations above the best, 20 % */
    ck_assert_double_eq(alert->evidence[0].value, 4);
    tv_log_close(&log);
}
END_TEST

START_TEST(a_new_best_takes_it_back)
{
    struct tv_log log;
    tv_course_tell(&log, ID, &course_of);
    ck_assert_ptr_nonnull(tv_log_alert(&log, ID));
    ck_assert_int_eq(tv_log_alert(&log, ID)->state, TV_FIRING);
    tv_log_point(&log, "eval_loss", 1025, 0.9);
    tv_log_end(&log, NAN);
    ck_assert_ptr_null(tv_log_alert(&log, ID));
    tv_log_close(&log);
}
END_TEST

/* 20 evaluations; the accuracy rises to 0.9 at the fifth and falls by one point at each one after,
 * while the loss goes on falling, or the other way round. */
static const struct tv_alert *metric_run(struct tv_log *log, const char *best_by,
                                         const char *greater, bool has_loss, bool metric_turns)
{
    tv_log_open(log, ID);
    tv_log_fact(log, "max_steps", "2000");
    if (best_by)
        tv_log_fact(log, "metric_for_best_model", best_by);
    if (greater)
        tv_log_fact(log, "greater_is_better", greater);
    for (int e = 1; e <= 20; e++) {
        double turning = e <= 5 ? 0.4 + 0.1 * e : 0.9 - 0.02 * (e - 5), rising = 0.5 + 0.02 * e;
        double score = metric_turns ? turning : rising;
        tv_log_point(log, "loss", 100 * e, 2.0 / e);
        if (has_loss)
            tv_log_point(log, "eval_loss", 100 * e, metric_turns ? 2 - rising : 2 - turning);
        tv_log_point(log, best_by && strstr(best_by, "quux") ? "eval_quux" : "eval_accuracy",
                     100 * e, score);
    }
    tv_log_end(log, NAN);
    return tv_log_alert(log, ID);
}

START_TEST(a_metric_where_larger_is_better_is_judged_where_no_loss_is_evaluated)
{
    struct tv_log log;
    const struct tv_alert *alert = metric_run(&log, NULL, NULL, false, true);
    ck_assert_ptr_nonnull(alert);
    ck_assert_str_eq(alert->subject, "eval_accuracy");
    ck_assert_int_eq(alert->onset_step, 700);
    ck_assert_double_eq_tol(alert->expected, 0.9, 1e-9);
    tv_log_close(&log);
    ck_assert_ptr_null(metric_run(&log, NULL, NULL, false, false));
    tv_log_close(&log);
}
END_TEST

START_TEST(the_metric_that_chooses_the_best_model_decides)
{
    struct tv_log log;
    const struct tv_alert *alert = metric_run(&log, "accuracy", "true", true, true);
    ck_assert_ptr_nonnull(alert);
    ck_assert_str_eq(alert->subject, "eval_accuracy");
    tv_log_close(&log);
    ck_assert_ptr_null(metric_run(&log, "accuracy", "true", true, false));
    tv_log_close(&log);
    alert = metric_run(&log, NULL, NULL, true, false);
    ck_assert_ptr_nonnull(alert);
    ck_assert_str_eq(alert->subject, "eval_loss");
    tv_log_close(&log);
    ck_assert_ptr_nonnull(metric_run(&log, "eval_quux", "true", false, true));
    tv_log_close(&log);
    ck_assert_ptr_null(metric_run(&log, "eval_quux", NULL, false, true));
    tv_log_close(&log);
}
END_TEST

static double memorising(double done)
{
    return 2.5 * exp(-6 * done);
}
static double sharp(double done)
{
    return done < 0.1 ? 1 + 10 * (0.1 - done) : 1 + 5 * (done - 0.1);
}

START_TEST(two_climbing_evaluations_of_a_memorised_set_are_enough)
{
    struct tv_log log;
    struct tv_course course = course_of;
    course.train = memorising;
    course.eval = sharp;
    course.eval_every = 50;
    const struct tv_alert *alert = tv_course_judge(&log, ID, &course);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->step, 200);
    tv_log_close(&log);
    course.eval_every = 100; /* ten evaluations are few: more of them are waited for */
    alert = tv_course_judge(&log, ID, &course);
    ck_assert(!alert || alert->step > 300);
    tv_log_close(&log);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("early_stop_advised");
    TCase *tcase = tcase_create("early_stop_advised");
    tcase_add_test(tcase, a_metric_where_larger_is_better_is_judged_where_no_loss_is_evaluated);
    tcase_add_test(tcase, two_climbing_evaluations_of_a_memorised_set_are_enough);
    tcase_add_test(tcase, the_metric_that_chooses_the_best_model_decides);
    tcase_add_test(tcase, a_long_pause_is_reported_with_the_best_step);
    tcase_add_test(tcase, a_clear_rise_needs_few_evaluations);
    tcase_add_test(tcase, improvement_however_slow_is_left_alone);
    tcase_add_test(tcase, rounding_does_not_look_like_a_pause);
    tcase_add_test(tcase, a_repeated_evaluation_of_a_resumed_run_counts_once);
    tcase_add_test(tcase, a_new_best_takes_it_back);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
