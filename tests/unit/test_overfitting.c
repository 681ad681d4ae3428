/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/course.h"
#include "support/suite.h"
#include "trainvet/text.h"
#include <math.h>
#include <string.h>

#define ID "overfitting"

/* Down to 1 at 20 % of the run, then up to 1.8. */
static double turning(double done)
{
    return done < 0.2 ? 1 + 1.5 * pow(1 - done / 0.2, 2) : 1 + done - 0.2;
}
static double memorising(double done)
{
    return 2.5 * exp(-6 * done);
}
/* Both losses rise: a divergence, not memorising. */
static double blowing_up(double done)
{
    return turning(done) - 0.1;
}
static double parallel(double done)
{
    return tv_curve_learning(done) + 0.4;
}
static double wavering(double done)
{
    return 1 + 1.5 * exp(-15 * done) + 0.01 * sin(40 * done);
}
static double restarting(double done)
{
    return 0.5 + 0.5 * cos(3.141592653589793 * fmod(2 * done, 1));
}
/* Rises by 8 % behind the restart at one half, then falls below all that was. */
static double bump(double done)
{
    double base = 1 + exp(-8 * done) - 0.2 * done;
    return done > 0.5 && done < 0.6 ? base * 1.1 : base;
}

/* Near its best until it jumps up, back, and ever farther up. */
static double bursting(double done)
{
    static const double jumps[] = {1.25, 3, 2, 6, 30};
    int jump = (int)lround(25 * done) - 21;
    double base = 0.1 + 0.9 * exp(-5 * done) + 0.02 * done;
    return jump < 0 ? base : 0.12 * jumps[jump];
}

static const struct tv_course overfits = {
    .steps = 1000,
    .planned = 1000,
    .every = 10,
    .eval_every = 40,
    .warmup = 30,
    .train = memorising,
    .eval = turning,
    .noise = 0.05,
    .eval_noise = 0.002,
};

static struct tv_course healthy(double (*train)(double), double (*eval)(double))
{
    struct tv_course course = overfits;
    course.train = train;
    course.eval = eval;
    return course;
}

START_TEST(a_rising_evaluation_is_found_with_its_best_step)
{
    struct tv_log log;
    const struct tv_alert *alert = tv_course_judge(&log, ID, &overfits);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 200);
    ck_assert_int_le(alert->step, 200 + 5 * 40);
    ck_assert_int_eq(alert->severity, TV_CRITICAL);
    ck_assert_double_eq_tol(alert->observed, 1.8, 0.02);
    ck_assert_double_eq_tol(alert->expected, 1.0, 0.02);
    ck_assert_str_eq(alert->subject, "eval_loss");
    tv_log_close(&log);
}
END_TEST

START_TEST(advice_names_the_users_setting_and_the_best_step)
{
    struct tv_log log;
    const struct tv_alert *alert = tv_course_judge(&log, ID, &overfits);
    ck_assert_ptr_nonnull(alert);
    bool found = false;
    for (size_t i = 0; i < alert->advice_len; i++)
        found = found || tv_span_starts(tv_span_of(alert->advice[i]), "max_steps: 1000 -> 200 (");
    ck_assert(found);
    tv_log_close(&log);
}
END_TEST

START_TEST(scale_of_the_loss_does_not_matter)
{
    for (double scale = 1e-3; scale < 1e6; scale *= 10) {
        struct tv_course course = overfits;
        course.scale = scale;
        ck_assert(tv_course_alarms(ID, &course));
        course = healthy(NULL, parallel);
        course.scale = scale;
        ck_assert(!tv_course_alarms(ID, &course));
    }
}
END_TEST

START_TEST(negative_losses_are_measured_against_their_way)
{
    struct tv_course course = overfits;
    course.shift = -3;
    ck_assert(tv_course_alarms(ID, &course));
    course = healthy(NULL, wavering);
    course.shift = -3;
    ck_assert(!tv_course_alarms(ID, &course));
}
END_TEST

