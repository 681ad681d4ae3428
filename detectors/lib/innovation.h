/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_INNOVATION_H
#define DETECTORS_LIB_INNOVATION_H
/* How surprising is the next point of a noisy, falling series? The innovation is the point less the
 * median of the last three accepted ones, in log space while all values are positive (then scores
 * do not depend on the unit), as it is once a value was negative. Its scale is tv_upper_scale() of
 * the last TV_INNOVATIONS innovations (of the mean distance
 * from the median where that is 0: alternating values), at least 0.01 in log space (logs are
 * rounded) or 1 % of the window's range. Short windows follow the fall of the loss; the upper
 * quantile keeps noise that is skewed upwards from alarming. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TV_INNOVATIONS       30
#define TV_INNOVATION_LAST   3
#define TV_INNOVATION_SCALES 8

struct tv_innovation {
    double value[TV_INNOVATIONS + TV_INNOVATION_LAST]; /* ring of accepted values as logged */
    double change[TV_INNOVATIONS];                     /* ring of their innovations */
    double scales[TV_INNOVATION_SCALES];               /* ring: the scale after each full window */
    double last[TV_INNOVATION_LAST];                   /* newest last */
    uint32_t values, changes, windows; /* accepted so far; of a full ring only where it stands */
    bool is_raw;
};

struct tv_surprise {
    double change; /* the innovation, in log space unless is_raw */
    double scale;
    double score;  /* change / scale; NaN while there are not 2 innovations */
    double centre; /* what was expected, in the series' own unit */
    size_t known;  /* innovations that the scale rests on */
};

/* Judges a finite value without learning it. False when it cannot be judged: nothing known yet, or
 * a zero in a positive series, which has no logarithm. */
bool tv_innovation_judge(const struct tv_innovation *series, double value, struct tv_surprise *ret);
/* As above without the scale (score and scale NaN): costs a logarithm. */
bool tv_innovation_peek(const struct tv_innovation *series, double value, struct tv_surprise *ret);
/* As above without the change either (NaN): costs a few comparisons. */
bool tv_innovation_expect(const struct tv_innovation *series, double value,
                          struct tv_surprise *ret);
/* Highest of the last `len` accepted values (at most TV_INNOVATIONS); -INFINITY when there is none.
 */
double tv_innovation_highest(const struct tv_innovation *series, uint32_t len);
/* Learns a finite value. */
void tv_innovation_accept(struct tv_innovation *series, double value);
/* The same for a value that was just judged or peeked at: the change is not worked out again. */
void tv_innovation_accept_judged(struct tv_innovation *series, double value,
                                 const struct tv_surprise *judged);
/* Forgets the last values but not the noise: after a jump that is accepted as the new level. */
void tv_innovation_relevel(struct tv_innovation *series);
/* Standard deviation of the noise about the series' level, in the innovations' space; NaN while
 * unknown. An innovation against a median of three has sqrt(1 + 0.449) of it for normal noise. */
double tv_innovation_noise(const struct tv_innovation *series);

#endif
