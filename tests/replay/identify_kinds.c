/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every kind of schedule, known again by its logged learning rate alone: whole, half and a fifth of
 * the run, logged at every 1, 10 and 100 steps, as float32 and with 4 digits. Prints the confusion
 * table. What is named must go on as the schedule does, or say that it speaks of what was logged.
 */
#include "engine/identify.h"
#include "schedule/formulas.h"
#include "support/suite.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOTAL 6000

struct course {
    const char *framework, *kind, *names; /* what it may be called, separated by '|' */
    double peak, warmup;
    struct {
        enum tv_schedule_param param;
        double value;
    } set[7];
    double table[12];
    int table_len;
    bool is_measured; /* follows another rule later: what is said so far may end */
};

#define RATE 2e-4
#define EPOCH                                                                                      \
    {                                                                                              \
        TV_P_EVERY, 60                                                                             \
    }
#define START                                                                                      \
    {                                                                                              \
        TV_P_START_RATIO, 0.04                                                                     \
    }
#define CONST "constant|constant_with_warmup"

static const struct course courses[] = {
    {"transformers", "constant", CONST, RATE, 0, {{0}}, {0}, 0, false},
    {"transformers", "constant_with_warmup", CONST, RATE, 300, {{0}}, {0}, 0, false},
    {"transformers", "linear", "linear", RATE, 0, {{0}}, {0}, 0, false},
    {"transformers", "linear", "linear", RATE, 300, {{0}}, {0}, 0, false},
    {"transformers", "cosine", "cosine", RATE, 0, {{0}}, {0}, 0, false},
    {"transformers", "cosine", "cosine", RATE, 300, {{0}}, {0}, 0, false},
    {"transformers",
     "cosine_with_restarts",
     "cosine_with_restarts|CosineAnnealingWarmRestarts",
     RATE,
     300,
     {{TV_P_CYCLES, 3}},
     {0},
     0,
     true},
    {"transformers", "polynomial", "polynomial", RATE, 300, {{TV_P_POWER, 2}}, {0}, 0, false},
    {"transformers", "polynomial", "linear|polynomial", RATE, 300, {{0}}, {0}, 0, false},
    {"transformers", "inverse_sqrt", "inverse_sqrt", RATE, 300, {{0}}, {0}, 0, false},
    {"transformers",
     "cosine_with_min_lr",
     "cosine",
     RATE,
     300,
     {{TV_P_FLOOR_RATIO, 0.1}},
     {0},
     0,
     false},
    {"transformers",
     "cosine_warmup_with_min_lr",
     "cosine",
     RATE,
     300,
     {{TV_P_FLOOR_RATIO, 0.1}},
     {0},
     0,
     false},
    {"transformers",
     "warmup_stable_decay",
     "warmup_stable_decay",
     RATE,
     300,
     {{TV_P_DECAY, 1000}},
     {0},
     0,
     true},
    {"transformers",
     "warmup_stable_decay",
     "warmup_stable_decay|1 - sqrt",
     RATE,
     300,
     {{TV_P_DECAY, 2000}, {TV_P_SHAPE, TV_SHAPE_SQRT}, {TV_P_WARM_SHAPE, TV_SHAPE_COSINE}},
     {0},
     0,
     true},
    {"axolotl", "cosine_quadratic_warmup", "cosine", RATE, 300, {{0}}, {0}, 0, false},
    {"axolotl", "rex", "REX", RATE, 300, {{0}}, {0}, 0, false},
    {"deepspeed",
     "WarmupLR",
     CONST,
     RATE,
     300,
     {{TV_P_WARM_SHAPE, TV_SHAPE_LOG}, {TV_P_WARM_SHIFT, 1}},
     {0},
     0,
     false},
    {"deepspeed", "WarmupDecayLR", "linear", RATE, 300, {{0}}, {0}, 0, false},
    {"deepspeed", "WarmupCosineLR", "cosine", RATE, 300, {{TV_P_FLOOR_RATIO, 1e-4}}, {0}, 0, false},
    {"megatron", "linear", "linear", RATE, 300, {{TV_P_FLOOR_RATIO, 0.1}}, {0}, 0, false},
    {"megatron", "cosine", "cosine", RATE, 300, {{TV_P_FLOOR_RATIO, 0.1}}, {0}, 0, false},
    {"megatron", "inverse-square-root", "inverse_sqrt", RATE, 300, {{0}}, {0}, 0, false},
    {"megatron", "WSD", "warmup_stable_decay", RATE, 300, {{TV_P_DECAY, 1500}}, {0}, 0, true},
    {"torch", "StepLR", "StepLR", 0.1, 0, {{TV_P_PERIOD, 1500}}, {0}, 0, false},
    {"torch", "StepLR", "StepLR|MultiStepLR", 0.1, 0, {{TV_P_PERIOD, 30}, EPOCH}, {0}, 0, false},
    {"torch", "MultiStepLR", "MultiStepLR|StepLR", 0.1, 0, {{0}}, {1200, 3600, 4800}, 3, true},
    {"torch",
     "ExponentialLR",
     "ExponentialLR|StepLR",
     0.1,
     0,
     {{TV_P_GAMMA, 0.9995}},
     {0},
     0,
     false},
    {"torch",
     "ExponentialLR",
     "ExponentialLR|StepLR",
     0.1,
     0,
     {{TV_P_GAMMA, 0.95}, EPOCH},
     {0},
     0,
     false},
    {"torch",
     "OneCycleLR",
     "OneCycleLR|cosine|linear",
     1e-2,
     0,
     {{0}},
     {1799, 0.04, 1, TV_SHAPE_COSINE, 5999, 1, 4e-6, TV_SHAPE_COSINE},
     8,
     false},
    {"torch",
     "OneCycleLR",
     "OneCycleLR|cosine|linear",
     1e-2,
     0,
     {{0}},
     {1799, 0.04, 1, TV_SHAPE_LINEAR, 5999, 1, 4e-6, TV_SHAPE_LINEAR},
     8,
     false},
    {"torch", "CosineAnnealingLR", "cosine", RATE, 0, {{TV_P_FLOOR_RATIO, 0.01}}, {0}, 0, false},
    {"torch", "CosineAnnealingLR", "cosine", RATE, 0, {EPOCH, {TV_P_END, 100}}, {0}, 0, false},
    {"torch",
     "CosineAnnealingLR",
     "cosine|CosineAnnealingLR",
     RATE,
     0,
     {{TV_P_END, 2000}},
     {0},
     0,
     true},
    {"torch",
     "PolynomialLR",
     "polynomial",
     RATE,
     0,
     {{TV_P_END, 6000}, {TV_P_POWER, 0.9}},
     {0},
     0,
     false},
    {"torch",
     "CosineAnnealingWarmRestarts",
     "cosine|CosineAnnealingWarmRestarts|cosine_with_restarts",
     RATE,
     0,
     {{TV_P_PERIOD, 1500}},
     {0},
     0,
     true},
    {"torch",
     "CosineAnnealingWarmRestarts",
     "cosine|CosineAnnealingWarmRestarts|cosine_with_restarts",
     RATE,
     0,
     {{TV_P_PERIOD, 700}, {TV_P_GROWTH, 2}, {TV_P_FLOOR_RATIO, 0.01}},
     {0},
     0,
     true},
    {"torch",
     "CyclicLR",
     "CyclicLR",
     RATE,
     0,
     {{TV_P_PERIOD, 800}, {TV_P_DECAY, 800}, {TV_P_FLOOR_RATIO, 0.1}},
     {0},
     0,
     true},
    {"torch",
     "CyclicLR",
     "CyclicLR",
     RATE,
     0,
     {{TV_P_PERIOD, 800},
      {TV_P_DECAY, 800},
      {TV_P_FLOOR_RATIO, 0.1},
      {TV_P_MODE, TV_TRIANGLE_HEIGHT_BY_CYCLE},
      {TV_P_GAMMA, 0.5}},
     {0},
     0,
     true},
    {"torchtitan",
     "linear",
     "linear|warmup_stable_decay",
     RATE,
     300,
     {{TV_P_DECAY, 5701}, {TV_P_FLOOR_RATIO, 0.1}},
     {0},
     0,
     false},
    {"torchtitan",
     "sqrt",
     "warmup_stable_decay|1 - sqrt",
     RATE,
     300,
     {{TV_P_DECAY, 1200}},
     {0},
     0,
     true},
    {"olmo", "cosine_with_warmup", "cosine", RATE, 300, {{0}}, {0}, 0, false},
    {"olmo", "linear_with_warmup", "linear", RATE, 300, {{0}}, {0}, 0, false},
    {"olmocore", "WSD", "warmup_stable_decay", RATE, 300, {{TV_P_DECAY, 600}}, {0}, 0, true},
    {"fairseq", "polynomial_decay", "linear|polynomial", RATE, 300, {{0}}, {0}, 0, false},
    {"fairseq", "inverse_sqrt", "inverse_sqrt", RATE, 300, {{0}}, {0}, 0, false},
    {"fairseq",
     "cosine",
     "cosine|CosineAnnealingWarmRestarts",
     RATE,
     0,
     {{TV_P_PERIOD, 2000}, {TV_P_FLOOR_RATIO, 0.01}},
     {0},
     0,
     true},
    {"fairseq",
     "tri_stage",
     "warmup_stable_decay|ExponentialLR|StepLR",
     RATE,
     600,
     {{TV_P_HOLD, 2400}, {TV_P_DECAY, 3000}},
     {0},
     0,
     true},
    {"timm",
     "cosine",
     "cosine",
     RATE,
     5,
     {{TV_P_PERIOD, 100}, {TV_P_START_RATIO, 0.01}, {TV_P_FLOOR_RATIO, 0.01}, EPOCH},
     {0},
     0,
     false},
    {"timm",
     "cosine",
     "cosine",
     RATE,
     300,
     {{TV_P_PERIOD, 6000}, {TV_P_START_RATIO, 0.01}, {TV_P_FLOOR_RATIO, 0.01}},
     {0},
     0,
     false},
    {"timm", "step", "StepLR|MultiStepLR", RATE, 0, {{TV_P_PERIOD, 30}, EPOCH}, {0}, 0, false},
    {"nemo", "CosineAnnealing", "cosine", RATE, 300, {{TV_P_FLOOR_RATIO, 0.1}}, {0}, 0, false},
    {"nemo", "NoamAnnealing", "inverse_sqrt", RATE, 300, {{0}}, {0}, 0, false},
    {"nemo", "SquareAnnealing", "polynomial", RATE, 300, {{TV_P_FLOOR, 0}}, {0}, 0, false},
    {"ultralytics",
     "linear",
     "linear",
     0.01,
     0,
     {{TV_P_FLOOR_RATIO, 0.01}, {TV_P_END, 100}, EPOCH},
     {0},
     0,
     false},
    {"ultralytics",
     "cosine",
     "cosine",
     0.01,
     0,
     {{TV_P_FLOOR_RATIO, 0.01}, {TV_P_END, 100}, EPOCH},
     {0},
     0,
     false},
    {"nanogpt", "cosine", "cosine", RATE, 300, {{TV_P_FLOOR_RATIO, 0.1}}, {0}, 0, false},
    {"optax", "warmup_cosine_decay_schedule", "cosine", RATE, 300, {{0}}, {0}, 0, false},
};
#define COURSES (sizeof courses / sizeof *courses)

