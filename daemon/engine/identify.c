/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decides which schedule the logged points are, or why that is open. */
#include "engine/identify.h"
#include "engine/identify_parts.h"
#include "lib/lr_fit.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define NEAR_END      0.97 /* of the schedule: all of it was seen */
#define POINTS_MIN    8
#define FALLING_MIN   5    /* different values of the decay, besides one a parameter */
#define FALLING_EXACT 3    /* the same of values with all their digits */
#define SEEN_MIN      0.03 /* of the peak that the decay must have covered */
#define SEEN_ROUNDED  8    /* times the square root of the relative rounding: 4 digits want 9 % */
#define POWER_SEEN    0.7  /* printed digits hide a power until it has fallen below */
#define SAME_END      0.03 /* totals that differ by less are the same answer */

static const char nothing_meets[] = "no known schedule meets the logged points";

/* Of families that meet the points with as many parameters, the first is named; but only where all
 * end at the same step. */
static const struct tv_family families[] = {
    {"linear", TV_FREE(DECAY), -1, 0, 0},
    {"cosine", TV_FREE(DECAY), -1, 0, 0},
    {"inverse_sqrt", 0, -1, 0, 0},
    {"ExponentialLR", TV_FREE(GAMMA), -1, 0, 0},
    {"linear", TV_FREE(DECAY) | TV_FREE(FLOOR), -1, 0.1, 0},
    {"cosine_with_min_lr", TV_FREE(DECAY) | TV_FREE(FLOOR), -1, 0.1, 0},
    {"polynomial", TV_FREE(DECAY) | TV_FREE(POWER), -1, TV_FLOOR_NONE, 2},
    {"polynomial", TV_FREE(DECAY) | TV_FREE(POWER), -1, TV_FLOOR_NONE, 0.7},
    {"polynomial", TV_FREE(DECAY) | TV_FREE(POWER), -1, 0, 2},
    {"polynomial", TV_FREE(DECAY) | TV_FREE(POWER), -1, 0, 0.7},
    {"inverse_sqrt", TV_FREE(SCALE), -1, 0, 0},
    {"warmup_stable_decay", TV_FREE(DECAY), TV_SHAPE_SQRT, 0, 0},
    {"warmup_stable_decay", TV_FREE(DECAY), TV_SHAPE_REX, 0, 0},
    {"warmup_stable_decay", TV_FREE(HOLD) | TV_FREE(DECAY), TV_SHAPE_LINEAR, 0, 0},
    {"warmup_stable_decay", TV_FREE(HOLD) | TV_FREE(DECAY), TV_SHAPE_COSINE, 0, 0},
    {"warmup_stable_decay", TV_FREE(HOLD) | TV_FREE(DECAY), TV_SHAPE_SQRT, 0, 0},
    {"warmup_stable_decay", TV_FREE(HOLD) | TV_FREE(DECAY), TV_SHAPE_HALVING, 0, 0},
    {"warmup_stable_decay", TV_FREE(HOLD) | TV_FREE(DECAY) | TV_FREE(FLOOR), TV_SHAPE_LINEAR, 0.1,
     0},
    {"warmup_stable_decay", TV_FREE(HOLD) | TV_FREE(DECAY) | TV_FREE(FLOOR), TV_SHAPE_COSINE, 0.1,
     0},
    {"warmup_stable_decay", TV_FREE(HOLD) | TV_FREE(DECAY) | TV_FREE(FLOOR), TV_SHAPE_SQRT, 0.1, 0},
    {"warmup_stable_decay", TV_FREE(HOLD) | TV_FREE(DECAY) | TV_FREE(FLOOR), TV_SHAPE_HALVING, 0.1,
     0},
    {"warmup_stable_decay", TV_FREE(HOLD) | TV_FREE(DECAY) | TV_FREE(FLOOR), TV_SHAPE_GEOMETRIC,
     0.01, 0},
    {"cosine_with_restarts", TV_FREE(DECAY), -1, 0, 0},
};
#define FAMILIES (sizeof families / sizeof *families)

