/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_LR_FIT_H
#define DETECTORS_LIB_LR_FIT_H
/* Does the logged learning rate keep the promise of a schedule? Trainers may log differently
 * without being wrong:
 *   - logged(g) is lr(g), lr(g - 1) (read before scheduler.step()) or lr(g + 1) (steps counted from
 * 0);
 *   - optimizer steps that were skipped (fp16 overflow) delay the schedule by a whole number of
 * steps that never falls;
 *   - values are printed with few digits or stored as float32;
 *   - a total that was estimated from logged epochs is known to a few per cent only. */
#include "lib/lr_points.h"
#include "trainvet/schedule.h"

/* What counts as the same learning rate. Zero: the defaults. */
struct tv_lr_tolerance {
    double of_peak;     /* alarm threshold, share of the promised peak: 1e-3 */
    double of_expected; /* and share of the expected value: 0.01, and a quarter of that once every
                           one of TV_LR_SETTLED points was exact (of 2 with
                           all their digits) */
    double total_uncertainty; /* relative: 0 when the configuration gives the total */
    bool warmup_is_ratio;     /* then an uncertain total makes the warm-up uncertain by a step */
};

/* How the promise is kept: logged(g) = lr(g - offset - lag). */
struct tv_lr_fit {
    int offset;
    int64_t lag;       /* skipped steps so far */
    int64_t start_lag; /* of them before the first step that was taken; -1: none was yet */
    int64_t last_step; /* of the last point that was compared */
    double last_value;
    double known_n, known; /* the schedule that is compared gives `known` there; NaN: nothing yet */
    int64_t same_since;    /* step since which that is the value */
    uint32_t parts;    /* intervals in a row of which a large part, not all, seems to be skipped */
    uint32_t fails;    /* weight of the points in a row that fit nowhere */
    uint32_t exact;    /* points that differed by rounding only */
    bool is_rough;     /* some early point was near only */
    int64_t fail_step; /* first of these fails */
    bool is_broken;    /* they weigh TV_LR_FAILS: the promise is not kept */
};

#define TV_LR_FAILS                                                                                \
    3 /* points in a row; fewer that are 2 or 5 times as far off as the threshold                  \
       */
#define TV_LR_CLEARLY 2
#define TV_LR_GROSSLY 5
#define TV_LR_SETTLED 5

enum tv_lr_match { TV_LR_UNKNOWN, TV_LR_EXACT, TV_LR_NEAR, TV_LR_OFF };

/* Begins an explanation with this offset. */
void tv_lr_fit_init(struct tv_lr_fit *fit, int offset);
/* Compares the next point. A step that goes back is a resume: the lag may have become smaller. Lag
 * grows only where that makes the fit exact, at most by the steps that passed. */
enum tv_lr_match tv_lr_fit_add(struct tv_lr_fit *fit, const struct tv_schedule *promise,
                               const struct tv_lr_tolerance *tolerance,
                               const struct tv_lr_points *points, struct tv_lr_point point);
/* The best explanation of all kept points: one that is not broken, else the one that holds for
 * longest. */
struct tv_lr_fit tv_lr_fit_best(const struct tv_schedule *promise,
                                const struct tv_lr_tolerance *tolerance,
                                const struct tv_lr_points *points);
/* Expected value at a step under this explanation. */
double tv_lr_fit_expected(const struct tv_lr_fit *fit, const struct tv_schedule *promise,
                          int64_t step);
/* Largest difference that is rounding and nothing else. */
double tv_lr_exactness(const struct tv_lr_points *points, double value, double peak);

#endif
