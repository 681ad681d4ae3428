/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A learning rate that follows a metric: what torch makes of the evaluations is left alone, and
 * each slip is named. */
#include "schedule/follow.h"
#include "support/log.h"
#include "support/noise.h"
#include "support/suite.h"
#include "trainvet/number.h"
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LR     "train/learning_rate"
#define EVALS  90
#define EVERY  50 /* steps between two evaluations */
#define LOGGED 10 /* and between two learning rates */

/* What the configuration says, NULL: nothing. */
struct plan {
    const char *kind, *factor, *patience, *threshold, *cooldown, *min_lr, *mode, *metric;
};

/* What runs instead. */
struct slip {
    const char *name, *says; /* words of the alert */
    struct plan plan;
    double peak; /* times what the configuration says */
    bool is_frozen;
};

static void add_fact(struct tv_log *log, const char *key, const char *value)
{
    if (value)
        tv_log_fact(log, key, value);
}

static void open_run(struct tv_log *log, const struct plan *plan)
{
    tv_log_open(log, "lr_mismatch");
    tv_log_fact(log, "learning_rate", "1e-3");
    tv_log_fact(log, "max_steps", "4500");
    tv_log_fact(log, "lr_scheduler_type", plan->kind);
    add_fact(log, "lr_scheduler_kwargs.factor", plan->factor);
    add_fact(log, "lr_scheduler_kwargs.patience", plan->patience);
    add_fact(log, "lr_scheduler_kwargs.threshold", plan->threshold);
    add_fact(log, "lr_scheduler_kwargs.cooldown", plan->cooldown);
    add_fact(log, "lr_scheduler_kwargs.min_lr", plan->min_lr);
    add_fact(log, "lr_scheduler_kwargs.mode", plan->mode);
    add_fact(log, "metric_for_best_model", plan->metric);
}

/* The scheduler that a plan makes. */
static struct tv_follow start(const struct plan *plan)
{
    struct tv_log log;
    static struct tv_follow follow;
    open_run(&log, plan);
    memset(&follow, 0, sizeof follow);
    ck_assert(tv_follow_start(&follow, tv_run_schedule(log.run, NULL, NULL)));
    tv_log_close(&log);
    return follow;
}

/* Falls, stands still from time to time, and at last for good. */
static double loss_at(int i, struct tv_noise *noise)
{
    int fallen = i - i / 20 * 8;
    double x = fmin(fallen, 30) / EVALS;
    return 1 + 2 * exp(-4 * x) + 0.02 * (tv_noise_normal(noise) + (i % 20 > 11));
}

enum writing { FULL, FLOAT32, FOUR };

static double written(enum writing writing, double value)
{
    char text[32];
    if (writing != FOUR)
        return writing == FULL ? value : (double)(float)value;
    snprintf(text, sizeof text, "%.3e", value);
    return strtod(text, NULL);
}

/* Event files round evaluations as well. */
static double rounded(enum writing writing, double value)
{
    return writing == FLOAT32 ? (double)(float)value : value;
}

/* Logs in the order of transformers: learning rate, evaluation, scheduler. */
static const struct tv_alert *run(struct tv_log *log, const struct plan *says,
                                  const struct slip *slip, enum writing writing, uint64_t seed)
{
    const struct plan *runs = slip ? &slip->plan : says;
    struct tv_follow follow = start(runs);
    double scale = slip ? slip->peak : 1;
    struct tv_noise noise = {seed};
    bool by_accuracy = runs->metric && strstr(runs->metric, "accuracy");
    open_run(log, says);
    for (int g = LOGGED; g <= EVALS * EVERY; g += LOGGED) {
        tv_log_point(log, LR, g, written(writing, scale * follow.lr));
        if (g % EVERY)
            continue;
        double loss = loss_at(g / EVERY, &noise), accuracy = 0.9 - 0.2 * loss_at(g / EVERY, &noise);
        tv_log_point(log, "eval/accuracy", g, rounded(writing, accuracy));
        tv_log_point(log, "eval/loss", g, rounded(writing, loss));
        if (!slip || !slip->is_frozen)
            tv_follow_step(&follow, by_accuracy ? accuracy : loss);
    }
    tv_log_end(log, NAN);
    return tv_log_alert(log, "lr_mismatch");
}

static const struct plan plans[] = {
    {"reduce_lr_on_plateau", NULL, "3", NULL, NULL, NULL, NULL, NULL},
    {"reduce_lr_on_plateau", "0.5", "2", NULL, NULL, NULL, NULL, "eval_loss"},
    {"reduce_lr_on_plateau", "0.5", "1", "0.01", "3", "1e-5", NULL, "loss"},
    {"reduce_lr_on_plateau", "0.7", "2", NULL, NULL, NULL, "max", "accuracy"},
    {"reduce_lr_on_plateau", "0.5", "4", NULL, NULL, NULL, "min", "eval_accuracy"},
    {"greedy", "0.9", "3", NULL, NULL, "1e-5", NULL, NULL},
};
#define PLANS (sizeof plans / sizeof *plans)

START_TEST(what_the_evaluations_give_is_left_alone)
{
    for (size_t i = 0; i < PLANS; i++)
        for (int writing = FULL; writing <= FOUR; writing++)
            for (uint64_t seed = 1; seed <= 8; seed++) {
                struct tv_log log;
                const struct tv_alert *alert = run(&log, &plans[i], NULL, writing, seed);
                ck_assert_msg(!alert, "plan %zu, writing %d: %s", i, writing, alert->summary);
                tv_log_close(&log);
            }
}
END_TEST

