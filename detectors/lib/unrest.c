/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/unrest.h"
#include <math.h>

enum { WINDOW_POINTS = 20 };

bool tv_unrest_add(struct tv_unrest *unrest, int64_t step, double value)
{
    double distance =
        unrest->level.groups ? fabs(value - unrest->last) : 0; /* groups is 0 before any point */
    unrest->last = value;
    tv_blocks_add(&unrest->noise, step, distance);
    return tv_blocks_add(&unrest->level, step, value);
}

static double mean(const double *values, uint32_t len)
{
    double sum = 0;
    for (uint32_t i = 0; i < len; i++)
        sum += values[i];
    return sum / len;
}

/* Mean noise of the blocks whose level is not above `ceiling`. */
static double noise_near(const struct tv_unrest *unrest, uint32_t blocks, double ceiling)
{
    double sum = 0;
    size_t n = 0;
    for (uint32_t i = 0; i < blocks; i++)
        if (unrest->level.level[i] <= ceiling) {
            sum += unrest->noise.level[i];
            n++;
        }
    return n ? sum / (double)n : NAN;
}

bool tv_unrest_measure(const struct tv_unrest *unrest, struct tv_unrest_finding *ret)
{
    uint32_t n = unrest->level.len, points = tv_blocks_points(&unrest->level);
    uint32_t window = (WINDOW_POINTS + points - 1) / points;
    if (window < n / 16)
        window = n / 16;
    if (window < 2)
        window = 2;
    if (n < 2 * window)
        return false;
    ret->calm_level = INFINITY;
    for (uint32_t i = 0; i + 2 * window <= n; i++)
        ret->calm_level = fmin(ret->calm_level, mean(unrest->level.level + i, window));
    ret->calm_noise = noise_near(unrest, n - window, 1.2 * ret->calm_level);
    const double *level = unrest->level.level + n - window;
    ret->level = mean(level, window);
    ret->noise = mean(unrest->noise.level + n - window, window);
    ret->level_ratio = ret->level / ret->calm_level;
    ret->noise_ratio = ret->noise / ret->calm_noise;
    ret->kept = mean(level + window - window / 2, window / 2) / mean(level, window / 2);
    double lowest = INFINITY;
    for (uint32_t i = 0; i < window; i++)
        lowest = fmin(lowest, level[i]);
    ret->lowest_ratio = lowest / ret->calm_level;
    ret->since = unrest->level.step[n - window];
    return ret->calm_level > 0 && ret->calm_noise > 0;
}
