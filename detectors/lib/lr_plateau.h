/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_LR_PLATEAU_H
#define DETECTORS_LIB_LR_PLATEAU_H
/* A learning rate that follows a metric (reduce_lr_on_plateau, greedy), against the one that the
 * promised scheduler makes of the evaluations in the log, and which other setting would explain it.
 */
#include "lib/lr_points.h"
#include "trainvet/follow.h"

#define TV_LR_LEVELS_KEPT 12

/* Zero-initialise to create. */
struct tv_lr_plateau {
    struct {
        int64_t first, last; /* steps at which it was logged */
        double value;
    } logged[TV_LR_LEVELS_KEPT]; /* the first ones */
    uint32_t logged_len;
    uint32_t version, attempt; /* of the schedule and of the run, when the levels were looked at */
    uint64_t evaluations;      /* the same */
    struct tv_level now, before;
    uint32_t fails; /* points in a row that the evaluations do not give */
    int64_t fail_step;
    double observed, expected; /* of the first of them */
    bool is_raised;
};

/* Compares the next point; `points` know how it is printed. */
void tv_lr_plateau_add(struct tv_lr_plateau *plateau, struct tv_view *view,
                       const struct tv_lr_points *points, struct tv_lr_point point);
/* Tells what was found with all that is known at the end. */
void tv_lr_plateau_end(struct tv_lr_plateau *plateau, struct tv_view *view);

#endif
