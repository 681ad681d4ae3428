/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SCHEDULE_FOLLOW_H
#define SCHEDULE_FOLLOW_H
/* Schedules that follow a metric: ReduceLROnPlateau and transformers' GreedyLR. Their settings are
 * the schedule's table (enum tv_follow_setting); the state is the caller's.
 *
 *   tv_follow_start(&follow, &schedule)
 *   lr = tv_follow_step(&follow, metric)      once an evaluation, in order; lr holds from the next
 * step on Source: torch/optim/lr_scheduler.py 1.13.0, transformers/optimization.py v5.15.0. */
#include "schedule/lookup.h"
#include "trainvet/error.h"

enum tv_follow_rule { TV_FOLLOW_PLATEAU, TV_FOLLOW_GREEDY };

enum tv_follow_setting {
    TV_FOLLOW_RULE,
    TV_FOLLOW_MAXIMISE, /* mode "max" */
    TV_FOLLOW_FACTOR,
    TV_FOLLOW_PATIENCE,
    TV_FOLLOW_THRESHOLD,
    TV_FOLLOW_RELATIVE, /* threshold_mode "rel" */
    TV_FOLLOW_COOLDOWN,
    TV_FOLLOW_MIN_LR,
    TV_FOLLOW_EPS,
    TV_FOLLOW_BEGIN, /* the first evaluation that counts, from 1 */
    TV_FOLLOW_END,   /* and the first that does not again */
    TV_FOLLOW_RISE,  /* evaluations, or epochs, that a line to the peak takes before */
    TV_FOLLOW_RISE_FROM,
    TV_FOLLOW_MAX_LR, /* from here on greedy only */
    TV_FOLLOW_WARMUP,
    TV_FOLLOW_WINDOW, /* evaluations that are averaged, 0: none */
    TV_FOLLOW_RESET,
    TV_FOLLOW_SETTINGS
};

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
