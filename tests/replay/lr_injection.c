/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lr_injection [all | SEED RUNS]: for every scheduler and every cause, the log that the bug would
 * give, through the real engine (a sample of them, or `all`): is the cause named, and are clean
 * logs left alone? Prints the confusion table. A case counts as identifiable when it shows at all
 * and no other cause gives the same log up to rounding. With a seed: so many runs of random sizes,
 * settings and faults.
 */
#include "support/lr_answer.h"
#include "support/noise.h"
#include "support/suite.h"
#include "trainvet/number.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_all, is_random;
static uint64_t first_seed = 20261;
static int random_runs = 150;

struct setup {
    int total, warmup, accumulation, world, epoch;
    double peak;
};

static const struct setup setups[] = {
    {2000, 200, 4, 8, 250, 5e-5}, {1200, 60, 2, 4, 100, 2e-4}, {3000, 250, 8, 2, 750, 1e-3}};

static const struct kind {
    const char *name, *kwarg, *value;
} kinds[] = {{"linear", NULL, NULL},
             {"cosine", NULL, NULL},
             {"cosine_with_restarts", "lr_scheduler_kwargs.num_cycles", "3"},
             {"polynomial", "lr_scheduler_kwargs.power", "2.0"},
             {"constant", NULL, NULL},
             {"constant_with_warmup", NULL, NULL},
             {"inverse_sqrt", NULL, NULL},
             {"inverse_sqrt", "lr_scheduler_kwargs.timescale", "1000"},
             {"cosine_with_min_lr", "lr_scheduler_kwargs.min_lr_rate", "0.1"},
             {"warmup_stable_decay", "lr_scheduler_kwargs.num_decay_steps", "600"}};
#define KINDS_DENSE 7 /* the first of them: every second case; of the others every fourth */

struct bug {
    const char *name;
    int cause;
    double value;     /* see at() */
    const char *kind; /* TV_LR_KIND: what runs instead */
};

#define BY_ACCUMULATION (-1)
#define BY_WORLD        (-2)
#define BY_BATCH        (-3) /* both */
#define BY_ROOT         (-4) /* the square root of the number of processes */

static const struct bug bugs[] = {
    {"peak x 0.1", TV_LR_SCALED, 0.1, NULL},
    {"peak x 2", TV_LR_SCALED, 2, NULL},
    {"peak x world size", TV_LR_SCALED, BY_WORLD, NULL},
    {"peak x batch", TV_LR_SCALED, BY_BATCH, NULL},
    {"peak x sqrt(world size)", TV_LR_SCALED, BY_ROOT, NULL},
    {"group of 16 x the rate (LoRA+)", TV_LR_SCALED, 16, NULL},
    {"stepped on micro-batches", TV_LR_RATE, BY_ACCUMULATION, NULL},
    {"stepped by every process", TV_LR_RATE, BY_WORLD, NULL},
    {"stepped every other time", TV_LR_RATE, 0.5, NULL},
    {"warm-up x accumulation", TV_LR_WARMUP, BY_ACCUMULATION, NULL},
    {"warm-up x world size", TV_LR_WARMUP, BY_WORLD, NULL},
    {"warm-up / accumulation", TV_LR_WARMUP, 1.0 / 4, NULL},
    {"no warm-up", TV_LR_WARMUP, 0, NULL},
    {"warm-up x 1.5", TV_LR_WARMUP, 1.5, NULL},
    {"total x 0.5", TV_LR_TOTAL, 0.5, NULL},
    {"total x 3", TV_LR_TOTAL, 3, NULL},
    {"total of rounded-down epochs", TV_LR_TOTAL, 0.97, NULL},
    {"total x 1.2", TV_LR_TOTAL, 1.2, NULL},
    {"linear instead", TV_LR_KIND, 0, "linear"},
    {"cosine instead", TV_LR_KIND, 0, "cosine"},
    {"constant instead", TV_LR_KIND, 0, "constant"},
    {"constant_with_warmup instead", TV_LR_KIND, 0, "constant_with_warmup"},
    {"inverse_sqrt instead", TV_LR_KIND, 0, "inverse_sqrt"},
    {"polynomial instead", TV_LR_KIND, 0, "polynomial"},
    {"kwargs not passed on", TV_LR_PARAMETER, 0, NULL},
    {"never stepped", TV_LR_FROZEN, 0, NULL},
    {"stepped per epoch", TV_LR_PER_EPOCH, 0, NULL},
    {"DeepSpeed log warm-up", TV_LR_LOG_WARMUP, 0, NULL},
    {"lowest rate 10 %", TV_LR_FLOOR, 0.1, NULL},
    {"restart on resume", TV_LR_RESTARTED, 0.5, NULL},
    {"kicked x 100", TV_LR_JUMPED, 100, NULL},
    {"kicked x 0.5", TV_LR_JUMPED, 0.5, NULL},
    {"stops half-way", TV_LR_STOPPED, 0.5, NULL},
    {"scheduler of an older checkpoint", TV_LR_SHIFTED, -0.15, NULL},
    {"other total since resume", TV_LR_NEW_TOTAL, 1.5, NULL},
};
#define BUGS (sizeof bugs / sizeof *bugs)