static const struct slip slips[] = {
    {"patience ignored", "patience of 10", {.kind = "reduce_lr_on_plateau", .factor = "0.5"}, 1, 0},
    {"factor ignored", "factor of 0.1", {.kind = "reduce_lr_on_plateau", .patience = "2"}, 1, 0},
    {"factor other",
     "factor of 0.2",
     {.kind = "reduce_lr_on_plateau", .factor = "0.2", .patience = "2"},
     1,
     0},
    {"patience other",
     "patience of 5",
     {.kind = "reduce_lr_on_plateau", .factor = "0.5", .patience = "5"},
     1,
     0},
    {"mode",
     "as if more",
     {"reduce_lr_on_plateau", "0.5", "2", NULL, NULL, NULL, "max", NULL},
     1,
     0},
    {"metric",
     "follows another metric",
     {"reduce_lr_on_plateau", "0.5", "2", NULL, NULL, NULL, NULL, "accuracy"},
     1,
     0},
    {"metric and mode",
     "in the other direction",
     {"reduce_lr_on_plateau", "0.5", "2", NULL, NULL, NULL, "max", "accuracy"},
     1,
     0},
    {"cooldown",
     "cooldown of",
     {"reduce_lr_on_plateau", "0.5", "2", NULL, "6", NULL, NULL, NULL},
     1,
     0},
    {"lowest",
     "min_lr of 0.0004",
     {"reduce_lr_on_plateau", "0.5", "2", NULL, NULL, "4e-4", NULL, NULL},
     1,
     0},
    {"never stepped", "never changes", {.kind = "reduce_lr_on_plateau"}, 1, true},
    {"peak",
     "0.2 times",
     {.kind = "reduce_lr_on_plateau", .factor = "0.5", .patience = "2"},
     0.2,
     0},
    {"factor and patience",
     "factor of 0.3 and a patience of 4",
     {.kind = "reduce_lr_on_plateau", .factor = "0.3", .patience = "4"},
     1,
     0},
    {"nothing handed on", "defaults", {.kind = "reduce_lr_on_plateau"}, 1, 0},
};
#define SLIPS (sizeof slips / sizeof *slips)

/* Two that explain the log alike are both told: one in the summary, one among the causes. */
static bool says(const struct tv_alert *alert, const char *words)
{
    bool is_said = strstr(alert->summary, words);
    for (size_t i = 0; i < alert->causes_len; i++)
        is_said |= strstr(alert->causes[i], words) != NULL;
    return is_said;
}

START_TEST(each_slip_is_named)
{
    static const struct plan plan = {
        .kind = "reduce_lr_on_plateau", .factor = "0.5", .patience = "2"};
    int right = 0, all = 0;
    for (size_t i = 0; i < SLIPS; i++)
        for (uint64_t seed = 1; seed <= 10; seed++) {
            struct tv_log log;
            const struct tv_alert *alert = run(&log, &plan, &slips[i], seed % 3, seed);
            bool is_right = alert && says(alert, slips[i].says);
            ck_assert_msg(alert != NULL, "%s, seed %d", slips[i].name, (int)seed);
            if (!is_right)
                printf("%s, seed %d: %s\n", slips[i].name, (int)seed, alert->summary);
            right += is_right;
            all++;
            tv_log_close(&log);
        }
    printf("%d of %d\n", right, all);
    ck_assert_int_ge(100 * right, 95 * all);
}
END_TEST

/* What torch itself made of them. */
START_TEST(tables_of_transformers_are_left_alone)
{
    static const char *const names[] = {"transformers_reduce_lr_on_plateau_098",
                                        "transformers_reduce_lr_on_plateau_099",
                                        "transformers_reduce_lr_on_plateau_100",
                                        "transformers_reduce_lr_on_plateau_101",
                                        "transformers_greedy_102",
                                        "transformers_greedy_103",
                                        "transformers_greedy_104"};
    int tables = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[512];
        snprintf(path, sizeof path, TRAINVET_SOURCE_DIR "/fixtures/schedules/%s.json", names[i]);
        struct json_object *golden = json_object_from_file(path);
        if (!golden)
            continue;
        struct json_object *config = json_object_object_get(golden, "config"),
                           *metrics = json_object_object_get(golden, "metrics"),
                           *lr = json_object_object_get(golden, "lr");
        struct tv_log log;
        tv_log_open(&log, "lr_mismatch");
        json_object_object_foreach(config, key, value)
            tv_log_fact(&log, key, json_object_get_string(value));
        for (size_t row = 0; row < json_object_array_length(lr); row++) {
            struct json_object *pair = json_object_array_get_idx(lr, row),
                               *metric = json_object_array_get_idx(metrics, row);
            int64_t step = json_object_get_int64(json_object_array_get_idx(pair, 0));
            double rate = json_object_get_double(json_object_array_get_idx(pair, 1));
            for (int g = 1; g <= 3; g++) /* the evaluations are ten steps apart or more */
                tv_log_point(&log, LR, step + g, rate);
            if (metric)
                tv_log_point(&log, "eval/loss",
                             json_object_get_int64(json_object_array_get_idx(metric, 0)),
                             json_object_get_double(json_object_array_get_idx(metric, 1)));
        }
        tv_log_end(&log, NAN);
        const struct tv_alert *alert = tv_log_alert(&log, "lr_mismatch");
        ck_assert_msg(!alert, "%s: %s", names[i], alert->summary);
        tv_log_close(&log);
        json_object_put(golden);
        tables++;
    }
    ck_assert_int_ge(tables, 6);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lr_plateau");
    TCase *tcase = tcase_create("lr_plateau");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, what_the_evaluations_give_is_left_alone);
    tcase_add_test(tcase, each_slip_is_named);
    tcase_add_test(tcase, tables_of_transformers_are_left_alone);
    suite_add_tcase(suite, tcase);
    return tv_test_main(suite);
}
