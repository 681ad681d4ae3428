/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Warm-up, a stretch at the peak, one decay, a floor: most schedules of most frameworks. The order
 * of operations is that of transformers/optimization.py (4.57), so that its doubles come out. */
#include "schedule/formulas.h"

/* x^power; half-integers are what people write. */
static double power_of(double x, double power)
{
    int twice = power > 0.0 && power <= 4.0 ? (int)(2.0 * power) : 0;
    if (twice == 0 || twice != 2.0 * power)
        return pow(x, power);
    double value = twice & 1 ? sqrt(x) : 1.0;
    for (; twice > 1; twice -= 2)
        value *= x;
    return value;
}

static double rise(enum tv_shape shape, double p)
{
    switch (shape) {
    case TV_SHAPE_COSINE:
        return 0.5 * (1.0 - cos(M_PI * p));
    case TV_SHAPE_SQRT:
        return 1.0 - sqrt(1.0 - p);
    case TV_SHAPE_POLYNOMIAL:
        return p * p;
    case TV_SHAPE_EXPONENTIAL:
        return 1.0 - exp(-p);
    default:
        return p;
    }
}

static double warm(const struct tv_curve *c, double n)
{
    double at = n + c->param[TV_P_WARM_SHIFT];
    enum tv_shape shape = (enum tv_shape)(int)c->param[TV_P_WARM_SHAPE];
    double part;
    if (shape == TV_SHAPE_LOG)
        part = at < 1.0 ? 0.0 : log(at) / log(c->warmup);
    else
        part = rise(shape,
                    fmin(1.0, tv_max(at, 0.0) / tv_max(1.0, c->warmup + c->param[TV_P_WARM_SPAN])));
    return tv_mix(tv_curve_start(c), c->peak, part);
}

double tv_warmup(const struct tv_curve *c, double n)
{
    return warm(c, n);
}

double tv_warmup_piece(const struct tv_curve *c, double end, double n)
{
    double shift = c->param[TV_P_WARM_SHIFT], full = c->warmup + c->param[TV_P_WARM_SPAN];
    end = tv_until(end, n, -shift);
    end = tv_until(end, n, 1.0 - shift); /* logarithm */
    end = tv_until(end, n, full - shift);
    return tv_until(end, n, c->warmup);
}

static inline double fall(const struct tv_curve *c, double x, double length, double rest)
{
    double p = x / length;
    switch (tv_curve_shape(c)) {
    case TV_SHAPE_COSINE: {
        double part = tv_half_cosine(2.0 * c->param[TV_P_CYCLES] * p);
        return c->param[TV_P_GAMMA] == 1.0 ? part : pow(part, c->param[TV_P_GAMMA]);
    }
    case TV_SHAPE_SQRT:
        return 1.0 - sqrt(p);
    case TV_SHAPE_POLYNOMIAL:
        return power_of(1.0 - (p > 1.0 ? p / ceil(p) : p), c->param[TV_P_POWER]);
    case TV_SHAPE_HALVING:
        return 2.0 * pow(0.5, p) - 1.0;
    case TV_SHAPE_COSINE_LINEAR:
        return rest / length * tv_half_cosine(p);
    case TV_SHAPE_TANH:
        return 0.5 * (1.0 - tanh(-7.0 * (1.0 - p) + 3.0 * p));
    case TV_SHAPE_REX:
        return rest / length / (0.1 + 0.9 * (rest / length));
    case TV_SHAPE_NONE:
        return 1.0;
    default:
        return rest / length;
    }
}

double tv_fall(const struct tv_curve *c, double x, double length, double rest)
{
    return fall(c, x, length, rest);
}

/* What does not depend on n. */
struct decay {
    double begin, length, span, bottom;
    bool is_flat, is_periodic, is_again, is_clamped, is_geometric, holds_last;
};

static struct decay prepare(const struct tv_curve *c)
{
    double hold = c->param[TV_P_HOLD], length = c->param[TV_P_DECAY], begin;
    if (isnan(hold)) {
        begin = tv_curve_end(c) - length;
    } else {
        begin = c->warmup + hold;
        if (isnan(length))
            length = tv_curve_end(c) - begin;
    }
    enum tv_shape shape = tv_curve_shape(c);
    return (struct decay){
        .begin = begin - c->param[TV_P_SHIFT],
        .length = length,
        .span = length > 1.0 ? length : 1.0,
        .bottom = tv_curve_floor(c),
        .is_flat = shape == TV_SHAPE_NONE,
        .is_periodic = c->param[TV_P_PERIODIC] != 0.0,
        .is_again = c->param[TV_P_PERIODIC] != 0.0 && shape == TV_SHAPE_POLYNOMIAL,
        .is_clamped = c->param[TV_P_CLAMP] != 0.0,
        .is_geometric = shape == TV_SHAPE_GEOMETRIC,
        .holds_last = c->param[TV_P_MODE] != 0.0 || c->param[TV_P_WARM_SPAN] > 0.0};
}

