/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H
/* Clocks, and points in time as text, always UTC. */
#include "trainvet/sample.h"
#include <time.h>

double tv_clock_seconds(clockid_t clock);

/* Two clocks of one moment: seconds since boot (never steps; for waiting) and unix seconds (for the
 * data). */
struct tv_moment {
    double boot, wall;
};
struct tv_moment tv_clock_moment(void);

#define TV_TIME_TEXT 32
/* RFC 3339 with whole seconds, "2026-01-02T03:04:05Z"; "" for NaN and for years outside 0..9999. */
const char *tv_format_time(char buffer[TV_TIME_TEXT], double unix_seconds);
/* RFC 3339 ("2026-01-02T03:04:05Z", "...+01:00", fraction allowed) or unix seconds. */
bool tv_parse_time(struct tv_span text, double *ret);

#endif
