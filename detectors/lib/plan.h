/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_PLAN_H
#define DETECTORS_LIB_PLAN_H
/* Where a run stands in what was planned for it. */
#include "trainvet/detector.h"

/* Learning rate at this step as a part of the peak: promised by the configuration, else the last
 * one logged against the highest logged so far; NaN when neither is known. */
double tv_plan_lr_share(const struct tv_view *view, int64_t step);
/* The same from the log alone. */
double tv_plan_logged_share(const struct tv_view *view);
/* Steps that windows are scaled by: the plan's, else those done so far; at least 1. */
double tv_plan_length(const struct tv_view *view);
/* Part of the plan that is done, NaN when the plan is not known. */
double tv_plan_done(const struct tv_view *view);
/* The run is over: the trainer said so, or the next point would lie behind the planned end
 * (`interval`: steps between two points), or no plan is known and the log has been silent for
 * `silence` seconds. For on_end. `last_time`: of the last point, NaN when unknown. */
bool tv_plan_ended(const struct tv_view *view, double interval, double last_time, double silence);

/* The user's own spelling of a setting with its value and place, "max_steps: 500 (train.yaml:4)",
 * or `name` alone when it is not set. Returns `buffer`. */
const char *tv_plan_setting(const struct tv_view *view, const char *name, char *buffer, size_t cap);

/* A learning rate that has come down and goes up again (restart of a cosine, a jump): what follows
 * it is expected to be rough. */
struct tv_restarts {
    double top, low;
    int64_t step; /* of the last restart; meaningful when count is not 0 */
    uint32_t count;
};
/* A zeroed struct is empty. */
void tv_restarts_add(struct tv_restarts *restarts, int64_t step, double lr);

#endif
