/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fits one kind of schedule. */
#include "engine/identify_parts.h"
#include "lib/lr_fit.h"
#include <math.h>
#include <string.h>

#define POWER_MAX     10   /* beyond, a polynomial looks like an exponential */
#define POWER_ONE     0.05 /* this near to 1 it is a line, or another decay */
#define UNKNOWN_DIGIT 17
#define SKIPPED_MOST  24   /* steps before the first one that fp16 does not skip */
#define HOPELESS      0.02 /* residual that no rounding and no lag explains */
#define COARSE        4    /* times the rounding: the same where little is printed */
#define SCREENED      12   /* points that first guesses are judged by */

/* Whether the decay's shape tells where it began: a piece of a line or of a power does not. */
static bool knows_begin(const struct tv_family *family)
{
    return strncmp(family->kind, "cosine", 6) == 0 ||
           (family->shape >= 0 && family->shape != TV_SHAPE_LINEAR);
}

static void start_warm(struct tv_shape_fit *fit, const struct tv_outline *o)
{
    const struct tv_warm *warm = o->warm;
    if (!warm || o->rise <= 0)
        return;
    fit->schedule.param[TV_P_WARM_SHAPE] = warm->shape;
    fit->is_covered = warm->is_covered;
    if (warm->hold > 0)
        fit->schedule.param[TV_P_HOLD] = warm->hold;
    if (warm->has_start) {
        fit->free |= TV_FREE(START);
        fit->at[TV_FREE_START] = fmax(0, o->data.at[0].value / o->data.highest);
    }
    if (warm->shape != TV_SHAPE_LINEAR || warm->has_start)
        fit->at[TV_FREE_WARMUP] = (double)o->data.at[o->top].step / fit->span;
}

static void start_fit(const struct tv_outline *o, const struct tv_family *family, double delay,
                      struct tv_shape_fit *fit)
{
    *fit = (struct tv_shape_fit){.delay = delay, .cycles = 1, .residual = INFINITY};
    tv_schedule_set_kind(&fit->schedule, family->kind);
    fit->schedule.framework = NULL;
    fit->free = family->free | TV_FREE(PEAK);
    if (o->rise > 0 && (!o->is_headless || knows_begin(family)))
        fit->free |= TV_FREE(WARMUP);
    fit->span = fmax(1, (double)o->data.at[o->data.len - 1].step);
    fit->at[TV_FREE_PEAK] = 1;
    fit->at[TV_FREE_WARMUP] = o->rise / fit->span;
    fit->at[TV_FREE_DECAY] = 1;
    start_warm(fit, o);
    fit->at[TV_FREE_FLOOR] = family->floor;
    if (family->floor < 0)
        fit->schedule.param[TV_P_FLOOR] = 0;
    fit->at[TV_FREE_POWER] = family->power;
    fit->at[TV_FREE_SCALE] = fmax(o->rise / fit->span, 0.1);
    fit->at[TV_FREE_GAMMA] = log(fmax(o->lowest / o->data.highest, 1e-6));
    if (family->shape >= 0)
        fit->schedule.param[TV_P_SHAPE] = family->shape;
    if (family->shape >= 0 && !(family->free & TV_FREE(HOLD)))
        fit->schedule.param[TV_P_HOLD] = 0;
    if (family->free & TV_FREE(HOLD))
        fit->at[TV_FREE_HOLD] =
            fmax(0, ((double)o->data.at[o->flat_end].step - o->rise) / fit->span);
    if (strcmp(family->kind, "cosine_with_restarts") == 0)
        fit->schedule.param[TV_P_CYCLES] = fit->cycles = (double)o->jumps + 1;
}

static void thin(const struct tv_lr_data *data, struct tv_lr_data *ret)
{
    size_t every = (data->len + SCREENED - 1) / SCREENED;
    ret->highest = data->highest;
    ret->len = 0;
    for (size_t i = data->len; i > 0; i = i > every ? i - every : 0) {
        ret->at[ret->len] = data->at[i - 1];
        ret->exact[ret->len++] = data->exact[i - 1];
    }
}

