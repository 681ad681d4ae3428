/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/change.h"
#include "lib/robust.h"
#include "lib/trend.h"
#include <math.h>

static double mean(const double *values, uint32_t len)
{
    double sum = 0;
    for (uint32_t i = 0; i < len; i++)
        sum += values[i];
    return sum / len;
}

struct tv_change tv_change_of(const struct tv_thin *thin)
{
    struct tv_change change = {NAN, 0, 0, NAN, NAN, NAN, NAN, NAN};
    double steps[TV_THIN];
    uint32_t n = thin->len, third = n / 3;
    if (n < 3)
        return change;
    for (uint32_t i = 1; i < n; i++)
        steps[i - 1] = fabs(thin->value[i] - thin->value[i - 1]);
    change.first = mean(thin->value, third);
    change.last = mean(thin->value + n - third, third);
    change.middle = mean(thin->value + third, n - 2 * third);
    change.fall = change.first - change.last;
    /* The difference of two values of deviation s has the median size 0.6745 sqrt(2) s. */
    double deviation = n < 4 ? 0 : tv_median(steps, n - 1) / (0.6744897501960817 * sqrt(2));
    change.error = deviation * sqrt(2.0 / third);
    change.point_noise = deviation * sqrt((double)thin->each);
    return change;
}

double tv_change_slope(const struct tv_thin *thin, struct tv_change *change)
{
    double at[TV_THIN];
    if (thin->len >= 3 && isnan(change->slope)) {
        for (uint32_t i = 0; i < thin->len; i++)
            at[i] = (double)thin->step[i] - (double)thin->step[0];
        change->slope = tv_theil_sen(at, thin->value, thin->len);
    }
    return change->slope;
}

double tv_change_z(const struct tv_thin *thin, struct tv_change *change)
{
    if (isnan(change->z))
        change->z = tv_mann_kendall(thin->value, thin->len);
    return change->z;
}
