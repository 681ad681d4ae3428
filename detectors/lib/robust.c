/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/robust.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>

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

double tv_median_of_window(const double *values, size_t len)
{
    double window[TV_WINDOW_MAX];
    len = copy(window, values, len);
    return tv_median(window, len);
}

/* Median distance of sorted values from their median, scaled. The distances grow to both sides, so
 * the smallest half of them is found by walking outwards. */
static double mad_about(const double *sorted, size_t len, double centre)
{
    if (len == 0)
        return NAN;
    size_t above = len / 2, below = above; /* the next values are [above] and [below - 1] */
    double middle[2] = {0};
    for (size_t i = 0; i <= len / 2; i++) {
        double down = below > 0 ? centre - sorted[below - 1] : INFINITY;
        double up = above < len ? sorted[above] - centre : INFINITY;
        bool is_down = down < up;
        middle[0] = middle[1];
        middle[1] = is_down ? down : up;
        below -= is_down;
        above += !is_down;
    }
    return 1.4826 * (len % 2 ? middle[1] : middle[0] + 0.5 * (middle[1] - middle[0]));
}

double tv_mad(const double *values, size_t len)
{
    double window[TV_WINDOW_MAX];
    len = copy(window, values, len);
    double centre = tv_median(window, len);
    return mad_about(window, len, centre);
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
