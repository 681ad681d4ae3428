/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/course.h"
#include "support/noise.h"
#include "support/suite.h"
#include <math.h>
#include <string.h>

#define ID "loss_plateau"

static double flat(double done)
{
    (void)done;
    return 2.3;
}
/* Flat for an eighth of the run, then it takes off. */
static double late_start(double done)
{
    return done < 0.125 ? 2.3 : 2.3 * exp(-4 * (done - 0.125));
}
static double creeping(double done)
{
    return 2.3 * (1 - 0.2 * done);
}
/* Learns, and stops dead at a quarter of the run. */
static double stopping(double done)
{
    return tv_curve_learning(fmin(done, 0.25)) + 1;
}
static double gradient_until_a_quarter(double done)
{
    return done < 0.25 ? 1 : 0;
}
static double rate_until_a_quarter(double done)
{
    return done < 0.25 ? 1 - done : 0;
}
/* Converged early, as it should be at a cosine's end. */
static double converging(double done)
{
    return 0.3 + 0.7 * exp(-40 * done);
}

static double still_at_the_end(double done)
{
    return converging(fmin(done, 0.9)) + 1.0 / (3 + fmin(done, 0.9));
}

static const struct tv_course base = {
    .steps = 1000,
    .planned = 1000,
    .every = 5,
    .eval_every = 50,
    .warmup = 50,
    .noise = 0.003,
    .eval_noise = 1e-4,
};

static struct tv_course of(double (*train)(double))
{
    struct tv_course course = base;
    course.train = train;
    return course;
}

START_TEST(a_run_that_learns_nothing_is_found_early)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct tv_log log;
        struct tv_course course = of(flat);
        course.seed = seed;
        const struct tv_alert *alert = tv_course_judge(&log, ID, &course);
        ck_assert_ptr_nonnull(alert);
        ck_assert_int_eq(alert->onset_step, 5);
        ck_assert_int_le(alert->step, 250);
        tv_log_close(&log);
    }
}
END_TEST

START_TEST(noise_larger_than_the_progress_is_seen_through_with_evaluations)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct tv_course course = of(flat);
        course.noise = 0.15;
        course.seed = seed;
        ck_assert(tv_course_alarms(ID, &course));
        course.train = creeping;
        ck_assert(!tv_course_alarms(ID, &course));
    }
}
END_TEST

START_TEST(an_exactly_constant_loss_is_found_earlier)
{
    struct tv_log log;
    struct tv_course course = of(flat);
    course.noise = 0;
    course.eval_every = 0;
    const struct tv_alert *alert = tv_course_judge(&log, ID, &course);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_le(alert->step, 120);
    tv_log_close(&log);
}
END_TEST

START_TEST(units_intervals_and_rounding_do_not_matter)
{
    for (int64_t every = 1; every <= 25; every *= 5)
        for (double scale = 0.1; scale < 1e5; scale *= 10) {
            struct tv_course course = of(flat);
            course.every = every;
            course.scale = scale;
            course.decimals = 4;
            ck_assert(tv_course_alarms(ID, &course));
            course.train = tv_curve_learning;
            ck_assert(!tv_course_alarms(ID, &course));
        }
}
END_TEST

START_TEST(late_and_slow_learners_are_left_alone)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct tv_course course = of(late_start);
        course.seed = seed;
        course.eval_every = 0;
        ck_assert(!tv_course_alarms(ID, &course));
        course.train = creeping;
        ck_assert(!tv_course_alarms(ID, &course));
    }
}
END_TEST

START_TEST(warm_up_does_not_count_as_an_attempt_to_learn)
{
    struct tv_course course = of(late_start);
    course.warmup = 400;
    course.eval_every = 0;
    ck_assert(!tv_course_alarms(ID, &course));
}
END_TEST

START_TEST(convergence_at_the_end_of_a_schedule_is_left_alone)
{
    struct tv_course course = of(converging);
    for (uint64_t seed = 0; seed < 10; seed++) {
        course.seed = seed;
        course.noise = 0.1;
        ck_assert(!tv_course_alarms(ID, &course));
    }
    course.eval_noise = 0; /* the last evaluations are equal: the learning rate is near 0 */
    course.eval = still_at_the_end;
    course.eval_every = 10;
    ck_assert(!tv_course_alarms(ID, &course));
    course.scheduler = "constant_with_warmup"; /* and here it is not */
    ck_assert(tv_course_alarms(ID, &course));
}
END_TEST