struct writing {
    int every, offset, digits; /* digits 0: float32 */
    double part;
};

enum { RIGHT, SO_FAR, OPEN, WRONG, VERDICTS };

static struct tv_schedule schedule_of(const struct course *course)
{
    struct tv_schedule s = {.framework = course->framework,
                            .peak = course->peak,
                            .total_steps = TOTAL,
                            .warmup_steps = course->warmup};
    ck_assert_msg(tv_schedule_set_kind(&s, course->kind), "%s", course->kind);
    for (size_t i = 0; i < 7; i++)
        if (course->set[i].param || course->set[i].value != 0)
            s.param[course->set[i].param] = course->set[i].value;
    memcpy(s.table, course->table, sizeof course->table);
    s.table_len = course->table_len;
    return s;
}

static double written(const struct writing *writing, double lr)
{
    char text[64];
    if (writing->digits == 0)
        return (double)(float)lr;
    snprintf(text, sizeof text, "%.*e", writing->digits - 1, lr);
    return strtod(text, NULL);
}

static double logged(const struct tv_schedule *s, const struct writing *writing, int64_t g)
{
    return written(writing, tv_schedule_lr(s, fmax(0, (double)(g - writing->offset))));
}

/* Largest difference up to this step, as a part of the peak. */
static double distance(const struct tv_schedule *truth, const struct tv_identity *found,
                       const struct writing *writing, double last)
{
    double most = 0;
    int64_t first = found->start_known ? writing->every : (int64_t)found->first_step;
    for (int64_t g = first; (double)g <= last; g += writing->every) {
        if (g <= writing->offset)
            continue;
        double n = fmax(0, (double)(g - found->schedule.log_offset - found->lag));
        double off = tv_schedule_lr(&found->schedule, n) - logged(truth, writing, g);
        most = fmax(most, fabs(off) / truth->peak);
        if (isnan(off))
            return INFINITY;
    }
    return most;
}