START_TEST(logging_interval_does_not_matter)
{
    for (int64_t every = 1; every <= 100; every *= 10) {
        struct tv_course course = overfits;
        course.every = every;
        ck_assert(tv_course_alarms(ID, &course));
    }
}
END_TEST

START_TEST(healthy_runs_are_left_alone)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct tv_course course = healthy(NULL, parallel);
        course.seed = seed;
        ck_assert(!tv_course_alarms(ID, &course));
        course = healthy(NULL, wavering);
        course.seed = seed;
        course.eval_noise = 0.01;
        ck_assert(!tv_course_alarms(ID, &course));
    }
}
END_TEST

START_TEST(a_divergence_is_not_overfitting)
{
    struct tv_course course = healthy(blowing_up, turning);
    ck_assert(!tv_course_alarms(ID, &course));
}
END_TEST

START_TEST(a_restart_of_the_learning_rate_excuses_a_passing_rise)
{
    struct tv_course course = healthy(memorising, bump);
    course.steps = 590; /* the rise lasts to 600 */
    ck_assert(tv_course_alarms(ID, &course));
    course.lr = restarting;
    ck_assert(!tv_course_alarms(ID, &course));
}
END_TEST

/* Barely moved while the rate is small, then worse at the full one, and better to the end. */
static double shaken(double done)
{
    return done < 0.15 ? 1 : 1.4 - 0.3 * done;
}

START_TEST(what_a_warm_up_gives_is_no_reference)
{
    struct tv_course course = healthy(memorising, shaken);
    ck_assert(tv_course_alarms(ID, &course));
    course.warmup = 400;
    ck_assert(!tv_course_alarms(ID, &course));
}
END_TEST

/* Down to 1 at 20 % of the run, then up by a tenth to its end. */
static double creeping(double done)
{
    return done < 0.2 ? turning(done) : 1 + 0.125 * (done - 0.2);
}

START_TEST(a_rise_that_goes_on_through_the_warm_up_is_told)
{
    struct tv_course course = healthy(memorising, creeping);
    course.warmup = 1000;
    ck_assert(tv_course_alarms(ID, &course));
}
END_TEST

START_TEST(a_training_loss_that_stands_still_is_not_overfitting)
{
    unsigned alarms = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct tv_course course = healthy(tv_curve_one, turning);
        course.seed = seed;
        course.noise = 0.02;
        course.steps = 600;
        alarms += tv_course_alarms(ID, &course);
    }
    ck_assert_uint_le(alarms, 40 / 2); /* of 40 by luck; all of them without that condition */
}
END_TEST

/* 10 % up for 16 of 400 evaluations. */
static double wandering(double done)
{
    double base = 1 + exp(-8 * done) - 0.2 * done;
    return done > 0.5 && done < 0.54 ? base * 1.1 : base;
}

START_TEST(a_few_of_hundreds_of_evaluations_are_not_enough)
{
    struct tv_course course = healthy(memorising, wandering);
    course.steps = course.planned = 4000;
    course.eval_every = 10;
    ck_assert(!tv_course_alarms(ID, &course));
    course.eval = turning;
    ck_assert(tv_course_alarms(ID, &course));
}
END_TEST

/* Twice as high, for 18 of 400 evaluations so far. */
static double doubling(double done)
{
    double base = 1 + exp(-8 * done) - 0.2 * done;
    return done > 0.5 ? base * 2.2 : base;
}

START_TEST(a_loss_that_doubled_is_told_in_a_long_plan_too)
{
    struct tv_course course = healthy(memorising, doubling);
    course.planned = 4000;
    course.steps = 2180;
    course.eval_every = 10;
    ck_assert(tv_course_alarms(ID, &course));
}
END_TEST

START_TEST(two_evaluations_are_not_enough_and_that_is_said)
{
    struct tv_course course = overfits;
    course.eval_every = 400;
    ck_assert(!tv_course_alarms(ID, &course));
}
END_TEST

/* A jump is noise to the evaluations before it, but not to what was told already. */
START_TEST(the_numbers_are_those_of_the_last_evaluation)
{
    struct tv_log log;
    struct tv_course course = overfits;
    course.eval = bursting;
    const struct tv_alert *alert = tv_course_judge(&log, ID, &course);
    ck_assert_ptr_nonnull(alert);
    ck_assert_double_gt(alert->observed, 3);
    tv_log_close(&log);
}
END_TEST

