/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_LR_PLATEAU_H
#define DETECTORS_LIB_LR_PLATEAU_H
/* reduce_lr_on_plateau: whatever the metric does, the learning rate is peak * factor^j or min_lr,
 * it never rises, and each fall takes at least patience + 1 evaluations
 * (torch.optim.lr_scheduler.ReduceLROnPlateau; transformers calls it after each evaluation and
 * hands lr_scheduler_kwargs on; defaults factor 0.1, patience 10, min_lr 0). */
#include "lib/lr_points.h"
#include "trainvet/detector.h"

/* Zero-initialise to create. */
struct tv_lr_plateau {
    double level;         /* the learning rate now, 0 before the first point */
    int64_t level_step;   /* first logged with it */
    uint32_t evaluations; /* up to level_step, since the level before was reached */
    uint32_t since;       /* evaluations behind level_step */
    double needed;        /* evaluations that the last fall takes at least, 0 when it was checked */
    uint32_t attempt;
    uint32_t fails; /* points in a row that cannot be */
    int64_t fail_step;
    bool is_raised;
};

/* Is this the scheduler that the configuration promises? */
bool tv_lr_plateau_is_promised(const struct tv_view *view);
void tv_lr_plateau_evaluated(struct tv_lr_plateau *plateau, struct tv_view *view, int64_t step);
void tv_lr_plateau_add(struct tv_lr_plateau *plateau, struct tv_view *view,
                       struct tv_lr_point point);

#endif
