/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/swings.h"

bool tv_swings_add(struct tv_swings *swings, int64_t step, double value, double threshold)
{
    int64_t before = swings->last_step;
    swings->last_step = step;
    if (!swings->seen) {
        swings->seen = true;
        swings->lowest = value;
        swings->extreme = value;
        return false;
    }
    if (value < swings->lowest)
        swings->lowest = value;
    bool further = swings->rising ? value > swings->extreme : value < swings->extreme;
    if (further) {
        swings->extreme = value;
        return false;
    }
    double back = swings->rising ? swings->extreme - value : value - swings->extreme;
    if (!(back > threshold))
        return false;
    if (swings->rising) {
        double rise = swings->extreme - swings->low;
        if (rise > swings->widest_rise)
            swings->widest_rise = rise;
    } else {
        swings->low = swings->extreme;
        if (swings->count == 0) {
            swings->first_low = swings->extreme;
            swings->first_rise = before;
        }
    }
    swings->count++;
    swings->rising = !swings->rising;
    swings->extreme = value;
    return true;
}
