/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_GAPS_H
#define DETECTORS_LIB_GAPS_H
/* The intervals between two signs of life of a job in seconds, what silence is too long after them,
 * and whether the silences that were too long (pauses) come regularly. */
#include <stdbool.h>
#include <stdint.h>

enum { TV_GAPS = 48, TV_PAUSES = 3 };

struct tv_gap_limits {
    double floor;   /* seconds that no patience is below */
    double longest; /* times the longest of the last intervals, */
    double median;  /* and their median; the patience is the largest of the three, */
    double early; /* before the sixth interval so many times longer, before the first its square */
};

struct tv_pause {
    int64_t step; /* the last one before it */
    double began, seconds;
};

/* Zeroed: nothing is known. */
struct tv_gaps {
    double seconds[TV_GAPS]; /* a ring */
    uint32_t at;
    uint64_t count;
    struct tv_pause pauses[TV_PAUSES]; /* the last ones, oldest first */
    uint64_t pause_count;              /* since some were accepted */
    int64_t first_pause;
    double regular; /* the longest of the pauses that come regularly, 0: none do */
};

void tv_gaps_add(struct tv_gaps *gaps, double seconds);
/* Their median, NaN when there is none. */
double tv_gaps_usual(const struct tv_gaps *gaps);
/* Seconds of silence that are not too long yet. */
double tv_gaps_patience(const struct tv_gaps *gaps, const struct tv_gap_limits *limits);
/* Most intervals are ordinary: what they have stayed below is looked at only beyond the floor. The
 * first one says itself what is usual. */
static inline bool tv_gaps_is_too_long(const struct tv_gaps *gaps,
                                       const struct tv_gap_limits *limits, double seconds)
{
    return seconds > limits->floor && gaps->count > 0 && seconds > tv_gaps_patience(gaps, limits);
}

/* A silence that was too long, and is over: no interval. */
void tv_gaps_pause(struct tv_gaps *gaps, struct tv_pause pause);
/* The last pauses lie at like distances, in steps or in seconds, and none is twice as long as
 * another: the job evaluates, saves or waits as it was told to. */
bool tv_gaps_pauses_are_regular(const struct tv_gaps *gaps);
/* From here on pauses like these are no silence that is too long. */
void tv_gaps_accept_pauses(struct tv_gaps *gaps);
/* The step from which on another pause would no longer belong to the last ones. */
double tv_gaps_calm_until(const struct tv_gaps *gaps);

#endif
