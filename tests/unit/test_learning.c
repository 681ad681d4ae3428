/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Properties of detectors/lib/learning. */
#include "lib/learning.h"
#include "support/noise.h"
#include "support/suite.h"
#include <math.h>

enum { STEPS = 2000, EVERY = 10, POINTS = STEPS / EVERY, SEEDS = 40 };

#define DROP 0.028

static double flat(double done)
{
    (void)done;
    return 2;
}

static double falling(double done)
{
    return 2 - 0.5 * done;
}

static double lost_again(double done)
{
    return done < 0.5 ? 2 * exp(-4 * done) : 3;
}

static double worse_at_once(double done)
{
    return done < 1.5 / POINTS ? 2 : 2.5;
}

/* `scale` x (course + noise) + `shift`. */
struct log {
    double (*course)(double done);
    double noise, scale, shift;
    uint64_t seed;
    int len;
};

static struct tv_learning train(const struct log *log)
{
    struct tv_learning learning = {0};
    struct tv_noise noise = {log->seed};
    for (int i = 1; i <= log->len; i++) {
        double value = log->course((double)i / POINTS) + log->noise * tv_noise_normal(&noise);
        tv_learning_add(&learning, i * EVERY, log->scale * value + log->shift, DROP, 10);
    }
    return learning;
}

static struct log log_of(double (*course)(double done), double noise, uint64_t seed)
{
    return (struct log){course, noise, 1, 0, seed, POINTS};
}

START_TEST(noise_alone_is_no_certain_learning_and_seldom_a_fall)
{
    int fallen = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (double noise = 0.001; noise < 1; noise *= 3) {
            struct log log = log_of(flat, noise, seed);
            struct tv_learning learning = train(&log);
            ck_assert(!learning.has_learnt);
            ck_assert(!tv_learning_is_below(&learning, learning.start_level, DROP));
            fallen += learning.has_fallen;
        }
    ck_assert_int_le(fallen, SEEDS * 7 / 10);
}
END_TEST

START_TEST(a_fall_is_seen_through_noise_of_half_its_size_and_whatever_the_unit)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (double scale = 1e-6; scale < 1e7; scale *= 1000) {
            struct log log = log_of(falling, 0.25, seed);
            log.scale = scale;
            struct tv_learning learning = train(&log);
            ck_assert(learning.has_fallen);
            ck_assert(!learning.never_again);
        }
}
END_TEST

START_TEST(what_has_no_sign_is_measured_against_its_levels)
{
    struct log log = log_of(falling, 0.01, 1);
    log.shift = -1.8;
    struct tv_learning learning = train(&log);
    ck_assert_double_eq_tol(tv_learning_size(&learning), 0.25, 0.03);
    ck_assert(learning.has_fallen);
    log = log_of(flat, 0.01, 1);
    learning = train(&log);
    ck_assert_double_eq_tol(tv_learning_size(&learning), 2, 0.01);
}
END_TEST

START_TEST(what_was_learnt_stays_learnt_when_it_is_lost)
{
    struct log log = log_of(lost_again, 0.05, 2);
    struct tv_learning learning = train(&log);
    ck_assert_double_gt(tv_learning_level(&learning), 2.5);
    ck_assert(learning.has_learnt);
    ck_assert(learning.has_fallen);
}
END_TEST

START_TEST(a_first_point_below_all_others_counts_only_where_it_is_as_long_a_mean)
{
    struct log log = log_of(worse_at_once, 0.02, 3);
    struct tv_learning learning = train(&log), single = {0};
    ck_assert(learning.never_again);
    ck_assert(!learning.has_fallen);
    for (int i = 0; i < POINTS; i++)
        tv_learning_add(&single, i ? i * EVERY : 1, i ? 2.5 : 2, DROP, 10);
    ck_assert(!single.never_again);
}
END_TEST

START_TEST(a_slow_fall_counts_by_where_it_leads)
{
    struct log log = log_of(falling, 0.01, 4);
    log.len = POINTS / 8;
    struct tv_learning learning = train(&log);
    ck_assert(tv_learning_will_fall(&learning, DROP, STEPS - learning.last_step));
    ck_assert(!tv_learning_will_fall(&learning, 0.2, 10));
    log.course = flat;
    learning = train(&log);
    ck_assert(!tv_learning_will_fall(&learning, DROP, STEPS));
}
END_TEST

START_TEST(the_lowest_of_many_evaluations_is_mostly_told_from_a_fall)
{
    int low = 0, learns = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tv_eval_learning chance = {0}, falls = {0};
        struct tv_noise noise = {seed};
        for (int i = 1; i <= 100; i++) {
            double random = 0.028 * tv_noise_normal(&noise);
            tv_eval_learning_add(&chance, i * EVERY, 2 + (i == 1 ? 0 : random));
            tv_eval_learning_add(&falls, i * EVERY, 2 * (1 - 0.002 * i) + random);
        }
        low += chance.lowest < 2 * (1 - DROP);
        learns += tv_eval_learning_will_fall(&chance, DROP, 0);
        ck_assert(tv_eval_learning_will_fall(&falls, DROP, 0));
    }
    ck_assert_int_gt(low, SEEDS / 2);
    ck_assert_int_lt(4 * learns, low); /* their noise is estimated from few at first */
}
END_TEST

START_TEST(two_evaluations_have_a_slope_and_one_has_none)
{
    struct tv_eval_learning evals = {0};
    tv_eval_learning_add(&evals, 100, 2);
    ck_assert(!tv_eval_learning_will_fall(&evals, DROP, 1e9));
    tv_eval_learning_add(&evals, 200, 1.99);
    ck_assert(!tv_eval_learning_will_fall(&evals, DROP, 100));
    ck_assert(tv_eval_learning_will_fall(&evals, DROP, 2000));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("learning");
    TCase *tcase = tcase_create("learning");
    tcase_add_test(tcase, noise_alone_is_no_certain_learning_and_seldom_a_fall);
    tcase_add_test(tcase, a_fall_is_seen_through_noise_of_half_its_size_and_whatever_the_unit);
    tcase_add_test(tcase, what_has_no_sign_is_measured_against_its_levels);
    tcase_add_test(tcase, what_was_learnt_stays_learnt_when_it_is_lost);
    tcase_add_test(tcase, a_first_point_below_all_others_counts_only_where_it_is_as_long_a_mean);
    tcase_add_test(tcase, a_slow_fall_counts_by_where_it_leads);
    tcase_add_test(tcase, the_lowest_of_many_evaluations_is_mostly_told_from_a_fall);
    tcase_add_test(tcase, two_evaluations_have_a_slope_and_one_has_none);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
