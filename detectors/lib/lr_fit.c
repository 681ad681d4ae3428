/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/lr_fit.h"
#include "trainvet/number.h"
#include <math.h>

/* Skipped steps that are believed: the loss scale of fp16 starts at 2^16 and is halved at each
 * overflow, so the first steps may all be skipped; later about one in 2,000 is. 66 public runs had
 * at most 10 in all. */
#define LAG_START 24
#define LAG_RATE  0.02
#define LAG_MAX   10000 /* that are looked for: a step may be any number */
/* Beside that rate, once a step was taken: each skip halves the loss scale, which has been found.
 */
#define LAG_LATER 12
#define PRINTED   0.05 /* part of a value that rounding to two digits may take away */

static const int offsets[] = {1, 0, -1};
#define OFFSETS (sizeof offsets / sizeof *offsets)

static double lr_at(const struct tv_schedule *schedule, double n)
{
    return tv_schedule_lr(schedule, n > 0 ? n : 0);
}

static double exactness(double value, double peak, double rounding)
{
    return 1e-6 * fabs(value) + 1e-9 * fabs(peak) + 1.01 * rounding;
}

double tv_lr_exactness(const struct tv_lr_points *points, double value, double peak)
{
    return exactness(value, peak, tv_lr_points_rounding(points, value));
}

static double threshold(const struct tv_schedule *promise, const struct tv_lr_tolerance *tolerance,
                        double rounding, double expected)
{
    double of_peak = (tolerance->of_peak > 0 ? tolerance->of_peak : 1e-3) * fabs(promise->peak);
    double of_expected =
        (tolerance->of_expected > 0 ? tolerance->of_expected : 0.01) * fabs(expected);
    return tv_most(tv_most(of_peak, of_expected), 4 * rounding);
}

/* Is the value inside what the promise gives when total and warm-up are only roughly known? */
static bool is_within_uncertainty(const struct tv_schedule *promise,
                                  const struct tv_lr_tolerance *tolerance, double n, double value,
                                  double slack)
{
    double low = lr_at(promise, n), high = low;
    struct tv_schedule variant = *promise;
    for (int i = 0; i < 4; i++) {
        int sign = i % 2 ? 1 : -1;
        if (i >= 2 && !tolerance->warmup_is_ratio)
            break;
        variant.total_steps =
            promise->total_steps * (i < 2 ? 1 + sign * tolerance->total_uncertainty : 1);
        variant.warmup_steps = promise->warmup_steps;
        if (tolerance->warmup_is_ratio) {
            double change = ceil(promise->warmup_steps * tolerance->total_uncertainty);
            variant.warmup_steps =
                fmax(0, promise->warmup_steps + (i < 2 ? 0 : sign * fmax(1, change)));
        }
        double lr = lr_at(&variant, n);
        low = fmin(low, lr);
        high = fmax(high, lr);
    }
    return value >= low - slack && value <= high + slack;
}

static enum tv_lr_match compare(const struct tv_schedule *promise,
                                const struct tv_lr_tolerance *tolerance,
                                const struct tv_lr_points *points, double n, double expected,
                                double value, double strictness)
{
    if (isnan(expected))
        return TV_LR_UNKNOWN;
    double difference = fabs(value - expected), rounding = tv_lr_points_rounding(points, expected);
    if (difference <= exactness(expected, promise->peak, rounding))
        return TV_LR_EXACT;
    double slack = strictness * threshold(promise, tolerance, rounding, expected);
    if (difference <= slack)
        return TV_LR_NEAR;
    if (tolerance->total_uncertainty > 0 &&
        is_within_uncertainty(promise, tolerance, n, value, slack))
        return TV_LR_NEAR;
    return TV_LR_OFF;
}

void tv_lr_fit_init(struct tv_lr_fit *fit, int offset)
{
    *fit = (struct tv_lr_fit){
        .offset = offset, .last_step = INT64_MIN, .start_lag = -1, .known_n = NAN};
}

/* Steps that are skipped in part of every interval are not skipped steps but a slower schedule: a
 * burst of skips has two ends, the search for the loss scale, which begins with the run, has one.
 */
#define PARTS 2

static int64_t passed_since_last(const struct tv_lr_fit *fit, struct tv_lr_point point)
{
    bool is_later = fit->last_step != INT64_MIN && point.step > fit->last_step;
    return is_later ? point.step - fit->last_step : point.step;
}

