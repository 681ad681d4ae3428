/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_CHANGE_H
#define DETECTORS_LIB_CHANGE_H
/* How far a series has come, and how sure that is in its noise. */
#include "lib/thin.h"

struct tv_change {
    double fall;        /* mean of the first third minus mean of the last third */
    double error;       /* its standard error, by the differences of neighbours */
    double point_noise; /* standard deviation of single points by the same measure */
    double first, last; /* the two means */
    double middle;      /* mean of the third between them */
    double slope, z;    /* NaN until somebody asks: both cost a look at all pairs of values */
};

/* NaN for fewer than 3 values (error and point_noise: 0 for fewer than 4). */
struct tv_change tv_change_of(const struct tv_thin *thin);
/* Theil-Sen, a step; NaN for fewer than 3 values. */
double tv_change_slope(const struct tv_thin *thin, struct tv_change *change);
/* Mann-Kendall, below 0 is falling; 0 for fewer than 3 values. */
double tv_change_z(const struct tv_thin *thin, struct tv_change *change);

#endif
