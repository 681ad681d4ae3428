/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_ROBUST_H
#define DETECTORS_LIB_ROBUST_H
/* Location and scale that half of the points (quantiles: their share) cannot spoil. Small windows,
 * no heap, no NaN among the values. Source: P. J. Huber, E. M. Ronchetti, Robust Statistics, 2nd
 * ed. 2009, chapters 1 and 5. */
#include <stddef.h>

#define TV_WINDOW_MAX 64

/* Sorts upwards in place; meant for windows of at most TV_WINDOW_MAX values. */
void tv_sort(double *values, size_t len);
/* Puts `in` in the place of `out`, which must be one of the sorted values: a sorted window that
 * moves on by a point costs a step instead of a sort. */
void tv_sorted_replace(double *sorted, size_t len, double out, double in);
/* Quantile of sorted values, linear between the neighbours (type 7 of Hyndman and Fan 1996); NaN
 * when len is 0. */
double tv_quantile_sorted(const double *sorted, size_t len, double share);
/* Middle value, mean of the two middle ones when len is even; NaN when len is 0. Sorts `values`. */
double tv_median(double *values, size_t len);
double tv_median_of_window(const double *values, size_t len);

/* Of three values that are numbers: no branch. */
static inline double tv_median_of_three(double a, double b, double c)
{
    double low = b < a ? b : a, high = a < b ? b : a, rest = c < high ? c : high;
    return low < rest ? rest : low;
}

/* The lowest and the highest of four values are not it: the median is that of the other three. */
static inline double tv_median_of_five(const double *v)
{
    double low = v[1] < v[0] ? v[1] : v[0], high = v[0] < v[1] ? v[1] : v[0];
    double low2 = v[3] < v[2] ? v[3] : v[2], high2 = v[2] < v[3] ? v[3] : v[2];
    return tv_median_of_three(low < low2 ? low2 : low, high2 < high ? high2 : high, v[4]);
}

/* The median of at most TV_WINDOW_MAX values, which stay as they are. Most callers have three or
 * five at each point. */
static inline double tv_median_of(const double *values, size_t len)
{
    if (len == 5)
        return tv_median_of_five(values);
    if (len == 3)
        return tv_median_of_three(values[0], values[1], values[2]);
    return tv_median_of_window(values, len);
}

/* 1.4826 x the median distance from the median: the standard deviation of a normal sample.
 * Breakdown point 1/2. */
double tv_mad(const double *values, size_t len);
/* Scale of the upper side: the larger of tv_mad() and (95 % quantile - median) / 1.645. Equal to
 * the standard deviation for normal noise, larger for noise skewed upwards, which losses have. */
double tv_upper_scale(const double *values, size_t len);

#endif
