/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_EVAL_SERIES_H
#define DETECTORS_LIB_EVAL_SERIES_H
/* The evaluations that a run is judged by: their loss, or the metric (TV_ROLE_EVAL_METRIC) where
 * the user chose the best checkpoint by that one or no loss is evaluated, and it is known which way
 * it is better. */
#include "lib/evals.h"
#include "lib/plan.h"
#include "trainvet/detector.h"

/* A zeroed struct is empty. */
struct tv_eval_series {
    struct tv_evals evals;
    enum tv_role role; /* TV_ROLE_OTHER before the first evaluation */
    bool loss_first;   /* set by the user of this: the metric is for runs without such a loss */
    bool upwards;      /* larger is better: the values in `evals` are negated */
    bool fires;        /* set by the user of this */
    double best_rate;  /* highest learning rate up to the best; 0: not known */
    struct tv_restarts restarts;
};

/* Takes a point of any of the roles below. True: an evaluation was added, for the caller to judge.
 * When it is the first of another series, all that is known of the former is forgotten and what
 * fires about that is cleared. */
bool tv_eval_series_add(struct tv_eval_series *series, struct tv_view *view,
                        const struct tv_point *point);
#define TV_EVAL_SERIES_ROLES                                                                       \
    (TV_ROLE_BIT(TV_ROLE_TRAIN_LOSS) | TV_ROLE_BIT(TV_ROLE_EVAL_LOSS) |                            \
     TV_ROLE_BIT(TV_ROLE_EVAL_METRIC) | TV_ROLE_BIT(TV_ROLE_LEARNING_RATE))

/* Its tag. */
const char *tv_eval_series_subject(const struct tv_eval_series *series, const struct tv_view *view);
/* A value of `evals` as the log has it. */
double tv_eval_series_shown(const struct tv_eval_series *series, double value);
/* Evaluations of the whole plan, at least those so far. */
double tv_eval_series_planned(const struct tv_eval_series *series, const struct tv_view *view);
/* Enough evaluations lie behind the best: of a plan of hundreds a few in a row are above the best
 * one often, so it takes this share of those planned. A best of the warm-up, evaluated at less than
 * half of the learning rate of now, is a reference only where ten later ones are worse and still
 * rise: what comes at the full rate is worse at first, and is no overfitting. */
bool tv_eval_series_lasts(const struct tv_eval_series *series, const struct tv_view *view,
                          double share);
/* The learning rate was restarted since the best, and less than 5 evaluations ago: it is worse for
 * a while, and comes back. */
bool tv_eval_series_restarts(const struct tv_eval_series *series);
/* Why no evaluation was judged: one sentence for on_end; NULL when some was. */
const char *tv_eval_series_why_none(const struct tv_eval_series *series,
                                    const struct tv_view *view);

#endif
