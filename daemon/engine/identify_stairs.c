/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Learning rates that stay the same for many steps: StepLR, MultiStepLR, and any schedule that is
 * stepped once an epoch. */
#include "engine/identify_parts.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define POINTS_A_LEVEL 3  /* at least, on average */
#define EPOCHS_MIN     10 /* levels that make a curve */
#define CLEAR_STEP     8  /* times what rounding makes */
#define MILESTONES_MAX 12

/* The roundest whole number in (low, high], NaN. */
static double roundest(double low, double high)
{
    for (int digits = 1; digits <= 15; digits++) {
        double unit = pow(10, floor(log10(high)) + 1 - digits), number = floor(high / unit) * unit;
        if (number > low && number >= 1 && number == floor(number))
            return number;
    }
    return NAN;
}

/* Steps between two levels, when all are equally long. */
static double period_of(const struct tv_lr_levels *levels, int delay)
{
    double low = 0, high = INFINITY;
    for (uint32_t i = 0; i < levels->kept_len; i++) {
        const struct tv_lr_level *level = &levels->kept[i];
        if (level->index == 0)
            continue;
        low = fmax(low, (double)(level->before - delay) / level->index);
        high = fmin(high, (double)(level->first - delay) / level->index);
    }
    return low < high ? roundest(low, high) : NAN;
}

/* Each level is the same part of the one before; NaN: it is not. */
static double factor_of(const struct tv_lr_levels *levels)
{
    const struct tv_lr_level *first = &levels->kept[0], *last = &levels->last;
    double factor = pow(last->value / first->value, 1.0 / (last->index - first->index));
    double rounded = tv_to_digits(factor, 3);
    if (fabs(rounded - factor) < 1e-3 * factor)
        factor = rounded;
    for (uint32_t i = 0; i < levels->kept_len; i++) {
        const struct tv_lr_level *level = &levels->kept[i];
        double expected = first->value * pow(factor, level->index);
        if (!(fabs(level->value - expected) <= 2e-6 * level->index * expected + 1e-6 * expected))
            return NAN;
    }
    return factor < 1 ? factor : (double)NAN;
}

static void say_stairs(const struct tv_lr_levels *levels, const char *kind, double factor,
                       struct tv_identity *ret)
{
    struct tv_schedule *s = &ret->schedule;
    tv_schedule_set_kind(s, kind);
    s->peak = levels->kept[0].value;
    s->total_steps = NAN;
    s->param[TV_P_GAMMA] = factor;
    s->offset_known = true;
    ret->start_known = true;
    ret->is_so_far = true;
    ret->residual = 0;
    ret->last_step = (double)levels->last_step;
}

static bool find_milestones(const struct tv_lr_levels *levels, double factor,
                            struct tv_identity *ret)
{
    if (levels->seen > MILESTONES_MAX || levels->seen < 3)
        return false;
    say_stairs(levels, "MultiStepLR", factor, ret);
    int best = INT_MAX;
    for (int delay = 0; delay <= 1; delay++) {
        double table[MILESTONES_MAX];
        int digits = 0, len = 0;
        for (uint32_t i = 1; i < levels->kept_len; i++) {
            const struct tv_lr_level *level = &levels->kept[i];
            double low = (double)(level->before - delay), high = (double)(level->first - delay);
            table[len] = roundest(low, high);
            digits += isnan(table[len]) ? 1000 : tv_digits_of(table[len]);
            len++;
        }
        if (digits >= best)
            continue;
        best = digits;
        memcpy(ret->schedule.table, table, (size_t)len * sizeof *table);
        ret->schedule.table_len = len;
        ret->schedule.log_offset = delay;
    }
    return best < 1000;
}

/* The schedule of the levels, each taken for a step. */
static bool find_epochs(const struct tv_lr_levels *levels, double period, int delay, double total,
                        struct tv_identity *ret)
{
    struct tv_lr_points points = {0};
    if (levels->seen < EPOCHS_MIN || isnan(period))
        return false;
    for (uint32_t i = 0; i < levels->kept_len; i++)
        tv_lr_points_add(&points, levels->kept[i].index, levels->kept[i].value);
    if (levels->last.index != levels->kept[levels->kept_len - 1].index)
        tv_lr_points_add(&points, levels->last.index, levels->last.value);
    tv_identify(&points, NULL, isfinite(total) ? round(total / period) : (double)NAN, ret);
    struct tv_schedule *s = &ret->schedule;
    if (!s->kind || ret->lag)
        return false;
    s->param[TV_P_SHIFT] -= s->log_offset;
    s->log_offset = delay;
    s->param[TV_P_EVERY] = period;
    s->param[TV_P_END] = s->total_steps;
    s->total_steps *= period;
    ret->zero_step *= period;
    ret->epoch = period;
    ret->first_step *= period;
    ret->last_step = (double)levels->last_step;
    return true;
}

static bool are_clear(const struct tv_lr_levels *levels)
{
    struct tv_lr_points points = {0};
    for (uint32_t i = 0; i < levels->kept_len; i++)
        tv_lr_points_add(&points, levels->kept[i].index, levels->kept[i].value);
    for (uint32_t i = 1; i < levels->kept_len; i++) {
        double value = levels->kept[i].value, step = fabs(value - levels->kept[i - 1].value);
        if (!(step >= CLEAR_STEP * tv_lr_points_rounding(&points, value)))
            return false;
    }
    return true;
}

bool tv_identify_stairs(const struct tv_lr_levels *levels, double total, struct tv_identity *ret)
{
    if (levels->seen < 2 || levels->points < POINTS_A_LEVEL * levels->seen ||
        !(levels->kept[0].value > 0))
        return false;
    if (levels->seen == 2) {
        double part = levels->last.value / levels->kept[0].value;
        snprintf(ret->open, sizeof ret->open,
                 "it was multiplied by %.3g once, at step %lld (StepLR or MultiStepLR)", part,
                 (long long)levels->last.first);
        return part < 1;
    }
    double factor = factor_of(levels);
    for (int delay = 0; delay <= 1; delay++) {
        double period = period_of(levels, delay);
        if (isnan(period))
            continue;
        if (!isnan(factor)) {
            say_stairs(levels, "StepLR", factor, ret);
            ret->schedule.param[TV_P_PERIOD] = period;
            ret->schedule.log_offset = delay;
            return true;
        }
        if (are_clear(levels) && find_epochs(levels, period, delay, total, ret))
            return true;
    }
    return !isnan(factor) && find_milestones(levels, factor, ret);
}
