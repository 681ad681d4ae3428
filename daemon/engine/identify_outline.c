/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the points look like. */
#include "engine/identify_parts.h"
#include "lib/lr_fit.h"
#include <math.h>

#define RESTARTS_MAX 20
#define BEYOND       0.01 /* of the first value: the end of a cycle is below */
#define HEADLESS_MIN 12   /* points that remain */

/* Rounding in the log, and what a fit of rounded parameters leaves. */
static double exactness(const struct tv_outline *o, double value)
{
    double slack = o->points->digits > 6 ? 1e-7 : 3e-6;
    return tv_lr_exactness(o->points, value, o->data.highest) + slack * o->data.highest;
}

static void look_at_rise(struct tv_outline *o)
{
    const struct tv_lr_point *at = o->data.at;
    o->first_delay = NAN;
    if (o->top == 0)
        return;
    bool two = o->top >= 2 && at[1].step > at[0].step;
    double slope = two ? (at[1].value - at[0].value) / (double)(at[1].step - at[0].step)
                       : at[0].value / fmax(1, (double)at[0].step);
    if (two)
        o->first_delay = (double)at[0].step - at[0].value / slope;
    o->rise = slope > 0 ? fmin(o->data.highest / slope, (double)at[o->top].step) : 0;
    if (!(o->rise > 0))
        o->rise = (double)at[o->top].step;
}

static void look_at_fall(struct tv_outline *o)
{
    const struct tv_lr_data *data = &o->data;
    o->lowest = data->highest;
    for (size_t i = o->top + 1; i < data->len; i++) {
        double slack = TV_SAME_VALUE * data->at[i - 1].value;
        bool is_up = data->at[i].value > data->at[i - 1].value + 0.02 * data->highest;
        if (is_up && o->jumps++ == 0)
            o->first_jump = i;
        o->falling += fabs(data->at[i].value - data->at[i - 1].value) > slack;
        o->lowest = fmin(o->lowest, data->at[i].value);
        if (o->falling == 0)
            o->flat_end = i;
    }
}

/* Where few points are logged, one behind a restart may be higher than those before it. */
static size_t first_top(const struct tv_outline *o)
{
    const struct tv_lr_point *at = o->data.at;
    for (size_t i = 0; i < o->top; i++)
        if (at[i].value > 0.5 * o->data.highest && at[i + 1].value < at[i].value)
            return i;
    return o->top;
}

/* torch's OneCycleLR, stepped once more than it has steps, goes on: its line below 0, its wave up
 * again. */
static bool is_beyond(const struct tv_lr_point *at, size_t len)
{
    if (len < 3)
        return false;
    const struct tv_lr_point *last = &at[len - 1];
    double before = last[-2].value - last[-1].value, change = last->value - last[-1].value;
    return last->value < 0 || (last->step == last[-1].step + 1 && change > 0 && before > 0 &&
                               change < 1.5 * before && last[-1].value < BEYOND * at[0].value);
}

bool tv_outline_of(const struct tv_lr_points *points, double total, struct tv_outline *o)
{
    *o = (struct tv_outline){.points = points, .total = total};
    o->data.len = tv_lr_points_get(points, o->data.at);
    o->data.len -= is_beyond(o->data.at, o->data.len);
    for (size_t i = 0; i < o->data.len; i++) {
        if (!(o->data.at[i].value >= 0))
            return false;
        o->data.highest = fmax(o->data.highest, o->data.at[i].value);
    }
    if (!(o->data.highest > 0))
        return false;
    for (size_t i = o->data.len; i-- > 0;) {
        o->data.exact[i] = exactness(o, o->data.at[i].value);
        if (o->data.at[i].value >= o->data.highest * (1 - TV_SAME_VALUE))
            o->top = i;
    }
    o->top = first_top(o);
    o->flat_end = o->top;
    look_at_rise(o);
    look_at_fall(o);
    return true;
}

/* Up to the peak, down from it, and up again only at a restart: whatever does otherwise needs no
 * fit. */
bool tv_outline_is_orderly(const struct tv_outline *o)
{
    const struct tv_lr_point *at = o->data.at;
    for (size_t i = 1; i < o->data.len; i++) {
        double change = at[i].value - at[i - 1].value;
        if (at[i].step <= at[i - 1].step)
            continue;
        if (i <= o->top && change < 0)
            return false;
        bool is_restart = change > 0.02 * o->data.highest && at[i].value > 0.5 * o->data.highest;
        if (i > o->top && change > TV_SAME_VALUE * at[i].value && !is_restart)
            return false;
    }
    return o->jumps <= RESTARTS_MAX;
}

bool tv_fit_meets(const struct tv_shape_fit *fit, const struct tv_outline *o)
{
    for (size_t i = 0; i < o->data.len; i++) {
        double n = fmax(0, (double)o->data.at[i].step - fit->delay);
        if (!(fabs(tv_schedule_lr(&fit->schedule, n) - o->data.at[i].value) <= o->data.exact[i]))
            return false;
    }
    return true;
}

bool tv_outline_behead(const struct tv_outline *o, struct tv_outline *ret)
{
    size_t first = o->flat_end + 1;
    bool has_head =
        o->top > 0 || o->data.at[0].step > 1; /* a warm-up may end before the log begins */
    if (!has_head || first + HEADLESS_MIN > o->data.len)
        return false;
    *ret = *o;
    ret->is_headless = true;
    ret->data.len = 0;
    ret->data.highest = 0;
    for (size_t i = first; i < o->data.len; i++) {
        ret->data.at[ret->data.len] = o->data.at[i];
        ret->data.exact[ret->data.len++] = o->data.exact[i];
        ret->data.highest = fmax(ret->data.highest, o->data.at[i].value);
    }
    ret->top = ret->flat_end = ret->jumps = ret->falling = 0;
    ret->first_delay = NAN;
    look_at_fall(ret);
    ret->rise = (double)o->data.at[o->flat_end].step;
    return true;
}
