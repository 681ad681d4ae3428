/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/trend.h"
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* Sum over groups of equal values of t (t - 1) (2 t + 5), each group counted once. */
static double ties(const double *values, size_t len)
{
    double sum = 0;
    for (size_t i = 0; i < len; i++) {
        double same = 0;
        bool first = true;
        for (size_t k = 0; k < len; k++) {
            same += values[k] == values[i];
            first = first && !(k < i && values[k] == values[i]);
        }
        if (first)
            sum += same * (same - 1) * (2 * same + 5);
    }
    return sum;
}

double tv_mann_kendall(const double *values, size_t len)
{
    if (len < 3)
        return 0;
    if (len > TV_TREND_MAX)
        len = TV_TREND_MAX;
    double score = 0;
    for (size_t i = 0; i < len; i++)
        for (size_t k = i + 1; k < len; k++)
            score += (values[k] > values[i]) - (values[k] < values[i]);
    double n = (double)len;
    double variance = (n * (n - 1) * (2 * n + 5) - ties(values, len)) / 18;
    if (score == 0 || variance <= 0)
        return 0;
    return (score > 0 ? score - 1 : score + 1) / sqrt(variance);
}

static int by_value(const void *a_, const void *b_)
{
    double a = *(const double *)a_, b = *(const double *)b_;
    return (a > b) - (a < b);
}

double tv_theil_sen(const double *at, const double *values, size_t len)
{
    double slopes[TV_TREND_MAX * (TV_TREND_MAX - 1) / 2];
    size_t count = 0;
    if (len > TV_TREND_MAX)
        len = TV_TREND_MAX;
    for (size_t i = 0; i < len; i++)
        for (size_t k = i + 1; k < len; k++) {
            double run = at ? at[k] - at[i] : (double)(k - i);
            if (run != 0)
                slopes[count++] = (values[k] - values[i]) / run;
        }
    if (count == 0)
        return NAN;
    qsort(slopes, count, sizeof *slopes, by_value);
    return count % 2 ? slopes[count / 2] : (slopes[count / 2 - 1] + slopes[count / 2]) / 2;
}