static bool is_part(int64_t growth, int64_t passed)
{
    return growth < passed && growth > 1 + (passed + 1) / 4;
}

/* Most steps that can have been skipped up to this point. */
static int64_t most_lag(const struct tv_lr_fit *fit, struct tv_lr_point point)
{
    int64_t begun = fit->start_lag < 0 ? LAG_START : fit->start_lag + LAG_LATER;
    int64_t most = begun + (int64_t)fmin((double)point.step * LAG_RATE, LAG_MAX);
    bool is_later = fit->last_step != INT64_MIN && point.step > fit->last_step;
    int64_t reachable = (is_later ? fit->lag : 0) + passed_since_last(fit, point);
    return reachable < most ? reachable : most;
}

/* One step more of lag leads to where the point before was compared. */
static double known_at(const struct tv_lr_fit *fit, const struct tv_schedule *promise, double n)
{
    return n == fit->known_n ? fit->known : lr_at(promise, n);
}

/* The smallest lag that makes the fit exact, -1 when there is none. It does not fall, except on
 * resume. */
static int64_t find_lag(const struct tv_lr_fit *fit, const struct tv_schedule *promise,
                        const struct tv_lr_points *points, struct tv_lr_point point)
{
    bool went_back = fit->last_step != INT64_MIN && point.step <= fit->last_step;
    int64_t most = most_lag(fit, point);
    for (int64_t lag = went_back ? 0 : fit->lag + 1; lag <= most; lag++) {
        double expected = known_at(fit, promise, (double)(point.step - fit->offset - lag));
        if (fabs(point.value - expected) <= tv_lr_exactness(points, expected, promise->peak))
            return lag;
    }
    return -1;
}

/* Enough points were exact to tell that the log and the promise are: of values with all their
 * digits two, chance has no part in them. */
static bool is_settled(const struct tv_lr_fit *fit, const struct tv_lr_tolerance *tolerance,
                       const struct tv_lr_points *points)
{
    bool is_full = points->digits > 6 && tolerance->total_uncertainty == 0;
    return fit->exact >= (is_full ? 2 : TV_LR_SETTLED);
}

static double strictness_of(const struct tv_lr_fit *fit, const struct tv_lr_tolerance *tolerance,
                            const struct tv_lr_points *points)
{
    return is_settled(fit, tolerance, points) && !fit->is_rough ? 0.25 : 1;
}

/* No number of skipped steps gives this value, however it is rounded: the first values have too few
 * digits to tell how. */
static bool is_beyond_rounding(const struct tv_lr_fit *fit, const struct tv_schedule *promise,
                               struct tv_lr_point point)
{
    for (int64_t lag = 0; lag <= most_lag(fit, point); lag++) {
        double expected = lr_at(promise, (double)(point.step - fit->offset - lag));
        if (fabs(point.value - expected) <= PRINTED * fmax(fabs(point.value), fabs(expected)))
            return false;
    }
    return true;
}

/* What a point that is off weighs: TV_LR_FAILS break the promise. One that is far off needs no
 * second, unless the log may show something else than a rate there: the same value again for no
 * longer than steps are skipped in a row, or none (no step was taken yet). */
static uint32_t weight_of(const struct tv_lr_fit *fit, const struct tv_schedule *promise,
                          const struct tv_lr_tolerance *tolerance,
                          const struct tv_lr_points *points, double n, struct tv_lr_point point)
{
    double expected = lr_at(promise, n), difference = fabs(point.value - expected);
    double highest = fmax(expected, point.value);
    double slack = strictness_of(fit, tolerance, points) *
                   threshold(promise, tolerance, tv_lr_points_rounding(points, highest), highest);
    bool is_new = point.value != fit->last_value || point.step - fit->same_since > LAG_LATER;
    bool is_told =
        point.value > 0 && is_new && (fit->last_step == INT64_MIN || point.step > fit->last_step);
    if (!is_told || difference <= TV_LR_CLEARLY * slack)
        return 1;
    if (tolerance->total_uncertainty > 0)
        return is_within_uncertainty(promise, tolerance, n, point.value, TV_LR_GROSSLY * slack)
                   ? 1
                   : TV_LR_FAILS;
    return difference <= TV_LR_GROSSLY * slack ? TV_LR_FAILS - 1 : TV_LR_FAILS;
}

