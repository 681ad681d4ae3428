/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/identify_fit.h"
#include <math.h>
#include <string.h>

#define ROUNDS      60
#define HOPELESS    0.02 /* residual that hardly gets better any more: another kind */
#define WEIGHT_MAX  1000 /* of a value that is printed finely, against the coarsest */
#define START_SLACK 0.01 /* below 0: what is at an edge is found from both sides */
#define NUDGE       1e-5
#define SETTLED     1e-13 /* residual that is as good as none */

void tv_shape_apply(struct tv_shape_fit *fit, double highest)
{
    struct tv_schedule *s = &fit->schedule;
    double span = fit->span;
    s->peak = fit->at[TV_FREE_PEAK] * highest;
    s->warmup_steps = fit->at[TV_FREE_WARMUP] * span;
    s->total_steps =
        s->warmup_steps + (fit->at[TV_FREE_HOLD] + fit->cycles * fit->at[TV_FREE_DECAY]) * span;
    if (fit->free & 1U << TV_FREE_HOLD) {
        s->param[TV_P_HOLD] = fit->at[TV_FREE_HOLD] * span;
        s->param[TV_P_DECAY] = fit->at[TV_FREE_DECAY] * span;
    }
    if (fit->is_covered)
        s->param[TV_P_HOLD] = -s->warmup_steps;
    if (fit->free & 1U << TV_FREE_PERIOD) {
        s->param[TV_P_PERIOD] = fit->at[TV_FREE_PERIOD] * span;
        s->param[TV_P_DECAY] =
            fit->at[fit->free & 1U << TV_FREE_DOWN ? TV_FREE_DOWN : TV_FREE_PERIOD] * span;
        s->param[TV_P_SHIFT] = -s->warmup_steps;
    }
    if (fit->free & 1U << TV_FREE_START)
        s->param[TV_P_START_RATIO] = fit->at[TV_FREE_START];
    if (fit->free & 1U << TV_FREE_SHRINK)
        s->param[TV_P_GAMMA] = fit->at[TV_FREE_SHRINK];
    if (fit->free & 1U << TV_FREE_FLOOR)
        s->param[TV_P_FLOOR_RATIO] = fit->at[TV_FREE_FLOOR];
    if (fit->free & 1U << TV_FREE_POWER)
        s->param[TV_P_POWER] = fit->at[TV_FREE_POWER];
    if (fit->free & 1U << TV_FREE_SCALE)
        s->param[TV_P_TIMESCALE] = fit->at[TV_FREE_SCALE] * span;
    if (fit->free & 1U << TV_FREE_GAMMA)
        s->param[TV_P_GAMMA] = exp(fit->at[TV_FREE_GAMMA] / span);
}

/* The points as a fit looks at them. */
struct targets {
    double n[TV_LR_POINTS];      /* calls of scheduler.step() */
    double weight[TV_LR_POINTS]; /* of a difference in units of the highest value */
};

static void aim(const struct tv_shape_fit *fit, const struct tv_lr_data *data, struct targets *ret)
{
    double coarsest = 0;
    for (size_t i = 0; i < data->len; i++)
        coarsest = data->exact[i] > coarsest ? data->exact[i] : coarsest;
    for (size_t i = 0; i < data->len; i++) {
        double n = (double)data->at[i].step - fit->delay, weight = coarsest / data->exact[i];
        ret->n[i] = n > 0 ? n : 0;
        ret->weight[i] = weight < WEIGHT_MAX ? weight : WEIGHT_MAX;
    }
}

static bool differences(struct tv_shape_fit *fit, const struct tv_lr_data *data,
                        const struct targets *targets, double ret[TV_LR_POINTS])
{
    tv_shape_apply(fit, data->highest);
    bool good = fit->at[TV_FREE_WARMUP] >= 0 && fit->at[TV_FREE_DECAY] > 0 &&
                fit->at[TV_FREE_HOLD] >= 0 && fit->at[TV_FREE_START] >= -START_SLACK;
    for (int which = TV_FREE_PERIOD; which <= TV_FREE_SHRINK; which++)
        good &= !(fit->free & 1U << which) || fit->at[which] > 0;
    if (!good)
        return false;
    tv_schedule_points(&fit->schedule, targets->n, data->len, ret);
    for (size_t i = 0; i < data->len; i++) {
        ret[i] = (ret[i] - data->at[i].value) / data->highest * targets->weight[i];
        good &= isfinite(ret[i]);
    }
    return good;
}

static double square(const double *values, size_t len)
{
    double sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += values[i] * values[i];
    return sum;
}

static double residual_of(struct tv_shape_fit *fit, const struct tv_lr_data *data,
                          const struct targets *targets)
{
    double difference[TV_LR_POINTS];
    if (!differences(fit, data, targets, difference))
        return INFINITY;
    return sqrt(square(difference, data->len) / (double)data->len);
}

double tv_shape_residual(struct tv_shape_fit *fit, const struct tv_lr_data *data)
{
    struct targets targets;
    aim(fit, data, &targets);
    return residual_of(fit, data, &targets);
}

void tv_shape_residuals(struct tv_shape_fit *fit, const struct tv_lr_data *data, enum tv_free which,
                        const double *values, size_t len, double *ret)
{
    struct targets targets;
    aim(fit, data, &targets);
    for (size_t i = 0; i < len; i++) {
        fit->at[which] = values[i];
        ret[i] = residual_of(fit, data, &targets);
    }
}

