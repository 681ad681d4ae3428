/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRAINVET_FOLLOW_H
#define TRAINVET_FOLLOW_H
/* Schedules that follow a metric: torch's ReduceLROnPlateau and transformers' GreedyLR. Their
 * settings are the schedule's table; what they make of a run's evaluations is one replay for all
 * who ask (daemon/schedule/follow.c, daemon/engine/evaluations.c). */
#include "trainvet/run.h"
#include "trainvet/schedule.h"

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

/* A learning rate, and the step of the evaluation behind which it holds; the first: 0. */
struct tv_level {
    int64_t step;
    double lr;
};

/* The role of the metric that the promised scheduler follows; false when it follows none, or one
 * that is not logged. */
bool tv_view_followed(const struct tv_view *view, enum tv_role *ret);
/* What a schedule makes of the evaluations of this role that were logged behind step `since` (a run
 * that went back has unmade some): its learning rates in order. Returns how many there are; only
 * the first `cap` are written. 0: the schedule follows no metric, or there are more evaluations
 * than are kept. Costs some nanoseconds an evaluation. */
size_t tv_view_levels(const struct tv_view *view, const struct tv_schedule *schedule,
                      enum tv_role metric, int64_t since, struct tv_level *ret, size_t cap);

#endif
