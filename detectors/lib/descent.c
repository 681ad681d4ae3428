/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/descent.h"
#include "lib/robust.h"
#include "trainvet/number.h"
#include <math.h>

void tv_descent_add(struct tv_descent *descent, int64_t step, double value)
{
    uint32_t n = descent->points++;
    if (n < TV_DESCENT_FIRST) {
        descent->first[n] = value;
        descent->start = tv_median_of(descent->first, n + 1);
    }
    descent->last[n % TV_DESCENT_LAST] = value;
    descent->last_step[n % TV_DESCENT_LAST] = step;
    if (descent->points == 1000 * TV_DESCENT_LAST)
        descent->points -= 900 * TV_DESCENT_LAST;
    if (n + 1 < TV_DESCENT_LAST)
        return;
    double level = tv_median_of(descent->last, TV_DESCENT_LAST);
    if (n + 1 == TV_DESCENT_LAST || level < descent->lowest) {
        descent->lowest = level;
        descent->lowest_step = descent->last_step[(n + 1 + TV_DESCENT_LAST / 2) % TV_DESCENT_LAST];
    }
}

bool tv_descent_known(const struct tv_descent *descent)
{
    return descent->points >= TV_DESCENT_LAST;
}

double tv_descent_range(const struct tv_descent *descent)
{
    return tv_descent_known(descent) ? tv_most(descent->start - descent->lowest, 0) : 0;
}

double tv_descent_undone(const struct tv_descent *descent, double value)
{
    double rise = value - descent->lowest, range = tv_descent_range(descent);
    return range > 0 ? rise / range : rise > 0 ? INFINITY : 0;
}
