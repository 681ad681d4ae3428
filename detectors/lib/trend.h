/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_TREND_H
#define DETECTORS_LIB_TREND_H
/* Is there a trend, and how steep? Meant for block medians: raw points of a training log are
 * autocorrelated, which both tests take for evidence. At most TV_TREND_MAX values; what is beyond
 * is ignored. */
#include <stddef.h>

#define TV_TREND_MAX 32

/* Mann-Kendall statistic as a standard normal score, with the correction for ties and for
 * continuity: above 1.64 rising, below -1.64 falling with 95 % confidence. 0 for fewer than 3
 * values. H. B. Mann, Econometrica 13 (1945) 245; M. G. Kendall, Rank Correlation Methods, 4th ed.
 * 1975. */
double tv_mann_kendall(const double *values, size_t len);
/* Median of the slopes between all pairs; NaN for fewer than 2 values. `at` are the abscissas, NULL
 * for 0, 1, 2... Pairs at the same abscissa are left out. Breakdown point 29 %. P. K. Sen, JASA 63
 * (1968) 1379. */
double tv_theil_sen(const double *at, const double *values, size_t len);

#endif