START_TEST(weights_that_stop_moving_are_found_by_the_gradient)
{
    struct tv_log log;
    struct tv_course course = of(stopping);
    course.gradient = gradient_until_a_quarter;
    course.eval_every = 0;
    const struct tv_alert *alert = tv_course_judge(&log, ID, &course);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 250);
    ck_assert_int_le(alert->step, 310);
    tv_log_close(&log);
}
END_TEST

START_TEST(weights_that_stop_moving_are_found_by_equal_evaluations)
{
    struct tv_log log;
    struct tv_course course = of(stopping);
    course.eval_noise = 0;
    course.shift = 1.0 / 3;
    const struct tv_alert *alert = tv_course_judge(&log, ID, &course);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 250);
    tv_log_close(&log);
}
END_TEST

START_TEST(a_learning_rate_of_zero_long_before_the_end_is_found)
{
    struct tv_log log;
    struct tv_course course = of(stopping);
    course.lr = rate_until_a_quarter;
    course.eval_every = 0;
    const struct tv_alert *alert = tv_course_judge(&log, ID, &course);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 250);
    tv_log_close(&log);
    course.planned = 0; /* without a plan as well */
    ck_assert(tv_course_alarms(ID, &course));
}
END_TEST

/* Nobody told the length: forty points may be a hundredth of it. */
static bool unplanned_alarms(int64_t flat)
{
    struct tv_log log;
    struct tv_noise noise = {3};
    tv_log_open(&log, ID);
    for (int64_t i = 1; i <= 300; i++) {
        double fallen = i > flat ? 1 - exp(-0.02 * (double)(i - flat)) : 0;
        tv_log_point(&log, "train_loss", 50 * i, 2 - fallen + 0.01 * tv_noise_normal(&noise));
    }
    tv_log_end(&log, NAN);
    bool found = tv_log_alert(&log, ID) != NULL;
    tv_log_close(&log);
    return found;
}

START_TEST(a_run_of_unknown_length_is_given_time)
{
    ck_assert(!unplanned_alarms(40));
    ck_assert(unplanned_alarms(300));
}
END_TEST

START_TEST(progress_takes_it_back)
{
    struct tv_log log;
    struct tv_course course = of(flat);
    course.eval_every = 0;
    course.steps = 300;
    tv_course_tell(&log, ID, &course);
    ck_assert_ptr_nonnull(tv_log_alert(&log, ID));
    for (int64_t step = 305; step < 500; step += 5)
        tv_log_point(&log, "loss", step, 1.5);
    tv_log_end(&log, NAN);
    ck_assert_ptr_null(tv_log_alert(&log, ID));
    tv_log_close(&log);
}
END_TEST

START_TEST(a_low_learning_rate_is_blamed_and_a_usual_one_proposed)
{
    struct tv_log log;
    tv_log_open(&log, ID);
    tv_log_fact(&log, "framework", "llamafactory");
    tv_log_fact(&log, "learning_rate", "1e-9");
    tv_log_fact(&log, "max_steps", "100");
    for (int64_t step = 1; step <= 60; step++) {
        tv_log_point(&log, "loss", step, 2.3 + 0.001 * (double)(step % 3));
        tv_log_point(&log, "learning_rate", step, 1e-9);
    }
    tv_log_end(&log, NAN);
    const struct tv_alert *alert = tv_log_alert(&log, ID);
    ck_assert_ptr_nonnull(alert);
    ck_assert_ptr_nonnull(strstr(alert->advice[0], "learning_rate: 1e-9 -> 2e-05"));
    tv_log_close(&log);
}
END_TEST

/* It rose during the warm-up and stays there. */
static double risen(double done)
{
    return done < 0.05 ? 3 : 4;
}

START_TEST(where_the_loss_is_higher_than_at_the_start_a_lower_learning_rate_is_proposed)
{
    struct tv_log log;
    struct tv_course course = of(risen);
    course.eval_every = 0;
    const struct tv_alert *alert = tv_course_judge(&log, ID, &course);
    ck_assert_ptr_nonnull(alert);
    ck_assert_ptr_nonnull(strstr(alert->causes[0], "the learning rate is far too high"));
    ck_assert_str_eq(alert->advice[0], "learning_rate: 1e-4 -> 1e-05 (log:1)");
    tv_log_close(&log);
}
END_TEST

