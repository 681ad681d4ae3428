/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A schedule is known again by its logged learning rate alone, and nothing else is taken for one.
 */
#include "engine/identify.h"
#include "support/suite.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct course {
    const char *kind;
    double peak, total, warmup;
    enum tv_schedule_param param;
    double value;
    enum tv_schedule_param param2;
    double value2;
} courses[] = {
    {"linear", 5e-5, 5000, 0, 0, 0, 0, 0},
    {"linear", 2e-4, 5000, 500, 0, 0, 0, 0},
    {"linear", 3e-4, 12345, 371, 0, 0, 0, 0},
    {"cosine", 1e-4, 5000, 0, 0, 0, 0, 0},
    {"cosine", 2e-5, 4680, 468, 0, 0, 0, 0},
    {"cosine", 2.5e-5, 20000, 600, 0, 0, 0, 0},
    {"cosine_with_min_lr", 1e-4, 5000, 250, TV_P_FLOOR_RATIO, 0.1, 0, 0},
    {"cosine_with_min_lr", 6e-4, 8000, 0, TV_P_FLOOR_RATIO, 0.05, 0, 0},
    {"cosine_with_restarts", 1e-4, 6000, 300, TV_P_CYCLES, 3, 0, 0},
    {"polynomial", 1e-4, 5000, 500, TV_P_POWER, 2, 0, 0},
    {"polynomial", 1e-4, 5000, 500, TV_P_POWER, 2, TV_P_FLOOR, 0},
    {"polynomial", 1e-4, 5000, 0, TV_P_POWER, 0.5, TV_P_FLOOR, 0},
    {"inverse_sqrt", 1e-3, 20000, 1000, 0, 0, 0, 0},
    {"ExponentialLR", 1e-3, 5000, 0, TV_P_GAMMA, 0.9995, 0, 0},
    {"StepLR", 1e-2, 6000, 0, TV_P_PERIOD, 1000, TV_P_GAMMA, 0.5},
    {"warmup_stable_decay", 3e-4, 6000, 300, TV_P_HOLD, 4000, TV_P_DECAY, 1700},
    {"constant", 1e-4, 3000, 0, 0, 0, 0, 0},
    {"constant_with_warmup", 1e-4, 3000, 300, 0, 0, 0, 0},
};
#define COURSES (sizeof courses / sizeof *courses)

static struct tv_schedule schedule_of(const struct course *course)
{
    struct tv_schedule s = {
        .peak = course->peak, .total_steps = course->total, .warmup_steps = course->warmup};
    ck_assert(tv_schedule_set_kind(&s, course->kind));
    if (course->param)
        s.param[course->param] = course->value;
    if (course->param2)
        s.param[course->param2] = course->value2;
    return s;
}

struct writing {
    int every, offset;
    double part; /* of the run that is logged */
    bool is_float;
    int digits; /* 0: all */
    int skips;  /* optimizer steps that were skipped, in the first half */
};

static double written(const struct writing *writing, double lr)
{
    char text[64];
    if (writing->digits == 0)
        return writing->is_float ? (double)(float)lr : lr;
    snprintf(text, sizeof text, "%.*e", writing->digits - 1, lr);
    return strtod(text, NULL);
}

static void write_log(const struct tv_schedule *s, double total, const struct writing *writing,
                      struct tv_lr_points *ret, struct tv_lr_levels *levels)
{
    *ret = (struct tv_lr_points){0};
    *levels = (struct tv_lr_levels){0};
    for (int64_t g = 1; (double)g <= writing->part * total; g++) {
        if (g % writing->every && g != 1)
            continue;
        if (g == 1 && writing->every > 1)
            continue;
        int64_t lag = 0;
        for (int i = 1; i <= writing->skips; i++)
            lag += (double)g > 0.45 * total * i / writing->skips;
        double n = fmax(0, (double)(g - writing->offset - lag));
        tv_lr_points_add(ret, g, written(writing, tv_schedule_lr(s, n)));
        tv_lr_levels_add(levels, g, written(writing, tv_schedule_lr(s, n)));
    }
}

