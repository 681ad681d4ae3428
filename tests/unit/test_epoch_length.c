/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steps per epoch from logged epochs (daemon/engine/epoch.c). */
#include "support/log.h"
#include "support/suite.h"
#include <math.h>

static double epoch_length(double steps_per_epoch, int every, int last, double (*shown)(double))
{
    struct tv_log log;
    double ret = NAN;
    tv_log_open(&log, NULL);
    for (int step = every; step <= last; step += every)
        tv_log_point(&log, "train/epoch", step, shown(step / steps_per_epoch));
    tv_facts_number(tv_run_facts(log.run), "log.steps_per_epoch", &ret);
    tv_log_close(&log);
    return ret;
}

static double full(double epoch)
{
    return epoch;
}

static double as_float(double epoch)
{
    return (float)epoch;
}

static double two_decimals(double epoch)
{
    return round(epoch * 100) / 100;
}

static double whole(double epoch)
{
    return floor(epoch);
}

START_TEST(whole_lengths_are_found)
{
    static const int lengths[] = {7, 39, 100, 156, 1000, 1337};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        ck_assert_double_eq(epoch_length(lengths[i], 5, 100, full), lengths[i]);
        ck_assert_double_eq(epoch_length(lengths[i], 10, 200, as_float), lengths[i]);
    }
}
END_TEST

START_TEST(rounded_epochs_give_the_length_in_time)
{
    ck_assert_double_eq_tol(epoch_length(194, 10, 200, two_decimals), 194, 1);
    ck_assert_double_eq_tol(epoch_length(388, 10, 1160, two_decimals), 388, 1);
    ck_assert_double_eq_tol(epoch_length(1000, 10, 5000, two_decimals), 1000, 1);
}
END_TEST

START_TEST(a_partial_group_of_micro_batches_rounds_up)
{
    ck_assert_double_eq(epoch_length(156.25, 10, 150, full), 157);
}
END_TEST

START_TEST(epochs_that_only_count_say_nothing)
{
    ck_assert(isnan(epoch_length(50, 10, 500, whole)));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("epoch_length");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, whole_lengths_are_found);
    tcase_add_test(tc, rounded_epochs_give_the_length_in_time);
    tcase_add_test(tc, a_partial_group_of_micro_batches_rounds_up);
    tcase_add_test(tc, epochs_that_only_count_say_nothing);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