/* A line is where two of its points say: no grid is needed then. */
static bool improve_from_line(struct tv_shape_fit *fit, const struct tv_outline *o)
{
    struct tv_shape_fit trial = *fit;
    if (strcmp(tv_schedule_name(&fit->schedule), "linear") != 0 || o->flat_end + 2 >= o->data.len)
        return false;
    const struct tv_lr_point *first = &o->data.at[o->flat_end + 1],
                             *last = &o->data.at[o->data.len - 1];
    double steps = (double)last->step - (double)first->step;
    double end = (double)last->step + steps * last->value / (first->value - last->value);
    trial.at[TV_FREE_DECAY] = (end - fit->delay - o->rise) / fit->span;
    tv_shape_improve(&trial, &o->data);
    if (!tv_fit_meets(&trial, o))
        return false;
    *fit = trial;
    return true;
}

/* The best few lengths of the decay to begin with. */
static void improve_from_grid(struct tv_shape_fit *fit, const struct tv_outline *o)
{
    enum { GRID = 50, BEGINS = 3 };
    struct tv_shape_fit best = *fit;
    struct tv_lr_data few;
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
    thin(&o->data, &few);
    for (int i = 0; i < GRID; i++)
        length[i] =
            i < GRID - 2 ? low * pow(high / low, (double)i / (GRID - 3)) : whole[i + 2 - GRID];
    tv_shape_residuals(fit, &few, TV_FREE_DECAY, length, GRID, residual);
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
        if (tv_fit_meets(&best, o))
            break;
    }
    *fit = best;
}

int tv_digits_of(double value)
{
    for (int digits = 1; digits <= 6; digits++) {
        double unit = pow(10, floor(log10(value)) + 1 - digits);
        if (fabs(round(value / unit) * unit - value) < 2e-7 * value)
            return digits;
    }
    return UNKNOWN_DIGIT;
}

double tv_to_digits(double value, int digits)
{
    double unit = pow(10, digits - 1 - floor(log10(value)));
    return round(value * unit) / unit;
}

/* A ratio that is nearly none is none. */
static double plain_ratio(double ratio)
{
    return fabs(ratio) > 1e-6 ? tv_to_digits(ratio, 3) : 0;
}

static void round_numbers(struct tv_shape_fit *fit)
{
    static const enum tv_free lengths[] = {TV_FREE_WARMUP, TV_FREE_HOLD,   TV_FREE_DECAY,
                                           TV_FREE_SCALE,  TV_FREE_PERIOD, TV_FREE_DOWN};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        double unit = lengths[i] == TV_FREE_DECAY ? fit->span * fit->cycles : fit->span;
        fit->at[lengths[i]] = round(fit->at[lengths[i]] * unit) / unit;
    }
    if (fit->free & TV_FREE(POWER))
        fit->at[TV_FREE_POWER] = tv_to_digits(fit->at[TV_FREE_POWER], 3);
    if (fit->free & TV_FREE(FLOOR))
        fit->at[TV_FREE_FLOOR] = plain_ratio(fit->at[TV_FREE_FLOOR]);
    if (fit->free & TV_FREE(START))
        fit->at[TV_FREE_START] = plain_ratio(fit->at[TV_FREE_START]);
    if (fit->free & TV_FREE(SHRINK))
        fit->at[TV_FREE_SHRINK] = tv_to_digits(fit->at[TV_FREE_SHRINK], 6);
    if (fit->free & TV_FREE(GAMMA)) {
        double loss = -expm1(fit->at[TV_FREE_GAMMA] / fit->span);
        fit->at[TV_FREE_GAMMA] = loss > 0 ? log1p(-tv_to_digits(loss, 3)) * fit->span : 0;
    }
}

/* With a peak of as few digits as will do. */
static bool try_peaks(struct tv_shape_fit *fit, const struct tv_outline *o)
{
    double found = fit->at[TV_FREE_PEAK] * o->data.highest;
    for (int digits = 1; digits <= 7; digits++) {
        double peak = digits < 7 ? tv_to_digits(found, digits) : found;
        fit->at[TV_FREE_PEAK] = peak / o->data.highest;
        tv_shape_apply(fit, o->data.highest);
        if (!tv_fit_meets(fit, o))
            continue;
        fit->residual = tv_shape_residual(fit, &o->data);
        return true;
    }
    return false;
}

