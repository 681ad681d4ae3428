/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/trend.h"
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

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
    int64_t above = 0, below = 0; /* pairs whose second value is that */
    for (size_t i = 0; i < len; i++)
        for (size_t k = i + 1; k < len; k++) {
            above += values[k] > values[i];
            below += values[k] < values[i];
        }
    bool has_ties = (size_t)(above + below) < len * (len - 1) / 2;
    double n = (double)len, score = (double)(above - below);
    double variance = (n * (n - 1) * (2 * n + 5) - (has_ties ? ties(values, len) : 0)) / 18;
    if (score == 0 || variance <= 0)
        return 0;
    return (score > 0 ? score - 1 : score + 1) / sqrt(variance);
}

/* Moves the value that sorting would put at `k` there, no larger ones before it (C. A. R. Hoare,
 * Algorithm 65: find, CACM 4 (1961) 321). */
static double select_at(double *values, size_t len, size_t k)
{
    size_t low = 0, high = len - 1;
    while (low < high) {
        double pivot = values[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;; i++, j--) {
            while (values[i] < pivot)
                i++;
            while (pivot < values[j])
                j--;
            if (i >= j)
                break;
            double swapped = values[i];
            values[i] = values[j];
            values[j] = swapped;
        }
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
    return values[k];
}

static double middle(double *values, size_t len)
{
    double upper = select_at(values, len, len / 2), lower = values[0];
    if (len % 2)
        return upper;
    for (size_t i = 1; i < len / 2; i++)
        lower = values[i] > lower ? values[i] : lower;
    return (lower + upper) / 2;
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
    return middle(slopes, count);
}
