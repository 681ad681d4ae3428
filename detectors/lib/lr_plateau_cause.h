/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_LR_PLATEAU_CAUSE_H
#define DETECTORS_LIB_LR_PLATEAU_CAUSE_H
/* Why a learning rate is not what the promised scheduler makes of the evaluations: each setting is
 * tried with other values, and the metric and the direction in which it is better. */
#include "lib/lr_plateau.h"
#include "trainvet/detector.h"

void tv_lr_plateau_tell(const struct tv_lr_plateau *plateau, struct tv_view *view,
                        enum tv_role metric);

/* Equal but for printing. */
bool tv_lr_is_level(double a, double b);
/* Whether that is the learning rate at this step; at an evaluation's step it may be the one before
 * or behind it. */
bool tv_lr_is_among(const struct tv_level *levels, size_t len, int64_t step, double value);

#endif
