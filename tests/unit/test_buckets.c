/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Properties of model/buckets: what a plot keeps of a series. */
#include "model/buckets.h"
#include "support/noise.h"
#include "support/suite.h"
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = 64, POINTS = 5000 };

struct sample {
    int64_t step;
    double value;
};

/* Steps with gaps and negative ones, values with a few that are not finite. No step comes twice. */
static void make(struct sample *list, size_t len, unsigned seed)
{
    struct tv_noise noise = {seed};
    int64_t step = -(int64_t)(tv_noise_uniform(&noise) * 1000);
    for (size_t i = 0; i < len; i++) {
        double lot = tv_noise_uniform(&noise);
        step += 1 + (int64_t)(tv_noise_uniform(&noise) * (lot < 0.01 ? 3000 : 20));
        double value = lot > 0.99 ? NAN : lot > 0.98 ? INFINITY : tv_noise_normal(&noise);
        list[i] = (struct sample){step, value};
    }
}

static void shuffle(struct sample *list, size_t len, unsigned seed)
{
    struct tv_noise noise = {seed};
    for (size_t i = len - 1; i > 0; i--) {
        size_t j = (size_t)(tv_noise_uniform(&noise) * (double)(i + 1));
        struct sample other = list[j];
        list[j] = list[i];
        list[i] = other;
    }
}

static struct tv_buckets fill(const struct sample *list, size_t len)
{
    struct tv_buckets buckets = {.max = MAX};
    for (size_t i = 0; i < len; i++) {
        tv_buckets_add(&buckets, list[i].step, list[i].value);
        ck_assert_uint_le(tv_buckets_len(&buckets), MAX);
    }
    return buckets;
}

static bool is_same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static void check_same(const struct tv_buckets *a, const struct tv_buckets *b)
{
    ck_assert_uint_eq(tv_buckets_len(a), tv_buckets_len(b));
    ck_assert_uint_eq(tv_buckets_width(a), tv_buckets_width(b));
    for (size_t i = 0; i < tv_buckets_len(a); i++) {
        const struct tv_bucket *x = tv_buckets_at(a, i), *y = tv_buckets_at(b, i);
        ck_assert_int_eq(tv_buckets_step(a, i), tv_buckets_step(b, i));
        ck_assert(x->points == y->points && x->non_finite == y->non_finite);
        ck_assert(x->first_step == y->first_step && x->last_step == y->last_step);
        ck_assert_int_eq(x->non_finite_step, y->non_finite_step);
        ck_assert(is_same(x->first, y->first) && is_same(x->last, y->last));
        ck_assert(is_same(x->min, y->min) && is_same(x->max, y->max));
    }
}

/* What one bucket must hold, from the whole list, in ascending order of steps. */
static struct tv_bucket naive(const struct sample *list, size_t len, int64_t from, uint64_t width)
{
    struct tv_bucket want = {.first = NAN, .last = NAN, .min = NAN, .max = NAN};
    for (size_t i = 0; i < len; i++) {
        if (list[i].step < from || (uint64_t)(list[i].step - from) >= width)
            continue;
        want.points++;
        if (!isfinite(list[i].value)) {
            if (want.non_finite++ == 0)
                want.non_finite_step = list[i].step;
            continue;
        }
        if (isnan(want.first)) {
            want.first = list[i].value;
            want.first_step = list[i].step;
        }
        want.last = list[i].value;
        want.last_step = list[i].step;
        want.min = fmin(want.min, list[i].value);
        want.max = fmax(want.max, list[i].value);
    }
    return want;
}

START_TEST(each_bucket_holds_what_its_steps_hold)
{
    static struct sample list[POINTS];
    size_t len = (size_t)1 << (_i % 13);
    make(list, len, (unsigned)_i + 1);
    struct tv_buckets buckets = fill(list, len);
    size_t points = 0;
    for (size_t i = 0; i < tv_buckets_len(&buckets); i++) {
        struct tv_bucket want =
            naive(list, len, tv_buckets_step(&buckets, i), tv_buckets_width(&buckets));
        struct tv_buckets one = {.len = 1, .list = &want}, got = buckets;
        got.len = 1;
        got.list += i;
        one.shift = got.shift;
        one.base = got.base;
        check_same(&got, &one);
        points += want.points;
    }
    ck_assert_uint_eq(points, len);
    if (tv_buckets_width(&buckets) > 1)
        ck_assert_uint_gt(tv_buckets_len(&buckets), MAX / 2);
    tv_buckets_free(&buckets);
}
END_TEST

