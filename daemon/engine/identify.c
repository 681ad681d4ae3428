/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/identify.h"
#include "engine/identify_fit.h"
#include "lib/lr_fit.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define POINTS_MIN    8
#define FALLING_MIN   5    /* different values of the decay, besides one a parameter */
#define SEEN_MIN      0.03 /* of the peak that the decay must have covered */
#define SEEN_ROUNDED  8    /* times the square root of the relative rounding: 4 digits want 9 % */
#define SAME_VALUE    3e-7 /* relative: what float32 makes of one value */
#define SAME_END      0.03 /* totals that differ by less are the same answer */
#define RESTARTS_MAX  20
#define POWER_MAX     10 /* beyond, a polynomial looks like an exponential */
#define UNKNOWN_DIGIT 17
#define NO_FLOOR      (-1) /* 0: what the kind has by itself */

/* What the points look like, before any kind is tried. */
struct outline {
    struct tv_lr_data data;
    const struct tv_lr_points *points;
    double total;       /* as the trainer counted, NaN */
    size_t top;         /* first point of the highest value */
    size_t flat_end;    /* last point of it before the fall */
    double lowest;      /* since then */
    size_t jumps;       /* upwards, since then */
    size_t first_jump;  /* point behind the first of them */
    size_t falling;     /* different values since the top */
    double first_delay; /* where the warm-up's line meets zero, NaN */
    double rise;        /* warm-up in steps, 0: none seen */
};

#define BIT(free) (1U << TV_FREE_##free)

static const struct family {
    const char *kind;
    unsigned free; /* besides the peak and, where it is seen, the warm-up */
    int shape;     /* of warmup_stable_decay; -1: the kind's own */
    double floor, power;
} families[] = {
    {"linear", BIT(DECAY), -1, 0, 0},
    {"cosine", BIT(DECAY), -1, 0, 0},
    {"inverse_sqrt", 0, -1, 0, 0},
    {"ExponentialLR", BIT(GAMMA), -1, 0, 0},
    {"cosine_with_min_lr", BIT(DECAY) | BIT(FLOOR), -1, 0.1, 0},
    {"polynomial", BIT(DECAY) | BIT(POWER), -1, NO_FLOOR, 2},
    {"polynomial", BIT(DECAY) | BIT(POWER), -1, NO_FLOOR, 0.7},
    {"polynomial", BIT(DECAY) | BIT(POWER), -1, 0, 2},
    {"polynomial", BIT(DECAY) | BIT(POWER), -1, 0, 0.7},
    {"inverse_sqrt", BIT(SCALE), -1, 0, 0},
    {"warmup_stable_decay", BIT(HOLD) | BIT(DECAY), TV_SHAPE_LINEAR, 0, 0},
    {"warmup_stable_decay", BIT(HOLD) | BIT(DECAY), TV_SHAPE_COSINE, 0, 0},
    {"warmup_stable_decay", BIT(HOLD) | BIT(DECAY), TV_SHAPE_SQRT, 0, 0},
    {"warmup_stable_decay", BIT(HOLD) | BIT(DECAY) | BIT(FLOOR), TV_SHAPE_LINEAR, 0.1, 0},
    {"warmup_stable_decay", BIT(HOLD) | BIT(DECAY) | BIT(FLOOR), TV_SHAPE_COSINE, 0.1, 0},
    {"cosine_with_restarts", BIT(DECAY), -1, 0, 0},
};
#define FAMILIES (sizeof families / sizeof *families)

struct answer {
    struct tv_shape_fit fit;
    const struct family *family;
    int score; /* digits and fractions that the parameters need: fewer is likelier */
    int64_t lag;
};

static int bits_of(unsigned set)
{
    int n = 0;
    for (; set; set &= set - 1)
        n++;
    return n;
}

/* Rounding in the log, and what a fit of rounded parameters leaves. */
static double exactness(const struct outline *o, double value)
{
    return tv_lr_exactness(o->points, value, o->data.highest) + 1e-7 * o->data.highest;
}

static void look_at_rise(struct outline *o)
{
    const struct tv_lr_point *at = o->data.at;
    o->first_delay = NAN;
    if (o->top == 0)
        return;
    bool two = o->top >= 2 && at[1].step > at[0].step;
    double slope = two ? (at[1].value - at[0].value) / (double)(at[1].step - at[0].step)
                       : at[0].value / fmax(1, (double)at[0].step);
    if (two)
        o->first_delay = (double)at[0].step - at[0].value / slope;
    o->rise = slope > 0 ? fmin(o->data.highest / slope, (double)at[o->top].step) : 0;
    if (!(o->rise > 0))
        o->rise = (double)at[o->top].step;
}