struct writer {
    int every, offset;
    enum tv_digits digits;
};

#define DIGITS 3 /* of the writers: full, float32, four */

static double resolve_value(const struct setup *setup, double value)
{
    return value == BY_ACCUMULATION ? setup->accumulation
           : value == BY_WORLD      ? setup->world
           : value == BY_BATCH      ? setup->accumulation * setup->world
           : value == BY_ROOT       ? sqrt(setup->world)
                                    : value;
}

/* The learning rate that the buggy job logs at step g. */
static double at(const struct tv_schedule *promise, const struct setup *setup,
                 const struct bug *bug, const struct writer *writer, int g)
{
    struct tv_schedule s = *promise;
    double n = fmax(0, g - writer->offset), value = resolve_value(setup, bug->value);
    int resume = setup->total / 2 + 3;
    bool is_late = g > resume;
    switch (bug->cause) {
    case TV_LR_SCALED:
        return value * tv_schedule_lr(&s, n);
    case TV_LR_RATE:
        return tv_schedule_lr(&s, floor(n * value));
    case TV_LR_WARMUP:
        s.warmup_steps = round(s.warmup_steps * value);
        return tv_schedule_lr(&s, n);
    case TV_LR_TOTAL:
        s.total_steps = floor(s.total_steps * value);
        return tv_schedule_lr(&s, n);
    case TV_LR_KIND:
        tv_schedule_set_kind(&s, bug->kind);
        return tv_schedule_lr(&s, n);
    case TV_LR_PARAMETER:
        tv_schedule_set_kind(&s, tv_schedule_name(promise));
        return tv_schedule_lr(&s, n);
    case TV_LR_FROZEN:
        return tv_schedule_lr(&s, 0);
    case TV_LR_PER_EPOCH:
        return tv_schedule_lr(&s, floor(n / setup->epoch));
    case TV_LR_LOG_WARMUP:
        return n < s.warmup_steps ? s.peak * (n < 1 ? 0 : log(n) / log(s.warmup_steps))
                                  : tv_schedule_lr(&s, n);
    case TV_LR_FLOOR:
        return n < s.warmup_steps ? tv_schedule_lr(&s, n)
                                  : s.peak * value + (1 - value) * tv_schedule_lr(&s, n);
    case TV_LR_RESTARTED:
        return tv_schedule_lr(&s, is_late ? n - resume : n);
    case TV_LR_JUMPED:
        return (is_late ? value : 1) * tv_schedule_lr(&s, n);
    case TV_LR_STOPPED:
        return tv_schedule_lr(&s, is_late ? resume : n);
    case TV_LR_SHIFTED:
        return tv_schedule_lr(&s, is_late ? n + floor(value * setup->total) : n);
    case TV_LR_NEW_TOTAL:
        s.total_steps *= is_late ? value : 1;
        return tv_schedule_lr(&s, n);
    default:
        return tv_schedule_lr(&s, n);
    }
}

static void open_run(struct tv_log *log, const struct setup *setup, const struct kind *kind)
{
    char text[TV_NUMBER_MAX];
    tv_log_open(log, "lr_mismatch");
    tv_format_double(text, setup->peak);
    tv_log_fact(log, "learning_rate", text);
    tv_log_fact(log, "lr_scheduler_type", kind->name);
    const struct {
        const char *key;
        int value;
    } numbers[] = {{"max_steps", setup->total},
                   {"warmup_steps", setup->warmup},
                   {"gradient_accumulation_steps", setup->accumulation},
                   {"world_size", setup->world},
                   {"log.steps_per_epoch", setup->epoch}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        tv_format_double(text, numbers[i].value);
        tv_log_fact(log, numbers[i].key, text);
    }
    if (kind->kwarg)
        tv_log_fact(log, kind->kwarg, kind->value);
}

