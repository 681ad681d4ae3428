/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/rise.h"
#include <math.h>

enum { KNOWN = 10 }; /* points before either rule is asked */

static double space(const struct tv_rise *rise, double from, double to)
{
    return rise->loss.is_raw || from <= 0 || to <= 0 ? to - from : log(to / from);
}

double tv_rise_undone(const struct tv_rise *rise, double value)
{
    double noise = tv_innovation_noise(&rise->loss), lowest = rise->descent.lowest;
    if (!rise->loss.is_raw)
        noise *= lowest;
    return (value - lowest) / fmax(tv_descent_range(&rise->descent), 6 * noise);
}

static void keep(struct tv_rise *rise, double size, double size_needed, double share,
                 double share_needed)
{
    rise->size = size;
    rise->size_needed = size_needed;
    rise->share = share;
    rise->share_needed = share_needed;
}

/* Three points far up, with at least half of the progress gone and no return in sight; what is far
 * above the very first losses is no recovering spike either. */
bool tv_rise_is_fast(struct tv_rise *rise, const struct tv_rise_limits *limits, int64_t step,
                     double value, bool jumped)
{
    double before = rise->above ? rise->before : rise->level.now;
    if (!rise->level.has_base || rise->level.points < KNOWN ||
        tv_descent_undone(&rise->descent, value) < limits->fast_undone) {
        rise->above = 0; /* most points end here */
        return false;
    }
    double noise = tv_innovation_noise(&rise->loss);
    if (!(noise >= 0))
        return false;
    double needed = fmax(4 * noise, rise->loss.is_raw ? 0 : log(1.25));
    double share = tv_rise_undone(rise, value);
    if (share < limits->fast_undone || space(rise, before, value) < needed) {
        rise->above = 0;
        return false;
    }
    if (rise->above++ == 0) {
        rise->above_step = step;
        rise->before = before;
        rise->peak = value;
    }
    rise->peak = fmax(rise->peak, value);
    rise->above_share = share;
    keep(rise, space(rise, before, value), needed, share, limits->fast_undone);
    bool spans = step - rise->above_step >= limits->fast_steps || rise->above > limits->fast_points;
    bool stays = value - before >= 0.5 * (rise->peak - before) || share > 3;
    bool is_next_to_last = rise->above + 1 == limits->fast_points;
    if (jumped && share > limits->far_undone)
        return true;
    if (is_next_to_last && share > limits->early_undone && rise->size > 2 * needed &&
        value - before > 0.9 * (rise->peak - before))
        return true;
    return stays && ((rise->above >= limits->fast_points && (spans || jumped)) ||
                     (is_next_to_last && jumped));
}

bool tv_rise_is_slow(struct tv_rise *rise, const struct tv_rise_limits *limits, int64_t step,
                     bool restarted)
{
    const struct tv_running_level *level = &rise->level;
    double f = tv_running_level_window(level), height = level->now - level->base;
    if (!level->has_base || level->points < KNOWN || !(height > 0) ||
        height < limits->slow_undone * tv_descent_range(&rise->descent)) {
        rise->held = 0; /* most points end here */
        return false;
    }
    double noise = tv_innovation_noise(&rise->loss);
    double error =
        fmax(1.2533 * noise * sqrt(1.5 / f), tv_blocks_noise(&level->blocks, rise->loss.is_raw));
    double needed = limits->score * error;
    if (!rise->loss.is_raw)
        needed = fmax(needed, log(limits->rise));
    double size = space(rise, level->base, level->now);
    double share = tv_rise_undone(rise, level->now) - tv_rise_undone(rise, level->base);
    double least = restarted ? limits->restart_undone : limits->slow_undone;
    if (!(size > needed) || !(share > least)) {
        rise->held = 0;
        return false;
    }
    if (rise->held++ == 0) {
        rise->held_step = step;
        rise->held_peak = level->now;
    }
    rise->held_peak = fmax(rise->held_peak, level->now);
    keep(rise, size, needed, share, least);
    /* A median that has undone half of the progress needs less time to be believed. */
    double far = fmin(1, fmax(0, (share - limits->slow_undone) / 0.4));
    double hold = fmax((0.75 - 0.45 * far) * f, fmin(0.75 * f, 3.75));
    if (rise->held < hold || tv_running_level_falls(level, (size_t)(2 * f)))
        return false;
    return rise->held >= 3 * f || height >= 0.5 * (rise->held_peak - level->base);
}