static void look_at_fall(struct outline *o)
{
    const struct tv_lr_data *data = &o->data;
    o->lowest = data->highest;
    for (size_t i = o->top + 1; i < data->len; i++) {
        double slack = SAME_VALUE * data->at[i - 1].value;
        bool is_up = data->at[i].value > data->at[i - 1].value + 0.02 * data->highest;
        if (is_up && o->jumps++ == 0)
            o->first_jump = i;
        o->falling += fabs(data->at[i].value - data->at[i - 1].value) > slack;
        o->lowest = fmin(o->lowest, data->at[i].value);
        if (o->falling == 0)
            o->flat_end = i;
    }
}

static bool outline(const struct tv_lr_points *points, double total, struct outline *o)
{
    *o = (struct outline){.points = points, .total = total};
    o->data.len = tv_lr_points_get(points, o->data.at);
    for (size_t i = 0; i < o->data.len; i++) {
        if (!(o->data.at[i].value >= 0))
            return false;
        o->data.highest = fmax(o->data.highest, o->data.at[i].value);
    }
    if (!(o->data.highest > 0))
        return false;
    for (size_t i = o->data.len; i-- > 0;) {
        o->data.exact[i] = exactness(o, o->data.at[i].value);
        if (o->data.at[i].value >= o->data.highest * (1 - SAME_VALUE))
            o->top = i;
    }
    o->flat_end = o->top;
    look_at_rise(o);
    look_at_fall(o);
    return true;
}

/* Up to the peak, down from it, and up again only at a restart: whatever does otherwise needs no
 * fit. */
static bool is_orderly(const struct outline *o)
{
    const struct tv_lr_point *at = o->data.at;
    for (size_t i = 1; i < o->data.len; i++) {
        double change = at[i].value - at[i - 1].value;
        if (at[i].step <= at[i - 1].step)
            continue;
        if (i <= o->top && change < 0)
            return false;
        bool is_restart = change > 0.02 * o->data.highest && at[i].value > 0.5 * o->data.highest;
        if (i > o->top && change > SAME_VALUE * at[i].value && !is_restart)
            return false;
    }
    return o->jumps <= RESTARTS_MAX;
}

static bool meets(struct tv_shape_fit *fit, const struct outline *o)
{
    for (size_t i = 0; i < o->data.len; i++) {
        double n = fmax(0, (double)o->data.at[i].step - fit->delay);
        if (!(fabs(tv_schedule_lr(&fit->schedule, n) - o->data.at[i].value) <= o->data.exact[i]))
            return false;
    }
    return true;
}

/* ---- one kind ---- */

static void start_fit(const struct outline *o, const struct family *family, double delay,
                      struct tv_shape_fit *fit)
{
    *fit = (struct tv_shape_fit){.delay = delay, .cycles = 1, .residual = INFINITY};
    tv_schedule_set_kind(&fit->schedule, family->kind);
    fit->schedule.framework = NULL;
    fit->free = family->free | BIT(PEAK) | (o->rise > 0 ? BIT(WARMUP) : 0);
    fit->span = fmax(1, (double)o->data.at[o->data.len - 1].step);
    fit->at[TV_FREE_PEAK] = 1;
    fit->at[TV_FREE_WARMUP] = o->rise / fit->span;
    fit->at[TV_FREE_DECAY] = 1;
    fit->at[TV_FREE_FLOOR] = family->floor;
    if (family->floor < 0)
        fit->schedule.param[TV_P_FLOOR] = 0;
    fit->at[TV_FREE_POWER] = family->power;
    fit->at[TV_FREE_SCALE] = fmax(o->rise / fit->span, 0.1);
    fit->at[TV_FREE_GAMMA] = log(fmax(o->lowest / o->data.highest, 1e-6));
    if (family->shape >= 0)
        fit->schedule.param[TV_P_SHAPE] = family->shape;
    if (family->free & BIT(HOLD))
        fit->at[TV_FREE_HOLD] =
            fmax(0, ((double)o->data.at[o->flat_end].step - o->rise) / fit->span);
    if (strcmp(family->kind, "cosine_with_restarts") == 0)
        fit->schedule.param[TV_P_CYCLES] = fit->cycles = (double)o->jumps + 1;
}

