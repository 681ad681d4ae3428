/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_LOG_RATIO_H
#define DETECTORS_LIB_LOG_RATIO_H
/* The logarithm of a ratio that is mostly near 1: noise about a level. */
#include <math.h>

/* ln (value / reference) of two positive numbers below 1e307, to 1e-13 of it. Within 28 % of each
 * other by the series 2 artanh((v - r) / (v + r)) (M. Abramowitz, I. A. Stegun, Handbook of
 * Mathematical Functions, 4.1.27), for half of the cost. */
static inline double tv_log_ratio(double value, double reference)
{
    double z = (value - reference) / (value + reference), q = z * z;
    if (!(q < 1.0 / 64))
        return log(value / reference);
    double tail = 1.0 / 9 + q * (1.0 / 11 + q * (1.0 / 13 + q * (1.0 / 15)));
    return 2 * z * (1 + q * (1.0 / 3 + q * (1.0 / 5 + q * (1.0 / 7 + q * tail))));
}

#endif
