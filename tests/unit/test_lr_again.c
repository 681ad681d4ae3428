/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/log.h"
#include "support/suite.h"
#include <math.h>
#include <string.h>

/* Logged every 25 steps up to 2000; no configuration says anything. */
static const struct tv_alert *judge(struct tv_log *log, double (*rate)(double step))
{
    tv_log_open(log, "lr_mismatch");
    for (int64_t step = 25; step <= 2000; step += 25)
        tv_log_point(log, "train/learning_rate", step, (float)rate((double)step));
    tv_log_end(log, NAN);
    return tv_log_alert(log, "lr_mismatch");
}

static bool is_told(double (*rate)(double step))
{
    struct tv_log log;
    bool found = judge(&log, rate) != NULL;
    tv_log_close(&log);
    return found;
}

static double line(double step)
{
    return 1e-4 * (1 - step / 2000);
}

static double warm(double step)
{
    return step < 200 ? 1e-4 * step / 200 : 1e-4 * (1 - (step - 200) / 1800);
}

static double line_again(double step)
{
    return line(step > 800 ? step - 800 : step);
}

static double warm_again(double step)
{
    return warm(step > 800 ? step - 800 : step);
}

static double restarts(double step)
{
    return 1e-4 * (0.3 + 0.35 * (1 + cos(M_PI * fmod(step, 500) / 500)));
}

static double saw(double step)
{
    return 1e-4 * (1 - fmod(step, 500) / 500);
}

static double triangle(double step)
{
    return 1e-4 * (0.1 + 0.9 * fabs(fmod(step, 90) / 45 - 1));
}

static double stairs(double step)
{
    return 1e-4 * pow(0.5, floor(step / 400));
}

static double raised(double step)
{
    return step > 800 ? 1.5 * line(step) : line(step);
}

START_TEST(a_schedule_that_begins_again_is_told)
{
    struct tv_log log;
    for (int i = 0; i < 2; i++) {
        const struct tv_alert *alert = judge(&log, i ? warm_again : line_again);
        ck_assert_ptr_nonnull(alert);
        ck_assert_int_eq(alert->onset_step, 825);
        ck_assert_int_eq(alert->step, 925);
        ck_assert_ptr_nonnull(strstr(alert->summary, "800 steps late"));
        tv_log_close(&log);
    }
}
END_TEST

START_TEST(schedules_that_are_meant_so_are_left_alone)
{
    ck_assert(!is_told(line));
    ck_assert(!is_told(warm));
    ck_assert(!is_told(restarts));
    ck_assert(!is_told(saw));
    ck_assert(!is_told(triangle));
    ck_assert(!is_told(stairs));
    ck_assert(!is_told(raised));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("lr_again");
    TCase *tcase = tcase_create("lr_again");
    tcase_add_test(tcase, a_schedule_that_begins_again_is_told);
    tcase_add_test(tcase, schedules_that_are_meant_so_are_left_alone);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
