/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/course.h"
#include "support/suite.h"
#include <math.h>
#include <string.h>

#define ID "undertraining"

static double falling(double done)
{
    return 2.3 - 1.2 * done;
}
static double overfitted(double done)
{
    return 1 + done;
}

static const struct tv_course base = {
    .steps = 400,
    .planned = 400,
    .every = 4,
    .eval_every = 20,
    .warmup = 10,
    .scheduler = "constant_with_warmup",
    .train = falling,
    .noise = 0.02,
    .eval_noise = 0.002,
};

START_TEST(a_run_that_ends_while_falling_is_reported_at_its_end)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct tv_log log;
        struct tv_course course = base;
        course.seed = seed;
        const struct tv_alert *alert = tv_course_judge(&log, ID, &course);
        ck_assert_ptr_nonnull(alert);
        ck_assert_int_eq(alert->onset_step, 400);
        ck_assert_int_eq(alert->severity, TV_INFO);
        ck_assert_ptr_nonnull(strstr(alert->advice[0], "max_steps: 400 -> 600"));
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
        course.shift = -2 * scale; /* crosses zero */
        ck_assert(tv_course_alarms(ID, &course));
    }
}
END_TEST

START_TEST(a_schedule_that_has_come_down_ends_a_run)
{
    struct tv_course course = base;
    course.scheduler = "cosine";
    ck_assert(!tv_course_alarms(ID, &course));
}
END_TEST

START_TEST(a_run_that_is_under_way_is_not_judged)
{
    struct tv_course course = base;
    course.steps = 200;
    ck_assert(!tv_course_alarms(ID, &course));
}
END_TEST

START_TEST(a_run_that_has_levelled_off_is_left_alone)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct tv_course course = base;
        course.train = tv_curve_learning;
        course.seed = seed;
        ck_assert(!tv_course_alarms(ID, &course));
    }
}
END_TEST

static double settled(double done)
{
    return 1 + 0.2 * exp(-done / 0.05);
}

/* Neither loss falls; with this noise the last ones are often below those before all the same. */
START_TEST(an_evaluation_as_noisy_as_the_loss_confirms_nothing)
{
    int alarms = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct tv_course course = base;
        course.seed = seed;
        course.train = settled;
        course.noise = course.eval_noise = 0.1;
        alarms += tv_course_alarms(ID, &course);
    }
    ck_assert_int_le(alarms, 16);
}
END_TEST

START_TEST(a_rising_evaluation_excludes_it)
{
    struct tv_course course = base;
    course.eval = overfitted;
    ck_assert(!tv_course_alarms(ID, &course));
}
END_TEST

START_TEST(without_a_plan_a_long_silence_is_the_end)
{
    struct tv_course course = base;
    struct tv_log log;
    course.planned = 0;
    tv_course_tell(&log, ID, &course);
    tv_log_end(&log, 1e9 + 400 + 60);
    ck_assert_ptr_null(tv_log_alert(&log, ID));
    tv_log_close(&log);
    tv_course_tell(&log, ID, &course);
    tv_log_end(&log, 1e9 + 400 + 86400);
    ck_assert_ptr_nonnull(tv_log_alert(&log, ID));
    tv_log_close(&log);
}
END_TEST

/* The first number is what decided, the second what it took. */
START_TEST(where_the_logarithm_decided_its_numbers_are_shown)
{
    struct tv_log log;
    tv_log_open(&log, ID);
    for (int step = 1; step <= 50; step++)
        tv_log_point(&log, "loss", step, 50 * exp(-8 * step / 50.0));
    tv_log_end(&log, 1e9 + 50 + 86400);
    const struct tv_alert *alert = tv_log_alert(&log, ID);
    ck_assert_ptr_nonnull(alert);
    ck_assert_double_ge(alert->observed, alert->expected);
    ck_assert_double_eq(alert->evidence[0].value, alert->observed);
    ck_assert_double_eq(alert->evidence[1].value, alert->expected);
    tv_log_close(&log);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("undertraining");
    TCase *tcase = tcase_create("undertraining");
    tcase_add_test(tcase, a_run_that_ends_while_falling_is_reported_at_its_end);
    tcase_add_test(tcase, units_do_not_matter);
    tcase_add_test(tcase, a_schedule_that_has_come_down_ends_a_run);
    tcase_add_test(tcase, a_run_that_is_under_way_is_not_judged);
    tcase_add_test(tcase, a_run_that_has_levelled_off_is_left_alone);
    tcase_add_test(tcase, an_evaluation_as_noisy_as_the_loss_confirms_nothing);
    tcase_add_test(tcase, a_rising_evaluation_excludes_it);
    tcase_add_test(tcase, where_the_logarithm_decided_its_numbers_are_shown);
    tcase_add_test(tcase, without_a_plan_a_long_silence_is_the_end);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
