/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/alternation.h"
#include <math.h>

enum { LEAST_NEEDED = 23 }; /* turns: in a series of one point */

void tv_alternation_add(struct tv_alternation *alternation, int64_t step, double value)
{
    double change = value - alternation->last;
    bool turns = alternation->points > 1 && ((change > 0 && alternation->change < 0) ||
                                             (change < 0 && alternation->change > 0));
    if (alternation->points == 0) {
        change = 0;
    } else if (turns) {
        alternation->turns++;
        alternation->swings += fabs(change);
    } else {
        alternation->turns = 0;
        alternation->since = alternation->last_step;
        alternation->swings = fabs(change);
        alternation->level = (value + alternation->last) / 2;
    }
    alternation->change = change;
    alternation->last = value;
    alternation->last_step = step;
    alternation->points++;
}

uint32_t tv_alternation_needed(const struct tv_alternation *alternation)
{
    /* points x 8/pi (2/pi)^turns < 1e-4 */
    double series = fmax(1, (double)alternation->points);
    return (uint32_t)ceil(log(1e4 * 2.5464790894703255 * series) / 0.4515827052894548);
}

bool tv_alternation_is_long(const struct tv_alternation *alternation)
{
    /* Most rows are far shorter than even one point needs: that costs no logarithm. */
    return alternation->turns >= LEAST_NEEDED &&
           alternation->turns >= tv_alternation_needed(alternation);
}

double tv_alternation_swing(const struct tv_alternation *alternation)
{
    return alternation->turns ? alternation->swings / (alternation->turns + 1) : 0;
}

double tv_alternation_level(const struct tv_alternation *alternation)
{
    return alternation->last - alternation->change / 2;
}