/* The best few lengths of the decay to begin with. */
static void improve_from_grid(struct tv_shape_fit *fit, const struct outline *o)
{
    enum { GRID = 50, BEGINS = 3 };
    struct tv_shape_fit best = *fit;
    double residual[GRID], length[GRID];
    double low = 0.02, high = 30, before = o->rise + fit->at[TV_FREE_HOLD] * fit->span;
    /* the end that was logged last, the end that the trainer counted */
    const double whole[] = {(fit->span - fit->delay - before) / fit->span / fit->cycles,
                            (o->total - before) / fit->span / fit->cycles};
    if (fit->cycles > 1) {
        double warm = o->rise + fit->delay, margin = 2 + 0.01 * o->rise;
        low = fmax((double)o->data.at[o->first_jump - 1].step - warm - margin, 1) / fit->span;
        high = ((double)o->data.at[o->first_jump].step - warm + margin) / fit->span;
    }
    for (int i = 0; i < GRID; i++) {
        length[i] =
            i < GRID - 2 ? low * pow(high / low, (double)i / (GRID - 3)) : whole[i + 2 - GRID];
        fit->at[TV_FREE_DECAY] = length[i];
        residual[i] = tv_shape_residual(fit, &o->data);
    }
    for (int round = 0; round < BEGINS; round++) {
        int lowest = 0;
        for (int i = 1; i < GRID; i++)
            if (residual[i] < residual[lowest])
                lowest = i;
        if (!isfinite(residual[lowest]))
            break;
        struct tv_shape_fit trial = *fit;
        trial.at[TV_FREE_DECAY] = length[lowest];
        tv_shape_improve(&trial, &o->data);
        if (trial.residual < best.residual)
            best = trial;
        for (int i = lowest > 1 ? lowest - 2 : 0; i < GRID && i <= lowest + 2; i++)
            residual[i] = INFINITY;
        if (meets(&best, o))
            break;
    }
    *fit = best;
}

static int digits_of(double value)
{
    for (int digits = 1; digits <= 6; digits++) {
        double unit = pow(10, floor(log10(value)) + 1 - digits);
        if (fabs(round(value / unit) * unit - value) < 2e-7 * value)
            return digits;
    }
    return UNKNOWN_DIGIT;
}

static double to_digits(double value, int digits)
{
    double unit = pow(10, digits - 1 - floor(log10(value)));
    return round(value * unit) / unit;
}

/* Whole numbers and a peak of few digits, when they meet the points as well. */
static void round_off(struct tv_shape_fit *fit, const struct outline *o)
{
    static const enum tv_free lengths[] = {TV_FREE_WARMUP, TV_FREE_HOLD, TV_FREE_DECAY,
                                           TV_FREE_SCALE};
    struct tv_shape_fit whole = *fit;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        double unit = lengths[i] == TV_FREE_DECAY ? whole.span * whole.cycles : whole.span;
        whole.at[lengths[i]] = round(whole.at[lengths[i]] * unit) / unit;
    }
    if (whole.free & BIT(POWER))
        whole.at[TV_FREE_POWER] = to_digits(whole.at[TV_FREE_POWER], 3);
    if (whole.free & BIT(FLOOR) && whole.at[TV_FREE_FLOOR] > 1e-6)
        whole.at[TV_FREE_FLOOR] = to_digits(whole.at[TV_FREE_FLOOR], 3);
    for (int digits = 1; digits <= 6; digits++) {
        struct tv_shape_fit plain = whole;
        double peak = to_digits(whole.at[TV_FREE_PEAK] * o->data.highest, digits);
        plain.at[TV_FREE_PEAK] = peak / o->data.highest;
        plain.residual = tv_shape_residual(&plain, &o->data);
        if (!meets(&plain, o))
            continue;
        *fit = plain;
        return;
    }
    whole.residual = tv_shape_residual(&whole, &o->data);
    if (meets(&whole, o))
        *fit = whole;
    tv_shape_apply(fit, o->data.highest);
}

/* A log that lags behind by skipped steps: the plain parameters nearby, with the lag left to find.
 * Printed digits would hide any lag. */
