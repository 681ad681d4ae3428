/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SCHEDULE_FOLLOW_H
#define SCHEDULE_FOLLOW_H
/* One step of a schedule that follows a metric; the state is the caller's.
 *
 *   tv_follow_start(&follow, &schedule)
 *   lr = tv_follow_step(&follow, metric)      once an evaluation, in order; lr holds from the next
 * step on Source: torch/optim/lr_scheduler.py 1.13.0, transformers/optimization.py v5.15.0. */
#include "schedule/lookup.h"
#include "trainvet/error.h"
#include "trainvet/follow.h"

#define TV_FOLLOW_WINDOW_MAX 512 /* evaluations; a longer window is refused */

struct tv_follow {
    double setting[TV_FOLLOW_SETTINGS];
    double lr, first_lr, best;
    double bad, good, cooldown, warmup, reset;
    double window[TV_FOLLOW_WINDOW_MAX], sum;
    int64_t seen, evaluations;
};

/* Writes the settings that stand in this scope, with the rule's defaults, into the schedule's
 * table. TV_ECONFIG: the scheduler rejects them. */
enum tv_status tv_follow_settings(const struct tv_scope *args, enum tv_follow_rule rule,
                                  struct tv_schedule *schedule, struct tv_error *reterr);

/* False when the schedule does not follow a metric. */
bool tv_follow_start(struct tv_follow *follow, const struct tv_schedule *schedule);
/* The learning rate after this evaluation. */
double tv_follow_step(struct tv_follow *follow, double metric);

#endif