/* 1 right, 0 not determined, -1 wrong. Before its restart or its decay a schedule is another. */
static int judge(const struct course *course, const struct tv_schedule *truth,
                 const struct writing *writing, const struct tv_identity *found, bool loud)
{
    const struct tv_schedule *s = &found->schedule;
    if (!s->kind) {
        if (loud)
            printf("   open  %-22s every %-3d off %d part %.1f float %d digits %d skips %d: %s\n",
                   course->kind, writing->every, writing->offset, writing->part, writing->is_float,
                   writing->digits, writing->skips, found->open);
        return 0;
    }
    bool good = strcmp(tv_schedule_name(s), course->kind) == 0 ||
                (strcmp(course->kind, "warmup_stable_decay") == 0 && writing->part < 1);
    bool has_total = found->end_known && isfinite(s->total_steps);
    double slack = writing->digits ? 0.02 : 1e-3;
    good &=
        !has_total || fabs(s->total_steps - truth->total_steps) <= 1 + slack * truth->total_steps;
    if (found->start_known) {
        good &= fabs(s->peak / truth->peak - 1) < (writing->digits ? 5e-3 : 1e-3);
        good &= fabs(s->warmup_steps - truth->warmup_steps) <= 1 + slack * truth->total_steps;
    }
    good &= found->lag == writing->skips || s->param[TV_P_PERIOD] > 1;
    if (!good && loud)
        printf("   WRONG %-22s every %-3d off %d part %.1f float %d digits %d skips %d: %s peak %g "
               "warm-up %g total %g power %g floor %g lag %d residual %g\n",
               course->kind, writing->every, writing->offset, writing->part, writing->is_float,
               writing->digits, writing->skips, tv_schedule_name(s), s->peak, s->warmup_steps,
               s->total_steps, s->param[TV_P_POWER], s->param[TV_P_FLOOR_RATIO], (int)found->lag,
               found->residual);
    return good ? 1 : -1;
}

static const struct writing writings[] = {
    {1, 0, 1, false, 0, 0},    {1, 1, 1, true, 0, 0},     {10, 0, 1, true, 0, 0},
    {10, 1, 1, false, 0, 0},   {100, 0, 1, true, 0, 0},   {100, 1, 1, true, 0, 0},
    {10, 0, 1, false, 4, 0},   {10, 1, 1, false, 4, 0},   {100, 1, 1, false, 4, 0},
    {1, 0, 0.5, true, 0, 0},   {10, 1, 0.5, true, 0, 0},  {100, 0, 0.5, false, 0, 0},
    {100, 1, 0.5, true, 0, 0}, {10, 0, 0.5, false, 4, 0},
};
#define WRITINGS (sizeof writings / sizeof *writings)

/* Flat to the end of what is logged: what follows is anybody's guess unless the run is over. */
static bool is_identifiable(const struct course *course, const struct writing *writing)
{
    if (writing->part == 1)
        return true;
    return strncmp(course->kind, "constant", 8) != 0 &&
           strcmp(course->kind, "warmup_stable_decay") != 0;
}

START_TEST(every_kind_is_known_again)
{
    int right = 0, wrong = 0, of = 0;
    for (size_t c = 0; c < COURSES; c++) {
        for (size_t w = 0; w < WRITINGS; w++) {
            struct tv_schedule s = schedule_of(&courses[c]);
            struct tv_lr_points points;
            struct tv_lr_levels levels;
            struct tv_identity found;
            write_log(&s, courses[c].total, &writings[w], &points, &levels);
            bool told = strncmp(courses[c].kind, "constant", 8) == 0;
            tv_identify(&points, &levels, told ? courses[c].total : NAN, &found);
            int is = judge(&courses[c], &s, &writings[w], &found, true);
            bool counts = is_identifiable(&courses[c], &writings[w]);
            of += counts;
            right += counts && is > 0;
            wrong += is < 0;
        }
    }
    printf("%d of %d right, %d wrong\n", right, of, wrong);
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_ge(100 * right, 95 * of);
}
END_TEST

START_TEST(a_warm_up_may_end_where_the_log_begins)
{
    const struct course course = {"cosine", 1e-6, 1333, 50, 0, 0, 0, 0};
    const struct writing coarse = {50, 0, 0.75, false, 0, 0};
    struct tv_schedule s = schedule_of(&course);
    struct tv_lr_points points;
    struct tv_lr_levels levels;
    struct tv_identity found;
    write_log(&s, course.total, &coarse, &points, &levels);
    tv_identify(&points, &levels, course.total, &found);
    ck_assert_msg(found.schedule.kind != NULL, "%s", found.open);
    ck_assert_str_eq(tv_schedule_name(&found.schedule), "cosine");
    ck_assert_double_eq_tol(found.schedule.warmup_steps, 50, 0.5);
    ck_assert_double_eq_tol(found.zero_step, 1333, 1);
}
END_TEST

