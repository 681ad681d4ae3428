/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/course.h"
#include "support/suite.h"
#include <math.h>
#include <stdlib.h>

#define ID "oscillation"

/* Falls, then swings between 0.4 and 1.0 from a third of the run on. */
static double bouncing(double done)
{
    double base = 0.4 + 1.6 * exp(-20 * done);
    return done < 1.0 / 3 ? base : base + 0.3 * (1 - cos(30 * (done - 1.0 / 3)));
}
static double swinging_down(double done)
{
    return 2 * exp(-3 * done) * (1 + 0.3 * sin(40 * done));
}
static double one_bump(double done)
{
    return 0.4 + 1.6 * exp(-20 * done) + (done > 0.5 && done < 0.6 ? 1 : 0);
}
/* Up by half from the middle on, falling again, with the same relative noise: harder data. */
static double harder_data(double done)
{
    double base = 0.4 + 1.6 * exp(-20 * done);
    return done < 0.5 ? base : base + 0.3 * exp(-2 * (done - 0.5));
}
/* Calm at first; from the middle on higher, and rough by itself: no two points are alike. */
static double roughening(double done)
{
    double base = 0.4 + 1.6 * exp(-20 * done);
    double wild = sin(12345.678 * done) * sin(4321.9 * done);
    return done < 0.5 ? base : base * (2 + 0.9 * wild);
}
static double restarting(double done)
{
    return 0.5 + 0.5 * cos(3.141592653589793 * fmod(5 * done, 1));
}

static const struct tv_course base = {
    .steps = 1000,
    .planned = 1000,
    .every = 5,
    .eval_every = 20,
    .warmup = 30,
    .scheduler = "constant_with_warmup",
    .train = bouncing,
    .noise = 0.1,
    .eval_noise = 0.01,
};

START_TEST(swings_of_both_losses_are_reported_since_their_beginning)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct tv_log log;
        struct tv_course course = base;
        course.seed = seed;
        const struct tv_alert *alert = tv_course_judge(&log, ID, &course);
        ck_assert_ptr_nonnull(alert);
        ck_assert_int_ge(alert->onset_step, 300);
        ck_assert_int_le(alert->onset_step, 420);
        tv_log_close(&log);
    }
}
END_TEST

START_TEST(units_do_not_matter)
{
    for (double scale = 1e-3; scale < 1e6; scale *= 10) {
        struct tv_course course = base;
        course.scale = scale;
        ck_assert(tv_course_alarms(ID, &course));
    }
}
END_TEST

START_TEST(noise_alone_is_no_oscillation)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct tv_course course = base;
        course.train = tv_curve_learning;
        course.noise = 0.4;
        course.eval_noise = 0.03;
        course.seed = seed;
        ck_assert(!tv_course_alarms(ID, &course));
    }
}
END_TEST

START_TEST(a_loss_that_stays_higher_and_rougher_is_found_without_evaluation)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct tv_log log;
        struct tv_course course = base;
        course.train = roughening;
        course.eval_every = 0;
        course.seed = seed;
        const struct tv_alert *alert = tv_course_judge(&log, ID, &course);
        ck_assert_ptr_nonnull(alert);
        ck_assert_str_eq(alert->subject, "loss");
        ck_assert_int_ge(alert->onset_step, 470);
        ck_assert_int_le(alert->onset_step, 600);
        tv_log_close(&log);
        course.train = harder_data;
        ck_assert(!tv_course_alarms(ID, &course));
    }
}
END_TEST

/* What is rough in the training loss but smooth in the evaluation is the data. */
static double smooth_after_all(double done)
{
    return 0.4 + 1.6 * exp(-20 * done) + (done < 0.5 ? 0 : 0.5);
}
START_TEST(rough_data_under_smooth_evaluations_are_no_oscillation)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct tv_course course = base;
        course.train = roughening;
        course.eval = smooth_after_all;
        course.eval_noise = 0;
        course.seed = seed;
        ck_assert(!tv_course_alarms(ID, &course));
    }
}
END_TEST

