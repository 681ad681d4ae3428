/* SPDX-License-Identifier: GPL-2.0-or-later */
/* detectors/lib/evals.c: how far evaluation and training loss have come apart. */
#include "lib/evals.h"
#include "support/suite.h"
#include <math.h>

static uint64_t random_state;

/* Uniform in (-1, 1), the same on every machine (G. Marsaglia, Xorshift RNGs, JSS 8 (2003) 14). */
static double noise(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (double)(random_state >> 11) / 4503599627370496.0 - 1;
}

struct course {
    double scale, shift;
    double turn, eval_noise; /* the evaluation rises by `turn` for each one behind the fifth */
    double train_fall, train_noise;
    int evals, points; /* points of the training loss before each evaluation */
};

static struct tv_evals play(const struct course *course, uint64_t seed)
{
    struct tv_evals evals = {0};
    random_state = 88172645463325252u + 7919 * seed;
    for (int e = 1; e <= course->evals; e++) {
        for (int i = 0; i < course->points; i++) {
            double train = 2 - course->train_fall * e + course->train_noise * noise();
            tv_evals_train(&evals, course->scale * train + course->shift);
        }
        double fall = e < 5 ? 0.2 * (5 - e) : 0, rise = e > 5 ? course->turn * (e - 5) : 0;
        double loss = 2 + fall + rise + course->eval_noise * noise();
        tv_evals_add(&evals, 10 * e, course->scale * loss + course->shift);
    }
    return evals;
}

static bool opens(const struct course *course, uint64_t seed)
{
    const struct tv_evals evals = play(course, seed);
    const struct tv_evals_gap gap = tv_evals_gap(&evals, 2);
    return tv_evals_opens(&evals, &gap, 3.5);
}

static const struct course overfits = {.scale = 1,
                                       .turn = 0.1,
                                       .eval_noise = 0.01,
                                       .train_fall = 0.12,
                                       .train_noise = 0.05,
                                       .evals = 8,
                                       .points = 8};

START_TEST(a_gap_opens_whatever_the_unit_and_the_zero_of_the_loss)
{
    for (uint64_t seed = 0; seed < 50; seed++)
        for (double scale = 1e-6; scale < 1e7; scale *= 10) {
            struct course course = overfits;
            course.scale = scale;
            course.shift = seed % 3 == 0 ? 0 : seed % 3 == 1 ? 5 * scale : -3 * scale;
            ck_assert(opens(&course, seed));
        }
}
END_TEST

START_TEST(both_must_go_their_way)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct course course = overfits;
        course.train_fall = 0;
        ck_assert(!opens(&course, seed));
        course.train_fall = -0.12;
        ck_assert(!opens(&course, seed));
        course = overfits;
        course.turn = -0.1;
        ck_assert(!opens(&course, seed));
        course = overfits;
        course.points = 0;
        ck_assert(!opens(&course, seed));
    }
}
END_TEST

/* A flat evaluation while the training loss falls: its best is the luckiest of many. */
START_TEST(noise_of_the_evaluation_is_seldom_a_gap)
{
    int alarms = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct course course = overfits;
        course.turn = 0;
        course.eval_noise = 0.1;
        course.evals = 6 + (int)(seed % 20);
        alarms += opens(&course, seed);
    }
    ck_assert_int_le(alarms, 100); /* the detectors ask for 3 % more on top of it */
}
END_TEST

/* Of five evaluations that are noise two climb from the best in every fourth course. */
START_TEST(a_climb_within_the_noise_is_none)
{
    struct course flat = overfits;
    flat.turn = 0;
    flat.eval_noise = 0.3;
    flat.train_noise = 0.01;
    flat.evals = 9;
    unsigned climbs = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        const struct tv_evals evals = play(&flat, seed);
        const struct tv_evals_gap gap = tv_evals_gap(&evals, 2);
        climbs += tv_evals_climbs(&evals, &gap, 1, 3);
    }
    ck_assert_uint_lt(climbs, 400 / 20);
}
END_TEST

START_TEST(noise_of_the_training_loss_is_no_fall)
{
    int alarms = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct course course = overfits;
        course.train_fall = 0;
        course.train_noise = 0.5;
        course.turn = 0.05;
        alarms += opens(&course, seed);
    }
    ck_assert_int_le(alarms, 60); /* 1000 seeds; 2 standard errors by luck */
}
END_TEST

static Suite *evals_suite(void)
{
    Suite *suite = suite_create("evals");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, a_gap_opens_whatever_the_unit_and_the_zero_of_the_loss);
    tcase_add_test(tc, both_must_go_their_way);
    tcase_add_test(tc, noise_of_the_evaluation_is_seldom_a_gap);
    tcase_add_test(tc, a_climb_within_the_noise_is_none);
    tcase_add_test(tc, noise_of_the_training_loss_is_no_fall);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    return tv_test_main(evals_suite());
}
