/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_RUNNING_LEVEL_H
#define DETECTORS_LIB_RUNNING_LEVEL_H
/* The level of a noisy series, and the lowest one that it has had (its base). The level is the
 * median of the last f points, f = points / 8 (odd) within 3..TV_LEVEL_WINDOW; the base is the
 * lowest median of 2f points. The lowest of a million short medians is low by mere chance, so in a
 * long run the lowest block (lib/blocks.h) takes its place: these grow with the run. */
#include "lib/blocks.h"

#define TV_LEVEL_WINDOW 15 /* odd: of an even number of points, half may not be outliers */
#define TV_LEVEL_RING   30 /* two windows */

/* A zeroed struct is empty. */
struct tv_running_level {
    double ring[TV_LEVEL_RING];     /* last points */
    double sorted[TV_LEVEL_WINDOW]; /* those of the window */
    struct tv_blocks blocks;        /* of the points that may be of the base */
    double now, base;
    uint32_t sorted_len, ring_len, at;
    uint32_t points; /* all, those before it was forgotten too; counted up to a million */
    bool has_base;
};

/* The next point, finite. */
void tv_running_level_add(struct tv_running_level *level, double value);
/* The same point is as it should be: the base may be here. True: it is the first one, or lower than
 * before. */
bool tv_running_level_accept(struct tv_running_level *level, int64_t step, double value);
/* Levels from here on are not those of before. */
void tv_running_level_forget(struct tv_running_level *level);

/* Points that the level of now is the median of: f. */
static inline uint32_t tv_running_level_window(const struct tv_running_level *level)
{
    uint32_t f = level->points / 8;
    return f < 3 ? 3 : f >= TV_LEVEL_WINDOW ? TV_LEVEL_WINDOW : f | 1;
}

/* Median of the last `len` points. */
double tv_running_level_of_last(const struct tv_running_level *level, size_t len);
/* The last `len` points are on their way down (Mann-Kendall below -1). */
bool tv_running_level_falls(const struct tv_running_level *level, size_t len);

#endif