/* Gaussian elimination with the largest pivot; false: singular. */
static bool solve(double a[TV_FREES][TV_FREES + 1], int n)
{
    for (int column = 0; column < n; column++) {
        int pivot = column;
        for (int row = column + 1; row < n; row++)
            if (fabs(a[row][column]) > fabs(a[pivot][column]))
                pivot = row;
        if (!(fabs(a[pivot][column]) > 0))
            return false;
        for (int k = 0; k <= n; k++) {
            double held = a[column][k];
            a[column][k] = a[pivot][k];
            a[pivot][k] = held;
        }
        for (int row = 0; row < n; row++) {
            double part = row == column ? 0 : a[row][column] / a[column][column];
            for (int k = column; k <= n; k++)
                a[row][k] -= part * a[column][k];
        }
    }
    for (int row = 0; row < n; row++)
        a[row][n] /= a[row][row];
    return true;
}

struct slopes {
    int which[TV_FREES], len;
    double by[TV_FREES][TV_LR_POINTS];
};

/* Every kind is proportional to its peak, but for an absolute floor, which is next to nothing. */
static void slope_of_peak(const struct tv_shape_fit *fit, const struct tv_lr_data *data,
                          const struct targets *targets, const double *difference,
                          struct slopes *ret)
{
    for (size_t i = 0; i < data->len; i++) {
        double value = data->at[i].value / data->highest * targets->weight[i];
        ret->by[ret->len][i] = (difference[i] + value) / fit->at[TV_FREE_PEAK];
    }
    ret->which[ret->len++] = TV_FREE_PEAK;
}

static bool find_slopes(struct tv_shape_fit *fit, const struct tv_lr_data *data,
                        const struct targets *targets, const double *difference, struct slopes *ret)
{
    double up[TV_LR_POINTS], down[TV_LR_POINTS];
    ret->len = 0;
    slope_of_peak(fit, data, targets, difference, ret);
    for (int which = TV_FREE_PEAK + 1; which < TV_FREES; which++) {
        if (!(fit->free & 1U << which))
            continue;
        double before = fit->at[which];
        double nudge = NUDGE * fmax(fabs(before), 1e-3);
        fit->at[which] = before + nudge;
        bool good = differences(fit, data, targets, up);
        fit->at[which] = before - nudge;
        good = differences(fit, data, targets, down) && good;
        fit->at[which] = before;
        if (!good)
            return false;
        for (size_t i = 0; i < data->len; i++)
            ret->by[ret->len][i] = (up[i] - down[i]) / (2 * nudge);
        ret->which[ret->len++] = which;
    }
    return true;
}

/* One step with this damping. */
static bool try_step(struct tv_shape_fit *fit, const struct tv_lr_data *data,
                     const struct slopes *slopes, const double *difference, double damping)
{
    double a[TV_FREES][TV_FREES + 1];
    for (int row = 0; row < slopes->len; row++) {
        a[row][slopes->len] = 0;
        for (size_t i = 0; i < data->len; i++)
            a[row][slopes->len] -= slopes->by[row][i] * difference[i];
        for (int column = 0; column < slopes->len; column++) {
            double sum = 0;
            for (size_t i = 0; i < data->len; i++)
                sum += slopes->by[row][i] * slopes->by[column][i];
            a[row][column] = row == column ? sum * (1 + damping) + 1e-30 : sum;
        }
    }
    if (!solve(a, slopes->len))
        return false;
    for (int row = 0; row < slopes->len; row++)
        fit->at[slopes->which[row]] += a[row][slopes->len];
    return true;
}

/* K. Levenberg, A method for the solution of certain non-linear problems in least squares (1944);
 * D. Marquardt, An algorithm for least-squares estimation of nonlinear parameters (1963). */
void tv_shape_improve(struct tv_shape_fit *fit, const struct tv_lr_data *data)
{
    double difference[TV_LR_POINTS], now, damping = 1e-3;
    struct slopes slopes;
    struct targets targets;
    aim(fit, data, &targets);
    if (!differences(fit, data, &targets, difference)) {
        fit->residual = INFINITY;
        return;
    }
    now = square(difference, data->len);
    for (int round = 0; round < ROUNDS && now > SETTLED * SETTLED; round++) {
        double before[TV_FREES], next[TV_LR_POINTS];
        if (!find_slopes(fit, data, &targets, difference, &slopes))
            break;
        memcpy(before, fit->at, sizeof before);
        bool better = false;
        for (int tries = 0; tries < 8 && !better; tries++) {
            better = try_step(fit, data, &slopes, difference, damping) &&
                     differences(fit, data, &targets, next) && square(next, data->len) < now;
            damping *= better ? 0.1 : 10;
            if (!better)
                memcpy(fit->at, before, sizeof before);
        }
        double reached = better ? square(next, data->len) : now;
        bool is_far = now > HOPELESS * HOPELESS * (double)data->len;
        bool stands = !better || now - reached < (is_far ? 0.05 : 1e-9) * now;
        if (better)
            memcpy(difference, next, sizeof next);
        now = reached;
        if (stands)
            break;
    }
    fit->residual = sqrt(now / (double)data->len);
    tv_shape_apply(fit, data->highest);
}