START_TEST(the_order_of_the_points_does_not_matter)
{
    static struct sample list[POINTS];
    make(list, POINTS, (unsigned)_i + 100);
    struct tv_buckets in_order = fill(list, POINTS);
    shuffle(list, POINTS, (unsigned)_i);
    struct tv_buckets shuffled = fill(list, POINTS);
    check_same(&in_order, &shuffled);
    tv_buckets_free(&in_order);
    tv_buckets_free(&shuffled);
}
END_TEST

START_TEST(a_spike_of_one_point_stays_in_a_million)
{
    struct tv_buckets buckets = {.max = MAX};
    double high = -INFINITY, low = INFINITY;
    unsigned broken = 0;
    for (int64_t step = 0; step < 1000000; step++)
        tv_buckets_add(&buckets, step,
                       step == 123457   ? 50.0
                       : step == 777777 ? -50.0
                       : step == 500001 ? NAN
                                        : 1.0);
    for (size_t i = 0; i < tv_buckets_len(&buckets); i++) {
        const struct tv_bucket *bucket = tv_buckets_at(&buckets, i);
        int64_t from = tv_buckets_step(&buckets, i),
                to = from + (int64_t)tv_buckets_width(&buckets) - 1;
        if (bucket->max == 50.0)
            ck_assert(from <= 123457 && 123457 <= to);
        high = fmax(high, bucket->max);
        low = fmin(low, bucket->min);
        broken += bucket->non_finite;
        if (bucket->non_finite)
            ck_assert_int_eq(bucket->non_finite_step, 500001);
    }
    ck_assert_double_eq(high, 50.0);
    ck_assert_double_eq(low, -50.0);
    ck_assert_uint_eq(broken, 1);
    ck_assert_uint_le(buckets.cap, MAX); /* memory is what it was */
    tv_buckets_free(&buckets);
}
END_TEST

START_TEST(of_equal_steps_the_first_and_the_last_that_came_count)
{
    struct tv_buckets buckets = {.max = 4};
    tv_buckets_add(&buckets, 10, 3.0);
    tv_buckets_add(&buckets, 10, 1.0);
    tv_buckets_add(&buckets, 10, 2.0);
    for (int64_t step = 100; step < 1000; step += 100) /* widened, it still holds */
        tv_buckets_add(&buckets, step, 9.0);
    const struct tv_bucket *bucket = tv_buckets_at(&buckets, 0);
    ck_assert_double_eq(bucket->first, 3.0);
    ck_assert_double_eq(bucket->min, 1.0);
    tv_buckets_clear(&buckets);
    ck_assert_uint_eq(tv_buckets_len(&buckets), 0);
    tv_buckets_add(&buckets, 10, 3.0);
    tv_buckets_add(&buckets, 10, 2.0);
    ck_assert_double_eq(tv_buckets_at(&buckets, 0)->last, 2.0);
    ck_assert_uint_eq(tv_buckets_width(&buckets), 1);
    tv_buckets_free(&buckets);
}
END_TEST

START_TEST(the_ends_of_the_range_of_steps_are_steps_too)
{
    static const int64_t steps[] = {0, INT64_MAX, INT64_MIN, -1, 1, INT64_MAX - 1, INT64_MIN + 1};
    for (uint32_t max = 2; max < 6; max++) {
        struct tv_buckets buckets = {.max = max};
        size_t points = 0;
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
            tv_buckets_add(&buckets, steps[i], (double)i);
        ck_assert_uint_le(tv_buckets_len(&buckets), max);
        for (size_t i = 0; i < tv_buckets_len(&buckets); i++)
            points += tv_buckets_at(&buckets, i)->points;
        ck_assert_uint_eq(points, sizeof steps / sizeof *steps);
        tv_buckets_free(&buckets);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("buckets");
    TCase *tcase = tcase_create("buckets");
    tcase_add_loop_test(tcase, each_bucket_holds_what_its_steps_hold, 0, 26);
    tcase_add_loop_test(tcase, the_order_of_the_points_does_not_matter, 0, 5);
    tcase_add_test(tcase, a_spike_of_one_point_stays_in_a_million);
    tcase_add_test(tcase, of_equal_steps_the_first_and_the_last_that_came_count);
    tcase_add_test(tcase, the_ends_of_the_range_of_steps_are_steps_too);
    suite_add_tcase(suite, tcase);
    return tv_test_main(suite);
}