static inline double decay_value(const struct tv_curve *c, const struct decay *d, double n)
{
    if (n < c->warmup || (d->holds_last && n == c->warmup && n > 0.0))
        return warm(c, n);
    double x = n - d->begin;
    if (d->is_flat && d->is_clamped && n > tv_curve_end(c))
        return d->bottom;
    if (d->is_flat || x < 0.0)
        return c->peak;
    if (d->is_periodic ? d->is_again && n > tv_curve_end(c) : x >= d->length)
        return d->bottom;
    if (d->is_geometric)
        return c->peak * pow(d->bottom / c->peak, x / d->span);
    double part = fall(c, x, d->span, d->length - x);
    return d->is_clamped ? fmax(d->bottom, c->peak * part) : tv_mix(d->bottom, c->peak, part);
}

/* Where a decay that goes on to 0 meets the floor. */
static double floor_met(const struct tv_curve *c, const struct decay *d)
{
    double low = fmax(c->warmup, d->begin), high = d->begin + d->length;
    for (int i = 0; i < 100 && low < high; i++) {
        double middle = 0.5 * (low + high), x = middle - d->begin;
        if (c->peak * fall(c, x, d->span, d->length - x) > d->bottom)
            low = middle;
        else
            high = middle;
    }
    return high;
}

struct tv_piece tv_decay_piece(const struct tv_curve *c, double n)
{
    struct decay d = prepare(c);
    double half_wave = d.span / (2.0 * c->param[TV_P_CYCLES]), end = INFINITY;
    end = tv_warmup_piece(c, end, n);
    end = tv_until(end, n, d.begin);
    end = tv_until(end, n, d.begin + d.length);
    end = tv_until(end, n, tv_curve_end(c));
    if (n >= d.begin && n < end && tv_curve_shape(c) == TV_SHAPE_COSINE) {
        double waves = floor((n - d.begin) / half_wave);
        if (c->param[TV_P_GAMMA] != 1.0 || d.is_clamped)
            end = tv_until(end, n, d.begin + (waves + 1.0) * half_wave);
        if (d.is_clamped && waves > 0.0)
            end = n;
    }
    if (d.is_again && n >= d.begin) {
        double fallen = floor((n - d.begin) / d.length);
        end = tv_until(end, n, d.begin + fallen * d.length);
        end = tv_until(end, n, d.begin + (fallen + 1.0) * d.length);
    }
    if (d.is_clamped && !d.is_flat && n < d.begin + d.length)
        end = tv_until(end, n, floor_met(c, &d));
    return (struct tv_piece){end, false, 0};
}

double tv_decay_lr(const struct tv_curve *c, double n)
{
    struct decay d = prepare(c);
    return decay_value(c, &d, n);
}

void tv_decay_points(const struct tv_curve *c, double stride, const double *n, size_t count,
                     double *ret)
{
    struct decay d = prepare(c);
    for (size_t i = 0; i < count; i++)
        ret[i] = decay_value(c, &d, tv_max(n[i], 0.0) * stride);
}

double tv_constant_lr(const struct tv_curve *c, double n)
{
    (void)n;
    return c->peak;
}

double tv_warmup_only_lr(const struct tv_curve *c, double n)
{
    return c->warmup > 0.0 ? tv_warmup(c, fmin(n, c->warmup)) : c->peak;
}

double tv_power_law_lr(const struct tv_curve *c, double n)
{
    if (n < c->warmup)
        return tv_warmup(c, n);
    if (n < c->warmup + c->param[TV_P_HOLD] || (n == c->warmup && n > 0.0))
        return c->peak;
    double bottom = tv_curve_floor(c), mode = c->param[TV_P_MODE];
    if (mode >= 2.0 && n > tv_curve_end(c))
        return bottom;
    double scale = tv_param_or(c, TV_P_TIMESCALE, c->warmup > 0.0 ? c->warmup : 10000.0);
    double at = tv_max(scale, n + tv_param_or(c, TV_P_SHIFT, scale - c->warmup));
    double part = power_of(scale / at, c->param[TV_P_POWER]);
    if (mode == 1.0)
        return tv_mix(bottom, c->peak, part);
    return mode == 3.0 ? c->peak * part : tv_max(bottom, c->peak * part);
}