START_TEST(at_a_high_learning_rate_no_higher_one_is_proposed)
{
    struct tv_log log;
    tv_log_open(&log, ID);
    tv_log_fact(&log, "framework", "llamafactory");
    tv_log_fact(&log, "learning_rate", "0.05");
    tv_log_fact(&log, "max_steps", "100");
    for (int64_t step = 1; step <= 60; step++) {
        tv_log_point(&log, "loss", step, 2.3 + 0.001 * (double)(step % 3));
        tv_log_point(&log, "learning_rate", step, 0.05);
    }
    tv_log_end(&log, NAN);
    const struct tv_alert *alert = tv_log_alert(&log, ID);
    ck_assert_ptr_nonnull(alert);
    ck_assert_ptr_nonnull(strstr(alert->causes[0], "do not reach the loss"));
    for (size_t i = 0; i < alert->advice_len; i++)
        ck_assert_ptr_null(strstr(alert->advice[i], "0.5"));
    tv_log_close(&log);
}
END_TEST

START_TEST(a_learning_rate_that_is_not_known_is_not_shown)
{
    struct tv_log log;
    tv_log_open(&log, ID);
    for (int64_t step = 1; step <= 200; step++)
        tv_log_point(&log, "loss", step, 2.3 + 0.001 * (double)(step % 3));
    tv_log_end(&log, NAN);
    const struct tv_alert *alert = tv_log_alert(&log, ID);
    ck_assert_ptr_nonnull(alert);
    for (size_t i = 0; i < alert->causes_len; i++)
        ck_assert_msg(!strstr(alert->causes[i], "nan"), "%s", alert->causes[i]);
    tv_log_close(&log);
}
END_TEST

START_TEST(a_dead_gradient_and_equal_losses_are_said_at_the_second_point)
{
    struct tv_log log;
    tv_log_open(&log, ID);
    tv_log_fact(&log, "max_steps", "1000");
    for (int step = 10; step <= 60; step += 10) {
        tv_log_point(&log, "train/grad_norm", step, 6e-8);
        tv_log_point(&log, "train/loss", step, 2.3026);
    }
    tv_log_end(&log, NAN);
    const struct tv_alert *alert = tv_log_alert(&log, ID);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->step, 20);
    ck_assert_int_eq(alert->onset_step, 10);
    tv_log_close(&log);
}
END_TEST

START_TEST(a_spike_does_not_hide_what_was_learnt)
{
    struct tv_log log;
    tv_log_open(&log, ID);
    tv_log_fact(&log, "max_steps", "1500");
    for (int step = 10; step <= 1500; step += 10)
        tv_log_point(&log, "train/loss", step,
                     step == 620 ? 10 : 0.08 + 0.3 * exp(-0.01 * step) + 0.01 * sin(step));
    tv_log_end(&log, NAN);
    ck_assert_ptr_null(tv_log_alert(&log, ID));
    tv_log_close(&log);
}
END_TEST

START_TEST(nor_where_the_loss_crosses_zero)
{
    struct tv_log log;
    tv_log_open(&log, ID);
    tv_log_fact(&log, "max_steps", "600");
    for (int step = 2; step <= 600; step += 2)
        tv_log_point(&log, "train/loss", step,
                     step == 204 ? 51.6 : 0.06 - 0.33 * step / 600 + 0.05 * sin(step));
    tv_log_end(&log, NAN);
    ck_assert_ptr_null(tv_log_alert(&log, ID));
    tv_log_close(&log);
}
END_TEST

/* Up from the first point on, down again for the rest of the run, but never as far. */
static double thrown_out(double done)
{
    return 1.39 + 0.2 * exp(-8 * done) - (done < 0.03 ? 0.28 : 0);
}

START_TEST(a_loss_that_is_never_again_as_low_as_at_first_has_learnt_nothing)
{
    struct tv_course course = of(thrown_out);
    struct tv_log log;
    course.every = 20;
    course.eval_every = 0;
    course.warmup = 0;
    const struct tv_alert *alert = tv_course_judge(&log, ID, &course);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 20);
    ck_assert_ptr_nonnull(strstr(alert->summary, "never again as low"));
    tv_log_close(&log);
    /* The first point is one batch, the others are means: low by chance. */
    tv_log_open(&log, ID);
    tv_log_point(&log, "loss", 1, 1.0);
    for (int64_t step = 20; step <= 1000; step += 20)
        tv_log_point(&log, "loss", step, 1.39 + 0.2 * exp(-8e-3 * (double)step));
    tv_log_end(&log, NAN);
    ck_assert_ptr_null(tv_log_alert(&log, ID));
    tv_log_close(&log);
}
END_TEST