static bool find_lag(struct tv_shape_fit *fit, const struct outline *o, int64_t *ret_lag)
{
    if (o->points->digits <= 6 || !(fit->residual < 0.02) || fit->free & BIT(HOLD))
        return false;
    double warmup = round(fit->schedule.warmup_steps), total = round(fit->schedule.total_steps);
    const double totals[] = {o->total, total, to_digits(total, 2), to_digits(total, 3)};
    const double warmups[] = {warmup, round(o->rise), to_digits(fmax(1, o->rise), 2)};
    for (int i = 0; i < 4 * 3 * 3; i++) {
        struct tv_schedule s = fit->schedule;
        s.total_steps = totals[i % 4];
        s.warmup_steps = o->rise > 0 ? warmups[i / 4 % 3] : 0;
        s.peak = to_digits(s.peak, 1 + i / 12);
        s.log_offset = (int)fit->delay;
        if (!(s.total_steps > s.warmup_steps))
            continue;
        struct tv_lr_tolerance strict = {.of_peak = 1e-9, .of_expected = 1e-9};
        struct tv_lr_fit kept = tv_lr_fit_best(&s, &strict, o->points);
        if (kept.is_broken || kept.exact < o->data.len || kept.lag > 24 + o->points->seen / 100)
            continue;
        fit->schedule = s;
        fit->delay = kept.offset;
        fit->residual = 0;
        *ret_lag = kept.lag;
        return true;
    }
    return false;
}

static int score_of(const struct tv_shape_fit *fit)
{
    const struct tv_schedule *s = &fit->schedule;
    int score = digits_of(s->peak);
    score += s->warmup_steps != floor(s->warmup_steps) ? 6 : 0;
    score += fit->free & BIT(DECAY) && s->total_steps != floor(s->total_steps) ? 6 : 0;
    if (fit->free & BIT(POWER))
        score += digits_of(s->param[TV_P_POWER]);
    return score + (fit->delay < 0);
}

static bool try_family(const struct outline *o, const struct family *family, double delay,
                       struct answer *ret)
{
    struct tv_shape_fit fit;
    start_fit(o, family, delay, &fit);
    if (family->free & BIT(DECAY))
        improve_from_grid(&fit, o);
    else
        tv_shape_improve(&fit, &o->data);
    if (!isfinite(fit.residual))
        return false;
    *ret = (struct answer){.fit = fit, .family = family};
    if (!meets(&fit, o))
        round_off(&ret->fit, o);
    if (meets(&ret->fit, o))
        round_off(&ret->fit, o);
    else if (!find_lag(&ret->fit, o, &ret->lag))
        return false;
    if (family->free & BIT(POWER) && fit.at[TV_FREE_POWER] > POWER_MAX)
        return false;
    ret->score = score_of(&ret->fit) + (ret->lag > 0 ? 20 + (int)ret->lag : 0);
    return true;
}

static bool is_worth_trying(const struct outline *o, const struct family *family)
{
    bool restarts = strcmp(family->kind, "cosine_with_restarts") == 0;
    if (restarts != (o->jumps > 0))
        return false;
    if (family->free & BIT(HOLD))
        return o->flat_end >= o->top + 2;
    return true;
}

/* The plainest of the offsets that a trainer may log with. */
static bool best_delay(const struct outline *o, const struct family *family, struct answer *ret)
{
    static const double delays[] = {0, 1, -1};
    bool found = false;
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        struct answer answer;
        if (delays[i] < 0 && (found || o->data.at[0].step > 0))
            continue;
        if (fabs(o->first_delay - delays[i]) > 0.5 && fabs(o->first_delay) < 2)
            continue;
        if (!try_family(o, family, delays[i], &answer))
            continue;
        if (!found || answer.score < ret->score)
            *ret = answer;
        found = true;
    }
    return found;
}

/* ---- all kinds ---- */

