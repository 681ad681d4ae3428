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
        return power_of(1.0 - p, c->param[TV_P_POWER]);
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
    bool is_flat, is_periodic, is_clamped, is_geometric, holds_last;
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
    return (struct decay){.begin = begin - c->param[TV_P_SHIFT],
                          .length = length,
                          .span = length > 1.0 ? length : 1.0,
                          .bottom = tv_curve_floor(c),
                          .is_flat = shape == TV_SHAPE_NONE,
                          .is_periodic = c->param[TV_P_PERIODIC] != 0.0,
                          .is_clamped = c->param[TV_P_CLAMP] != 0.0,
                          .is_geometric = shape == TV_SHAPE_GEOMETRIC,
                          .holds_last =
                              c->param[TV_P_MODE] != 0.0 || c->param[TV_P_WARM_SPAN] > 0.0};
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
    if (x >= d->length && !d->is_periodic)
        return d->bottom;
    if (d->is_geometric)
        return c->peak * pow(d->bottom / c->peak, x / d->span);
    double part = fall(c, x, d->span, d->length - x);
    return d->is_clamped ? fmax(d->bottom, c->peak * part) : tv_mix(d->bottom, c->peak, part);
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

void tv_rotation_init(struct tv_rotation *r, double waves, double span)
{
    r->waves = waves;
    r->span = span;
    for (int k = 0; k < TV_ROTATION_BLOCK; k++) {
        r->cosine[k] = cos(M_PI * (waves * (k / span)));
        r->sine[k] = sin(M_PI * (waves * (k / span)));
    }
}

void tv_rotation_run(const struct tv_rotation *r, double x, double bottom, double top, size_t count,
                     double *ret)
{
    double half = 0.5 * (top - bottom);
    for (size_t i = 0; i < count; i += TV_ROTATION_BLOCK) {
        double p = r->waves * ((x + (double)i) / r->span);
        double angle = M_PI * (p - 2.0 * floor(0.5 * p));
        double by_cosine = half * cos(angle), by_sine = half * sin(angle);
        size_t len = count - i < TV_ROTATION_BLOCK ? count - i : TV_ROTATION_BLOCK;
        for (size_t k = 0; k < len; k++)
            ret[i + k] = bottom + (half + (by_cosine * r->cosine[k] - by_sine * r->sine[k]));
    }
}

void tv_decay_series(const struct tv_curve *c, double first, double stride, size_t count,
                     double *ret)
{
    struct decay d = prepare(c);
    double behind = fmax(c->warmup, d.begin), end = d.begin + d.length;
    bool is_plain = tv_curve_shape(c) == TV_SHAPE_COSINE && c->param[TV_P_GAMMA] == 1.0 &&
                    !d.is_clamped && stride == 1.0;
    size_t i = 0;
    for (; i < count && (!is_plain || !(first + (double)i > behind)); i++)
        ret[i] = decay_value(c, &d, (first + (double)i) * stride);
    double left = ceil(end - first - (double)i);
    if (i < count && left >= 1.0) {
        size_t run = left < (double)(count - i) ? (size_t)left : count - i;
        struct tv_rotation rotation;
        tv_rotation_init(&rotation, 2.0 * c->param[TV_P_CYCLES], d.span);
        tv_rotation_run(&rotation, first + (double)i - d.begin, d.bottom, c->peak, run, ret + i);
        i += run;
    }
    for (; i < count; i++)
        ret[i] = decay_value(c, &d, (first + (double)i) * stride);
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

void tv_power_law_series(const struct tv_curve *c, double first, double stride, size_t count,
                         double *ret)
{
    double mode = c->param[TV_P_MODE], bottom = tv_curve_floor(c), peak = c->peak;
    double scale = tv_param_or(c, TV_P_TIMESCALE, c->warmup > 0.0 ? c->warmup : 10000.0);
    double shift = tv_param_or(c, TV_P_SHIFT, scale - c->warmup);
    double begin = fmax(fmax(c->warmup, c->warmup + c->param[TV_P_HOLD]), scale - shift);
    double end = mode >= 2.0 ? tv_curve_end(c) : INFINITY;
    bool is_root = c->param[TV_P_POWER] == 0.5 && mode != 1.0 && mode != 3.0;
    size_t i = 0;
    for (; i < count && (!is_root || !((first + (double)i) * stride > begin)); i++)
        ret[i] = tv_power_law_lr(c, (first + (double)i) * stride);
    double left = floor(end / stride - first - (double)i);
    size_t run = left < (double)(count - i) ? (size_t)fmax(0.0, left) : count - i;
    for (size_t behind = i + run; i < behind; i++) {
        double value = peak * sqrt(scale / ((first + (double)i) * stride + shift));
        ret[i] = value > bottom ? value : bottom;
    }
    for (; i < count; i++)
        ret[i] = tv_power_law_lr(c, (first + (double)i) * stride);
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