enum tv_lr_match tv_lr_fit_add(struct tv_lr_fit *fit, const struct tv_schedule *promise,
                               const struct tv_lr_tolerance *tolerance,
                               const struct tv_lr_points *points, struct tv_lr_point point)
{
    double n = (double)(point.step - fit->offset - fit->lag);
    double expected = lr_at(promise, n);
    enum tv_lr_match match = compare(promise, tolerance, points, n, expected, point.value,
                                     strictness_of(fit, tolerance, points));
    if (match == TV_LR_UNKNOWN)
        return match;
    if (fit->last_step == INT64_MIN || point.value != fit->last_value)
        fit->same_since = point.step;
    /* In a log that only lags every point fits exactly: none is off before the lag grows. */
    bool is_slower = false;
    if (match != TV_LR_EXACT && (fit->fails == 0 || fit->exact == 0)) {
        int64_t lag = find_lag(fit, promise, points, point);
        if (lag >= 0 && fit->last_step == INT64_MIN)
            fit->parts = lag > 2 && lag < point.step - fit->offset ? PARTS : 0;
        else if (lag >= 0 && is_part(lag - fit->lag, passed_since_last(fit, point)))
            fit->parts++;
        else
            fit->parts = 0;
        if (lag >= 0 && fit->parts <= PARTS) {
            fit->lag = lag;
            match = TV_LR_EXACT;
        } else {
            is_slower = lag >= 0;
        }
    }
    bool is_precise = is_slower || points->values >= 3 || points->digits > 4;
    uint32_t weight = 0;
    if (match == TV_LR_OFF)
        weight = is_precise || is_beyond_rounding(fit, promise, point)
                     ? weight_of(fit, promise, tolerance, points, n, point)
                     : 1;
    fit->last_step = point.step;
    fit->last_value = point.value;
    fit->known_n = n;
    fit->known = expected;
    fit->exact += match == TV_LR_EXACT;
    if (match == TV_LR_EXACT && fit->start_lag < 0 && point.step - fit->offset > fit->lag)
        fit->start_lag = fit->lag;
    /* Points that were all exact and now drift away are no rough log. */
    fit->is_rough |= match == TV_LR_NEAR && !is_settled(fit, tolerance, points);
    if (match != TV_LR_OFF) {
        fit->fails = 0;
        return match;
    }
    if (fit->fails == 0)
        fit->fail_step = point.step;
    fit->fails += weight;
    fit->is_broken |= fit->fails >= TV_LR_FAILS;
    return match;
}

static struct tv_lr_fit fit_all(const struct tv_schedule *promise,
                                const struct tv_lr_tolerance *tolerance,
                                const struct tv_lr_points *points, int offset, size_t *ret_good)
{
    struct tv_lr_point all[TV_LR_POINTS];
    size_t len = tv_lr_points_get(points, all);
    struct tv_lr_fit fit;
    tv_lr_fit_init(&fit, offset);
    *ret_good = 0;
    for (size_t i = 0; i < len && !fit.is_broken; i++)
        *ret_good += tv_lr_fit_add(&fit, promise, tolerance, points, all[i]) == TV_LR_EXACT;
    return fit;
}

/* Offsets in the order: as promised, then the others. */
struct tv_lr_fit tv_lr_fit_best(const struct tv_schedule *promise,
                                const struct tv_lr_tolerance *tolerance,
                                const struct tv_lr_points *points)
{
    size_t best_good;
    struct tv_lr_fit best = fit_all(promise, tolerance, points, promise->log_offset, &best_good);
    for (size_t i = 0; i < OFFSETS; i++) {
        if (offsets[i] == promise->log_offset)
            continue;
        size_t good;
        struct tv_lr_fit fit = fit_all(promise, tolerance, points, offsets[i], &good);
        bool is_better;
        if (fit.is_broken != best.is_broken)
            is_better = best.is_broken;
        else if (fit.is_broken && fit.fail_step != best.fail_step)
            is_better = fit.fail_step > best.fail_step;
        else
            is_better = good > best_good || (good == best_good && fit.fails < best.fails);
        if (is_better) {
            best = fit;
            best_good = good;
        }
    }
    return best;
}

double tv_lr_fit_expected(const struct tv_lr_fit *fit, const struct tv_schedule *promise,
                          int64_t step)
{
    return lr_at(promise, (double)(step - fit->offset - fit->lag));
}