struct tv_piece tv_power_law_piece(const struct tv_curve *c, double n)
{
    double scale = tv_param_or(c, TV_P_TIMESCALE, c->warmup > 0.0 ? c->warmup : 10000.0);
    double shift = tv_param_or(c, TV_P_SHIFT, scale - c->warmup), bottom = tv_curve_floor(c);
    double end = tv_warmup_piece(c, INFINITY, n);
    end = tv_until(end, n, 1.0); /* Noam's first step */
    end = tv_until(end, n, c->warmup + c->param[TV_P_HOLD]);
    end = tv_until(end, n, scale - shift);
    end = tv_until(end, n, tv_curve_end(c));
    if (bottom > 0.0)
        end = tv_until(end, n, scale * pow(c->peak / bottom, 1.0 / c->param[TV_P_POWER]) - shift);
    return (struct tv_piece){end, false, 0};
}

double tv_noam_lr(const struct tv_curve *c, double n)
{
    return tv_power_law_lr(c, fmax(1.0, n));
}

double tv_max_lr(const struct tv_curve *c, double n)
{
    return fmax(tv_decay_lr(c, n), tv_power_law_lr(c, n));
}

static double with_tail(const struct tv_curve *c, double n,
                        double (*body)(const struct tv_curve *, double))
{
    double tail = c->param[TV_P_PERIOD], begin = c->total - tail;
    if (n < begin)
        return body(c, n);
    return tv_mix(c->param[TV_P_EXTRA], body(c, begin), fmax(0.0, c->total - n) / tail);
}

double tv_decay_tail_lr(const struct tv_curve *c, double n)
{
    return with_tail(c, n, tv_decay_lr);
}

double tv_power_tail_lr(const struct tv_curve *c, double n)
{
    return n <= c->warmup ? tv_power_law_lr(c, n) : with_tail(c, n, tv_power_law_lr);
}

struct tv_piece tv_decay_tail_piece(const struct tv_curve *c, double n)
{
    double begin = c->total - c->param[TV_P_PERIOD];
    double end = n < begin ? tv_decay_piece(c, n).end : INFINITY;
    return (struct tv_piece){tv_until(tv_until(end, n, begin), n, c->total), false, 0};
}

struct tv_piece tv_power_tail_piece(const struct tv_curve *c, double n)
{
    double end = tv_power_law_piece(c, n).end;
    end = tv_until(end, n, c->total - c->param[TV_P_PERIOD]);
    return (struct tv_piece){tv_until(end, n, c->total), false, 0};
}

struct tv_piece tv_warm_piece(const struct tv_curve *c, double n)
{
    return (struct tv_piece){tv_until(tv_warmup_piece(c, INFINITY, n), n, tv_curve_end(c)), false,
                             0};
}

double tv_second_half_lr(const struct tv_curve *c, double n)
{
    double bottom = tv_curve_floor(c), end = tv_curve_end(c);
    if (n < c->warmup) {
        struct tv_curve half = *c;
        half.peak = tv_mix(bottom, c->peak, 0.5);
        return tv_warmup(&half, n);
    }
    if (n >= end)
        return bottom;
    double length = end - c->warmup;
    return tv_mix(bottom, c->peak, tv_half_cosine((n - c->warmup + length) / (2.0 * length)));
}

double tv_deepspeed_lr(const struct tv_curve *c, double n)
{
    return n < 1.0 ? c->param[TV_P_EXTRA] : tv_decay_lr(c, n - 1.0);
}

double tv_epochs_lr(const struct tv_curve *c, double n)
{
    double end = tv_curve_end(c), at = fmin(n, end);
    double decayed = tv_mix(tv_curve_floor(c), c->peak, fall(c, at, end, end - at));
    if (n >= c->warmup)
        return decayed;
    double last_batch = c->param[TV_P_PERIOD] * (n + 1.0) - 1.0, length = c->param[TV_P_EXTRA];
    return last_batch >= length ? decayed : tv_mix(tv_curve_start(c), decayed, last_batch / length);
}

struct tv_piece tv_deepspeed_piece(const struct tv_curve *c, double n)
{
    double end = n < 1.0 ? 1.0 : tv_decay_piece(c, n - 1.0).end + 1.0;
    return (struct tv_piece){tv_until(end, n, 1.0), false, 0};
}

struct tv_piece tv_epochs_piece(const struct tv_curve *c, double n)
{
    double end = tv_until(INFINITY, n, tv_curve_end(c));
    end = tv_until(end, n, (c->param[TV_P_EXTRA] + 1.0) / c->param[TV_P_PERIOD] - 1.0);
    return (struct tv_piece){tv_until(end, n, c->warmup), false, 0};
}