static bool is_named(const char *names, const char *name)
{
    while (*names) {
        size_t len = strcspn(names, "|");
        if (memmem(name, strlen(name), names, len))
            return true;
        names += len + (names[len] == '|');
    }
    return false;
}

static int judge(const struct course *course, const struct writing *writing, bool is_loud)
{
    struct tv_schedule truth = schedule_of(course);
    struct tv_lr_points points = {0};
    struct tv_lr_levels levels = {0};
    struct tv_identity found;
    char name[120];
    for (int64_t g = writing->every; (double)g <= writing->part * TOTAL; g += writing->every) {
        tv_lr_points_add(&points, g, logged(&truth, writing, g));
        tv_lr_levels_add(&levels, g, logged(&truth, writing, g));
    }
    tv_identify(&points, &levels, TOTAL, &found);
    int verdict = OPEN;
    tv_identity_name(&found, name, sizeof name);
    if (found.schedule.kind) {
        double slack = writing->digits ? 0.01 : 1e-4;
        bool meets = distance(&truth, &found, writing, writing->part * TOTAL) <= slack;
        bool goes_on = distance(&truth, &found, writing, TOTAL) <= 0.02;
        bool is_good = meets && is_named(course->names, name);
        verdict = is_good && goes_on                                ? RIGHT
                  : meets && found.is_so_far && course->is_measured ? SO_FAR
                                                                    : WRONG;
    }
    if (is_loud && (verdict == WRONG || verdict == OPEN))
        printf("  %s %s/%s warm-up %.0f, every %d offset %d digits %d part %.1f: %s\n",
               verdict == OPEN ? "open " : "WRONG", course->framework, course->kind, course->warmup,
               writing->every, writing->offset, writing->digits, writing->part,
               verdict == OPEN ? found.open : name);
    if (is_loud && verdict == WRONG)
        printf("    off %g, %g in all; warm-up %g, lag %d, from %g\n",
               distance(&truth, &found, writing, writing->part * TOTAL),
               distance(&truth, &found, writing, TOTAL), found.schedule.warmup_steps,
               (int)found.lag, found.first_step);
    return verdict;
}

