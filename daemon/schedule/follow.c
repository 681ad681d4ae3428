/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "schedule/follow.h"
#include <math.h>
#include <string.h>

struct row {
    const char *keys; /* transformers and torch, fairseq, timm, mmengine */
    double plateau, greedy;
};

static const struct row rows[TV_FOLLOW_SETTINGS] = {
    [TV_FOLLOW_FACTOR] = {"factor", 0.1, 0.95},         [TV_FOLLOW_PATIENCE] = {"patience", 10, 10},
    [TV_FOLLOW_THRESHOLD] = {"threshold", 1e-4, 1e-6},  [TV_FOLLOW_COOLDOWN] = {"cooldown", 0, 0},
    [TV_FOLLOW_MIN_LR] = {"min_lr|min_value", 0, 1e-3}, [TV_FOLLOW_EPS] = {"eps", 1e-8, 1e-8},
    [TV_FOLLOW_MAX_LR] = {"max_lr", INFINITY, 1},       [TV_FOLLOW_WARMUP] = {"warmup", 0, 0},
    [TV_FOLLOW_RESET] = {"reset_start", 0, 500},
};

static bool is(const struct tv_scope *args, const char *keys, const char *a, const char *b,
               bool otherwise)
{
    const char *text = tv_in_text(args, keys);
    return text ? !strcmp(text, a) || !strcmp(text, b) : otherwise;
}

enum tv_status tv_follow_settings(const struct tv_scope *args, enum tv_follow_rule rule,
                                  struct tv_schedule *schedule, struct tv_error *reterr)
{
    double *setting = schedule->table;
    bool greedy = rule == TV_FOLLOW_GREEDY;
    for (int i = 0; i < TV_FOLLOW_SETTINGS; i++) {
        if (rows[i].keys)
            setting[i] =
                tv_in_number(args, rows[i].keys, greedy ? rows[i].greedy : rows[i].plateau);
    }
    setting[TV_FOLLOW_RULE] = rule;
    setting[TV_FOLLOW_BEGIN] = setting[TV_FOLLOW_RISE] = setting[TV_FOLLOW_RISE_FROM] = 0;
    setting[TV_FOLLOW_END] = INFINITY;
    setting[TV_FOLLOW_MAXIMISE] = is(args, "mode|rule", "max", "greater", false);
    setting[TV_FOLLOW_RELATIVE] = is(args, "threshold_mode|threshold_rule", "rel", "rel", !greedy);
    bool smooth = greedy && tv_in_true(args, "smooth", false);
    setting[TV_FOLLOW_WINDOW] = smooth ? tv_in_number(args, "window_size", 50) : 0;
    schedule->table_len = TV_FOLLOW_SETTINGS;
    if (setting[TV_FOLLOW_FACTOR] >= 1)
        return tv_fail(reterr, TV_ECONFIG, "factor should be < 1.0");
    if (!(setting[TV_FOLLOW_WINDOW] >= 0 && setting[TV_FOLLOW_WINDOW] <= TV_FOLLOW_WINDOW_MAX))
        return tv_fail(reterr, TV_ELIMIT, "window_size is more than %d", TV_FOLLOW_WINDOW_MAX);
    return TV_OK;
}

static void start_over(struct tv_follow *f)
{
    f->best = f->setting[TV_FOLLOW_MAXIMISE] != 0 ? -INFINITY : INFINITY;
    f->bad = f->good = f->cooldown = f->warmup = f->sum = 0;
    f->seen = 0;
    f->reset = f->setting[TV_FOLLOW_RESET];
}

bool tv_follow_start(struct tv_follow *follow, const struct tv_schedule *schedule)
{
    if (!tv_schedule_follows_metric(schedule) || schedule->table_len != TV_FOLLOW_SETTINGS)
        return false;
    memcpy(follow->setting, schedule->table, sizeof follow->setting);
    follow->lr = follow->first_lr = schedule->peak;
    follow->evaluations = 0;
    if (follow->setting[TV_FOLLOW_RISE] > 0)
        follow->lr = follow->setting[TV_FOLLOW_RISE_FROM];
    start_over(follow);
    return true;
}

