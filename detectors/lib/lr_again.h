/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_LR_AGAIN_H
#define DETECTORS_LIB_LR_AGAIN_H
/* A schedule that nobody promised and that begins again in the middle: the learning rate leaves a
 * decay that is far from its end at one jump and repeats its own first points, each exactly. A
 * schedule with restarts jumps from the end of a cycle, where it is low or level. */
#include "lib/lr_points.h"
#include "trainvet/detector.h"
#include <stdbool.h>

/* Zero-initialise to create. */
struct tv_lr_again {
    struct tv_lr_point before;       /* the point before this one, or before the jump */
    double highest, slope, steepest; /* the fall a step: lately, at most */
    int64_t shift;                   /* steps from the first points to those that repeat them */
    uint32_t falls;                  /* points in a row, none above the one before */
    uint32_t next; /* which of the first points is expected, 0: there was no jump */
    bool is_told;
};

/* One point, which `points` has already. Raises the finding about `subject` at the fifth point that
 * is repeated. */
void tv_lr_again_add(struct tv_lr_again *again, struct tv_view *view,
                     const struct tv_lr_points *points, const char *subject,
                     struct tv_lr_point point);

#endif