struct outcome {
    int answer;
    bool is_early;     /* said before the bug began */
    bool is_visible;   /* three points in a row are off by more than 2 % */
    bool is_ambiguous; /* the cause that was named instead gives the same log */
};

static struct outcome inject(const struct setup *setup, const struct kind *kind,
                             const struct bug *bug, const struct writer *writer)
{
    struct tv_log log;
    open_run(&log, setup, kind);
    const struct tv_schedule promise = *tv_run_schedule(log.run, NULL, NULL);
    size_t len = 0;
    struct tv_lr_point *logged = calloc((size_t)setup->total, sizeof *logged);
    for (int g = writer->every; g <= setup->total; g += writer->every) {
        double value = tv_printed(writer->digits, at(&promise, setup, bug, writer, g));
        logged[len++] = (struct tv_lr_point){g, value};
        tv_log_point(&log, "train/learning_rate", g, value);
    }
    tv_log_end(&log, NAN);
    const struct tv_alert *alert = tv_log_alert(&log, "lr_mismatch");
    struct tv_answer_log seen = {log.run, &promise, logged, len, setup->accumulation, setup->world};
    bool is_late_bug = bug->cause >= TV_LR_RESTARTED && bug->cause <= TV_LR_NEW_TOTAL;
    struct outcome outcome = {.answer = tv_answer_of(&log),
                              .is_early =
                                  is_late_bug && alert && alert->onset_step <= setup->total / 2,
                              .is_visible = tv_answer_shows(&seen)};
    if (outcome.is_visible && !tv_answer_same(outcome.answer, bug->cause) &&
        outcome.answer < TV_LR_CAUSES)
        outcome.is_ambiguous = tv_answer_both_fit(&seen, bug->cause, outcome.answer);
    free(logged);
    tv_log_close(&log);
    return outcome;
}

/* ---- clean logs ---- */

enum { SKIPS = 1, RESUME = 2, CLEANS = 4 };

static bool is_clean_silent(const struct setup *setup, const struct kind *kind,
                            const struct writer *writer, int how)
{
    static const struct bug none = {"none", TV_LR_CAUSES, 0, NULL};
    struct tv_log log;
    open_run(&log, setup, kind);
    const struct tv_schedule promise = *tv_run_schedule(log.run, NULL, NULL);
    int lag = 0, resume_from = setup->total / 2, resumed_at = resume_from - 150;
    bool has_resumed = !(how & RESUME);
    for (int g = 1; g <= setup->total; g++) {
        bool is_skipped = g <= 5 || g % 911 == 0;
        lag += (how & SKIPS) && is_skipped;
        if (g % writer->every == 0) {
            double n = g - lag > 0 ? g - lag : 0;
            double value = at(&promise, setup, &none, writer, (int)n);
            tv_log_point(&log, "train/learning_rate", g, tv_printed(writer->digits, value));
        }
        if (g == resume_from && !has_resumed) {
            has_resumed = true;
            for (int again = resumed_at + 1; again <= resume_from; again++)
                lag -= (how & SKIPS) && again % 911 == 0;
            g = resumed_at;
            tv_log_next_file(&log);
        }
    }
    tv_log_end(&log, NAN);
    bool is_silent = tv_log_alert(&log, "lr_mismatch") == NULL;
    if (!is_silent)
        printf("false: %s, total %d, every %d, format %d, offset %d, how %d: %s\n", kind->name,
               setup->total, writer->every, writer->digits, writer->offset, how,
               tv_log_alert(&log, "lr_mismatch")->summary);
    tv_log_close(&log);
    return is_silent;
}

