/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SCHEDULE_CURVE_H
#define SCHEDULE_CURVE_H
/* What a formula sees of a schedule, or of one part of it, and the shapes that formulas are made
 * of. */
#include "trainvet/schedule.h"
#include <math.h>

struct tv_curve {
    double peak, total, warmup;
    const double *param; /* by enum tv_schedule_param */
    const double *table;
    int table_len;
    const struct tv_schedule *whole; /* for composites */
};

/* The curve of the whole schedule, and of one of its parts. */
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

static inline enum tv_shape tv_curve_shape(const struct tv_curve *c, enum tv_schedule_param param)
{
    return (enum tv_shape)(int)c->param[param];
}

/* ½(1 + cos πp): 1 at p = 0, 0 at p = 1, and on in waves. */
double tv_half_cosine(double p);

/* From `from` to `to` as `part` goes from 0 to 1. */
static inline double tv_mix(double from, double to, double part)
{
    return from + (to - from) * part;
}

/* 0 at p = 0 to 1 at p = 1 (the exponential one stops at 1 - 1/e). */
double tv_rise(enum tv_shape shape, double p, double power);

/* The warm-up's learning rate at n < warmup_steps. */
double tv_warmup(const struct tv_curve *c, double n);

/* The formulas, by file. Each returns the learning rate after n scheduler steps; the row in kinds.c
 * says what its parameters are. */
double tv_decay_lr(const struct tv_curve *c,
                   double n); /* decay.c: warm-up, hold, one decay, floor */
double tv_warmup_only_lr(const struct tv_curve *c, double n);  /* decay.c: stays where it ended */
double tv_constant_lr(const struct tv_curve *c, double n);     /* decay.c: ignores the warm-up */
double tv_inverse_sqrt_lr(const struct tv_curve *c, double n); /* decay.c */
double tv_restarts_lr(const struct tv_curve *c,
                      double n); /* cycle.c: equal cosine cycles up to the end */

#endif
