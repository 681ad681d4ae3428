/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/thin.h"
#include "lib/robust.h"
#include <math.h>

bool tv_thin_add(struct tv_thin *thin, int64_t step, double value)
{
    if (thin->each == 0)
        thin->each = 1;
    thin->open_sum += value / (double)thin->each;
    if (++thin->open < thin->each)
        return false;
    if (thin->len == TV_THIN) {
        for (size_t i = 0; i < TV_THIN / 2; i++) {
            thin->value[i] = thin->value[2 * i] / 2 + thin->value[2 * i + 1] / 2;
            thin->step[i] = thin->step[2 * i + 1];
        }
        thin->len = TV_THIN / 2;
        thin->each *= 2;
        /* What was just finished is the first half of the next mean. */
        thin->open_sum /= 2;
        return true;
    }
    thin->value[thin->len] = thin->open_sum;
    thin->step[thin->len++] = step;
    thin->open_sum = 0;
    thin->open = 0;
    return true;
}

double tv_thin_median(const struct tv_thin *thin, double from, double to)
{
    double values[TV_THIN];
    size_t n = 0;
    for (uint32_t i = 0; i < thin->len; i++)
        if ((double)thin->step[i] > from && (double)thin->step[i] <= to)
            values[n++] = thin->value[i];
    return n ? tv_median(values, n) : NAN;
}
