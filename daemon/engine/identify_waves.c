/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Learning rates that come back: restarts whose cycles grow or shrink, triangles, waves. */
#include "engine/identify_parts.h"
#include "schedule/formulas.h"
#include <math.h>
#include <string.h>

#define GRID      240
#define BEGINS    5
#define SWING_MIN 0.95 /* of the highest value: a wave goes below */
#define TURNS_MAX 0.5  /* of the points */
#define FLOOR     TV_FREE(FLOOR)
#define SHRINK    TV_FREE(SHRINK)

static const struct wave {
    const char *kind;
    unsigned free;
    int mode;
    double growth, shrink;
} waves[] = {
    {"CosineAnnealingWarmRestarts", 0, 1, 1, 1},
    {"CosineAnnealingWarmRestarts", 0, 1, 2, 1},
    {"CosineAnnealingWarmRestarts", FLOOR, 1, 1, 1},
    {"CosineAnnealingWarmRestarts", FLOOR, 1, 2, 1},
    {"CosineAnnealingWarmRestarts", FLOOR, 1, 3, 1},
    {"CosineAnnealingWarmRestarts", FLOOR, 1, 1.5, 1},
    {"CosineAnnealingWarmRestarts", FLOOR | SHRINK, 1, 1, 0.5},
    {"CosineAnnealingWarmRestarts", FLOOR | SHRINK, 1, 2, 0.5},
    {"CosineAnnealingWarmRestarts", FLOOR | SHRINK, 3, 1, 0.5},
    {"CosineAnnealingWarmRestarts", FLOOR | SHRINK, 3, 2, 0.5},
    {"CyclicLR", FLOOR, TV_TRIANGLE_SAME, 1, 1},
    {"CyclicLR", FLOOR, TV_TRIANGLE_HEIGHT_BY_CYCLE, 1, 0.5},
    {"CyclicLR", FLOOR | TV_FREE(DOWN), TV_TRIANGLE_SAME, 1, 1},
    {"CyclicLR", FLOOR | SHRINK, TV_TRIANGLE_HEIGHT_BY_STEP, 1, 0.9999},
    {"CosineAnnealingLR", FLOOR, -1, 1, 1},
};

/* Steps between which the first restart, peak or trough lies. */
struct turn {
    double low, high;
    bool is_up; /* the learning rate rises to it */
};

static bool first_turn(const struct tv_outline *o, struct turn *ret)
{
    const struct tv_lr_point *at = o->data.at;
    size_t i = 1, len = o->data.len;
    while (i < len && at[i].value == at[i - 1].value)
        i++;
    if (i == len)
        return false;
    bool is_up = at[i].value > at[i - 1].value;
    while (i < len && (is_up ? at[i].value >= at[i - 1].value : at[i].value <= at[i - 1].value))
        i++;
    if (i == len)
        return false;
    *ret = (struct turn){(double)at[i > 1 ? i - 2 : 0].step - 2, (double)at[i].step + 2, is_up};
    return true;
}

static void start_wave(const struct tv_outline *o, const struct wave *wave, double delay,
                       struct tv_shape_fit *fit)
{
    bool is_cosine = wave->mode < 0;
    *fit = (struct tv_shape_fit){.delay = delay, .cycles = 1, .residual = INFINITY};
    tv_schedule_set_kind(&fit->schedule, wave->kind);
    fit->schedule.framework = NULL;
    fit->span = fmax(1, (double)o->data.at[o->data.len - 1].step);
    fit->free = wave->free | TV_FREE(PEAK) | (is_cosine ? TV_FREE(DECAY) : TV_FREE(PERIOD));
    fit->at[TV_FREE_PEAK] = fit->at[TV_FREE_DECAY] = fit->at[TV_FREE_DOWN] = 1;
    fit->at[TV_FREE_FLOOR] = fmin(o->lowest, o->data.at[0].value) / o->data.highest;
    fit->at[TV_FREE_SHRINK] = wave->shrink;
    if (o->jumps > 0)
        fit->at[TV_FREE_SHRINK] = o->data.at[o->first_jump].value / o->data.highest;
    fit->schedule.param[TV_P_GROWTH] = wave->growth;
    fit->schedule.param[TV_P_GAMMA] = wave->shrink;
    if (!is_cosine)
        fit->schedule.param[TV_P_MODE] = wave->mode;
}

static void set_length(struct tv_shape_fit *fit, double steps)
{
    fit->at[TV_FREE_PERIOD] = fit->at[TV_FREE_DECAY] = fit->at[TV_FREE_DOWN] = steps / fit->span;
}

/* From the best few lengths between the turn's ends. */
static void improve_from_turn(struct tv_shape_fit *fit, const struct tv_outline *o,
                              const struct turn *turn)
{
    struct tv_shape_fit best = *fit;
    double residual[GRID], low = fmax(1, turn->low - o->rise * !turn->is_up), high = turn->high;
    for (int i = 0; i < GRID; i++) {
        set_length(fit, low + (high - low) * i / (GRID - 1));
        residual[i] = tv_shape_residual(fit, &o->data);
    }
    for (int round = 0; round < BEGINS && !(best.residual < 1e-9); round++) {
        int lowest = 0;
        for (int i = 1; i < GRID; i++)
            if (residual[i] < residual[lowest])
                lowest = i;
        struct tv_shape_fit trial = *fit;
        set_length(&trial, low + (high - low) * lowest / (GRID - 1));
        tv_shape_improve(&trial, &o->data);
        if (trial.residual < best.residual)
            best = trial;
        residual[lowest] = INFINITY;
    }
    *fit = best;
}

static bool fit_wave(const struct tv_outline *o, const struct wave *wave, const struct turn *turn,
                     struct tv_answer *ret)
{
    for (int delay = 0; delay <= 1; delay++) {
        struct tv_shape_fit fit;
        start_wave(o, wave, delay, &fit);
        improve_from_turn(&fit, o, turn);
        if (!isfinite(fit.residual))
            continue;
        tv_fit_round_off(&fit, o);
        if (!tv_fit_meets(&fit, o))
            continue;
        if (wave->mode < 0)
            fit.schedule.param[TV_P_END] = fit.schedule.total_steps;
        *ret = (struct tv_answer){.fit = fit};
        return true;
    }
    return false;
}

/* What goes up and down at nearly every point, or hardly at all, is noise: no fit, which is dear,
 * would meet it. */
static bool is_like_a_wave(const struct tv_outline *o)
{
    const struct tv_lr_point *at = o->data.at;
    size_t turns = 0;
    double lowest = at[0].value, before = 0;
    for (size_t i = 1; i < o->data.len; i++) {
        double change = at[i].value - at[i - 1].value;
        lowest = fmin(lowest, at[i].value);
        if (change == 0)
            continue;
        turns += change * before < 0;
        before = change;
    }
    return lowest < SWING_MIN * o->data.highest && turns <= o->data.len * TURNS_MAX;
}

bool tv_identify_waves(const struct tv_outline *o, struct tv_answer *ret)
{
    struct turn turn;
    if (!is_like_a_wave(o) || !first_turn(o, &turn))
        return false;
    for (size_t i = 0; i < sizeof waves / sizeof *waves; i++) {
        bool is_triangle = strcmp(waves[i].kind, "CyclicLR") == 0;
        if (is_triangle == turn.is_up && fit_wave(o, &waves[i], &turn, ret))
            return true;
    }
    return false;
}
