/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_SWINGS_H
#define DETECTORS_LIB_SWINGS_H
/* Turning points of a series that differ by more than a threshold ("zigzag"): noise below the
 * threshold and a trend of any steepness make none. */
#include <stdbool.h>
#include <stdint.h>

struct tv_swings {
    bool seen, rising;
    double extreme;     /* since the last turning point */
    uint32_t count;     /* turning points so far: a low, a high, a low, ... */
    int64_t first_rise; /* step of the last value before the first rise was too large */
    int64_t last_step;
    double low; /* last low */
    double first_low;
    double lowest;      /* of all values */
    double widest_rise; /* largest finished rise */
};

/* A zeroed struct is empty; the first turning point can only be a low. `threshold` may differ from
 * call to call. True when this value confirmed a turning point. */
bool tv_swings_add(struct tv_swings *swings, int64_t step, double value, double threshold);

#endif
