/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/innovation.h"
#include "lib/log_ratio.h"
#include "lib/robust.h"
#include "trainvet/number.h"
#include <math.h>
#include <string.h>

#define RING (TV_INNOVATIONS + TV_INNOVATION_LAST)

static double last_median(const struct tv_innovation *series)
{
    return tv_median_of_three(series->last[0], series->last[1], series->last[2]);
}

static double difference(const struct tv_innovation *series, double value, double centre)
{
    return series->is_raw ? value - centre : tv_log_ratio(value, centre);
}

/* Where in a ring of `size` the next one goes. What was accepted is counted up to twice the size
 * and then from the size on: the ring's places and its fullness stay the same, however long the
 * run, and no division is needed. */
static uint32_t take_place(uint32_t *accepted, uint32_t size)
{
    uint32_t place = *accepted < size ? *accepted : *accepted - size;
    if (++*accepted == 2 * size)
        *accepted = size;
    return place;
}

bool tv_innovation_expect(const struct tv_innovation *series, double value, struct tv_surprise *ret)
{
    if (series->values < TV_INNOVATION_LAST || (!series->is_raw && value == 0))
        return false;
    *ret = (struct tv_surprise){.change = NAN, .scale = NAN, .score = NAN};
    ret->centre = last_median(series);
    ret->known = series->changes < TV_INNOVATIONS ? series->changes : TV_INNOVATIONS;
    return true;
}

bool tv_innovation_peek(const struct tv_innovation *series, double value, struct tv_surprise *ret)
{
    if (!tv_innovation_expect(series, value, ret))
        return false;
    if (!series->is_raw && value < 0)
        ret->change = -INFINITY;
    else
        ret->change = difference(series, value, ret->centre);
    return true;
}

static double least_scale(const struct tv_innovation *series)
{
    if (!series->is_raw)
        return 0.01;
    size_t len = series->values < RING ? series->values : RING;
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < len; i++) {
        low = tv_least(low, series->value[i]);
        high = tv_most(high, series->value[i]);
    }
    return 0.01 * (high - low);
}

/* Most innovations are equal and no order statistic sees the others, which alternate or are few:
 * 1.2533 x the mean distance from the median, the standard deviation of a normal sample. */
static double mean_distance(const struct tv_innovation *series, size_t known)
{
    double centre = tv_median_of(series->change, known), sum = 0;
    for (size_t i = 0; i < known; i++)
        sum += fabs(series->change[i] - centre);
    return 1.2533 * sum / (double)known;
}

static double scale(const struct tv_innovation *series, size_t known)
{
    double now = tv_upper_scale(series->change, known);
    if (now == 0)
        now = mean_distance(series, known);
    now = fmax(now, least_scale(series));
    size_t windows =
        series->windows < TV_INNOVATION_SCALES ? series->windows : TV_INNOVATION_SCALES;
    return windows < 3 ? now : fmax(now, 0.8 * tv_median_of(series->scales, windows));
}

bool tv_innovation_judge(const struct tv_innovation *series, double value, struct tv_surprise *ret)
{
    if (!tv_innovation_peek(series, value, ret))
        return false;
    if (ret->known >= 2) {
        ret->scale = scale(series, ret->known);
        ret->score = ret->change / ret->scale;
    }
    return true;
}

double tv_innovation_highest(const struct tv_innovation *series, uint32_t len)
{
    double high = -INFINITY;
    for (uint32_t i = 1; i <= len && i <= series->values; i++)
        high = tv_most(high, series->value[(series->values - i) % RING]);
    return high;
}

static void add_change(struct tv_innovation *series, double change)
{
    if (!isfinite(change))
        return;
    uint32_t place = take_place(&series->changes, TV_INNOVATIONS);
    series->change[place] = change;
    if (place == TV_INNOVATIONS - 1)
        series->scales[take_place(&series->windows, TV_INNOVATION_SCALES)] =
            tv_upper_scale(series->change, TV_INNOVATIONS);
}

static void add_value(struct tv_innovation *series, double value)
{
    series->value[take_place(&series->values, RING)] = value;
    series->last[0] = series->last[1];
    series->last[1] = series->last[2];
    series->last[2] = value;
}

/* The innovations once more, from the values that are still known. */
static void turn_raw(struct tv_innovation *series)
{
    struct tv_innovation raw = {.is_raw = true};
    uint32_t first = series->values > RING ? series->values - RING : 0;
    for (uint32_t i = first; i < series->values; i++)
        tv_innovation_accept(&raw, series->value[i % RING]);
    *series = raw;
}

void tv_innovation_accept(struct tv_innovation *series, double value)
{
    if (!series->is_raw && value < 0)
        turn_raw(series);
    if (!series->is_raw && value == 0)
        return;
    if (series->values >= TV_INNOVATION_LAST)
        add_change(series, difference(series, value, last_median(series)));
    add_value(series, value);
}

void tv_innovation_accept_judged(struct tv_innovation *series, double value,
                                 const struct tv_surprise *judged)
{
    if (!series->is_raw && value <= 0) { /* the series turns raw, or learns nothing */
        tv_innovation_accept(series, value);
        return;
    }
    add_change(series, judged->change);
    add_value(series, value);
}

void tv_innovation_relevel(struct tv_innovation *series)
{
    series->values = 0;
}

double tv_innovation_noise(const struct tv_innovation *series)
{
    size_t known = series->changes < TV_INNOVATIONS ? series->changes : TV_INNOVATIONS;
    return known < 4 ? NAN : scale(series, known) / 1.204;
}
