/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_LEARNING_H
#define DETECTORS_LIB_LEARNING_H
/* Whether a loss has come down from where it began by more than its noise can feign, or is on its
 * way: the training loss, and the evaluation loss, which has little noise.
 * `drop`: the share of the first level that a fall must reach to be one. `left`: steps that are
 * still to come. */
#include "lib/change.h"
#include "lib/robust.h"
#include "trainvet/number.h"

#define TV_LEARNING_START 5 /* points of the first level, and of the level of now */

/* A zeroed struct is empty. */
struct tv_learning {
    struct tv_thin means;
    struct tv_change change;         /* of that, kept up to date */
    double start[TV_LEARNING_START]; /* first points */
    uint32_t start_len;
    double start_level;           /* median of those */
    double low, high;             /* of all points */
    double later_low;             /* of all but the first */
    double level_low, level_high; /* of their levels: a spike is in none */
    uint64_t points;
    int64_t first_step, second_step, last_step;
    double recent[TV_LEARNING_START];
    double swing;     /* sum of the differences of neighbours */
    bool has_fallen;  /* by more than its noise */
    bool has_learnt;  /* it has once, for certain */
    bool never_again; /* has it been as low as at its first point, nor near it */
};

/* A finite point behind the last one. `points`: fewer are never certain to have learnt. */
void tv_learning_add(struct tv_learning *learning, int64_t step, double value, double drop,
                     uint64_t points);
/* What a fall is measured against: the first level, or half of what the levels span where they
 * have no sign. */
double tv_learning_size(const struct tv_learning *learning);
/* The level of now lies so far below `start` that no spike in a mean can hide it. */
bool tv_learning_is_below(const struct tv_learning *learning, double start, double drop);
/* Falls, and gets twice as far as `drop` by the end (or below its first point, where it has never
 * been again). */
bool tv_learning_will_fall(struct tv_learning *learning, double drop, double left);

static inline double tv_learning_level(const struct tv_learning *learning)
{
    size_t n = learning->points < TV_LEARNING_START ? (size_t)learning->points : TV_LEARNING_START;
    return tv_median_of(learning->recent + TV_LEARNING_START - n, n);
}

/* A zeroed struct is empty. */
struct tv_eval_learning {
    struct tv_thin means;
    struct tv_change change;
    double first, lowest;
    double noise; /* the least that they have had: not that of a divergence */
    uint64_t points;
};

void tv_eval_learning_add(struct tv_eval_learning *evals, int64_t step, double value);
/* Has fallen, or gets twice as far as `drop` by the end. */
bool tv_eval_learning_will_fall(struct tv_eval_learning *evals, double drop, double left);

#endif
