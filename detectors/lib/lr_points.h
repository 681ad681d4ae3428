/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_LR_POINTS_H
#define DETECTORS_LIB_LR_POINTS_H
/* A bounded picture of a logged learning rate: the first points, the last points, those around a
 * step that matters, and an evenly thinned selection of what lies between. Also how many digits the
 * writer prints. */
#include <stddef.h>
#include <stdint.h>

#define TV_LR_HEAD   8  /* first points, kept for good: the warm-up */
#define TV_LR_TAIL   12 /* last points, all of them */
#define TV_LR_KEPT   48 /* first, pinned and thinned points */
#define TV_LR_POINTS (TV_LR_KEPT + TV_LR_TAIL)

struct tv_lr_point {
    int64_t step;
    double value;
};

/* Zero-initialise to create. */
struct tv_lr_points {
    struct tv_lr_point kept[TV_LR_KEPT], tail[TV_LR_TAIL];
    uint32_t kept_index[TV_LR_KEPT]; /* arrival number */
    uint32_t seen;                   /* points added; no more are taken at UINT32_MAX */
    uint32_t stride;                 /* of the thinned selection */
    uint32_t pin; /* arrival number + 1 of the pinned point, 0 when there is none */
    uint8_t kept_len;
    uint8_t digits;   /* most significant digits that any value needed, 0 before the first; 17: full
                         doubles */
    uint8_t decimals; /* most decimals that any value needed */
    uint8_t values;   /* different values seen, at most 8 */
};

void tv_lr_points_add(struct tv_lr_points *points, int64_t step, double value);
/* Keeps the points around this step, if it is still there; of several the last. */
void tv_lr_points_pin(struct tv_lr_points *points, int64_t step);
/* All that is kept, in order of arrival; returns how many. */
size_t tv_lr_points_get(const struct tv_lr_points *points, struct tv_lr_point ret[TV_LR_POINTS]);
/* Half a unit of the last digit that the writer prints, for this value; 0 for full precision.
 * float32 is full. */
double tv_lr_points_rounding(const struct tv_lr_points *points, double value);

#endif