/* Of the numbers of steps that meet the points as well, the trainer's own, else the roundest. */
void tv_fit_round_off(struct tv_shape_fit *fit, const struct tv_outline *o)
{
    struct tv_shape_fit whole = *fit;
    round_numbers(&whole);
    double span = fit->span, hold = whole.at[TV_FREE_HOLD] * span;
    double warmup = whole.at[TV_FREE_WARMUP] * span;
    double total = warmup + hold + whole.at[TV_FREE_DECAY] * span * fit->cycles;
    const double warmups[] = {warmup > 0 ? tv_to_digits(warmup, 2) : 0, warmup};
    const double totals[] = {o->total, tv_to_digits(total, 2), tv_to_digits(total, 3), total};
    bool has_total = fit->free & TV_FREE(DECAY);
    for (size_t i = has_total ? 0 : 6; i < 8; i++) {
        struct tv_shape_fit plain = whole;
        double decay = totals[i / 2] - warmups[i % 2] - hold;
        if (!(decay > 0) || fabs(totals[i / 2] - total) > 0.05 * total)
            continue;
        plain.at[TV_FREE_WARMUP] = warmups[i % 2] / span;
        if (has_total)
            plain.at[TV_FREE_DECAY] = decay / span / fit->cycles;
        if (!try_peaks(&plain, o))
            continue;
        *fit = plain;
        return;
    }
    struct tv_shape_fit as_found = *fit;
    if (try_peaks(&as_found, o))
        *fit = as_found;
    tv_shape_apply(fit, o->data.highest);
}

/* A log that lags behind by skipped steps: the plain parameters nearby, with the lag left to find.
 * Printed digits would hide any lag. */
