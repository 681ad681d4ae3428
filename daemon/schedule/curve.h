/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SCHEDULE_CURVE_H
#define SCHEDULE_CURVE_H
/* What a formula sees of a schedule, or of one part of it, and the formulas. */
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

/* The decay's shape, 1 to 0 as x goes from 0 to `length`; `rest` = length - x is separate because
 * the difference of two whole numbers is exact where 1 - x / length is not. */
double tv_fall(const struct tv_curve *c, double x, double length, double rest);
/* The warm-up's learning rate at n < warmup_steps. */
double tv_warmup(const struct tv_curve *c, double n);

/* decay.c: warm-up, a hold at the peak, one decay, a floor. */
double tv_decay_lr(const struct tv_curve *c, double n);
/* The same at (first + i) * stride, i = 0 .. count - 1. */
void tv_decay_series(const struct tv_curve *c, double first, double stride, size_t count,
                     double *ret);
double tv_constant_lr(const struct tv_curve *c, double n);    /* ignores the warm-up */
double tv_warmup_only_lr(const struct tv_curve *c, double n); /* stays where the warm-up ended */
/* ((n + shift) / timescale)^-power, never above the peak. END: the floor behind it. MODE 1: aims at
 * the floor. */
double tv_power_law_lr(const struct tv_curve *c, double n);
double tv_noam_lr(const struct tv_curve *c, double n); /* the same, where step 0 is step 1 */
double tv_max_lr(const struct tv_curve *c, double n);  /* the higher of decay and power law */
/* A decay or power law that the last PERIOD steps replace by a line down to EXTRA. */
double tv_decay_tail_lr(const struct tv_curve *c, double n);
double tv_power_tail_lr(const struct tv_curve *c, double n);
double tv_second_half_lr(const struct tv_curve *c, double n); /* the lower half of a cosine */
double tv_deepspeed_lr(const struct tv_curve *c,
                       double n); /* a decay one step late; EXTRA at n = 0 */

/* cycle.c: what comes back. */
double tv_hard_restarts_lr(const struct tv_curve *c,
                           double n); /* CYCLES equal cosines up to the end */
/* PERIOD, GROWTH; GAMMA scales each cycle; CYCLES: how many, then the floor; EXTRA2: exponent of
 * time; MODE + 1: cycle lengths are whole numbers, MODE + 2: the floor is scaled too, MODE + 4:
 * warm up to the value that the cycle has at the warm-up's end. */
double tv_cycles_lr(const struct tv_curve *c, double n);
/* Triangles of PERIOD steps up and DECAY steps down between floor and peak; MODE: enum tv_triangle.
 */
enum tv_triangle {
    TV_TRIANGLE_SAME,
    TV_TRIANGLE_HEIGHT_BY_CYCLE, /* the height is multiplied by GAMMA each cycle */
    TV_TRIANGLE_HEIGHT_BY_STEP,
    TV_TRIANGLE_PEAK_BY_CYCLE, /* the peak is */
    TV_TRIANGLE_BOTH_BY_CYCLE, /* peak and floor are */
    TV_TRIANGLE_ONCE /* one triangle, in CYCLES and EXTRA2 stairs, then floor / (1 + GAMMA x /
                        EXTRA) */
};
double tv_triangle_lr(const struct tv_curve *c, double n);

/* stage.c: stairs, phases, and several schedulers in one. */
/* GAMMA^k. MODE 0: k whole PERIODs, 1: with their fraction, 2: table entries not above n + EXTRA.
 */
double tv_stairs_lr(const struct tv_curve *c, double n);
double tv_range_test_lr(const struct tv_curve *c, double n); /* peak * (1 + GAMMA k), k as above */
/* Table: rows of 4: last step, from, to (parts of the peak), shape: linear, cosine, or none, which
 * stays at `from` until the end. */
double tv_phases_lr(const struct tv_curve *c, double n);
#define TV_PHASE_ROW 4
/* The part that has begun last, counted from its begin. MODE 1: its begin still belongs to the one
 * before. */
double tv_sequence_lr(const struct tv_curve *c, double n);
/* All parts one behind the other: each takes what the one before gave as its peak, unless it has
 * its own. A part with EXTRA2 > 0 counts epochs of that many steps. */
double tv_chain_lr(const struct tv_curve *c, double n);
double tv_factor_lr(const struct tv_curve *c,
                    double n); /* pytorch_warmup: grows to the peak over TIMESCALE */
/* The first part, with a short warm-up every PERIOD steps: EXTRA steps up, DECAY steps down to
 * FLOOR_RATIO. */
double tv_jagged_lr(const struct tv_curve *c, double n);

#endif