START_TEST(skipped_steps_are_counted)
{
    static const struct writing lagging[] = {{1, 0, 1, true, 0, 3}, {10, 1, 1, true, 0, 4}};
    int right = 0, of = 0;
    for (size_t c = 0; c < 6; c++) {
        for (size_t w = 0; w < 2; w++) {
            struct tv_schedule s = schedule_of(&courses[c]);
            struct tv_lr_points points;
            struct tv_lr_levels levels;
            struct tv_identity found;
            write_log(&s, courses[c].total, &lagging[w], &points, &levels);
            tv_identify(&points, &levels, courses[c].total, &found);
            int is = judge(&courses[c], &s, &lagging[w], &found, true);
            ck_assert_int_ge(is, 0);
            right += is > 0;
            of++;
        }
    }
    printf("%d of %d right\n", right, of);
    ck_assert_int_ge(100 * right, 80 * of);
}
END_TEST

/* fp16's loss scale comes down in the first steps: the whole log lags behind, the warm-up too. */
START_TEST(steps_skipped_before_the_warm_up_are_counted)
{
    static const struct course brief[] = {
        {"linear", 3e-4, 519, 50, 0, 0, 0, 0},
        {"cosine", 1e-4, 800, 64, 0, 0, 0, 0},
    };
    for (size_t c = 0; c < sizeof brief / sizeof *brief; c++) {
        struct tv_schedule s = schedule_of(&brief[c]);
        struct tv_lr_points points = {0};
        struct tv_lr_levels levels = {0};
        struct tv_identity found;
        for (int64_t g = 20; (double)g <= brief[c].total; g += 20) {
            tv_lr_points_add(&points, g, tv_schedule_lr(&s, (double)g - 5));
            tv_lr_levels_add(&levels, g, tv_schedule_lr(&s, (double)g - 5));
        }
        tv_identify(&points, &levels, brief[c].total, &found);
        ck_assert_ptr_nonnull(found.schedule.kind);
        ck_assert_str_eq(tv_schedule_name(&found.schedule), brief[c].kind);
        ck_assert_int_eq(found.lag + found.schedule.log_offset, 5);
        ck_assert_double_eq_tol(found.schedule.warmup_steps, brief[c].warmup, 1e-3);
        ck_assert_double_eq_tol(found.schedule.total_steps, brief[c].total, 1e-3);
    }
}
END_TEST

static double noise(uint64_t *state)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (double)(*state >> 11) / (double)(1ULL << 53);
}

START_TEST(what_is_no_schedule_is_not_named)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t state = seed;
        struct tv_lr_points points = {0};
        struct tv_lr_levels levels = {0};
        struct tv_identity found;
        double lr = 1e-4;
        for (int g = 1; g <= 600; g++) {
            double x = noise(&state);
            if (seed % 3 == 0) /* a walk */
                lr *= 0.99 + 0.02 * x;
            else if (seed % 3 == 1) /* set by hand now and then */
                lr = x < 0.02 ? lr * (0.3 + noise(&state)) : lr;
            else /* a cosine that somebody disturbed */
                lr = 1e-4 * (0.5 + 0.5 * cos(M_PI * g / 600)) * (1 + 1e-3 * x);
            char text[32];
            snprintf(text, sizeof text, "%.3e", lr);
            tv_lr_points_add(&points, g, seed % 2 ? strtod(text, NULL) : lr);
            tv_lr_levels_add(&levels, g, seed % 2 ? strtod(text, NULL) : lr);
        }
        tv_identify(&points, &levels, NAN, &found);
        ck_assert_msg(!found.schedule.kind, "seed %d is taken for %s", (int)seed,
                      tv_schedule_name(&found.schedule));
        ck_assert(found.open[0]);
    }
}
END_TEST

START_TEST(the_end_is_predicted_from_a_quarter_of_the_run)
{
    struct tv_schedule s = schedule_of(&courses[1]);
    const struct writing quarter = {10, 1, 0.25, true, 0, 0};
    struct tv_lr_points points;
    struct tv_lr_levels levels;
    struct tv_identity found;
    write_log(&s, 5000, &quarter, &points, &levels);
    tv_identify(&points, NULL, NAN, &found);
    ck_assert_str_eq(tv_schedule_name(&found.schedule), "linear");
    ck_assert_double_eq(found.zero_step, 5000);
    ck_assert_double_eq(found.lowest, 0);
    ck_assert_double_eq(found.schedule.peak, 2e-4);
    ck_assert_double_eq(found.schedule.warmup_steps, 500);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("identify");
    TCase *tcase = tcase_create("identify");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, every_kind_is_known_again);
    tcase_add_test(tcase, a_warm_up_may_end_where_the_log_begins);
    tcase_add_test(tcase, skipped_steps_are_counted);
    tcase_add_test(tcase, steps_skipped_before_the_warm_up_are_counted);
    tcase_add_test(tcase, what_is_no_schedule_is_not_named);
    tcase_add_test(tcase, the_end_is_predicted_from_a_quarter_of_the_run);
    suite_add_tcase(suite, tcase);
    return tv_test_main(suite);
}