static bool is_better(const struct tv_follow *f, double metric)
{
    double threshold = f->setting[TV_FOLLOW_THRESHOLD];
    bool relative = f->setting[TV_FOLLOW_RELATIVE] != 0;
    if (f->setting[TV_FOLLOW_MAXIMISE] != 0)
        return metric > (relative ? f->best * (1 + threshold) : f->best + threshold);
    return metric < (relative ? f->best * (1 - threshold) : f->best - threshold);
}

static void lower(struct tv_follow *f)
{
    double lr = fmax(f->lr * f->setting[TV_FOLLOW_FACTOR], f->setting[TV_FOLLOW_MIN_LR]);
    if (f->lr - lr > f->setting[TV_FOLLOW_EPS])
        f->lr = lr;
}

static double step_plateau(struct tv_follow *f, double metric)
{
    if (is_better(f, metric)) {
        f->best = metric;
        f->bad = 0;
    } else {
        f->bad++;
    }
    if (f->cooldown > 0) {
        f->cooldown--;
        f->bad = 0;
    }
    if (f->bad > f->setting[TV_FOLLOW_PATIENCE]) {
        lower(f);
        f->cooldown = f->setting[TV_FOLLOW_COOLDOWN];
        f->bad = 0;
    }
    return f->lr;
}

static double average(struct tv_follow *f, double metric)
{
    int64_t size = (int64_t)f->setting[TV_FOLLOW_WINDOW];
    if (size < 1)
        return metric;
    double *oldest = &f->window[f->seen % size];
    f->sum += metric;
    if (f->seen >= size)
        f->sum -= *oldest;
    *oldest = metric;
    f->seen++;
    return f->sum / (double)(f->seen < size ? f->seen : size);
}

static void lower_greedily(struct tv_follow *f)
{
    lower(f);
    if (f->lr > f->setting[TV_FOLLOW_MIN_LR] || --f->reset > 0)
        return;
    f->lr = f->first_lr;
    start_over(f);
}

static void raise_greedily(struct tv_follow *f)
{
    double lr = fmin(f->lr / f->setting[TV_FOLLOW_FACTOR], f->setting[TV_FOLLOW_MAX_LR]);
    if (lr - f->lr > f->setting[TV_FOLLOW_EPS])
        f->lr = lr;
    f->reset = f->setting[TV_FOLLOW_RESET];
}

static double step_greedy(struct tv_follow *f, double metric)
{
    metric = average(f, metric);
    double *pause = f->cooldown > 0 ? &f->cooldown : f->warmup > 0 ? &f->warmup : NULL;
    if (pause) {
        --*pause;
        f->bad = f->good = 0;
        return f->lr;
    }
    if (is_better(f, metric)) {
        f->best = metric;
        f->bad = 0;
        f->good++;
    } else {
        f->bad++;
        f->good = 0;
    }
    double patience = f->setting[TV_FOLLOW_PATIENCE];
    if (f->good > patience) {
        raise_greedily(f);
        f->warmup = f->setting[TV_FOLLOW_WARMUP];
        f->good = 0;
    } else if (f->bad > patience) {
        lower_greedily(f);
        f->cooldown = f->setting[TV_FOLLOW_COOLDOWN];
        f->bad = 0;
    }
    return f->lr;
}

double tv_follow_step(struct tv_follow *follow, double metric)
{
    const double *setting = follow->setting;
    double evaluation = (double)++follow->evaluations, from = setting[TV_FOLLOW_RISE_FROM];
    if (evaluation <= setting[TV_FOLLOW_RISE]) {
        follow->lr = from + evaluation * ((follow->first_lr - from) / setting[TV_FOLLOW_RISE]);
        return follow->lr;
    }
    if (!(evaluation >= setting[TV_FOLLOW_BEGIN] && evaluation < setting[TV_FOLLOW_END]))
        return follow->lr;
    return follow->setting[TV_FOLLOW_RULE] == TV_FOLLOW_GREEDY ? step_greedy(follow, metric)
                                                               : step_plateau(follow, metric);
}