/* Learnt at once, and lost again late: divergence tells. */
static double lost_again(double done)
{
    return done < 0.7 ? 1.3 + exp(-30 * done) : 2.4;
}

/* Slow swings beside the noise of the points, as where batches come in an order. */
static double in_swings(double done)
{
    return 1.1 + 0.6 * exp(-40 * done) + (fmod(done, 0.1) < 0.05 ? 0.12 : 0);
}

START_TEST(what_was_learnt_stays_learnt_whatever_comes_after)
{
    struct tv_course course = of(lost_again);
    course.eval_every = 0;
    ck_assert(!tv_course_alarms(ID, &course));
    course = of(in_swings);
    course.eval_every = 0;
    course.warmup = 0;
    course.every = 1;
    course.steps = course.planned = 2600;
    course.noise = 0.1;
    course.scheduler = "constant";
    ck_assert(!tv_course_alarms(ID, &course));
}
END_TEST

/* The lowest of a hundred evaluations is far down by chance. */
/* Half of the loss is learnt by step 200; then it explodes, and comes down again by far not so low.
 */
START_TEST(what_a_divergence_throws_away_was_learnt)
{
    for (int with_eval = 0; with_eval < 2; with_eval++) {
        struct tv_log log;
        tv_log_open(&log, ID);
        tv_log_fact(&log, "max_steps", "600");
        for (int step = 5; step <= 600; step += 5) {
            double learnt = 3 - 1.5 * step / 200 + 0.02 * sin(step);
            double lost = 5 + 900 * fabs(sin(step)) * exp(-(step - 200) / 40.0);
            double loss = step <= 200 ? learnt : lost;
            tv_log_point(&log, "train/loss", step, loss);
            if (with_eval && step % 20 == 0)
                tv_log_point(&log, "eval/loss", step, loss);
        }
        tv_log_end(&log, NAN);
        ck_assert_ptr_null(tv_log_alert(&log, ID));
        tv_log_close(&log);
    }
}
END_TEST

START_TEST(noise_of_the_evaluation_is_no_progress)
{
    struct tv_course course = of(flat);
    struct tv_log log;
    course.eval = flat;
    course.eval_every = 10;
    course.eval_noise = 0.03;
    ck_assert_ptr_nonnull(tv_course_judge(&log, ID, &course));
    tv_log_close(&log);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("loss_plateau");
    TCase *tcase = tcase_create("loss_plateau");
    tcase_add_test(tcase, a_loss_that_is_never_again_as_low_as_at_first_has_learnt_nothing);
    tcase_add_test(tcase, what_a_divergence_throws_away_was_learnt);
    tcase_add_test(tcase, noise_of_the_evaluation_is_no_progress);
    tcase_add_test(tcase, what_was_learnt_stays_learnt_whatever_comes_after);
    tcase_add_test(tcase, nor_where_the_loss_crosses_zero);
    tcase_add_test(tcase, a_dead_gradient_and_equal_losses_are_said_at_the_second_point);
    tcase_add_test(tcase, a_spike_does_not_hide_what_was_learnt);
    tcase_add_test(tcase, a_run_that_learns_nothing_is_found_early);
    tcase_add_test(tcase, noise_larger_than_the_progress_is_seen_through_with_evaluations);
    tcase_add_test(tcase, an_exactly_constant_loss_is_found_earlier);
    tcase_add_test(tcase, units_intervals_and_rounding_do_not_matter);
    tcase_add_test(tcase, late_and_slow_learners_are_left_alone);
    tcase_add_test(tcase, warm_up_does_not_count_as_an_attempt_to_learn);
    tcase_add_test(tcase, convergence_at_the_end_of_a_schedule_is_left_alone);
    tcase_add_test(tcase, weights_that_stop_moving_are_found_by_the_gradient);
    tcase_add_test(tcase, weights_that_stop_moving_are_found_by_equal_evaluations);
    tcase_add_test(tcase, a_learning_rate_of_zero_long_before_the_end_is_found);
    tcase_add_test(tcase, a_run_of_unknown_length_is_given_time);
    tcase_add_test(tcase, progress_takes_it_back);
    tcase_add_test(tcase, a_low_learning_rate_is_blamed_and_a_usual_one_proposed);
    tcase_add_test(tcase,
                   where_the_loss_is_higher_than_at_the_start_a_lower_learning_rate_is_proposed);
    tcase_add_test(tcase, at_a_high_learning_rate_no_higher_one_is_proposed);
    tcase_add_test(tcase, a_learning_rate_that_is_not_known_is_not_shown);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