/* Tried where a line from 0 does not meet the first points. */
static const struct tv_warm warms[] = {
    {TV_SHAPE_LINEAR, true, false, 0}, {TV_SHAPE_COSINE, true, false, 0},
    {TV_SHAPE_LINEAR, true, true, 0},  {TV_SHAPE_POLYNOMIAL, false, false, 0},
    {TV_SHAPE_SQRT, false, false, 0},  {TV_SHAPE_EXPONENTIAL, false, false, 0},
    {TV_SHAPE_LOG, false, false, 1},
};
#define WARMS (sizeof warms / sizeof *warms)

static int bits_of(unsigned set)
{
    int n = 0;
    for (; set; set &= set - 1)
        n++;
    return n;
}

static bool is_worth_trying(const struct tv_outline *o, const struct tv_family *family)
{
    bool restarts = strcmp(family->kind, "cosine_with_restarts") == 0;
    if (restarts != (o->jumps > 0))
        return false;
    size_t least = o->points->digits > 6 ? FALLING_EXACT : FALLING_MIN;
    if ((size_t)bits_of(family->free) + least > o->falling)
        return false;
    if (family->free & TV_FREE(POWER) && o->points->digits <= 6 &&
        o->lowest > POWER_SEEN * o->data.highest)
        return false;
    if (family->free & TV_FREE(HOLD))
        return o->flat_end >= o->top + 2 && !o->is_headless;
    return true;
}

static bool has_end(const struct tv_answer *answer)
{
    return answer->family && answer->family->free & TV_FREE(DECAY);
}

static bool same_answer(const struct tv_answer *a, const struct tv_answer *b)
{
    if (has_end(a) != has_end(b))
        return false;
    double x = a->fit.schedule.total_steps, y = b->fit.schedule.total_steps;
    return !has_end(a) || fabs(x - y) <= SAME_END * fmax(x, y);
}

static bool has_seen_enough(const struct tv_outline *o)
{
    double rounding = tv_lr_points_rounding(o->points, o->data.highest) / o->data.highest;
    double seen = 1 - o->lowest / o->data.highest;
    return o->falling >= FALLING_MIN && seen > SEEN_MIN + SEEN_ROUNDED * sqrt(rounding);
}

/* Unweighted; of a lagging log every point is exact. */
static double residual_of(struct tv_shape_fit *fit, const struct tv_outline *o, int64_t lag)
{
    double sum = 0;
    for (size_t i = 0; i < o->data.len && lag == 0; i++) {
        double n = fmax(0, (double)o->data.at[i].step - fit->delay);
        double off = tv_schedule_lr(&fit->schedule, n) - o->data.at[i].value;
        sum += off * off;
    }
    return sqrt(sum / (double)o->data.len) / o->data.highest;
}

/* The last logging interval is often shorter than the others and logs nothing. */
static void judge_reach(struct tv_identity *identity)
{
    if (isfinite(identity->zero_step))
        identity->is_so_far = identity->last_step < NEAR_END * identity->zero_step - 1;
    if (identity->is_cyclic)
        identity->is_so_far |= !identity->end_known;
}

/* Up and down in one form from a start to an end far below it: torch's and fastai's one cycle. */
static void name_one_cycle(struct tv_schedule *s, const struct tv_outline *o)
{
    double start = s->param[TV_P_START_RATIO], floor = s->param[TV_P_FLOOR_RATIO];
    bool is_cosine = o->warm && o->warm->shape == TV_SHAPE_COSINE;
    bool falls_alike = strncmp(tv_schedule_name(s), is_cosine ? "cosine" : "linear", 6) == 0;
    if (!o->warm || o->warm->is_covered || !(start > 1e-6) || !(floor <= 0.02 * start) ||
        !falls_alike)
        return;
    double warmup = s->warmup_steps, shape = is_cosine ? TV_SHAPE_COSINE : TV_SHAPE_LINEAR;
    const double rows[] = {warmup, start, 1, shape, s->total_steps, 1, floor, shape};
    tv_schedule_set_kind(s, "OneCycleLR");
    memcpy(s->table, rows, sizeof rows);
    s->table_len = sizeof rows / sizeof *rows;
}