static bool find_lag(struct tv_shape_fit *fit, const struct tv_outline *o, int64_t *ret_lag)
{
    if (o->points->digits <= 6 || o->warm || o->is_headless || !(fit->residual < 0.02) ||
        fit->free & TV_FREE(HOLD))
        return false;
    double warmup = round(fit->schedule.warmup_steps), total = round(fit->schedule.total_steps);
    const double totals[] = {o->total, total, tv_to_digits(total, 2), tv_to_digits(total, 3)};
    const double warmups[] = {warmup, round(o->rise), tv_to_digits(fmax(1, o->rise), 2)};
    for (int i = 0; i < 4 * 3 * 3; i++) {
        struct tv_schedule s = fit->schedule;
        s.total_steps = totals[i % 4];
        s.warmup_steps = o->rise > 0 ? warmups[i / 4 % 3] : 0;
        s.peak = tv_to_digits(s.peak, 1 + i / 12);
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
    int score = tv_digits_of(s->peak);
    score += s->warmup_steps != floor(s->warmup_steps) ? 6 : 0;
    score += fit->free & TV_FREE(DECAY) && s->total_steps != floor(s->total_steps) ? 6 : 0;
    if (fit->free & TV_FREE(POWER))
        score += tv_digits_of(s->param[TV_P_POWER]);
    return score + (fit->delay < 0);
}

static bool is_hopeless(const struct tv_shape_fit *fit, const struct tv_outline *o)
{
    double coarsest = 0;
    for (size_t i = 0; i < o->data.len; i++)
        coarsest = fmax(coarsest, o->data.exact[i] / o->data.highest);
    return !(fit->residual <= fmax(HOPELESS, COARSE * coarsest));
}

/* Where a warm-up of a step or two is guessed, and where its form is, the ways of logging differ by
 * more than a step. */
static bool is_alike(const struct tv_outline *o)
{
    return !o->warm && o->top != 1;
}

/* `near` is what another way of logging gave, filled at the first try. */
static bool try_family(const struct tv_outline *o, const struct tv_family *family, double delay,
                       struct tv_shape_fit *near, bool may_lag, struct tv_answer *ret)
{
    struct tv_shape_fit fit;
    start_fit(o, family, delay, &fit);
    if (near->free) {
        memcpy(fit.at, near->at, sizeof fit.at);
        tv_shape_improve(&fit, &o->data);
    } else {
        if (!(family->free & TV_FREE(DECAY)))
            tv_shape_improve(&fit, &o->data);
        else if (!improve_from_line(&fit, o))
            improve_from_grid(&fit, o);
        if (is_alike(o))
            *near = fit;
    }
    if (is_hopeless(&fit, o))
        return false;
    *ret = (struct tv_answer){.fit = fit, .family = family};
    if (!tv_fit_meets(&fit, o))
        tv_fit_round_off(&ret->fit, o);
    if (tv_fit_meets(&ret->fit, o))
        tv_fit_round_off(&ret->fit, o);
    else if (!may_lag || !find_lag(&ret->fit, o, &ret->lag))
        return false;
    double power = ret->fit.at[TV_FREE_POWER];
    if (family->free & TV_FREE(POWER) && (power > POWER_MAX || fabs(power - 1) < POWER_ONE))
        return false;
    ret->score = score_of(&ret->fit) + (ret->lag > 0 ? 20 + (int)ret->lag : 0);
    return true;
}

/* Up to the step that the schedule begins at a log has one value. */
static bool cannot_begin_at(const struct tv_outline *o, double delay)
{
    const struct tv_lr_point *at = o->data.at;
    const double *exact = o->data.exact;
    return o->data.len > 1 && (double)at[1].step <= delay &&
           fabs(at[1].value - at[0].value) > exact[0] + exact[1];
}

/* The warm-up begins as many steps late as fp16 skips while its loss scale comes down. */
static bool skips_first(const struct tv_outline *o, const struct tv_family *family,
                        struct tv_answer *ret)
{
    double skipped = round(o->first_delay);
    struct tv_shape_fit near = {.free = 0};
    if (o->points->digits <= 6 || o->warm || o->is_headless || !(skipped > 1) ||
        skipped > SKIPPED_MOST || fabs(o->first_delay - skipped) > 1e-3 ||
        !try_family(o, family, skipped, &near, false, ret))
        return false;
    ret->lag = (int64_t)skipped;
    ret->fit.delay = 0;
    ret->score += 20 + (int)ret->lag;
    return true;
}

/* The plainest of the offsets that a trainer may log with. */
bool tv_family_fit(const struct tv_outline *o, const struct tv_family *family,
                   struct tv_answer *ret)
{
    static const double delays[] = {0, 1, -1};
    struct tv_shape_fit near = {.free = 0};
    bool found = false;
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        struct tv_answer answer;
        if (near.free && is_hopeless(&near, o))
            break;
        if (delays[i] < 0 && (found || o->data.at[0].step > 0))
            continue;
        if (found && ret->lag == 0 && cannot_begin_at(o, delays[i]))
            continue;
        bool is_line = !o->warm || (o->warm->shape == TV_SHAPE_LINEAR && !o->warm->has_start);
        if (is_line && fabs(o->first_delay - delays[i]) > 0.5 && fabs(o->first_delay) < 2)
            continue;
        if (!try_family(o, family, delays[i], &near, !found || ret->lag > 0, &answer))
            continue;
        if (!found || answer.score < ret->score)
            *ret = answer;
        found = true;
    }
    return found || skips_first(o, family, ret);
}

bool tv_warm_fits(const struct tv_outline *o, const struct tv_warm *warm)
{
    static const struct tv_family flat = {"constant_with_warmup", 0, -1, 0, 0};
    struct tv_outline rising = *o;
    struct tv_answer answer;
    size_t different = 0, len = o->flat_end + 1;
    if (warm->is_covered)
        len = o->top; /* what is behind is another curve */
    for (size_t i = 1; i < len; i++)
        different += o->data.at[i].value > o->data.at[i - 1].value;
    if (different < (warm->has_start ? 4 : 3))
        return false;
    rising.warm = warm;
    rising.data.len = len;
    return tv_family_fit(&rising, &flat, &answer);
}
