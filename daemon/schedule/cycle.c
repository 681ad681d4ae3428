/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Schedules that come back: restarts, cycles, one-cycle policies. */
#include "schedule/curve.h"

double tv_restarts_lr(const struct tv_curve *c, double n)
{
    if (n < c->warmup)
        return tv_warmup(c, n);
    double p = (n - c->warmup) / fmax(1.0, tv_curve_end(c) - c->warmup);
    if (p >= 1.0)
        return tv_curve_floor(c);
    return c->peak * fmax(0.0, tv_half_cosine(fmod(c->param[TV_P_CYCLES] * p, 1.0)));
}