void tv_identity_say(const struct tv_outline *o, struct tv_answer *answer, struct tv_identity *ret)
{
    struct tv_schedule *s = &answer->fit.schedule;
    double first = (double)o->data.at[0].step, last = (double)o->data.at[o->data.len - 1].step;
    ret->schedule = *s;
    ret->schedule.log_offset = (int)answer->fit.delay;
    ret->schedule.offset_known = true;
    ret->residual = residual_of(&answer->fit, o, answer->lag);
    ret->lag = answer->lag;
    ret->start_known = !o->is_headless && (o->rise > 0 || first <= 1 + answer->fit.delay ||
                                           tv_digits_of(s->peak) <= 3);
    ret->zero_step = ret->lowest = NAN;
    ret->first_step = first;
    ret->last_step = last;
    if (!has_end(answer)) {
        ret->schedule.total_steps = NAN;
        ret->is_so_far = true;
        return;
    }
    name_one_cycle(&ret->schedule, o);
    bool restarts = answer->fit.cycles > 1;
    ret->zero_step = s->total_steps + (double)answer->lag;
    ret->lowest = tv_schedule_lr(s, s->total_steps);
    bool is_whole = fabs(s->total_steps - round(s->total_steps)) < 0.02;
    ret->end_known = (is_whole && !restarts) || fabs(s->total_steps - o->total) < 1.5;
    ret->is_cyclic = restarts;
    judge_reach(ret);
}

static bool has_more(const struct tv_family *a, const struct tv_family *b)
{
    return bits_of(a->free) > bits_of(b->free);
}

static bool is_kin(const struct tv_family *a, const struct tv_family *b)
{
    return strcmp(a->kind, b->kind) == 0;
}

/* Whatever its fit would say: more parameters meet exact points as well, and say nothing; and no
 * two kinds share all digits of so much of a decay, but by a lag of their own. */
static bool cannot_contest(const struct tv_outline *o, const struct tv_answer *best,
                           const struct tv_family *other)
{
    if (o->points->digits > 6 && best->lag == 0)
        return true;
    return has_more(other, best->family) && (is_kin(best->family, other) || o->points->digits > 6);
}

/* Two kinds that meet the points and end elsewhere. */
static bool is_contest(const struct tv_answer *best, const struct tv_answer *other)
{
    bool may_agree = is_kin(best->family, other->family) || has_more(other->family, best->family);
    return !(may_agree && same_answer(best, other));
}

static bool all_families(const struct tv_outline *o, struct tv_identity *ret)
{
    struct tv_answer best = {0}, answer;
    for (size_t i = 0; i < FAMILIES; i++) {
        if (!is_worth_trying(o, &families[i]) ||
            (best.family && cannot_contest(o, &best, &families[i])) ||
            !tv_family_fit(o, &families[i], &answer))
            continue;
        if (!best.family) {
            best = answer;
        } else if (is_contest(&best, &answer)) {
            snprintf(ret->open, sizeof ret->open, "%s and %s fit alike so far", best.family->kind,
                     families[i].kind);
            return true;
        }
    }
    if (best.family)
        tv_identity_say(o, &best, ret);
    return best.family != NULL;
}

/* The same behind a warm-up of another form; at last without looking at what is before the decay.
 */
static bool other_beginnings(const struct tv_outline *o, struct tv_identity *ret)
{
    for (size_t i = 0; i < WARMS && o->rise > 0; i++) {
        struct tv_outline other = *o;
        other.warm = &warms[i];
        if (tv_warm_fits(o, &warms[i]) && all_families(&other, ret))
            return true;
    }
    struct tv_outline rest;
    return tv_outline_behead(o, &rest) && has_seen_enough(&rest) && all_families(&rest, ret);
}

static bool fit_constant(const struct tv_outline *o, struct tv_answer *ret)
{
    static const struct tv_family constant = {"constant_with_warmup", 0, -1, 0, 0};
    if (tv_family_fit(o, &constant, ret))
        return true;
    for (size_t i = 0; i < WARMS; i++) {
        struct tv_outline other = *o;
        other.warm = &warms[i];
        if (!warms[i].is_covered && tv_family_fit(&other, &constant, ret))
            return true;
    }
    return false;
}