/* Drops by the same factor at equal distances: the distance is the roundest that fits. */
static bool find_stairs(const struct outline *o, struct answer *ret)
{
    const struct tv_lr_point *at = o->data.at;
    double factor = 0, low = 0, high = INFINITY;
    int drops = 0;
    for (size_t i = 1; i < o->data.len; i++) {
        if (fabs(at[i].value - at[i - 1].value) <= 2 * o->data.exact[i - 1])
            continue;
        double ratio = at[i].value / at[i - 1].value;
        if (!(ratio < 1) ||
            (drops > 0 && fabs(ratio / factor - 1) > 1e-6 + 2 * o->data.exact[i] / at[i].value))
            return false;
        factor = ratio;
        drops++;
        low = fmax(low, ((double)at[i - 1].step - 1) / drops);
        high = fmin(high, (double)at[i].step / drops);
    }
    if (drops < 2 || !(low < high) || o->data.len < 3 * (size_t)drops)
        return false;
    double period = NAN;
    for (int digits = 1; digits <= 6 && isnan(period); digits++) {
        double middle = 0.5 * (low + high), round_one = to_digits(middle, digits);
        period = round_one > low && round_one <= high && round_one >= 1 ? round_one : NAN;
    }
    *ret = (struct answer){0};
    struct tv_schedule *s = &ret->fit.schedule;
    tv_schedule_set_kind(s, "StepLR");
    s->peak = at[0].value;
    s->total_steps = NAN;
    s->param[TV_P_GAMMA] = to_digits(factor, 3);
    s->param[TV_P_PERIOD] = period;
    ret->fit.cycles = 1;
    for (int delay = 0; delay <= 1; delay++) {
        ret->fit.delay = delay;
        if (!isnan(period) && meets(&ret->fit, o))
            return true;
    }
    return false;
}

static bool has_end(const struct answer *answer)
{
    return answer->family && answer->family->free & BIT(DECAY);
}

static bool same_answer(const struct answer *a, const struct answer *b)
{
    if (has_end(a) != has_end(b))
        return false;
    double x = a->fit.schedule.total_steps, y = b->fit.schedule.total_steps;
    return !has_end(a) || fabs(x - y) <= SAME_END * fmax(x, y);
}

static bool has_seen_enough(const struct outline *o)
{
    double rounding = tv_lr_points_rounding(o->points, o->data.highest) / o->data.highest;
    double seen = 1 - o->lowest / o->data.highest;
    return o->falling >= FALLING_MIN && seen > SEEN_MIN + SEEN_ROUNDED * sqrt(rounding);
}

/* Unweighted; of a lagging log every point is exact. */
static double residual_of(struct tv_shape_fit *fit, const struct outline *o, int64_t lag)
{
    double sum = 0;
    for (size_t i = 0; i < o->data.len && lag == 0; i++) {
        double n = fmax(0, (double)o->data.at[i].step - fit->delay);
        double off = tv_schedule_lr(&fit->schedule, n) - o->data.at[i].value;
        sum += off * off;
    }
    return sqrt(sum / (double)o->data.len) / o->data.highest;
}

static void say_answer(const struct outline *o, struct answer *answer, struct tv_identity *ret)
{
    struct tv_schedule *s = &answer->fit.schedule;
    double first = (double)o->data.at[0].step;
    ret->schedule = *s;
    ret->schedule.log_offset = (int)answer->fit.delay;
    ret->schedule.offset_known = true;
    ret->residual = residual_of(&answer->fit, o, answer->lag);
    ret->lag = answer->lag;
    ret->start_known = o->rise > 0 || first <= 1 + answer->fit.delay || digits_of(s->peak) <= 3;
    ret->zero_step = ret->lowest = NAN;
    if (!has_end(answer)) {
        ret->schedule.total_steps = NAN;
        return;
    }
    bool restarts = answer->fit.cycles > 1;
    ret->zero_step = s->total_steps + (double)answer->lag;
    ret->lowest = tv_schedule_lr(s, s->total_steps);
    ret->end_known = !restarts || fabs(s->total_steps - o->total) < 1.5;
}

static void all_families(const struct outline *o, struct tv_identity *ret)
{
    struct answer best, answer;
    bool found = find_stairs(o, &best);
    if (found) {
        say_answer(o, &best, ret);
        return;
    }
    if (!has_seen_enough(o)) {
        snprintf(ret->open, sizeof ret->open, "too little of the decay has been logged");
        return;
    }
    for (size_t i = 0; i < FAMILIES; i++) {
        int free = bits_of(families[i].free);
        if (!is_worth_trying(o, &families[i]) || !best_delay(o, &families[i], &answer))
            continue;
        if ((size_t)free + FALLING_MIN > o->falling)
            continue;
        if (!found) {
            best = answer;
            found = true;
            continue;
        }
        bool more = free > bits_of(best.family->free);
        if (same_answer(&best, &answer) &&
            (more || strcmp(best.family->kind, families[i].kind) == 0))
            continue;
        if (more && o->points->digits > 6)
            continue;
        snprintf(ret->open, sizeof ret->open, "%s and %s fit alike so far", best.family->kind,
                 families[i].kind);
        return;
    }
    if (found)
        say_answer(o, &best, ret);
    else
        snprintf(ret->open, sizeof ret->open, "no known schedule meets the logged points");
}

