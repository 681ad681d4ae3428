/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Properties of detectors/lib/gaps. */
#include "lib/gaps.h"
#include "support/suite.h"
#include <math.h>

static const struct tv_gap_limits limits = {.floor = 300, .longest = 3, .median = 10, .early = 4};

static struct tv_gaps gaps_of(int len, double seconds)
{
    struct tv_gaps gaps = {0};
    for (int i = 0; i < len; i++)
        tv_gaps_add(&gaps, seconds);
    return gaps;
}

START_TEST(patience_is_the_largest_of_the_three_and_longer_at_first)
{
    for (double seconds = 0.01; seconds < 1e5; seconds *= 3) {
        struct tv_gaps gaps = gaps_of(20, seconds), early = gaps_of(4, seconds);
        double wanted = fmax(300, 10 * seconds);
        ck_assert_double_eq_tol(tv_gaps_patience(&gaps, &limits), wanted, 1e-9 * wanted);
        ck_assert_double_eq_tol(tv_gaps_patience(&early, &limits), 4 * wanted, 1e-9 * wanted);
        tv_gaps_add(&gaps, 20 * seconds);
        wanted = fmax(300, 60 * seconds);
        ck_assert_double_eq_tol(tv_gaps_patience(&gaps, &limits), wanted, 1e-9 * wanted);
        ck_assert(!tv_gaps_is_too_long(&gaps, &limits, wanted));
        ck_assert(tv_gaps_is_too_long(&gaps, &limits, wanted * 1.001));
    }
    struct tv_gaps none = {0};
    ck_assert(isnan(tv_gaps_usual(&none)));
    ck_assert_double_eq(tv_gaps_patience(&none, &limits), 4800);
}
END_TEST

START_TEST(old_intervals_are_forgotten)
{
    struct tv_gaps gaps = gaps_of(1, 5000);
    for (int i = 1; i < TV_GAPS; i++)
        tv_gaps_add(&gaps, 1);
    ck_assert_double_eq(tv_gaps_patience(&gaps, &limits), 15000);
    tv_gaps_add(&gaps, 1);
    ck_assert_double_eq(tv_gaps_patience(&gaps, &limits), 300);
}
END_TEST

/* Three pauses of these lengths that follow each other at these distances. */
static struct tv_gaps paused(const double seconds[3], const int64_t steps[2], const double apart[2])
{
    struct tv_gaps gaps = gaps_of(10, 1);
    struct tv_pause pause = {.step = 1000, .began = 1e9};
    for (int i = 0; i < 3; i++) {
        pause.seconds = seconds[i];
        tv_gaps_pause(&gaps, pause);
        pause.began += seconds[i] + (i < 2 ? apart[i] : 0);
        pause.step += i < 2 ? steps[i] : 0;
    }
    return gaps;
}

START_TEST(pauses_at_like_distances_in_steps_or_in_seconds_are_regular)
{
    static const double alike[] = {900, 1000, 950}, one_twice[] = {900, 1900, 950};
    static const int64_t even[] = {500, 520}, uneven[] = {500, 700};
    static const double even_s[] = {3600, 3500}, uneven_s[] = {3600, 9000};
    struct tv_gaps gaps = paused(alike, even, uneven_s);
    ck_assert(tv_gaps_pauses_are_regular(&gaps));
    gaps = paused(alike, uneven, even_s);
    ck_assert(tv_gaps_pauses_are_regular(&gaps));
    gaps = paused(alike, uneven, uneven_s);
    ck_assert(!tv_gaps_pauses_are_regular(&gaps));
    gaps = paused(one_twice, even, even_s);
    ck_assert(!tv_gaps_pauses_are_regular(&gaps));
    gaps.pause_count = 2;
    ck_assert(!tv_gaps_pauses_are_regular(&gaps));
}
END_TEST

START_TEST(what_is_accepted_is_waited_for)
{
    struct tv_gaps gaps =
        paused((double[]){900, 1000, 950}, (int64_t[]){500, 500}, (double[]){60, 60});
    ck_assert_double_eq(tv_gaps_calm_until(&gaps), 3000); /* twice the mean distance */
    ck_assert_double_eq(tv_gaps_patience(&gaps, &limits), 300);
    tv_gaps_accept_pauses(&gaps);
    ck_assert_double_eq(tv_gaps_patience(&gaps, &limits), 3000);
    ck_assert_uint_eq(gaps.pause_count, 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("gaps");
    TCase *tcase = tcase_create("gaps");
    tcase_add_test(tcase, patience_is_the_largest_of_the_three_and_longer_at_first);
    tcase_add_test(tcase, old_intervals_are_forgotten);
    tcase_add_test(tcase, pauses_at_like_distances_in_steps_or_in_seconds_are_regular);
    tcase_add_test(tcase, what_is_accepted_is_waited_for);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
