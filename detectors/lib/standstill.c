/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/standstill.h"
#include "lib/plan.h"
#include <math.h>

void tv_still_add(struct tv_still *still, int64_t step, double value, bool is_still)
{
    if (!is_still) {
        still->points = 0;
    } else if (still->points == 0) {
        still->since = step;
        still->points = 1;
    } else if (step > still->last)
        still->points++;
    still->value = value;
    still->last = step;
}

void tv_standstill_add_eval(struct tv_standstill *still, const struct tv_point *point,
                            bool is_first)
{
    struct tv_still *eval = &still->eval;
    bool equal = !is_first && fabs(point->value - eval->value) <= 1e-7 * fabs(point->value);
    if (equal && eval->points == 0)
        tv_still_add(eval, eval->last, point->value, true);
    tv_still_add(eval, point->step, point->value, equal);
}

/* Part of the plan that it has lasted. */
static double share_of(const struct tv_view *view, const struct tv_still *still)
{
    if (!still->points)
        return 0;
    return ((double)still->last - (double)still->since) / tv_plan_length(view);
}

/* Written with 4 decimals: equal does not mean unchanged. */
static bool is_rounded(double value)
{
    double scaled = value * 1e4;
    return fabs(value) < 1e9 && fabs(scaled - round(scaled)) < 1e-7 * fmax(1, fabs(scaled));
}

static uint64_t evals_needed(const struct tv_still *eval, uint64_t evals)
{
    if (!is_rounded(eval->value))
        return evals;
    return fabs(eval->value) < 0.5 ? UINT64_MAX : 2 * evals;
}

static bool has_no_gradient(const struct tv_still *gradient, const struct tv_view *view,
                            const struct tv_standstill_limits *limits,
                            struct tv_standstill_finding *ret)
{
    *ret = (struct tv_standstill_finding){
        .what = "the gradient norm is exactly 0, the weights do not move",
        .cause = "all parameters that the optimizer sees are frozen or detached from the loss",
        .advice = "look which parameters require gradients and which ones the optimizer has",
        .onset = gradient->since,
        .share = share_of(view, gradient),
        .share_needed = limits->share,
    };
    return gradient->points >= limits->points && ret->share >= limits->share;
}

/* At the end of a schedule without learning rate this is how it should be. */
static bool has_no_rate(const struct tv_still *lr, const struct tv_view *view,
                        const struct tv_standstill_limits *limits, double promised,
                        struct tv_standstill_finding *ret)
{
    bool useful = !(promised < limits->useful_lr);
    double left = 1 - tv_plan_done(view), needed = useful ? limits->share : 2 * limits->share;
    *ret = (struct tv_standstill_finding){
        .what = "the learning rate is 0 and the run goes on",
        .cause = "the schedule ended long before the run: its total is too small, or it is stepped "
                 "more often than the optimizer",
        .advice = "give the scheduler the optimizer steps of the whole run, or stop where its "
                  "learning rate ends",
        .onset = lr->since,
        .share = share_of(view, lr),
        .share_needed = needed,
    };
    return lr->points >= limits->points && ret->share >= needed && (useful || !(left <= needed));
}

static bool has_equal_evals(const struct tv_still *eval, const struct tv_view *view,
                            const struct tv_standstill_limits *limits,
                            struct tv_standstill_finding *ret)
{
    *ret = (struct tv_standstill_finding){
        .what = "successive evaluations are equal to the last digit, the weights do not move",
        .cause = "the parameters are frozen, or the learning rate that is applied is 0",
        .advice = "compare two checkpoints: where no weight differs, look which parameters the "
                  "optimizer has, and its learning rate",
        .onset = eval->since,
        .share = share_of(view, eval),
        .share_needed = limits->share,
    };
    return eval->points && eval->points + 1 >= evals_needed(eval, limits->evals) &&
           ret->share >= limits->share;
}

bool tv_standstill_judge(const struct tv_standstill *still, const struct tv_view *view,
                         const struct tv_standstill_limits *limits,
                         struct tv_standstill_finding *ret)
{
    double promised = tv_plan_lr_share(view, tv_view_step(view));
    bool useful = !(promised < limits->useful_lr);
    if (useful && has_no_gradient(&still->gradient, view, limits, ret))
        return true;
    return has_no_rate(&still->lr, view, limits, promised, ret) ||
           (useful && has_equal_evals(&still->eval, view, limits, ret));
}