/* Flat from the first step, or behind a straight warm-up. */
static bool find_constant(const struct outline *o, struct tv_identity *ret)
{
    if (o->falling > 0)
        return false;
    struct answer answer;
    static const struct family constant = {"constant_with_warmup", 0, -1, 0, 0};
    bool steady = o->flat_end >= o->top + 3;
    if (!steady || (o->top > 0 && !best_delay(o, &constant, &answer))) {
        snprintf(ret->open, sizeof ret->open, "%s",
                 steady ? "no known schedule meets the logged points" : "it still rises");
        return true;
    }
    double last = (double)o->data.at[o->data.len - 1].step;
    if (!(last >= o->total - 1)) {
        snprintf(ret->open, sizeof ret->open,
                 "constant so far: a decay may follow (warmup_stable_decay)");
        return true;
    }
    if (o->top == 0) {
        answer = (struct answer){.fit.cycles = 1};
        tv_schedule_set_kind(&answer.fit.schedule, "constant");
        answer.fit.schedule.peak = o->data.highest;
    }
    say_answer(o, &answer, ret);
    ret->start_known = true;
    return true;
}

void tv_identify(const struct tv_lr_points *points, double total_steps, struct tv_identity *ret)
{
    struct outline o;
    *ret = (struct tv_identity){.zero_step = NAN, .lowest = NAN, .residual = NAN};
    if (points->seen < POINTS_MIN || !outline(points, total_steps, &o))
        snprintf(ret->open, sizeof ret->open, "too few learning rates are logged");
    else if (!is_orderly(&o))
        snprintf(ret->open, sizeof ret->open, "no known schedule meets the logged points");
    else if (!find_constant(&o, ret))
        all_families(&o, ret);
}

bool tv_identity_holds(const struct tv_identity *identity, const struct tv_lr_points *points)
{
    struct tv_lr_tolerance strict = {.of_peak = 1e-7, .of_expected = 1e-6};
    if (!identity->schedule.kind)
        return false;
    struct tv_lr_fit fit = tv_lr_fit_best(&identity->schedule, &strict, points);
    return !fit.is_broken && fit.fails == 0;
}

static void add_number(struct tv_text *text, double value)
{
    char number[TV_NUMBER_MAX];
    tv_format_short(number, value, 6);
    tv_text_add(text, "%s", number);
}

static void add_steps(struct tv_text *text, double steps)
{
    char plain[32];
    int len = snprintf(plain, sizeof plain, "%.0f", steps);
    for (int i = 0; i < len; i++)
        tv_text_add(text, "%s%c", i > 0 && (len - i) % 3 == 0 ? "," : "", plain[i]);
}

const char *tv_identity_prediction(const struct tv_identity *identity, double total_steps,
                                   char *buffer, size_t cap)
{
    struct tv_text text = tv_text_in(buffer, cap);
    buffer[0] = '\0';
    if (!identity->schedule.kind || !(identity->zero_step < 1e15))
        return buffer;
    tv_text_add(&text, "at this rate the learning rate reaches ");
    add_number(&text, identity->lowest);
    tv_text_add(&text, " at step ");
    add_steps(&text, identity->zero_step);
    if (total_steps >= 1 && total_steps < 1e15) {
        tv_text_add(&text, " of ");
        add_steps(&text, total_steps);
    }
    return buffer;
}

const char *tv_identity_text(const struct tv_identity *identity, double total_steps, char *buffer,
                             size_t cap)
{
    const struct tv_schedule *s = &identity->schedule;
    struct tv_text text = tv_text_in(buffer, cap);
    char prediction[160];
    if (!s->kind) {
        tv_text_add(&text, "the logged learning rate does not tell its schedule: %s",
                    identity->open);
        return buffer;
    }
    tv_text_add(&text, "the logged learning rate is %s with a peak of ", tv_schedule_name(s));
    add_number(&text, s->peak);
    if (!identity->start_known) {
        tv_text_add(&text, " or more (its first steps are not logged)");
    } else if (s->warmup_steps > 0) {
        tv_text_add(&text, " behind ");
        add_steps(&text, s->warmup_steps);
        tv_text_add(&text, " steps of warm-up");
    }
    tv_identity_prediction(identity, total_steps, prediction, sizeof prediction);
    if (*prediction)
        tv_text_add(&text, "; %s", prediction);
    return buffer;
}
