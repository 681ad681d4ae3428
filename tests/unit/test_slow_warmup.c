/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/course.h"
#include "support/suite.h"
#include <math.h>

#define ID "slow_warmup"

static double rising_for_half(double done)
{
    return fmin(2 * done, 1);
}
static double late_rise(double done)
{
    return done < 0.1 ? 10 * done : done < 0.5 ? 0.9 : done;
}

static const struct tv_course base = {
    .steps = 500,
    .planned = 500,
    .every = 5,
    .warmup = 20,
    .noise = 0.01,
};

START_TEST(a_promised_long_warm_up_is_reported_at_the_first_point)
{
    struct tv_log log;
    struct tv_course course = base;
    course.warmup = 300;
    const struct tv_alert *alert = tv_course_judge(&log, ID, &course);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 5);
    ck_assert_int_eq(alert->step, 5);
    ck_assert_double_eq(alert->observed, 300);
    ck_assert_str_eq(alert->advice[0], "warmup_steps: 300 -> 50 (10 % of 500)");
    ck_assert_int_eq(alert->severity, TV_WARNING);
    tv_log_close(&log);
}
END_TEST

START_TEST(a_warm_up_longer_than_the_run_is_critical)
{
    struct tv_log log;
    struct tv_course course = base;
    course.warmup = 700;
    const struct tv_alert *alert = tv_course_judge(&log, ID, &course);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->severity, TV_CRITICAL);
    tv_log_close(&log);
}
END_TEST

START_TEST(a_logged_rise_that_was_not_promised_is_reported)
{
    struct tv_log log;
    struct tv_course course = base;
    course.lr = rising_for_half;
    const struct tv_alert *alert = tv_course_judge(&log, ID, &course);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_le(alert->step, 130);
    ck_assert_int_eq(alert->onset_step, 5);
    ck_assert_double_eq(alert->observed, 250); /* told when it is over, not where it was noticed */
    ck_assert_str_eq(alert->summary, "the logged learning rate rose until step 250 of 500 (50 %)");
    tv_log_close(&log);
}
END_TEST

START_TEST(usual_warm_ups_and_later_rises_are_left_alone)
{
    for (double warmup = 0; warmup <= 100; warmup += 20) {
        struct tv_course course = base;
        course.warmup = warmup;
        ck_assert(!tv_course_alarms(ID, &course));
    }
    struct tv_course course = base;
    course.lr = late_rise;
    ck_assert(!tv_course_alarms(ID, &course));
}
END_TEST

START_TEST(without_a_plan_nothing_is_said)
{
    struct tv_course course = base;
    course.planned = 0;
    course.lr = rising_for_half;
    ck_assert(!tv_course_alarms(ID, &course));
}
END_TEST

START_TEST(it_is_over_when_the_warm_up_is)
{
    for (int is_promised = 0; is_promised <= 1; is_promised++) {
        struct tv_log log;
        struct tv_course course = base;
        course.warmup = is_promised ? 250 : 20;
        course.lr = rising_for_half;
        tv_course_tell(&log, ID, &course);
        tv_log_end(&log, NAN);
        const struct tv_alert *alert = tv_log_alert(&log, ID);
        ck_assert_ptr_nonnull(alert);
        ck_assert_int_eq(alert->state, TV_RESOLVED);
        ck_assert_int_eq(alert->resolved_step, 255);
        tv_log_close(&log);
    }
}
END_TEST

START_TEST(a_longer_plan_resolves_it)
{
    struct tv_log log;
    tv_log_open(&log, ID);
    tv_log_fact(&log, "framework", "llamafactory");
    tv_log_fact(&log, "learning_rate", "1e-4");
    tv_log_fact(&log, "lr_scheduler_type", "cosine");
    tv_log_fact(&log, "warmup_steps", "1000");
    tv_log_fact(&log, "max_steps", "2000");
    tv_log_point(&log, "loss", 10, 2);
    ck_assert_int_eq(tv_log_alert(&log, ID)->state, TV_FIRING);
    tv_log_fact(&log, "max_steps", "20000");
    tv_log_point(&log, "loss", 20, 2);
    ck_assert_int_eq(tv_log_alert(&log, ID)->state, TV_RESOLVED);
    tv_log_close(&log);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("slow_warmup");
    TCase *tcase = tcase_create("slow_warmup");
    tcase_add_test(tcase, it_is_over_when_the_warm_up_is);
    tcase_add_test(tcase, a_longer_plan_resolves_it);
    tcase_add_test(tcase, a_promised_long_warm_up_is_reported_at_the_first_point);
    tcase_add_test(tcase, a_warm_up_longer_than_the_run_is_critical);
    tcase_add_test(tcase, a_logged_rise_that_was_not_promised_is_reported);
    tcase_add_test(tcase, usual_warm_ups_and_later_rises_are_left_alone);
    tcase_add_test(tcase, without_a_plan_nothing_is_said);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