/* Flat from the first step, or behind a warm-up. */
static bool find_constant(const struct tv_outline *o, struct tv_identity *ret)
{
    struct tv_answer answer = {.fit.cycles = 1};
    double last = (double)o->data.at[o->data.len - 1].step;
    if (o->falling > 0)
        return false;
    if (o->flat_end < o->top + 3)
        snprintf(ret->open, sizeof ret->open, "it still rises");
    else if (o->top > 0 && !fit_constant(o, &answer))
        snprintf(ret->open, sizeof ret->open, "%s", nothing_meets);
    else if (!(last >= o->total - 1))
        snprintf(ret->open, sizeof ret->open,
                 "constant so far: a decay may follow (warmup_stable_decay)");
    if (ret->open[0])
        return true;
    if (o->top == 0) {
        tv_schedule_set_kind(&answer.fit.schedule, "constant");
        answer.fit.schedule.peak = o->data.highest;
    }
    tv_identity_say(o, &answer, ret);
    ret->start_known = true;
    ret->is_so_far = false;
    return true;
}

static void identify_curve(const struct tv_lr_points *points, double total_steps,
                           struct tv_identity *ret)
{
    struct tv_outline o;
    struct tv_answer answer;
    if (points->seen < POINTS_MIN || !tv_outline_of(points, total_steps, &o)) {
        snprintf(ret->open, sizeof ret->open, "too few learning rates are logged");
        return;
    }
    bool is_orderly = tv_outline_is_orderly(&o);
    if (is_orderly && find_constant(&o, ret))
        return;
    if (is_orderly && o.jumps == 0 && !has_seen_enough(&o)) {
        snprintf(ret->open, sizeof ret->open, "too little of the decay has been logged");
        return;
    }
    if (is_orderly && all_families(&o, ret))
        return;
    if (is_orderly && o.jumps == 0 && other_beginnings(&o, ret))
        return;
    if (tv_identify_waves(&o, &answer))
        tv_identity_say(&o, &answer, ret);
    else
        snprintf(ret->open, sizeof ret->open, "%s", nothing_meets);
}

void tv_identify(const struct tv_lr_points *points, const struct tv_lr_levels *levels,
                 double total_steps, struct tv_identity *ret)
{
    static const struct tv_identity nothing = {.zero_step = NAN, .lowest = NAN, .residual = NAN};
    *ret = nothing;
    if (levels && tv_identify_stairs(levels, total_steps, ret))
        return;
    *ret = nothing;
    identify_curve(points, total_steps, ret);
}

/* Every point as it was described, with no skipped step more. */
static bool goes_on(const struct tv_identity *identity, const struct tv_lr_points *points)
{
    struct tv_lr_point all[TV_LR_POINTS];
    const struct tv_schedule *s = &identity->schedule;
    size_t len = identity->lag == 0 ? tv_lr_points_get(points, all) : 0;
    for (size_t i = 0; i < len; i++) {
        double expected = tv_schedule_lr(s, fmax(0, (double)(all[i].step - s->log_offset)));
        double exact = tv_lr_exactness(points, expected, s->peak);
        if (!(fabs(all[i].value - expected) <= exact))
            return false;
    }
    return len > 0;
}

bool tv_identity_holds(struct tv_identity *identity, const struct tv_lr_points *points)
{
    struct tv_lr_tolerance strict = {.of_peak = 1e-7, .of_expected = 1e-6};
    if (!identity->schedule.kind)
        return false;
    if (!goes_on(identity, points)) {
        struct tv_lr_fit fit = tv_lr_fit_best(&identity->schedule, &strict, points);
        if (fit.is_broken || fit.fails > 0)
            return false;
    }
    identity->last_step = (double)points->tail[(points->seen - 1) % TV_LR_TAIL].step;
    judge_reach(identity);
    return true;
}
