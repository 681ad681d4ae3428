/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_DESCENT_H
#define DETECTORS_LIB_DESCENT_H
/* How far a loss has come down: its level at the start and the lowest level since. A rise is
 * measured as the share of that way that it undoes, which depends on neither unit nor shift and
 * keeps the noise about a loss near zero small. */
#include <stdbool.h>
#include <stdint.h>

#define TV_DESCENT_FIRST 3
#define TV_DESCENT_LAST  5

struct tv_descent {
    double first[TV_DESCENT_FIRST], last[TV_DESCENT_LAST];
    int64_t last_step[TV_DESCENT_LAST];
    uint32_t points;
    double start;  /* median of the first points */
    double lowest; /* lowest median of the last points */
    int64_t lowest_step;
};

/* A zeroed struct is empty. `value` must be finite. */
void tv_descent_add(struct tv_descent *descent, int64_t step, double value);
/* Medians are known: TV_DESCENT_LAST points were seen. */
bool tv_descent_known(const struct tv_descent *descent);
/* start - lowest, never negative. */
double tv_descent_range(const struct tv_descent *descent);
/* (value - lowest) / range: 0 at the best level, 1 back at the start, infinite while nothing was
 * gained. */
double tv_descent_undone(const struct tv_descent *descent, double value);

#endif
