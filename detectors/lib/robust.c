/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/robust.h"
#include <math.h>
#include <string.h>

void tv_sort(double *values, size_t len)
{
    for (size_t i = 1; i < len; i++) {
        double value = values[i];
        size_t k = i;
        for (; k > 0 && values[k - 1] > value; k--)
            values[k] = values[k - 1];
        values[k] = value;
    }
}

double tv_quantile_sorted(const double *sorted, size_t len, double share)
{
    if (len == 0)
        return NAN;
    double at = share * (double)(len - 1);
    size_t below = (size_t)at;
    if (below + 1 >= len)
        return sorted[len - 1];
    double part = at - (double)below;
    return part > 0 ? sorted[below] + part * (sorted[below + 1] - sorted[below]) : sorted[below];
}

double tv_median(double *values, size_t len)
{
    tv_sort(values, len);
    return tv_quantile_sorted(values, len, 0.5);
}

static size_t copy(double *to, const double *from, size_t len)
{
    if (len > TV_WINDOW_MAX)
        len = TV_WINDOW_MAX;
    memcpy(to, from, len * sizeof *to);
    return len;
}

double tv_median_of(const double *values, size_t len)
{
    double window[TV_WINDOW_MAX];
    len = copy(window, values, len);
    return tv_median(window, len);
}

/* Median distance of sorted values from `centre`, scaled; overwrites the window. */
static double mad_about(double *window, size_t len, double centre)
{
    for (size_t i = 0; i < len; i++)
        window[i] = fabs(window[i] - centre);
    return 1.4826 * tv_median(window, len);
}

double tv_mad(const double *values, size_t len)
{
    double window[TV_WINDOW_MAX];
    len = copy(window, values, len);
    return mad_about(window, len, tv_median(window, len));
}

double tv_upper_scale(const double *values, size_t len)
{
    double window[TV_WINDOW_MAX];
    len = copy(window, values, len);
    double centre = tv_median(window, len);
    double upper = (tv_quantile_sorted(window, len, 0.95) - centre) / 1.645;
    double mad = mad_about(window, len, centre);
    return upper > mad ? upper : mad;
}