START_TEST(a_new_best_takes_it_back)
{
    struct tv_log log;
    tv_course_tell(&log, ID, &overfits);
    ck_assert_ptr_nonnull(tv_log_alert(&log, ID));
    ck_assert_int_eq(tv_log_alert(&log, ID)->state, TV_FIRING);
    tv_log_point(&log, "eval_loss", 1040, 0.5);
    tv_log_end(&log, NAN);
    ck_assert_ptr_null(tv_log_alert(&log, ID));
    tv_log_close(&log);
}
END_TEST

START_TEST(evaluations_that_come_back_take_it_back)
{
    struct tv_log log;
    tv_course_tell(&log, ID, &overfits);
    tv_log_point(&log, "eval_loss", 1040, 1.01);
    ck_assert_ptr_nonnull(tv_log_alert(&log, ID));
    tv_log_point(&log, "eval_loss", 1080, 1.01);
    tv_log_end(&log, NAN);
    ck_assert_ptr_null(tv_log_alert(&log, ID));
    tv_log_close(&log);
}
END_TEST

/* One point of the training loss before each evaluation, and evaluations as rough as their rise. */
static const struct tv_alert *tell_rough(struct tv_log *log, bool falls)
{
    static const double evals[] = {2, 1.5, 1.65, 1.15, 1, 1.3, 1.14, 1.33, 1.46, 1.24, 1.57, 1.7};
    tv_log_open(log, ID);
    for (int i = 0; i < 12; i++) {
        double loss = i < 5 ? 3 - 0.4 * i : 1.4 - 0.03 * (i - 4);
        tv_log_point(log, "loss", 100 * i + 90, falls || i < 5 ? loss : 1.38 + 0.02 * (i % 2));
        tv_log_point(log, "eval_loss", 100 * i + 100, evals[i]);
    }
    tv_log_end(log, NAN);
    return tv_log_alert(log, ID);
}

START_TEST(a_rough_rise_beside_a_steady_fall_is_told)
{
    struct tv_log log;
    const struct tv_alert *alert = tell_rough(&log, true);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 500);
    ck_assert_int_eq(alert->step, 1200);
    tv_log_close(&log);
    ck_assert_ptr_null(tell_rough(&log, false));
    tv_log_close(&log);
}
END_TEST

/* Level from one half on, but for one evaluation that was better by luck. */
static double lucky(double done)
{
    double descent = done < 0.5 ? 0.5 * pow(1 - 2 * done, 2) : 0;
    return fabs(done - 0.43) < 0.005 ? 1.01 : 1.035 + descent;
}

static double slow(double done)
{
    return 2 - 0.4 * done;
}

START_TEST(a_lucky_best_is_no_reference_for_chance)
{
    struct tv_course course = healthy(slow, lucky);
    course.eval_every = 10;
    course.noise = 0.02;
    course.eval_noise = 0.012;
    int alarms = 0;
    for (course.seed = 0; course.seed < 20; course.seed++)
        alarms += tv_course_alarms(ID, &course);
    ck_assert_int_le(alarms, 2);
}
END_TEST

/* Up by 2.5 % from a fifth of the run to its end. */
static double gently_up(double done)
{
    return done < 0.2 ? 2 - done : 1.8 + 0.056 * (done - 0.2);
}

START_TEST(a_long_climb_may_be_a_gentle_one)
{
    struct tv_log log;
    struct tv_course course = healthy(slow, gently_up);
    course.eval_every = 10;
    course.noise = 0.02;
    course.eval_noise = 0.003;
    const struct tv_alert *alert = tv_course_judge(&log, ID, &course);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_ge(alert->step, 400);
    ck_assert_double_le(alert->observed, 1.86);
    tv_log_close(&log);
    course.train = tv_curve_one;
    ck_assert(!tv_course_alarms(ID, &course));
}
END_TEST

