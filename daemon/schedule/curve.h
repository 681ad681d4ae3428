/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SCHEDULE_CURVE_H
#define SCHEDULE_CURVE_H
/* What a formula sees of a schedule, or of one part of it, and the shapes that formulas share. */
#include "trainvet/schedule.h"
#include <math.h>

struct tv_curve {
    double peak, total, warmup;
    const double *param; /* by enum tv_schedule_param */
    const double *table;
    int table_len;
    const struct tv_schedule *whole; /* for composites */
};

struct tv_curve tv_curve_of(const struct tv_schedule *schedule);
struct tv_curve tv_curve_of_part(const struct tv_schedule *schedule,
                                 const struct tv_schedule_part *part);

static inline double tv_param_or(const struct tv_curve *c, enum tv_schedule_param param,
                                 double otherwise)
{
    double value = c->param[param];
    return isnan(value) ? otherwise : value;
}

static inline double tv_curve_end(const struct tv_curve *c)
{
    return tv_param_or(c, TV_P_END, c->total);
}

static inline double tv_curve_floor(const struct tv_curve *c)
{
    return tv_param_or(c, TV_P_FLOOR, c->param[TV_P_FLOOR_RATIO] * c->peak);
}

static inline double tv_curve_start(const struct tv_curve *c)
{
    return tv_param_or(c, TV_P_START, c->param[TV_P_START_RATIO] * c->peak);
}

static inline enum tv_shape tv_curve_shape(const struct tv_curve *c)
{
    return (enum tv_shape)(int)c->param[TV_P_SHAPE];
}

/* From `from` to `to` as `part` goes from 0 to 1. */
static inline double tv_mix(double from, double to, double part)
{
    return from + (to - from) * part;
}

/* The library's fmax() is a call. */
static inline double tv_max(double a, double b)
{
    return a > b ? a : b;
}

/* ½(1 + cos πp): 1 at p = 0, 0 at p = 1, and on in waves.
 * cos πr for |r| <= ½ is its Taylor series up to r^20 (the rest is below 2e-17); cos πp follows
 * from the nearest whole number. The library's cos() takes three times as long. */
static inline double tv_half_cosine(double p)
{
    static const double c[] = {-4.934802200544679,      4.0587121264167685,
                               -1.3352627688545895,     0.2353306303588932,
                               -0.02580689139001406,    0.0019295743094039231,
                               -0.0001046381049248457,  4.303069587032947e-06,
                               -1.3878952462213771e-07, 3.604730797462501e-09};
    if (!(p >= 0.0 && p < 1e15))
        return 0.5 * (1.0 + cos(M_PI * p));
    int64_t whole = (int64_t)(p + 0.5);
    double r = p - (double)whole, t = r * r, t2 = t * t, t4 = t2 * t2;
    double low = (c[0] + c[1] * t) + (c[2] + c[3] * t) * t2;
    double high = (c[4] + c[5] * t) + (c[6] + c[7] * t) * t2;
    double sum = low + (high + (c[8] + c[9] * t) * t4) * t4;
    double half = 0.5 * (sum * t);
    return whole & 1 ? -half : 1.0 + half;
}

/* Steps over which a formula is smooth: no kink, no jump. */
struct tv_piece {
    double end; /* the first n behind it */
    bool is_flat;
    double peak; /* if higher than the curve's */
};

/* It ends before x. A step that is x but for rounding is a piece of its own, so that it does not
 * matter on which side of x the formula counts it. */
static inline double tv_until(double end, double n, double x)
{
    double slack = 1e-12 * fabs(x);
    if (n < x - slack)
        return fmin(end, x - slack);
    return n <= x + slack ? fmin(end, nextafter(x + slack, INFINITY)) : end;
}

/* The decay's shape, 1 to 0 as x goes from 0 to `length`; `rest` = length - x is separate because
 * the difference of two whole numbers is exact where 1 - x / length is not. */
double tv_fall(const struct tv_curve *c, double x, double length, double rest);
/* The warm-up's learning rate at n < warmup_steps. */
double tv_warmup(const struct tv_curve *c, double n);
/* Up to where it is smooth. */
double tv_warmup_piece(const struct tv_curve *c, double end, double n);

#endif
