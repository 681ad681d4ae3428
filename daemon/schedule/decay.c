/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Warm-up, a stretch at the peak, one decay, a floor: most schedules of most frameworks. The order
 * of operations is that of transformers/optimization.py (4.57), so that its doubles come out. */
#include "schedule/curve.h"

double tv_half_cosine(double p)
{
    return 0.5 * (1.0 + cos(M_PI * p));
}

double tv_rise(enum tv_shape shape, double p, double power)
{
    switch (shape) {
    case TV_SHAPE_COSINE:
        return 0.5 * (1.0 - cos(M_PI * p));
    case TV_SHAPE_SQRT:
        return 1.0 - sqrt(1.0 - p);
    case TV_SHAPE_POLYNOMIAL:
        return pow(p, power);
    case TV_SHAPE_EXPONENTIAL:
        return 1.0 - exp(-p);
    default:
        return p;
    }
}

double tv_warmup(const struct tv_curve *c, double n)
{
    double start = tv_curve_start(c);
    double at = n + c->param[TV_P_WARM_SHIFT];
    enum tv_shape shape = tv_curve_shape(c, TV_P_WARM_SHAPE);
    double part;
    if (shape == TV_SHAPE_LOG)
        part = at < 1.0 ? 0.0 : log(at) / log(c->warmup);
    else
        part = tv_rise(shape, fmax(at, 0.0) / fmax(1.0, c->warmup + c->param[TV_P_WARM_SPAN]), 2.0);
    if (start == 0.0)
        return c->peak * part;
    double ratio = start / c->peak;
    return c->peak * (part * (1.0 - ratio) + ratio);
}

/* 1 to 0; `rest` = length - x is separate because N - n is exact where 1 - x / length is not. */
static double fall(const struct tv_curve *c, double x, double length, double rest)
{
    double p = x / length;
    switch (tv_curve_shape(c, TV_P_SHAPE)) {
    case TV_SHAPE_COSINE:
        return tv_half_cosine(2.0 * c->param[TV_P_CYCLES] * p);
    case TV_SHAPE_SQRT:
        return 1.0 - sqrt(p);
    case TV_SHAPE_POLYNOMIAL:
        return pow(1.0 - p, c->param[TV_P_POWER]);
    case TV_SHAPE_HALVING:
        return 2.0 * pow(0.5, p) - 1.0;
    case TV_SHAPE_NONE:
        return 1.0;
    default:
        return rest / length;
    }
}

double tv_decay_lr(const struct tv_curve *c, double n)
{
    if (n < c->warmup)
        return tv_warmup(c, n);
    if (tv_curve_shape(c, TV_P_SHAPE) == TV_SHAPE_NONE)
        return c->peak;
    double hold = c->param[TV_P_HOLD], length = c->param[TV_P_DECAY], begin;
    if (isnan(hold)) {
        begin = tv_curve_end(c) - length;
    } else {
        begin = c->warmup + hold;
        if (isnan(length))
            length = tv_curve_end(c) - begin;
    }
    double x = n - begin + c->param[TV_P_SHIFT];
    if (x < 0.0)
        return c->peak;
    double floor_lr = tv_curve_floor(c);
    if (x >= length && c->param[TV_P_PERIODIC] == 0.0)
        return floor_lr;
    double span = fmax(1.0, length);
    if (tv_curve_shape(c, TV_P_SHAPE) == TV_SHAPE_GEOMETRIC)
        return c->peak * pow(floor_lr / c->peak, x / span);
    double part = fall(c, x, span, length - x);
    if (floor_lr == 0.0)
        return c->peak * fmax(0.0, part);
    double ratio = floor_lr / c->peak;
    return c->peak * fmax(0.0, part * (1.0 - ratio) + ratio);
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

double tv_inverse_sqrt_lr(const struct tv_curve *c, double n)
{
    if (n < c->warmup)
        return tv_warmup(c, n);
    double scale = tv_param_or(c, TV_P_TIMESCALE, c->warmup > 0.0 ? c->warmup : 10000.0);
    double at = tv_param_or(c, TV_P_SHIFT, scale - c->warmup) + n;
    return fmax(tv_curve_floor(c), c->peak / sqrt(fmax(at, scale) / scale));
}
