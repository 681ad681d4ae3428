/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/curve.h"
#include "support/suite.h"
#include <math.h>
#include <string.h>

static void drops(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    if (i >= curve->points * 6 / 10)
        point->gradient *= 1e-4;
}

static void drops_for_a_while(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    if (i >= curve->points * 5 / 10 && i < curve->points * 6 / 10)
        point->gradient *= 1e-4;
}

static void never_was(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    (void)curve;
    (void)i;
    point->gradient = 1e-6 * (1 + 0.1 * (i % 3));
    point->loss = 2.3;
}

/* Memorised: the loss goes to nothing and takes the gradient with it. */
static void converges(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    point->loss = exp(-8.0 * i / curve->points);
    point->gradient = point->loss * (1 + 0.3 * (i % 5));
}

/* Back to normal after an explosion of the norm. */
static void exploded_before(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    if (i >= curve->points * 4 / 10 && i < curve->points * 5 / 10)
        point->gradient *= 100;
}

/* Small batches of a nearly memorised set: most have nearly no gradient, the others a plain one. */
static void heavy_tailed(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    (void)curve;
    static const double fall[] = {0, 9, 1, 12, 4, 14, 0.5, 8, 11, 2, 6};
    point->loss = i == 0 ? 2 : 0.3;
    point->gradient = exp(-fall[i % 11]);
}

/* Rounded away: the log shows 0, and the gradient goes a little later. */
static void memorised(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    if (i >= curve->points / 2)
        point->loss = 0;
    if (i >= curve->points / 2 + 5)
        point->gradient *= 1e-9;
}

/* Noise, unit and logging interval of a healthy run must not matter. */
START_TEST(healthy_runs_are_silent)
{
    ck_assert_uint_eq(tv_curve_healthy_alerts("gradient_vanishing"), 0);
}
END_TEST

START_TEST(a_norm_that_drops_while_the_loss_stays_is_found_in_any_unit)
{
    for (double scale = 1e-6; scale < 1e7; scale *= 1e6) {
        struct tv_curve curve = TV_CURVE;
        struct tv_log log;
        curve.scale = scale;
        tv_curve_run(&log, "gradient_vanishing", &curve, drops);
        const struct tv_alert *alert = tv_log_alert(&log, "gradient_vanishing");
        ck_assert_ptr_nonnull(alert);
        ck_assert_int_eq(alert->onset_step, 605);
        ck_assert_int_le(alert->step, 610);
        tv_log_close(&log);
    }
}
END_TEST

START_TEST(a_norm_that_never_was_is_found_at_once)
{
    struct tv_curve curve = TV_CURVE;
    struct tv_log log;
    tv_curve_run(&log, "gradient_vanishing", &curve, never_was);
    const struct tv_alert *alert = tv_log_alert(&log, "gradient_vanishing");
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 5);
    ck_assert_int_eq(alert->step, 5);
    tv_log_close(&log);
}
END_TEST

START_TEST(a_norm_that_falls_with_its_loss_is_convergence)
{
    struct tv_curve curve = TV_CURVE;
    ck_assert_uint_eq(tv_curve_alerts("gradient_vanishing", curve, converges, 1), 0);
}
END_TEST

START_TEST(the_way_back_from_an_explosion_is_not_vanishing)
{
    struct tv_curve curve = TV_CURVE;
    ck_assert_uint_eq(tv_curve_alerts("gradient_vanishing", curve, exploded_before, 10), 0);
}
END_TEST

START_TEST(norms_of_single_batches_may_be_heavy_tailed_and_a_memorised_set_has_none)
{
    struct tv_curve curve = TV_CURVE;
    ck_assert_uint_eq(tv_curve_alerts("gradient_vanishing", curve, heavy_tailed, 1), 0);
    ck_assert_uint_eq(tv_curve_alerts("gradient_vanishing", curve, memorised, 5), 0);
}
END_TEST

/* A batch without labels. */
static void none_once(const struct tv_curve *curve, int i, struct tv_curve_point *point)
{
    if (i == curve->points * 6 / 10)
        point->gradient *= 1e-6;
}

START_TEST(a_batch_without_a_gradient_is_not_reported)
{
    struct tv_curve curve = TV_CURVE;
    ck_assert_uint_eq(tv_curve_alerts("gradient_vanishing", curve, none_once, 10), 0);
}
END_TEST

START_TEST(a_norm_that_comes_back_resolves_it)
{
    tv_curve_expect_over("gradient_vanishing", drops_for_a_while, 505, 605, 620);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("gradient_vanishing");
    TCase *c = tcase_create("gradient_vanishing");
    tcase_add_test(c, a_norm_that_comes_back_resolves_it);
    tcase_add_test(c, healthy_runs_are_silent);
    tcase_add_test(c, a_batch_without_a_gradient_is_not_reported);
    tcase_add_test(c, a_norm_that_drops_while_the_loss_stays_is_found_in_any_unit);
    tcase_add_test(c, a_norm_that_never_was_is_found_at_once);
    tcase_add_test(c, a_norm_that_falls_with_its_loss_is_convergence);
    tcase_add_test(c, the_way_back_from_an_explosion_is_not_vanishing);
    tcase_add_test(c, norms_of_single_batches_may_be_heavy_tailed_and_a_memorised_set_has_none);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