START_TEST(one_bump_is_no_oscillation)
{
    struct tv_course course = base;
    course.train = one_bump;
    ck_assert(!tv_course_alarms(ID, &course));
}
END_TEST

START_TEST(swings_on_the_way_down_are_progress)
{
    struct tv_course course = base;
    course.train = swinging_down;
    struct tv_log log;
    const struct tv_alert *alert = tv_course_judge(&log, ID, &course);
    ck_assert(!alert || alert->state == TV_RESOLVED);
    tv_log_close(&log);
}
END_TEST

START_TEST(restarts_of_the_learning_rate_excuse_it)
{
    struct tv_course course = base;
    course.lr = restarting;
    ck_assert(!tv_course_alarms(ID, &course));
}
END_TEST

/* Every update overshoots, from the first step on, and nothing is evaluated. */
static const struct tv_alert *overshooting(struct tv_log *log, int64_t to, double swing,
                                           const char *epoch_steps)
{
    tv_log_open(log, ID);
    tv_log_fact(log, "max_steps", "400");
    for (int64_t step = 1; step <= to; step++) {
        double noise = 0.05 * sin(12345.678 * (double)step);
        tv_log_point(log, "loss", step, 1 + noise + (step % 2 ? swing : -swing));
        if (epoch_steps)
            tv_log_point(log, "epoch", step, (double)step / atof(epoch_steps));
    }
    tv_log_end(log, NAN);
    return tv_log_alert(log, ID);
}

START_TEST(ups_and_downs_in_turn_from_the_first_step_on_are_reported)
{
    struct tv_log log;
    const struct tv_alert *alert = overshooting(&log, 400, 0.4, NULL);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_le(alert->onset_step, 2);
    ck_assert_int_le(alert->step, 45);
    ck_assert_str_eq(alert->subject, "loss");
    tv_log_close(&log);
    ck_assert_ptr_null(overshooting(&log, 25, 0.4, NULL)); /* that may be chance */
    tv_log_close(&log);
    ck_assert_ptr_null(overshooting(&log, 400, 0.4, "2")); /* the two halves of the data in turn */
    tv_log_close(&log);
    ck_assert_ptr_null(overshooting(&log, 400, 0.001, NULL)); /* noise */
    tv_log_close(&log);
}
END_TEST

/* Memorised: rough on a level that is a thousandth of the start. */
static double rough_at_nothing(double done)
{
    double level = 2 * exp(-20 * fmin(done, 0.4)),
           wild = sin(12345.678 * done) * sin(4321.9 * done);
    return done < 0.6 ? level : level * (2 + 0.9 * wild);
}

START_TEST(roughness_that_is_nothing_beside_the_progress_is_left_alone)
{
    struct tv_course course = base;
    course.train = rough_at_nothing;
    course.eval_every = 0;
    for (course.seed = 0; course.seed < 5; course.seed++)
        ck_assert(!tv_course_alarms(ID, &course));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("oscillation");
    TCase *tcase = tcase_create("oscillation");
    tcase_add_test(tcase, ups_and_downs_in_turn_from_the_first_step_on_are_reported);
    tcase_add_test(tcase, roughness_that_is_nothing_beside_the_progress_is_left_alone);
    tcase_add_test(tcase, swings_of_both_losses_are_reported_since_their_beginning);
    tcase_add_test(tcase, units_do_not_matter);
    tcase_add_test(tcase, noise_alone_is_no_oscillation);
    tcase_add_test(tcase, a_loss_that_stays_higher_and_rougher_is_found_without_evaluation);
    tcase_add_test(tcase, rough_data_under_smooth_evaluations_are_no_oscillation);
    tcase_add_test(tcase, one_bump_is_no_oscillation);
    tcase_add_test(tcase, swings_on_the_way_down_are_progress);
    tcase_add_test(tcase, restarts_of_the_learning_rate_excuse_it);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
