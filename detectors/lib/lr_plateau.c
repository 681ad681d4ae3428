/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/lr_plateau.h"
#include "lib/lr_plateau_cause.h"
#include <math.h>

#define SAME     1e-3   /* relative difference of equal learning rates */
#define FAILS    3      /* points in a row */
#define LEVELS   64     /* of the promise that are looked at */
#define ROUNDING 2.5e-7 /* relative: an evaluation that float32 moves across the threshold */

static void keep(struct tv_lr_plateau *plateau, struct tv_lr_point point)
{
    uint32_t len = plateau->logged_len;
    bool is_new = len == 0 || !tv_lr_is_level(point.value, plateau->logged[len - 1].value);
    if (!is_new) {
        plateau->logged[len - 1].last = point.step;
    } else if (len < TV_LR_LEVELS_KEPT) {
        plateau->logged[len].first = plateau->logged[len].last = point.step;
        plateau->logged[plateau->logged_len++].value = point.value;
    }
}

bool tv_lr_is_level(double a, double b)
{
    return fabs(a - b) <= SAME * fabs(b);
}

bool tv_lr_is_among(const struct tv_level *levels, size_t len, int64_t step, double value)
{
    size_t i = len;
    while (i > 1 && levels[i - 1].step > step)
        i--;
    if (i == 0)
        return false;
    bool is_edge = i > 1 && levels[i - 1].step == step;
    return tv_lr_is_level(value, levels[i - 1].lr) ||
           (is_edge && tv_lr_is_level(value, levels[i - 2].lr));
}

/* The same when the threshold is met a little earlier or later. */
static bool is_rounding(const struct tv_view *view, enum tv_role metric, struct tv_lr_point point)
{
    struct tv_level levels[LEVELS];
    struct tv_point last;
    struct tv_schedule schedule = *tv_view_schedule(view);
    bool is_relative = schedule.table[TV_FOLLOW_RELATIVE] != 0;
    double unit = is_relative ? 1 : tv_view_last(view, metric, &last) ? fabs(last.value) : 0;
    double threshold = schedule.table[TV_FOLLOW_THRESHOLD];
    for (int sign = -1; sign <= 1; sign += 2) {
        schedule.table[TV_FOLLOW_THRESHOLD] = threshold + sign * ROUNDING * unit;
        size_t len = tv_view_levels(view, &schedule, metric, 0, levels, LEVELS);
        if (tv_lr_is_among(levels, len < LEVELS ? len : LEVELS, point.step, point.value))
            return true;
    }
    return false;
}

/* The last two levels are kept until there is another evaluation. */
static bool look(struct tv_lr_plateau *plateau, const struct tv_view *view, enum tv_role metric)
{
    uint64_t evaluations = tv_view_count(view, metric);
    uint32_t version = tv_view_schedule_version(view), attempt = tv_view_attempt(view);
    if (evaluations == 0)
        return false;
    if (plateau->now.lr > 0 && evaluations == plateau->evaluations && version == plateau->version &&
        attempt == plateau->attempt)
        return true;
    struct tv_level levels[LEVELS];
    size_t len = tv_view_levels(view, tv_view_schedule(view), metric, 0, levels, LEVELS);
    if (len == 0 || len > LEVELS)
        return false;
    plateau->now = levels[len - 1];
    plateau->before = levels[len > 1 ? len - 2 : 0];
    plateau->evaluations = evaluations;
    plateau->version = version;
    plateau->attempt = attempt;
    return true;
}

void tv_lr_plateau_add(struct tv_lr_plateau *plateau, struct tv_view *view,
                       const struct tv_lr_points *points, struct tv_lr_point point)
{
    enum tv_role metric;
    keep(plateau, point);
    if (!tv_view_followed(view, &metric) || !look(plateau, view, metric))
        return;
    const struct tv_level both[] = {plateau->before, plateau->now};
    double rounding = 2 * tv_lr_points_rounding(points, point.value);
    bool is_promised = fabs(point.value - plateau->now.lr) <= rounding ||
                       tv_lr_is_among(both, 2, point.step, point.value) ||
                       (!plateau->is_raised && is_rounding(view, metric, point));
    if (is_promised) {
        plateau->fails = 0;
        return;
    }
    if (plateau->fails++ == 0 && !plateau->is_raised) {
        plateau->fail_step = point.step;
        plateau->observed = point.value;
        plateau->expected = plateau->now.lr;
    }
    if (plateau->fails == FAILS && !plateau->is_raised)
        tv_lr_plateau_tell(plateau, view, metric);
    plateau->is_raised |= plateau->fails >= FAILS;
}

void tv_lr_plateau_end(struct tv_lr_plateau *plateau, struct tv_view *view)
{
    enum tv_role metric;
    if (plateau->is_raised && tv_view_followed(view, &metric))
        tv_lr_plateau_tell(plateau, view, metric);
}