START_TEST(clean_logs_are_left_alone)
{
    int runs = 0, alarms = 0;
    for (size_t s = 0; s < sizeof setups / sizeof *setups; s++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            for (int w = 0; w < 3 * DIGITS * 2; w++)
                for (int how = 0; how < CLEANS; how++) {
                    static const int every[] = {1, 10, 100};
                    struct writer writer = {every[w % 3], w / 9, (enum tv_digits)(w / 3 % DIGITS)};
                    if (w % 3 == 0 && (how + w) % 2)
                        continue; /* the longest logs */
                    alarms += !is_clean_silent(&setups[s], &kinds[k], &writer, how);
                    runs++;
                }
    printf("clean logs: %d, alarms: %d\n", runs, alarms);
    ck_assert_int_eq(alarms, 0);
}
END_TEST

static void print_table(int table[BUGS][TV_ANSWERS], const int *ambiguous, const int *hidden)
{
    printf("%-34s %5s %5s %5s  named (identifiable cases only)\n", "injected", "ident", "ambig",
           "hidden");
    for (size_t b = 0; b < BUGS; b++) {
        int sum = 0;
        for (int a = 0; a < TV_ANSWERS; a++)
            sum += table[b][a];
        printf("%-34s %5d %5d %5d ", bugs[b].name, sum, ambiguous[b], hidden[b]);
        for (int a = 0; a < TV_ANSWERS; a++)
            if (table[b][a])
                printf(" %s:%d", tv_answer_name(a), table[b][a]);
        printf("\n");
    }
}

START_TEST(the_injected_cause_is_named)
{
    static int table[BUGS][TV_ANSWERS], ambiguous[BUGS], hidden[BUGS];
    static const int every[] = {1, 10, 100};
    int right = 0, all = 0, missed = 0, early = 0;
    for (size_t b = 0; b < BUGS; b++)
        for (size_t i = 0; i < sizeof setups / sizeof *setups * (sizeof kinds / sizeof *kinds); i++)
            for (int w = 0; w < 3 * DIGITS; w++) {
                const struct setup *setup = &setups[i % 3];
                const struct kind *kind = &kinds[i / 3];
                if (bugs[b].kind && !strcmp(bugs[b].kind, kind->name))
                    continue;
                if (!is_all && (w + (int)(i + b)) % (i / 3 < KINDS_DENSE ? 7 : 14))
                    continue; /* all of them take two minutes */
                struct writer writer = {every[w % 3], (w / 2 + (int)i) % 2,
                                        (enum tv_digits)(w / 3)};
                struct outcome outcome = inject(setup, kind, &bugs[b], &writer);
                early += outcome.is_early;
                if (!outcome.is_visible) {
                    hidden[b]++;
                } else if (outcome.is_ambiguous) {
                    ambiguous[b]++;
                } else {
                    bool is_right = tv_answer_same(outcome.answer, bugs[b].cause);
                    if (!is_right && getenv("LR_INJECTION_VERBOSE"))
                        printf("%s -> %s: %s, total %d, every %d, format %d, offset %d\n",
                               bugs[b].name, tv_answer_name(outcome.answer), kind->name,
                               setup->total, writer.every, writer.digits, writer.offset);
                    table[b][outcome.answer]++;
                    right += is_right;
                    missed += outcome.answer == TV_ANSWER_SILENT;
                    all++;
                }
            }
    print_table(table, ambiguous, hidden);
    printf("right cause: %d of %d identifiable (%.2f %%), missed: %d\n", right, all,
           100.0 * right / all, missed);
    ck_assert_int_gt(all, 800);
    ck_assert_int_ge(right * 100, all * 95);
    ck_assert_int_le(missed * 100, all);
    ck_assert_int_eq(early, 0);
}
END_TEST

/* ---- random ones ---- */

static int pick(struct tv_noise *noise, const int *numbers, int len)
{
    return numbers[(int)(tv_noise_uniform(noise) * len)];
}

static double between(struct tv_noise *noise, double low, double high)
{
    return low * pow(high / low, tv_noise_uniform(noise));
}

static double two_digits(double value)
{
    double unit = pow(10, floor(log10(value)) - 1);
    return round(value / unit) * unit;
}

static struct setup random_setup(struct tv_noise *noise)
{
    static const int accumulations[] = {2, 3, 4, 6, 8, 16}, worlds[] = {2, 3, 4, 6, 8};
    struct setup setup = {.total = (int)between(noise, 400, 8000),
                          .accumulation = pick(noise, accumulations, 6),
                          .world = pick(noise, worlds, 5),
                          .peak = two_digits(between(noise, 1e-6, 1e-2))};
    setup.warmup = (int)(setup.total * (0.02 + 0.1 * tv_noise_uniform(noise)));
    setup.epoch = setup.total / (3 + (int)(6 * tv_noise_uniform(noise)));
    return setup;
}

/* A number of its own in place of the fixed one. */
static struct bug random_bug(struct tv_noise *noise)
{
    const int count = BUGS;
    struct bug bug = bugs[(int)(tv_noise_uniform(noise) * count)];
    if (bug.value < 0 || tv_noise_uniform(noise) < 0.5)
        return bug;
    if (bug.cause == TV_LR_SCALED || bug.cause == TV_LR_JUMPED)
        bug.value = two_digits(between(noise, 0.05, 30));
    else if (bug.cause == TV_LR_WARMUP || bug.cause == TV_LR_TOTAL || bug.cause == TV_LR_NEW_TOTAL)
        bug.value = two_digits(between(noise, 0.4, 4));
    else if (bug.cause == TV_LR_FLOOR)
        bug.value = two_digits(between(noise, 0.03, 0.5));
    return bug;
}

static const char *kwarg_of(struct tv_noise *noise, const struct kind *kind,
                            const struct setup *setup, char text[TV_NUMBER_MAX])
{
    double x = tv_noise_uniform(noise);
    if (!kind->kwarg)
        return NULL;
    double value = strstr(kind->kwarg, "num_cycles")  ? 2 + floor(4 * x)
                   : strstr(kind->kwarg, "power")     ? 1.5 + 0.5 * floor(4 * x)
                   : strstr(kind->kwarg, "timescale") ? two_digits(100 + 2000 * x)
                   : strstr(kind->kwarg, "rate")      ? two_digits(0.05 + 0.3 * x)
                                                      : floor((0.1 + 0.4 * x) * setup->total);
    tv_format_double(text, value);
    return text;
}

START_TEST(random_faults_are_named)
{
    static int table[BUGS][TV_ANSWERS], ambiguous[BUGS], hidden[BUGS];
    static const int every[] = {1, 2, 5, 10, 25, 50};
    int right = 0, all = 0, alarms = 0;
    for (int i = 0; i < random_runs; i++) {
        struct tv_noise noise = {first_seed + (uint64_t)i};
        char text[TV_NUMBER_MAX];
        struct setup setup = random_setup(&noise);
        struct kind kind = kinds[(int)(tv_noise_uniform(&noise) * sizeof kinds / sizeof *kinds)];
        kind.value = kwarg_of(&noise, &kind, &setup, text);
        struct bug bug = random_bug(&noise);
        struct writer writer = {pick(&noise, every, 6), (int)(2 * tv_noise_uniform(&noise)),
                                (enum tv_digits)(DIGITS * tv_noise_uniform(&noise))};
        alarms +=
            !is_clean_silent(&setup, &kind, &writer, (int)(CLEANS * tv_noise_uniform(&noise)));
        if (bug.kind && !strcmp(bug.kind, kind.name))
            continue;
        struct outcome outcome = inject(&setup, &kind, &bug, &writer);
        size_t b = 0;
        while (strcmp(bugs[b].name, bug.name) != 0)
            b++;
        ambiguous[b] += outcome.is_visible && outcome.is_ambiguous;
        hidden[b] += !outcome.is_visible;
        if (!outcome.is_visible || outcome.is_ambiguous)
            continue;
        bool is_right = tv_answer_same(outcome.answer, bug.cause);
        if (!is_right && getenv("LR_INJECTION_VERBOSE"))
            printf("seed %llu: %s (%g) -> %s: %s %s, total %d, warm-up %d, ga %d, world %d, every "
                   "%d, format %d, offset %d\n",
                   (unsigned long long)first_seed + (unsigned)i, bug.name, bug.value,
                   tv_answer_name(outcome.answer), kind.name, kind.value ? kind.value : "",
                   setup.total, setup.warmup, setup.accumulation, setup.world, writer.every,
                   writer.digits, writer.offset);
        table[b][outcome.answer]++;
        right += is_right;
        all++;
    }
    print_table(table, ambiguous, hidden);
    printf("random: right cause: %d of %d identifiable (%.2f %%), alarms on %d clean: %d\n", right,
           all, 100.0 * right / all, random_runs, alarms);
    ck_assert_int_ge(right * 100, all * 95);
    ck_assert_int_eq(alarms, 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("lr_injection");
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 800);
    if (!is_random) {
        tcase_add_test(tc, clean_logs_are_left_alone);
        tcase_add_test(tc, the_injected_cause_is_named);
    }
    tcase_add_test(tc, random_faults_are_named);
    suite_add_tcase(s, tc);
    return s;
}

int main(int argc, char **argv)
{
    is_all = argc > 1 && strcmp(argv[1], "all") == 0;
    is_random = argc > 2;
    if (is_random) {
        first_seed = strtoull(argv[1], NULL, 10);
        random_runs = (int)strtol(argv[2], NULL, 10);
    }
    return tv_test_main(suite());
}
