/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/eval_series.h"
#include "lib/trend.h"
#include <math.h>

/* Whether this point is of the series that counts, and which way it is better. */
static bool choose(const struct tv_eval_series *series, const struct tv_view *view,
                   const struct tv_point *point, bool *ret_upwards)
{
    bool is_metric = point->role == TV_ROLE_EVAL_METRIC;
    int direction = is_metric ? tv_view_metric_direction(view) : -1;
    bool chosen = !series->loss_first && tv_view_metric_is_chosen(view);
    *ret_upwards = direction > 0;
    if (is_metric)
        return direction && (series->role != TV_ROLE_EVAL_LOSS || chosen);
    return series->role != TV_ROLE_EVAL_METRIC || !chosen;
}

static void change(struct tv_eval_series *series, struct tv_view *view, enum tv_role role,
                   bool upwards)
{
    if (series->role != TV_ROLE_OTHER) {
        if (series->fires)
            tv_clear(view, tv_view_tag(view, series->role));
        series->fires = false;
        tv_evals_forget(&series->evals);
    }
    series->role = role;
    series->upwards = upwards;
}

static TV_RARE bool add_evaluation(struct tv_eval_series *series, struct tv_view *view,
                                   const struct tv_point *point)
{
    bool upwards;
    if (!choose(series, view, point, &upwards))
        return false;
    if (series->role != point->role || series->upwards != upwards)
        change(series, view, point->role, upwards);
    if (!tv_evals_add(&series->evals, point->step, upwards ? -point->value : point->value))
        return false;
    if (series->evals.since_best == 0)
        series->best_rate = series->restarts.top;
    return true;
}

bool tv_eval_series_add(struct tv_eval_series *series, struct tv_view *view,
                        const struct tv_point *point)
{
    if (tv_view_is_rl(view) || !isfinite(point->value))
        return false;
    if (point->role == TV_ROLE_TRAIN_LOSS) {
        tv_evals_train(&series->evals, point->value);
        return false;
    }
    if (point->role == TV_ROLE_LEARNING_RATE) {
        tv_restarts_add(&series->restarts, point->step, point->value);
        return false;
    }
    return add_evaluation(series, view, point);
}

const char *tv_eval_series_subject(const struct tv_eval_series *series, const struct tv_view *view)
{
    const char *tag = tv_view_tag(view, series->role);
    return tag ? tag : "eval_loss";
}

double tv_eval_series_shown(const struct tv_eval_series *series, double value)
{
    return series->upwards ? 0 - value : value;
}

double tv_eval_series_planned(const struct tv_eval_series *series, const struct tv_view *view)
{
    double interval = tv_evals_interval(&series->evals);
    double total = (double)tv_view_total_steps(view);
    double planned = interval > 0 && total > 0 ? total / interval : 0;
    return fmax(planned, (double)series->evals.count);
}

static bool is_warming(const struct tv_eval_series *series)
{
    return series->best_rate > 0 && series->restarts.count == 0 &&
           series->restarts.top > 2 * series->best_rate;
}

bool tv_eval_series_lasts(const struct tv_eval_series *series, const struct tv_view *view,
                          double share)
{
    const struct tv_evals *evals = &series->evals;
    if (is_warming(series))
        return evals->since_best > TV_EVALS_RECENT &&
               tv_mann_kendall(evals->recent, evals->recent_len) > 1.64;
    return (double)evals->since_best >= floor(share * tv_eval_series_planned(series, view));
}

bool tv_eval_series_restarts(const struct tv_eval_series *series)
{
    const struct tv_evals *evals = &series->evals;
    const struct tv_restarts *restarts = &series->restarts;
    double behind = (double)evals->last_step - (double)restarts->step;
    return restarts->count && restarts->step >= evals->best_step &&
           behind < 5 * tv_evals_interval(evals);
}

const char *tv_eval_series_why_none(const struct tv_eval_series *series, const struct tv_view *view)
{
    if (tv_view_is_contested(view, TV_ROLE_EVAL_LOSS))
        return "several evaluation sets are logged, and neither metric_for_best_model nor their "
               "names say which one counts";
    if (series->evals.count)
        return NULL;
    if (tv_view_count(view, TV_ROLE_EVAL_METRIC))
        return "no evaluation loss is logged, and it is not known which way the evaluated metric "
               "is better (greater_is_better)";
    return "no evaluation loss is logged";
}
