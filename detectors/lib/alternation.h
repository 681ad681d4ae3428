/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_ALTERNATION_H
#define DETECTORS_LIB_ALTERNATION_H
/* Does a series go up and down in turn for longer than chance lets it? Of n independent values in a
 * row all inner ones are turning points with a chance of 4/pi (2/pi)^n x 2 (Andre 1879: alternating
 * permutations), whatever their distribution. */
#include <stdbool.h>
#include <stdint.h>

struct tv_alternation {
    double last, change; /* last value, and how it came there */
    uint32_t turns;      /* in a row, up to the last value */
    uint64_t points;
    int64_t since; /* step of the first value in that row */
    int64_t last_step;
    double swings; /* sum of the sizes of the changes in it */
    double level;  /* middle of its first two values */
};

/* A zeroed struct is empty. `value` must be finite. */
void tv_alternation_add(struct tv_alternation *alternation, int64_t step, double value);
/* Turns in a row that happen by chance in less than one of 10,000 series as long as this one. */
uint32_t tv_alternation_needed(const struct tv_alternation *alternation);
/* It has turned so often. */
bool tv_alternation_is_long(const struct tv_alternation *alternation);
/* Mean size of a change in the row; 0 when there is none. */
double tv_alternation_swing(const struct tv_alternation *alternation);
/* Middle of the last two values. */
double tv_alternation_level(const struct tv_alternation *alternation);

#endif
