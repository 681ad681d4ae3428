/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_STANDSTILL_H
#define DETECTORS_LIB_STANDSTILL_H
/* Weights that do not move: a gradient norm of exactly 0, a learning rate of 0, or evaluations that
 * are equal to the last digit, for a share of the planned steps. */
#include "trainvet/detector.h"

/* Since when something that should move has not. */
struct tv_still {
    int64_t since, last;
    uint64_t points; /* 0: it moves */
    double value;
};

/* Zeroed: nothing is known. */
struct tv_standstill {
    struct tv_still gradient, eval, lr;
};

struct tv_standstill_limits {
    double useful_lr; /* part of the peak; where the schedule promises less, nothing need move */
    double share;     /* of the planned steps that it must last */
    uint64_t points;  /* of the gradient norm or the learning rate that must be 0 */
    uint64_t evals;   /* that must be equal, rounded ones twice as many */
};

struct tv_standstill_finding {
    const char *what, *cause, *advice; /* static */
    int64_t onset;
    double share, share_needed;
};

/* The next point of one of the three. */
void tv_still_add(struct tv_still *still, int64_t step, double value, bool is_still);
/* An evaluation behind the last one; `is_first` when there was none. */
void tv_standstill_add_eval(struct tv_standstill *still, const struct tv_point *point,
                            bool is_first);
bool tv_standstill_judge(const struct tv_standstill *still, const struct tv_view *view,
                         const struct tv_standstill_limits *limits,
                         struct tv_standstill_finding *ret);

/* Nothing has moved for long enough to be worth judging; at most points this is all that is asked.
 */
static inline bool tv_standstill_possible(const struct tv_standstill *still, uint64_t points)
{
    return still->gradient.points >= points || still->lr.points >= points || still->eval.points > 0;
}

/* Nothing stands still. */
static inline bool tv_standstill_none(const struct tv_standstill *still)
{
    return !still->gradient.points && !still->lr.points && !still->eval.points;
}

#endif