/* Of each seven evaluations one is good, and twice two in a row are twice as bad. */
static double jumpy(double done)
{
    static const double jumps[] = {1, 2.3, 2.6, 1.2, 2.5, 2.2, 1.1};
    return jumps[lround(100 * done) % 7];
}

START_TEST(evaluations_that_double_again_and_again_are_noise)
{
    struct tv_course course = healthy(slow, jumpy);
    course.eval_every = 10;
    ck_assert(!tv_course_alarms(ID, &course));
}
END_TEST

START_TEST(rewards_make_it_silent)
{
    struct tv_log log;
    tv_log_open(&log, ID);
    tv_log_point(&log, "rollout/ep_rew_mean", 1, 1);
    for (int64_t step = 1; step <= 100; step++) {
        tv_log_point(&log, "loss", step, memorising((double)step / 100));
        tv_log_point(&log, "eval_loss", step, turning((double)step / 100));
    }
    tv_log_end(&log, NAN);
    ck_assert_ptr_null(tv_log_alert(&log, ID));
    tv_log_close(&log);
}
END_TEST

/* Turns sharply at the third evaluation: nothing is known of the evaluation's noise yet. */
static double sharp(double done)
{
    return done < 0.12 ? 1 + 10 * (0.12 - done) : 1 + 5 * (done - 0.12);
}

/* The same behind a descent that slows down, and a gentle rise: beside that descent the evaluations
 * seem to be noisy. */
static double gentle(double done)
{
    return done < 0.12 ? 1 + 1.5 * pow(1 - done / 0.12, 2) : 1 + 2 * (done - 0.12);
}

START_TEST(two_climbing_evaluations_beside_a_falling_training_loss_are_enough)
{
    struct tv_log log;
    struct tv_course course = healthy(memorising, sharp);
    const struct tv_alert *alert = tv_course_judge(&log, ID, &course);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 120);
    ck_assert_int_eq(alert->step, 200);
    tv_log_close(&log);
    course = healthy(memorising, gentle);
    alert = tv_course_judge(&log, ID, &course);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->step, 200);
    tv_log_close(&log);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("overfitting");
    TCase *tcase = tcase_create("overfitting");
    tcase_add_test(tcase, a_rising_evaluation_is_found_with_its_best_step);
    tcase_add_test(tcase, two_climbing_evaluations_beside_a_falling_training_loss_are_enough);
    tcase_add_test(tcase, evaluations_that_come_back_take_it_back);
    tcase_add_test(tcase, a_rough_rise_beside_a_steady_fall_is_told);
    tcase_add_test(tcase, a_lucky_best_is_no_reference_for_chance);
    tcase_add_test(tcase, a_long_climb_may_be_a_gentle_one);
    tcase_add_test(tcase, evaluations_that_double_again_and_again_are_noise);
    tcase_add_test(tcase, advice_names_the_users_setting_and_the_best_step);
    tcase_add_test(tcase, scale_of_the_loss_does_not_matter);
    tcase_add_test(tcase, negative_losses_are_measured_against_their_way);
    tcase_add_test(tcase, logging_interval_does_not_matter);
    tcase_add_test(tcase, healthy_runs_are_left_alone);
    tcase_add_test(tcase, a_divergence_is_not_overfitting);
    tcase_add_test(tcase, a_restart_of_the_learning_rate_excuses_a_passing_rise);
    tcase_add_test(tcase, what_a_warm_up_gives_is_no_reference);
    tcase_add_test(tcase, a_rise_that_goes_on_through_the_warm_up_is_told);
    tcase_add_test(tcase, a_loss_that_doubled_is_told_in_a_long_plan_too);
    tcase_add_test(tcase, a_training_loss_that_stands_still_is_not_overfitting);
    tcase_add_test(tcase, a_few_of_hundreds_of_evaluations_are_not_enough);
    tcase_add_test(tcase, two_evaluations_are_not_enough_and_that_is_said);
    tcase_add_test(tcase, the_numbers_are_those_of_the_last_evaluation);
    tcase_add_test(tcase, a_new_best_takes_it_back);
    tcase_add_test(tcase, rewards_make_it_silent);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
