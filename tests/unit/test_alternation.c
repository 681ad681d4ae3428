/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/alternation.h"
#include "support/noise.h"
#include "support/suite.h"

static uint32_t longest(struct tv_noise *noise, int points, double scale, double shift)
{
    struct tv_alternation series = {0};
    uint32_t most = 0;
    for (int i = 0; i < points; i++) {
        tv_alternation_add(&series, i, shift + scale * tv_noise_normal(noise));
        most = series.turns > most ? series.turns : most;
    }
    return most;
}

/* Rows of all lengths in noise are as rare as they should be, in any unit. */
START_TEST(noise_alternates_no_longer_than_chance_lets_it)
{
    struct tv_alternation known = {.points = 300};
    uint32_t needed = tv_alternation_needed(&known), often = 0;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        struct tv_noise noise = {.seed = seed};
        uint32_t row = longest(&noise, 300, seed % 2 ? 1e-6 : 1e6, seed % 3 ? 0 : -5);
        ck_assert_uint_lt(row, needed);
        often += row + 10 >= needed; /* a hundred times more often: at most one of 100 */
    }
    ck_assert_uint_lt(often, 25);
}
END_TEST

START_TEST(a_longer_series_needs_a_longer_row)
{
    struct tv_alternation series = {.points = 300};
    ck_assert_uint_eq(tv_alternation_needed(&series), 36);
    series.points = 20000000;
    ck_assert_uint_eq(tv_alternation_needed(&series), 60);
}
END_TEST

START_TEST(rows_begin_anew_where_two_values_go_the_same_way_or_are_equal)
{
    static const double values[] = {1, 2, 1, 2, 1, 1, 2, 1, 0, 1, 0, 1};
    static const uint32_t turns[] = {0, 0, 1, 2, 3, 0, 0, 1, 0, 1, 2, 3};
    struct tv_alternation series = {0};
    for (int i = 0; i < 12; i++) {
        tv_alternation_add(&series, 10 * i, values[i]);
        ck_assert_uint_eq(series.turns, turns[i]);
    }
    ck_assert_int_eq(series.since, 70);
    ck_assert_double_eq(tv_alternation_swing(&series), 1);
    ck_assert_double_eq(tv_alternation_level(&series), 0.5);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("alternation");
    TCase *tcase = tcase_create("alternation");
    tcase_add_test(tcase, noise_alternates_no_longer_than_chance_lets_it);
    tcase_add_test(tcase, a_longer_series_needs_a_longer_row);
    tcase_add_test(tcase, rows_begin_anew_where_two_values_go_the_same_way_or_are_equal);
    suite_add_tcase(s, tcase);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
