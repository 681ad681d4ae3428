/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_THIN_H
#define DETECTORS_LIB_THIN_H
/* A series of any length as at most TV_THIN means of equal numbers of points, as fine as the space
 * allows: single points at first, then pairs, then fours. lib/blocks.h is coarser and robust. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TV_THIN 32

struct tv_thin {
    double value[TV_THIN];
    int64_t step[TV_THIN]; /* of the last point in the mean */
    uint32_t len;
    uint64_t each; /* points in a mean, 0 at first: 1 */
    double open_sum;
    uint64_t open;
};

/* A zeroed struct is empty; `value` must be finite. True when the finished means have changed. */
bool tv_thin_add(struct tv_thin *thin, int64_t step, double value);
/* Median of the means whose step lies in (from, to]; NaN when there is none. */
double tv_thin_median(const struct tv_thin *thin, double from, double to);

#endif