static bool is_all; /* every way of writing each kind, not every second one */

START_TEST(no_kind_is_taken_for_another)
{
    static const int every[] = {1, 10, 100}, digits[] = {0, 4};
    static const double parts[] = {1, 0.5, 0.2};
    bool is_loud = getenv("IDENTIFY_VERBOSE") != NULL;
    int sum[3][VERDICTS] = {{0}};
    printf("%-46s %-23s %-23s %s\n", "right / so far / open / WRONG", "whole", "half", "a fifth");
    for (size_t c = 0; c < COURSES; c++) {
        int table[3][VERDICTS] = {{0}};
        for (int w = 0; w < 3 * 3 * 2; w++) {
            struct writing writing = {every[w / 3 % 3], (w + (int)c) % 2, digits[w / 9],
                                      parts[w % 3]};
            if (!is_all && (w / 3 + (int)c) % 2)
                continue;
            int verdict = judge(&courses[c], &writing, is_loud);
            table[w % 3][verdict]++;
            sum[w % 3][verdict]++;
        }
        printf("%-12s %-29s W %-3.0f", courses[c].framework, courses[c].kind, courses[c].warmup);
        for (int p = 0; p < 3; p++)
            printf(" %2d / %2d / %2d / %2d      ", table[p][0], table[p][1], table[p][2],
                   table[p][3]);
        printf("\n");
    }
    for (int p = 0; p < 3; p++)
        printf("%s of the run: right %d, so far %d, not determined %d, wrong %d\n",
               p == 0   ? "whole"
               : p == 1 ? "half"
                        : "a fifth",
               sum[p][RIGHT], sum[p][SO_FAR], sum[p][OPEN], sum[p][WRONG]);
    ck_assert_int_le(sum[0][WRONG] + sum[1][WRONG] + sum[2][WRONG], 0);
    int judged = sum[0][RIGHT] + sum[0][SO_FAR] + sum[0][OPEN] + sum[0][WRONG];
    ck_assert_int_ge(judged, 3 * (int)COURSES);
    ck_assert_int_ge(100 * (sum[0][RIGHT] + sum[0][SO_FAR]), 95 * judged);
}
END_TEST

int main(int argc, char **argv)
{
    is_all = argc > 1 && strcmp(argv[1], "all") == 0;
    Suite *suite = suite_create("identify_kinds");
    TCase *tcase = tcase_create("identify_kinds");
    tcase_set_timeout(tcase, 800);
    tcase_add_test(tcase, no_kind_is_taken_for_another);
    suite_add_tcase(suite, tcase);
    return tv_test_main(suite);
}
