/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_PACE_H
#define DETECTORS_LIB_PACE_H
/* Seconds a step, and whether they have become more by a factor: against the median of all before,
 * of which no slow-down is part. */
#include "lib/thin.h"

#define TV_PACES 16 /* last intervals that are kept one by one */

struct tv_pace_limits {
    double slow_factor;     /* times the usual */
    double slow_seconds;    /* that the interval must have lasted longer besides */
    int64_t slow_intervals; /* in a row, at most 12; half as many at the factor's square */
};

/* Zeroed: nothing is known. */
struct tv_pace {
    struct tv_thin before; /* what has left the window below */
    double fastest;        /* of that */
    double recent[TV_PACES];
    int64_t recent_step[TV_PACES]; /* the first one of the interval */
    uint32_t recent_len;
    bool is_slow;
    double now, usual; /* of the slow-down: seconds a step, before it */
    int64_t since;
    double lost; /* seconds, by it */
};

enum tv_pace_change { TV_PACE_AS_BEFORE, TV_PACE_SLOWED, TV_PACE_RECOVERED };

/* An interval from step `since` to `step`, in seconds, both differences above 0. */
enum tv_pace_change tv_pace_add(struct tv_pace *pace, const struct tv_pace_limits *limits,
                                int64_t since, int64_t step, double seconds);
/* The intervals so far were of another kind. */
void tv_pace_forget(struct tv_pace *pace);

#endif
